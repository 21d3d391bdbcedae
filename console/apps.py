from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "console"

    def ready(self) -> None:
        # Makes the Celery application the one that @shared_task binds to.
        # Those who sign in are written down by what listens there.
        from console import celery, sign_ins  # noqa: F401
