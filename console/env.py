"""Typed reads of the environment. A value that cannot be used stops the start by name."""

import base64
import binascii
import json
import os
import re
import secrets
from collections.abc import Callable, Collection
from pathlib import Path
from urllib.parse import unquote, urlsplit

from endpoints.groups import GroupMap, read_mapping
from inference.upstream.mapping import OriginMap
from inference.upstream.places import certificate_problem, proxy_problem

LONGEST_BUNDLE, LONGEST_ISSUER = 10_000_000, 200
LOOPBACK = ("127.0.0.1", "::1", "localhost")
MAIL_PORTS = {"smtp": 587, "smtps": 465, "smtp+plain": 25}
BARE_URL = re.compile(r"https?://([\w.-]+|\[[0-9a-fA-F:.]+\])(:[0-9]{1,5})?", re.ASCII)
TRUE, FALSE = ("true", "1"), ("false", "0")
# As Redis's own client reads it.
REDIS_URL = re.compile(r"rediss?://[^/?#\s]+(/[0-9]*)?(\?\S*)?|unix://\S+")


class BadSetting(Exception):
    """Something about the installation that a person must change before it can start."""


def env_str(name: str, default: str = "") -> str:
    return os.environ.get(name) or default


def env_secret(name: str, default: str = "") -> str:
    """Read NAME, or the file that NAME_FILE names."""
    path = os.environ.get(f"{name}_FILE")
    if not path:
        return env_str(name, default)
    try:
        return Path(path).read_text().strip()
    except OSError as exc:
        raise BadSetting(f"{name}_FILE names a file that cannot be read: {exc}") from exc


def env_bool(name: str, default: bool) -> bool:
    text = env_str(name, str(default)).lower()
    if text not in TRUE + FALSE:
        raise BadSetting(f"{name} must be true or false (or 1 or 0), not [{text}].")
    return text in TRUE


def env_int(name: str, default: int, *, least: int, most: int) -> int:
    text = env_str(name, str(default))
    if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
        raise BadSetting(f"{name} must be a whole number from {least} to {most}, not [{text}].")
    return int(text)


def env_list(name: str, default: str, known: Collection[str] | None = None) -> tuple[str, ...]:
    """Read a comma-separated list, of known words only where these are given."""
    words = tuple(word for word in map(str.strip, env_str(name, default).split(",")) if word)
    if known is not None and (unknown := [word for word in words if word not in known]):
        raise BadSetting(f"{name} may hold {', '.join(known)}, but holds [{', '.join(unknown)}].")
    return words


def env_choice(name: str, default: str, known: Collection[str]) -> str:
    text = env_str(name, default).lower()
    if text not in known:
        raise BadSetting(f"{name} must be {' or '.join(known)}, not [{text}].")
    return text


def env_url(name: str) -> str:
    """Read the address of this server as browsers know it, without a slash at its end."""
    text = env_str(name).rstrip("/")
    if text and not BARE_URL.fullmatch(text):
        raise BadSetting(
            f"{name} must be an address such as https://console.example.org, not [{text}]."
        )
    return text


def env_email(name: str, *, knows_address: bool = True) -> dict[str, object]:
    """Read how mails are sent, as Django's settings; the address may hold a password.

    smtp:// begins in the clear and encrypts at once, smtps:// is encrypted from the beginning, and
    smtp+plain:// never is. None: what would be sent is written to the log.

    knows_address: whether this server knows what it is called. Else whoever asks for somebody's
    new password says where the link in that mail leads to.
    """
    text = env_secret(name, "console://")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if text == "console://":
        return {"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}
    if parts.scheme not in MAIL_PORTS or not parts.hostname:
        raise BadSetting(
            f"{name} must be an address such as smtp://name:password@mail.example.org:587; it "
            f"begins with {', '.join(f'{scheme}://' for scheme in MAIL_PORTS)} or is console://."
        )
    if not knows_address:
        raise BadSetting(
            f"{name} needs CONSOLE_URL, where the links in mails lead to, or the names of this "
            "server in CONSOLE_ALLOWED_HOSTS."
        )
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": port or MAIL_PORTS[parts.scheme],
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_TLS": parts.scheme == "smtp",
        "EMAIL_USE_SSL": parts.scheme == "smtps",
        "EMAIL_TIMEOUT": 10,
    }


def env_issuer(name: str) -> str:
    """Read who vouches for people, to the letter as it names itself.

    Without encryption whoever listens could sign in as anybody, so it is left out on this machine
    alone.
    """
    text = env_str(name)
    try:
        parts = urlsplit(text)
    except ValueError:
        parts = urlsplit("")
    is_here = parts.scheme == "http" and parts.hostname in LOOPBACK
    is_bare = parts.hostname and not (parts.query or parts.fragment or "@" in parts.netloc)
    if text and not (is_bare and (parts.scheme == "https" or is_here)):
        raise BadSetting(
            f"{name} must be an address such as https://sso.example.org/realms/main, as the "
            f"provider writes it itself, not [{text}]."
        )
    if len(text) > LONGEST_ISSUER:
        raise BadSetting(f"{name} may have {LONGEST_ISSUER} characters at most.")
    return text


def env_beside(needed_by: str, name: str) -> str:
    """Read what must be given when something else is."""
    text = env_str(name)
    if env_str(needed_by) and not text:
        raise BadSetting(f"{name} must be set where {needed_by} is.")
    return text


def env_bool_with(needs: str, name: str) -> bool:
    """Read what can only be so when something else is set."""
    wanted = env_bool(name, False)
    if wanted and not env_str(needs):
        raise BadSetting(f"{name} can be true only where {needs} is set.")
    return wanted


def env_scopes(name: str, default: str) -> tuple[str, ...]:
    """Read words with blanks or commas between them; [openid] is always one."""
    words = env_str(name, default).replace(",", " ").split()
    return tuple(dict.fromkeys(("openid", *words)))


def env_groups(name: str) -> GroupMap:
    """Read a JSON object that says what the groups of a directory give."""
    try:
        return read_mapping(env_secret(name))
    except ValueError as exc:
        raise BadSetting(
            f'{name} must be JSON such as {{"ml-team": {{"team": "search", "role": '
            f'"inference_admin"}}, "ops": {{"roles": ["superuser"]}}}}: {exc}.'
        ) from exc


def env_file(name: str) -> str:
    """The text of the file that NAME gives; empty where it gives none."""
    path = env_str(name)
    try:
        return Path(path).read_text() if path else ""
    except (OSError, UnicodeDecodeError) as exc:
        raise BadSetting(f"{name} names a file that cannot be read: {exc}") from exc


def env_origins(name: str) -> dict[str, str]:
    """Read a JSON object that maps origins to addresses."""
    text = env_str(name, "{}")
    try:
        origins = json.loads(text)
        if not isinstance(origins, dict) or not all(map(is_text, origins.values())):
            raise ValueError("it is no object of addresses")
        OriginMap(origins)
    except ValueError as exc:
        raise BadSetting(
            f'{name} must be JSON such as {{"https://api.cohere.com": "http://127.0.0.1:9901"}}: '
            f"{exc}"
        ) from exc
    return origins


def env_certificates(name: str) -> str:
    """The certificates in the file that NAME gives, as PEM; empty where it gives none."""
    text = env_file(name)
    if text and (problem := certificate_problem(text, LONGEST_BUNDLE)):
        raise BadSetting(f"{name}: the file it names {problem}.")
    return text


def env_proxy(name: str) -> str:
    """Read the address of a proxy, which may hold a password and is not told for that."""
    text = env_secret(name)
    if text and (why := proxy_problem(text)):
        raise BadSetting(f"{name} must be an address such as http://proxy.example:3128: {why}.")
    return text


def env_redis(name: str) -> str:
    """Read the address of a Redis, which may hold a password and is not told for that."""
    text = env_secret(name)
    if text and not REDIS_URL.fullmatch(text):
        raise BadSetting(
            f"{name} must be an address such as redis://127.0.0.1:6379/0; it begins with "
            "redis://, rediss:// or unix://."
        )
    return text


def is_text(value: object) -> bool:
    return isinstance(value, str)


def data_folder(name: str, default: Path) -> Path:
    """The folder that NAME gives, made if need be and proved writable."""
    folder = Path(env_str(name, str(default))).expanduser().absolute()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = folder / f".writable-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as exc:
        raise BadSetting(
            f"the data folder {folder} cannot be written ({exc.strerror}). "
            f"Give this user the right to write there, or set {name} to another folder."
        ) from exc
    return folder


def random_text() -> str:
    return secrets.token_urlsafe(48)


def stored_secret(path: Path, make: Callable[[], str] = random_text) -> str:
    """The secret kept at this path, made at the first start; two starts at once agree on one."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text()
    with os.fdopen(handle, "w") as file:
        file.write(secret := make())
    return secret


def encryption_keys(name: str, path: Path) -> tuple[str, ...]:
    """The keys that NAME lists, newest first, or the one kept at this path."""
    given = env_secret(name)
    text = given or stored_secret(path, encryption_key)
    keys = tuple(filter(None, map(str.strip, text.split(","))))
    if not keys or not all(map(is_encryption_key, keys)):
        place = name if given else f"the file {path}, which stands for {name},"
        raise BadSetting(
            f"{place} must hold Fernet keys (32 bytes in URL-safe base64), newest first, with "
            "commas between them."
        )
    return keys


def encryption_key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def is_encryption_key(text: str) -> bool:
    try:
        return len(base64.b64decode(text, altchars="-_", validate=True)) == 32
    except (binascii.Error, ValueError):
        return False
