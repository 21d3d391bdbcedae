"""People: list, look at, invite, change roles, reset, deactivate."""

from dataclasses import dataclass

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render, resolve_url

from console.forms.people import DeactivateForm, InviteForm, RolesForm
from console.http import HtmxRequest, page, require_fresh, text_in, wants_fragment
from endpoints import invitations, leaving, password_resets, people, recovery
from endpoints.access_to_people import (
    administered_teams,
    get_invitation,
    get_person,
    givable_roles,
    may_everywhere,
    require_to_invite,
    visible_invitations,
    visible_people,
)
from endpoints.links import absolute, send_invitation
from endpoints.listed_people import IN_STATE, PersonState, listed, named_like
from endpoints.models import Invitation, User
from endpoints.permissions import Action
from inference.errors import InferenceError, NotFound

PAGE_SIZE = 50


@dataclass(frozen=True)
class May:
    """What of all that can be done with people somebody may do at all."""

    see_all: bool
    roles: bool
    reset: bool
    factors: bool
    sessions: bool
    deactivate: bool

    @classmethod
    def of(cls, user: User) -> "May":
        return cls(
            may_everywhere(user, Action.PERSON_GET),
            may_everywhere(user, Action.PERSON_ROLES),
            may_everywhere(user, Action.PERSON_RESET),
            may_everywhere(user, Action.PERSON_FACTORS),
            settings.SECURITY and may_everywhere(user, Action.PERSON_SESSIONS),
            may_everywhere(user, Action.PERSON_DEACTIVATE),
        )


@page("GET", "HEAD")
def person_list(request: HtmxRequest) -> HttpResponse:
    query = text_in(request.GET)
    state = request.GET.get("state", "")
    may = May.of(request.user)
    found = named_like(request.user, visible_people(request.user), query)
    if state in IN_STATE and may.see_all:
        found = found.filter(IN_STATE[PersonState(state)])
    shown = Paginator(found.order_by("username"), PAGE_SIZE).get_page(request.GET.get("page"))
    rows = list(listed(request.user, shown.object_list))
    context = {
        "query": query,
        "state": state,
        "states": PersonState.choices,
        "may": may,
        "shown": shown,
        "rows": rows,
        "invitations": visible_invitations(request.user).pending(),
        "is_alone": not query and not state and shown.paginator.count == 1,
    }
    template = "people/_rows.html" if wants_fragment(request) else "people/list.html"
    return render(request, template, context)


@page("GET", "HEAD", "POST", fresh=True)
def person_invite(request: HtmxRequest) -> HttpResponse:
    require_to_invite(request.user)
    is_for_all = may_everywhere(request.user, Action.PERSON_INVITE)
    form = InviteForm(
        request.POST if request.method == "POST" else None,
        teams=administered_teams(request.user),
        roles=givable_roles(request.user) if is_for_all else (),
        may_be_in_none=is_for_all,
    )
    if form.is_valid():
        try:
            if member := invitations.add_member(request.user, form.wish):
                messages.success(request, f"{member.user.username} is in {member.team.name} now.")
                return redirect("person-list")
            invitation, token = invitations.invite(request.user, form.wish)
        except NotFound:
            raise
        except InferenceError as exc:
            form.note(exc)
        else:
            return passed_on(request, invitation, token, by_mail=form.cleaned_data["send"])
    return render(request, "people/invite.html", {"form": form})


@page("GET", "HEAD", "POST")
def invitation_withdraw(request: HtmxRequest, link_id: str) -> HttpResponse:
    invitation = get_invitation(request.user, link_id)
    if request.method == "POST":
        try:
            invitations.withdraw(invitation)
        except InferenceError:
            messages.warning(request, "The invitation was used already.")
        else:
            messages.success(request, "The invitation is withdrawn.")
        return redirect("person-list")
    return render(request, "people/withdraw.html", {"invitation": invitation})


@page("POST")
def invitation_renew(request: HtmxRequest, link_id: str) -> HttpResponse:
    invitation = get_invitation(request.user, link_id)
    require_fresh(request, resolve_url("person-list"))
    try:
        token = invitations.renew(request.user, invitation)
    except NotFound:
        raise
    except InferenceError as exc:
        messages.error(request, str(exc))
        return redirect("person-list")
    fresh = get_invitation(request.user, link_id)
    return passed_on(request, fresh, token, by_mail="send" in request.POST)


def passed_on(
    request: HtmxRequest, invitation: Invitation, token: str, *, by_mail: bool
) -> HttpResponse:
    """Mail the link, or show it this once: also where the mail could not be sent."""
    url, failure = absolute(request, "join-link", token), ""
    if by_mail and invitation.email:
        failure = send_invitation(invitation, url)
        if not failure:
            messages.success(request, f"An invitation is on its way to {invitation.email}.")
            return redirect("person-list")
    context = {"invitation": invitation, "url": url, "failure": failure}
    return render(request, "people/invited.html", context)


@page("GET", "HEAD")
def person_detail(request: HtmxRequest, username: str) -> HttpResponse:
    person = get_person(request.user, username)
    may = May.of(request.user)
    (row,) = listed(request.user, [person])
    teams = None if may.see_all else administered_teams(request.user)
    context = {
        "person": person,
        "row": row,
        "may": may,
        "left": leaving.belongings_of(person, teams),
    }
    return render(request, "people/detail.html", context)


@page("GET", "HEAD", "POST", fresh=True)
def person_roles(request: HtmxRequest, username: str) -> HttpResponse:
    person = get_person(request.user, username, to=Action.PERSON_ROLES)
    sent = request.POST if request.method == "POST" else None
    form = RolesForm(sent, person, givable_roles(request.user))
    if form.is_valid():
        try:
            people.set_roles(username, form.cleaned_data["roles"])
        except InferenceError as exc:
            form.note(exc)
        else:
            messages.success(request, f"The roles of {username} are changed.")
            return redirect("person-detail", username)
    return render(request, "people/roles.html", {"form": form, "person": person})


@page("GET", "HEAD", "POST", fresh=True)
def person_reset(request: HtmxRequest, username: str) -> HttpResponse:
    """Ask first; then show the link to a new password this once."""
    person = get_person(request.user, username, to=Action.PERSON_RESET)
    context: dict[str, object] = {"person": person}
    if request.method == "POST":
        try:
            reset, token = password_resets.offer_reset(request.user, person)
        except InferenceError as exc:
            messages.error(request, str(exc))
            return redirect("person-detail", username)
        context |= {"reset": reset, "url": absolute(request, "new-password-link", token)}
    return render(request, "people/reset.html", context)


@page("GET", "HEAD", "POST", fresh=True)
def person_second_factor(request: HtmxRequest, username: str) -> HttpResponse:
    """Ask first, then forget the second factors of who lost them."""
    person = get_person(request.user, username, to=Action.PERSON_FACTORS)
    is_own = person.pk == request.user.pk
    if request.method == "POST":
        recovery.reset_second_factor(username)
        messages.success(request, f"{username} signs in with the password alone now.")
        return redirect("sign-in") if is_own else redirect("person-detail", username)
    return render(request, "people/second_factor.html", {"person": person, "is_own": is_own})


@page("GET", "HEAD", "POST", fresh=True)
def person_deactivate(request: HtmxRequest, username: str) -> HttpResponse:
    person = get_person(request.user, username, to=Action.PERSON_DEACTIVATE)
    left = leaving.belongings_of(person)
    is_own = person.pk == request.user.pk
    form = DeactivateForm(
        request.POST if request.method == "POST" else None,
        person,
        is_own=is_own,
        is_missed=bool(left.left_alone),
    )
    if form.is_valid():
        try:
            leaving.deactivate(
                request.user,
                person,
                keys=leaving.Keys(form.cleaned_data["keys"]),
                hand_over_to=form.cleaned_data.get("hand_over_to", ""),
                is_meant=form.is_meant,
            )
        except InferenceError as exc:
            form.note(exc)
        else:
            messages.success(request, f"{username} is deactivated.")
            return redirect(
                "sign-in" if is_own else "person-detail", *([] if is_own else [username])
            )
    context = {"person": person, "left": left, "form": form, "is_own": is_own}
    return render(request, "people/deactivate.html", context)


@page("POST")
def person_activate(request: HtmxRequest, username: str) -> HttpResponse:
    person = get_person(request.user, username, to=Action.PERSON_DEACTIVATE)
    require_fresh(request, resolve_url("person-detail", username))
    leaving.activate(person)
    messages.success(request, f"{username} is active again.")
    return redirect("person-detail", username)
