from allauth.account.apps import AccountConfig
from django.apps import AppConfig


class AccountsConfig(AccountConfig):
    """Without the demand that its middleware stands around everything, the API's calls too."""

    def ready(self) -> None:
        from allauth.account import checks  # noqa: F401


class ConsoleConfig(AppConfig):
    name = "console"

    def ready(self) -> None:
        # Makes the Celery application the one that @shared_task binds to.
        from console import celery  # noqa: F401
        from console.sign_in import marks  # noqa: F401
