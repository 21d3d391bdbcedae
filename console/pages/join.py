"""What one-time links lead to: a first account, a place in a team, a new password.

A link is looked at once and then taken out of the address: the session keeps its digest, so that
no history, no log and no page that is linked to learns the token.
"""

from allauth.account.internal.flows.login import perform_password_login
from allauth.account.models import Login
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from console.forms.people import JoinForm, NewPasswordForm
from console.sign_in.invited import INVITATION, opened, welcome
from endpoints import invitations, password_resets
from endpoints.invitations import LinkUnusable
from endpoints.models import User
from endpoints.models.link import digest
from inference.errors import InferenceError

RESET = "password_reset"


@require_safe
@never_cache
def join_link(request: HttpRequest, token: str) -> HttpResponse:
    try:
        invitations.find(digest(token))
    except LinkUnusable as exc:
        return gone(request, exc)
    return kept(request, INVITATION, token, "join")


@require_safe
@never_cache
def new_password_link(request: HttpRequest, token: str) -> HttpResponse:
    try:
        password_resets.find(digest(token))
    except LinkUnusable as exc:
        return gone(request, exc)
    return kept(request, RESET, token, "new-password")


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def join(request: HttpRequest) -> HttpResponse:
    """Choose a name and a password, or come with the account that is signed in.

    Where the sign-in service alone counts, whoever is new comes by that.
    """
    known = opened(request)
    try:
        invitation = invitations.find(known)
        form = JoinForm(initial={"username": invitation.username})
        if request.method == "POST" and isinstance(request.user, User):
            invitations.accept(known, request.user)
            welcome(request, request.user)
            return redirect("overview")
        if request.method == "POST" and not settings.OIDC_ONLY:
            form = JoinForm(request.POST)
            if form.is_valid():
                name, password = form.cleaned_data["username"], form.cleaned_data["password"]
                user = invitations.join(known, name, password)
                welcome(request, user)
                target = Login(user, redirect_url=resolve_url("overview"))
                signed_in: HttpResponse = perform_password_login(
                    request, {"username": name}, target
                )
                return signed_in
    except LinkUnusable as exc:
        return gone(request, exc)
    except InferenceError as exc:
        form.note(exc)
    return render(request, "join/join.html", {"form": form, "invitation": invitation})


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def new_password(request: HttpRequest) -> HttpResponse:
    """Whoever has set it signs in with it: a second factor is asked for there."""
    known = request.session.get(RESET, "")
    try:
        person = password_resets.find(known).user
        form = NewPasswordForm(request.POST if request.method == "POST" else None, person)
        if form.is_valid():
            password_resets.reset_password(known, form.cleaned_data["password"])
            logout(request)
            messages.success(request, "Your password is changed. Sign in with it.")
            return redirect("sign-in")
    except LinkUnusable as exc:
        return gone(request, exc)
    except InferenceError as exc:
        form.note(exc)
    return render(request, "join/new_password.html", {"form": form, "person": person})


def kept(request: HttpRequest, name: str, token: str, view: str) -> HttpResponse:
    request.session[name] = digest(token)
    return unreferred(redirect(view))


def gone(request: HttpRequest, exc: LinkUnusable) -> HttpResponse:
    """Why a link lets nobody in. Asked again it says the same."""
    context = {"state": exc.state, "is_signed_in": request.user.is_authenticated}
    return unreferred(render(request, "join/gone.html", context, status=410))


def unreferred(response: HttpResponse) -> HttpResponse:
    """Whatever is opened from an address with a token in it does not learn that address."""
    response["Referrer-Policy"] = "no-referrer"
    return response
