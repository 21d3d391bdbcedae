"""One way of proving who calls, where a service has several."""

from collections.abc import Sequence

from inference.errors import InvalidSettings
from inference.services.settings import Settings

SECRET = "client_secret"  # noqa: S105 - the name of a setting


def check_credentials(settings: Settings, keys: Sequence[str], oauth: Sequence[str]) -> None:
    """A single key, or all that OAuth2 needs. Raises InvalidSettings.

    keys: the settings each of which is enough. oauth: those that belong to a client_secret.
    """
    fields = (*oauth, SECRET)
    told = [name for name in (*keys, *fields) if getattr(settings, name) is not None]
    if not told:
        known = ", ".join((*keys, SECRET))
        raise InvalidSettings(
            [f"[service_settings] does not contain one of the required settings [{known}]"]
        )
    first, *others = told
    if first in keys and others:
        raise InvalidSettings(
            [f"[service_settings] [{first}] cannot be used together with [{', '.join(others)}]"]
        )
    missing = [name for name in fields if name not in told]
    if first not in keys and missing:
        raise InvalidSettings(
            [
                f"[service_settings] OAuth2 needs all of [{', '.join(fields)}]; missing are "
                f"[{', '.join(missing)}]"
            ]
        )
