from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "console"

    def ready(self) -> None:
        # Makes the Celery application the one that @shared_task binds to; the others listen for
        # whom a task is done, for who signs in, and for what becomes of that.
        from console import celery, sign_ins, task_owners  # noqa: F401
        from console.openid import sessions  # noqa: F401
        from console.sign_in import signals  # noqa: F401
