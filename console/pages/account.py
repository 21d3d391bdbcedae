"""One's own account: profile, password, second factors, sessions."""

import base64
from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account import views as account
from allauth.account.models import EmailAddress
from allauth.mfa.base import views as factors
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as passkeys
from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse_lazy

from console.forms.session import ProfileForm
from console.http import Args, HtmxRequest, PageView, page
from console.sign_in.factors import must_add_one
from console.sign_in.sessions import end, sessions_of
from endpoints import audit
from endpoints.access import require
from endpoints.access_to_people import get_person
from endpoints.models import User
from endpoints.permissions import Action
from inference.errors import NotFound

FORM = ("GET", "HEAD", "POST")
SECURITY = reverse_lazy("mfa_index")


def own_page(
    *methods: str, fresh: bool = False
) -> Callable[[PageView[Args]], Callable[..., HttpResponseBase]]:
    """A page about one's own account; with security off nobody has one."""

    def decorate(view: PageView[Args]) -> Callable[..., HttpResponseBase]:
        @page(*methods, fresh=fresh)
        @wraps(view)
        def own(
            request: HtmxRequest, /, *args: Args.args, **kwargs: Args.kwargs
        ) -> HttpResponseBase:
            if not settings.SECURITY:
                raise NotFound("With security off nobody has an account")
            return view(request, *args, **kwargs)

        return own

    return decorate


@own_page(*FORM)
def profile(request: HtmxRequest) -> HttpResponse:
    user = User.objects.get(pk=request.user.pk)
    form = ProfileForm(request.POST or None, initial={"full_name": user.get_full_name()})
    if request.method == "POST" and form.is_valid():
        rename(user, form.cleaned_data["full_name"])
        messages.success(request, "Your profile is saved.")
        return redirect("profile")
    addresses = EmailAddress.objects.filter(user=user)
    context = {
        "form": form,
        "email": addresses.filter(verified=True).first(),
        "unconfirmed": addresses.filter(verified=False).first(),
    }
    return render(request, "account/profile.html", context)


@transaction.atomic
def rename(user: User, full_name: str) -> None:
    before = {"full_name": user.get_full_name()}
    user.first_name, user.last_name = full_name, ""
    user.save(update_fields=["first_name", "last_name"])
    audit.record("person.update", user.username, before=before, after={"full_name": full_name})


@own_page("GET", "HEAD")
def security(request: HtmxRequest) -> HttpResponse:
    mine: dict[str, list[Any]] = {kind: [] for kind in Authenticator.Type.values}
    for factor in Authenticator.objects.filter(user=request.user).order_by("created_at"):
        mine[factor.type].append(factor.wrap())
    codes = mine[Authenticator.Type.RECOVERY_CODES]
    context = {
        "must_add_one": must_add_one(request),
        "has_password": request.user.has_usable_password(),
        "apps": mine[Authenticator.Type.TOTP],
        "passkeys": mine[Authenticator.Type.WEBAUTHN],
        "codes_left": len(codes[0].get_unused_codes()) if codes else None,
        "session_count": len(sessions_of(request.user, request.session.session_key)),
    }
    return render(request, "account/security.html", context)


@own_page(*FORM)
def sessions(request: HtmxRequest) -> HttpResponse:
    """POST ends the one that it names, or all others."""
    mine = sessions_of(request.user, request.session.session_key)
    if request.method == "POST":
        asked = request.POST.get("session", "")
        others = [one for one in mine if not one.is_this]
        count = end(request.user, [one for one in others if asked in ("", str(one.session.pk))])
        messages.success(request, f"{_counted(count)} ended.")
        return redirect("usersessions_list")
    return render(request, "account/sessions.html", {"sessions": mine})


@own_page(*FORM, fresh=True)
def person_sessions(request: HtmxRequest, username: str) -> HttpResponse:
    """The same of somebody else; POST ends all."""
    require(request.user, Action.PERSON_SESSIONS)
    person = get_person(request.user, username, to=Action.PERSON_SESSIONS)
    theirs = sessions_of(person, request.session.session_key)
    if request.method == "POST":
        count = end(person, theirs)
        messages.success(request, f"{_counted(count)} of {username} ended.")
        return redirect("person-sessions", username)
    return render(request, "account/sessions.html", {"sessions": theirs, "person": person})


def _counted(count: int) -> str:
    return "1 session is" if count == 1 else f"{count} sessions are"


class RecoveryCodes(recovery_codes.ViewRecoveryCodesView):  # type: ignore[misc]  # it carries no types
    """Shows the codes once, with a file of them in the page itself."""

    template_name = "account/recovery_codes.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        if not context["can_view_codes"]:
            raise Http404
        text = "".join(f"{code}\n" for code in context["unused_codes"])
        file = base64.b64encode(f"Inference Console, {self.request.user}\n\n{text}".encode())
        return context | {"file": file.decode()}


class RemovePasskey(passkeys.RemoveWebAuthnView):  # type: ignore[misc]  # it carries no types
    template_name, success_url = "account/remove_passkey.html", SECURITY


class RenamePasskey(passkeys.EditWebAuthnView):  # type: ignore[misc]  # it carries no types
    template_name, success_url = "account/rename_passkey.html", SECURITY


class ChangePassword(account.PasswordChangeView):  # type: ignore[misc]  # it carries no types
    template_name, success_url = "account/password.html", SECURITY


confirm = own_page(*FORM)(account.ReauthenticateView.as_view(template_name="session/confirm.html"))
confirm_by_code = own_page(*FORM)(
    factors.ReauthenticateView.as_view(template_name="session/confirm_code.html")
)
confirm_by_passkey = own_page(*FORM)(
    passkeys.ReauthenticateWebAuthnView.as_view(template_name="session/confirm_passkey.html")
)
email = own_page(*FORM, fresh=True)(account.EmailView.as_view(template_name="account/email.html"))
change_password = own_page(*FORM)(ChangePassword.as_view())
add_app = own_page(*FORM, fresh=True)(
    totp.ActivateTOTPView.as_view(template_name="account/add_app.html")
)
remove_app = own_page(*FORM, fresh=True)(
    totp.DeactivateTOTPView.as_view(template_name="account/remove_app.html")
)
show_codes = own_page("GET", fresh=True)(RecoveryCodes.as_view())
make_codes = own_page(*FORM, fresh=True)(
    recovery_codes.GenerateRecoveryCodesView.as_view(template_name="account/make_codes.html")
)
add_passkey = own_page(*FORM, fresh=True)(
    passkeys.AddWebAuthnView.as_view(template_name="account/add_passkey.html")
)
rename_passkey = own_page(*FORM, fresh=True)(RenamePasskey.as_view())
remove_passkey = own_page(*FORM, fresh=True)(RemovePasskey.as_view())


@own_page("GET", "HEAD")
def sign_in_again(request: HtmxRequest) -> HttpResponse:
    """For accounts without anything that could be asked for here."""
    return render(request, "session/sign_in_again.html", {"next": request.GET.get("next", "")})
