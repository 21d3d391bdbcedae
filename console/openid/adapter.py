"""What becomes of somebody whom the provider vouches for, and of somebody for whom it does not."""

import logging
from typing import Any, NoReturn

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.providers.base.constants import AuthError, AuthProcess
from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest
from django.shortcuts import redirect, resolve_url

from console.openid.provider import Service, ServiceLogin
from console.sign_in.invited import opened, welcome
from endpoints import audit, directory, invitations
from endpoints.access import may
from endpoints.addresses import address_of
from endpoints.models import Outcome, User
from endpoints.permissions import Action
from inference.errors import Conflict

logger = logging.getLogger(__name__)

AGAIN = "again"
PROVED_S = 10 * 60


class ServiceAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # it carries no types
    def get_provider(
        self, request: HttpRequest, provider: str, client_id: str | None = None
    ) -> Service:
        return Service.configured(request)

    def list_providers(self, request: HttpRequest) -> list[Service]:
        return [Service.configured(request)] if settings.OIDC_ISSUER else []

    def is_open_for_signup(self, request: HttpRequest, sociallogin: ServiceLogin) -> bool:
        """Who is new is made known before django-allauth asks for it."""
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: ServiceLogin) -> None:
        """Find or make the person, or link the one who is signed in."""
        sociallogin.token = None  # it was used, and would be kept while a second factor is asked
        if sociallogin.state["process"] == AuthProcess.CONNECT:
            self._link(request, sociallogin)
        if sociallogin.state["data"] == AGAIN and not sociallogin.was_proved_within(PROVED_S):
            refuse(request, f"{settings.OIDC_NAME} did not ask you again who you are.")
        by = audit.Who(name=directory.DIRECTORY, address=address_of(request.META))
        identity = sociallogin.identity
        is_to_join = sociallogin.state.get("next") == resolve_url("join")
        try:
            with audit.acting(by):
                user = self._joined(request, sociallogin) if is_to_join else None
                user = user or directory.admit(identity)
        except directory.NotAdmitted as exc:
            name = identity.username or identity.subject
            audit.record("session.refuse", name, outcome=Outcome.REFUSED, reason=str(exc), who=by)
            refuse(request, str(exc))
        sociallogin.user = user
        if not may(user, Action.GET) and not is_to_join:
            sociallogin.state["next"] = resolve_url("no-access")

    def _joined(self, request: HttpRequest, sociallogin: ServiceLogin) -> User | None:
        """Somebody new who has an invitation, which is used up.

        None for who is known, who accepts on its page once they are signed in, and where there is
        no invitation that is good.
        """
        if directory.person_known_as(sociallogin.identity):
            return None
        try:
            with transaction.atomic():
                user = directory.admit(sociallogin.identity, is_invited=True)
                invitations.accept(opened(request), user)
        except invitations.LinkUnusable:
            return None
        welcome(request, user)
        sociallogin.state["next"] = resolve_url("overview")
        user.refresh_from_db()
        return user

    def _link(self, request: HttpRequest, sociallogin: ServiceLogin) -> NoReturn:
        security = redirect("mfa_index")
        if not request.user.is_authenticated or request.user.pk != sociallogin.state["data"]:
            refuse(request, "You were signed out meanwhile. Sign in and link your account again.")
        try:
            directory.link(request.user, sociallogin.identity)
        except Conflict as exc:
            messages.error(request, str(exc))
        else:
            messages.success(request, f"You can sign in with {settings.OIDC_NAME} from now on.")
        raise ImmediateHttpResponse(security)

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Service,
        error: str | None = None,
        exception: Exception | None = None,
        extra_context: dict[str, Any] | None = None,
    ) -> None:
        if exception:
            fail(request, exception)
        if error == AuthError.CANCELLED:
            refuse(request, f"You did not sign in with {provider.name}.")
        if (extra_context or {}).get("state") is None:
            refuse(
                request,
                "This sign-in was begun elsewhere, was used already or took too long. Begin again.",
            )
        logger.warning("The provider answers with the error %a", request.GET.get("error"))
        refuse(request, f"{provider.name} refused to sign you in. Ask its administrator.")


def fail(request: HttpRequest, exception: Exception) -> NoReturn:
    """Log what was wrong, on one line whoever wrote it, and say it in words."""
    detail = getattr(exception, "detail", "") or str(exception)
    logger.warning("Signing in by %s failed: %a", settings.OIDC_ISSUER, detail)
    refuse(request, str(exception))


def refuse(request: HttpRequest, words: str) -> NoReturn:
    """Lead back to the page that this was begun on, which says why."""
    messages.error(request, words)
    begun = "mfa_index" if request.user.is_authenticated else "sign-in"
    raise ImmediateHttpResponse(redirect(begun))
