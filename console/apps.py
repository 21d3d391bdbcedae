from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "console"

    def ready(self) -> None:
        # Makes the Celery application the one that @shared_task binds to; the others listen for
        # whom a task is done, and for who signs in.
        from console import celery, sign_ins, task_owners  # noqa: F401
