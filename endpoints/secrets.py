"""Secrets at rest: encrypted with the newest key of the installation, opened with any of them."""

from functools import cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from pydantic import SecretStr

from inference.errors import InferenceError


class SecretUnreadable(InferenceError):
    """A stored secret that none of the keys opens."""


def encrypt(secret: SecretStr) -> str:
    """The secret as it may be stored."""
    return _keys(settings.SECRET_KEYS).encrypt(secret.get_secret_value().encode()).decode()


def decrypt(stored: str) -> SecretStr:
    """What encrypt() stored. Raises SecretUnreadable."""
    try:
        return SecretStr(_keys(settings.SECRET_KEYS).decrypt(stored.encode()).decode())
    except InvalidToken as exc:
        raise SecretUnreadable(
            "a stored secret cannot be read: it was encrypted with a key that CONSOLE_SECRET_KEYS "
            "does not hold. Add that key behind the newest one, or enter the secret again"
        ) from exc


def is_renewed(stored: str) -> bool:
    """Whether what encrypt() stored is encrypted with the newest key."""
    try:
        Fernet(settings.SECRET_KEYS[0]).decrypt(stored.encode())
    except InvalidToken:
        return False
    return True


@cache
def _keys(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])
