"""The invitation that was opened in this browser, until somebody used it."""

from django.contrib import messages
from django.http import HttpRequest

from endpoints.models import User

INVITATION = "invitation"


def opened(request: HttpRequest) -> str:
    """Its digest; empty where none was opened."""
    known: str = request.session.get(INVITATION, "")
    return known


def welcome(request: HttpRequest, user: User) -> None:
    """Greet who used it."""
    request.session.pop(INVITATION, None)
    messages.success(request, f"Welcome, {user.username}.")
