"""Hosts in settings: `name.of.host`, or an address that begins with http:// or https://."""

from typing import Annotated, TypeAlias

from pydantic import AfterValidator, Field, StrictStr
from pydantic_core import PydanticCustomError

from inference.services.settings import http_url


def origin_of(host: str, scheme: str = "https") -> str:
    """Where a host is spoken to. scheme: of one that is given without."""
    address = host if "://" in host else f"{scheme}://{host}"
    return address.rstrip("/")


def web_host(value: str) -> str:
    """Raises PydanticCustomError with why it is none."""
    if " " in value:
        raise PydanticCustomError("url", "{why}", {"why": "it holds a blank"})
    http_url(origin_of(value))
    return value


Host: TypeAlias = Annotated[StrictStr, Field(min_length=1), AfterValidator(web_host)]
