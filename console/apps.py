from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "console"

    def ready(self) -> None:
        # Makes the Celery application the one that @shared_task binds to.
        from console import celery  # noqa: F401
        from console.openid import sessions  # noqa: F401
        from console.sign_in import signals  # noqa: F401
