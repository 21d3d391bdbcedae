"""Signing in by the provider of this installation, and linking one's account to it."""

from allauth.account.utils import get_next_redirect_url
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.providers.base.constants import AuthProcess
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from console.http import HtmxRequest, page
from console.openid.adapter import AGAIN, fail
from console.openid.asking import SignInFailed
from console.openid.provider import Exchange, Service
from endpoints import directory
from endpoints.access import may
from endpoints.permissions import Action
from endpoints.refusals import site_administrators
from inference.errors import Conflict

# The provider then says when it was proved; with the latter alone some do not ask.
AGAIN_PARAMS = {"prompt": "login", "max_age": "0"}


@never_cache
@require_GET
def service_sign_in(request: HttpRequest) -> HttpResponse:
    """Lead to the provider. Whoever is led there by another's link only signs in as themselves.

    again: who is signed in there must prove once more that it is still them.
    """
    again = {"data": AGAIN, "auth_params": AGAIN_PARAMS} if "again" in request.GET else {}
    where = get_next_redirect_url(request)
    return _to_provider(request, process=AuthProcess.LOGIN, next_url=where, **again)


@never_cache
@require_GET
def service_callback(request: HttpRequest) -> HttpResponse:
    _check_there_is_one()
    exchange = Exchange(request, settings.OIDC_ISSUER)
    response: HttpResponse = OAuth2CallbackView.adapter_view(exchange)(request)
    return response


@page("GET", "HEAD", "POST", fresh=True)
def service_link(request: HtmxRequest) -> HttpResponse:
    """A form may lead nowhere else than here, so a page of its own goes on to the provider."""
    if request.method != "POST":
        _check_there_is_one()
        return render(request, "account/link_service.html")
    onward = _to_provider(request, process=AuthProcess.CONNECT, data=request.user.pk)
    if onward.headers["Location"].startswith("/"):
        return onward
    return render(request, "session/onward.html", {"address": onward.headers["Location"]})


@page("GET", "HEAD", "POST", fresh=True)
def service_unlink(request: HtmxRequest) -> HttpResponse:
    if request.method != "POST":
        return render(request, "account/unlink_service.html")
    try:
        directory.unlink(request.user)
    except Conflict as exc:
        messages.error(request, str(exc))
    else:
        messages.success(request, f"Your account is no longer linked to {settings.OIDC_NAME}.")
    return redirect("mfa_index")


@page("GET", "HEAD")
def no_access(request: HtmxRequest) -> HttpResponse:
    """For who may sign in, and nothing else yet."""
    if may(request.user, Action.GET):
        return redirect("overview")
    context = {"administrators": site_administrators()}
    return render(request, "session/no_access.html", context)


def _to_provider(request: HttpRequest, **how: object) -> HttpResponse:
    _check_there_is_one()
    try:
        try:
            response: HttpResponse = Service.configured(request).redirect(request, **how)
        except SignInFailed as exc:
            fail(request, exc)
    except ImmediateHttpResponse as exc:
        response = exc.response
    return response


def _check_there_is_one() -> None:
    """Raises Http404."""
    if not (settings.OIDC_ISSUER and settings.SECURITY):
        raise Http404
