from allauth.account.apps import AccountConfig


class AccountsConfig(AccountConfig):  # type: ignore[misc]  # it carries no types
    """Without the demand that its middleware stands around everything, the API's calls too."""

    def ready(self) -> None:
        from allauth.account import checks  # noqa: F401
