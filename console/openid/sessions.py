"""How long a sign-in by the provider lasts."""

from datetime import timedelta
from typing import Any

from allauth.account.signals import user_logged_in
from django.conf import settings
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone


@receiver(user_logged_in)
def end_in_time(request: HttpRequest, sociallogin: Any = None, **kwargs: Any) -> None:
    """Whoever lost a group, or their account there, is found out when they sign in again."""
    if sociallogin:
        until = timezone.now() + timedelta(seconds=settings.OIDC_SESSION_S)
        request.session.set_expiry(until)
