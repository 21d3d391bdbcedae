"""Where a request comes from."""

from django.http import HttpRequest
from rest_framework.request import Request


def client_address(request: HttpRequest | Request) -> str:
    """The address of who is connected."""
    address: str = request.META.get("REMOTE_ADDR", "")
    return address
