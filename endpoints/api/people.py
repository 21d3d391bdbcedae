"""The `_console/people` routes: who there is, who is invited, and what becomes of them."""

from typing import Any

from django.http import HttpResponse
from pydantic import Field, StrictBool, StrictStr

from endpoints import invitations, leaving, password_resets, people, recovery
from endpoints.access_to_people import (
    check_may_give,
    get_invitation,
    get_person,
    require_to_invite,
    visible_invitations,
    visible_people,
)
from endpoints.api.http import ElasticView, UserRequest
from endpoints.api.schemas import Body, parse, parse_optional
from endpoints.invitations import Wish
from endpoints.leaving import Keys
from endpoints.links import absolute, send_invitation
from endpoints.listed_people import listed, named_like
from endpoints.models import Invitation, User
from endpoints.models.base import iso
from endpoints.permissions import Action
from inference.errors import InvalidArgument

DEFAULT_SIZE, MOST = 100, 1000


class InviteBody(Body):
    """send: by mail, to `email`; else the link comes with the answer."""

    is_stored = True

    username: StrictStr = ""
    email: StrictStr = ""
    team: StrictStr = ""
    team_role: StrictStr = ""
    roles: list[StrictStr] = Field(default_factory=list)
    send: StrictBool = False

    @property
    def wish(self) -> Wish:
        return Wish(self.username, self.email, self.team, self.team_role, tuple(self.roles))


class RenewBody(Body):
    send: StrictBool = False


class RolesBody(Body):
    is_stored = True

    roles: list[StrictStr]


class DeactivateBody(Body):
    """myself: that it is meant to be the caller's own account."""

    keys: Keys = Keys.REVOKE
    hand_over_to: StrictStr = ""
    myself: StrictBool = False


class PeopleView(ElasticView):
    def get(self, request: UserRequest) -> HttpResponse:
        found = visible_people(request.user)
        params = self.params(request, "q", "from", "size")
        start, size = params.integer("from"), params.integer("size")
        start, size = start or 0, DEFAULT_SIZE if size is None else size
        if start < 0 or not 0 <= size <= MOST:
            raise InvalidArgument(f"[from] is 0 at least, and [size] from 0 to {MOST}")
        found = named_like(request.user, found, params.text("q", "")).order_by("username")
        answer = [one.to_response() for one in listed(request.user, found[start:][:size])]
        return self.answer({"count": found.count(), "people": answer})


class PersonView(ElasticView):
    def get(self, request: UserRequest, username: str) -> HttpResponse:
        person = get_person(request.user, username)
        self.params(request)
        return self.answer(told(request.user, person))


class RolesView(ElasticView):
    def put(self, request: UserRequest, username: str) -> HttpResponse:
        """Give somebody these roles of the site in the place of those they have."""
        person = get_person(request.user, username, to=Action.PERSON_ROLES)
        self.params(request)
        roles = parse(RolesBody, request).roles
        people.check_roles(roles)
        check_may_give(request.user, roles)
        return self.answer(told(request.user, people.set_roles(person.username, roles)))


class DeactivateView(ElasticView):
    def post(self, request: UserRequest, username: str) -> HttpResponse:
        person = get_person(request.user, username, to=Action.PERSON_DEACTIVATE)
        self.params(request)
        body = parse_optional(DeactivateBody, request)
        left = leaving.deactivate(
            request.user,
            person,
            keys=body.keys,
            hand_over_to=body.hand_over_to,
            is_meant=body.myself,
        )
        return self.answer(told(request.user, left))


class ActivateView(ElasticView):
    def post(self, request: UserRequest, username: str) -> HttpResponse:
        person = get_person(request.user, username, to=Action.PERSON_DEACTIVATE)
        self.params(request)
        return self.answer(told(request.user, leaving.activate(person)))


class ResetView(ElasticView):
    def post(self, request: UserRequest, username: str) -> HttpResponse:
        """Make a link with which somebody sets a new password."""
        person = get_person(request.user, username, to=Action.PERSON_RESET)
        self.params(request)
        reset, token = password_resets.offer_reset(request.user, person)
        url = absolute(request, "new-password-link", token)
        return self.answer({"url": url, "expires_at": iso(reset.expires_at)})


class ResetSecondFactorView(ElasticView):
    def post(self, request: UserRequest, username: str) -> HttpResponse:
        """Forget the second factors of who lost them."""
        person = get_person(request.user, username, to=Action.PERSON_FACTORS)
        self.params(request)
        recovery.reset_second_factor(person.username)
        return self.answer(told(request.user, person))


class InvitationsView(ElasticView):
    def get(self, request: UserRequest) -> HttpResponse:
        require_to_invite(request.user)
        self.params(request)
        found = visible_invitations(request.user).pending()
        return self.answer({"invitations": [one.to_response() for one in found]})

    def post(self, request: UserRequest) -> HttpResponse:
        """Invite somebody; who is here already becomes a member of the team."""
        require_to_invite(request.user)
        self.params(request)
        body = parse(InviteBody, request)
        if body.send and not body.email:
            raise InvalidArgument("[send] needs an [email]")
        if member := invitations.add_member(request.user, body.wish):
            role, team = member.role, member.team.name
            return self.answer(
                {"member": {"username": member.user.username, "team": team, "team_role": role}}
            )
        invitation, token = invitations.invite(request.user, body.wish)
        return self.answer(on_its_way(request, invitation, token, send=body.send))


class InvitationView(ElasticView):
    def delete(self, request: UserRequest, link_id: str) -> HttpResponse:
        invitation = get_invitation(request.user, link_id)
        self.params(request)
        invitations.withdraw(invitation)
        return self.answer({"acknowledged": True})


class RenewView(ElasticView):
    def post(self, request: UserRequest, link_id: str) -> HttpResponse:
        """A new link for an invitation; the one before lets nobody in any more."""
        invitation = get_invitation(request.user, link_id)
        self.params(request)
        send = parse_optional(RenewBody, request).send
        if send and not invitation.email:
            raise InvalidArgument("[send] needs an invitation with an e-mail address")
        token = invitations.renew(request.user, invitation)
        fresh = get_invitation(request.user, link_id)
        return self.answer(on_its_way(request, fresh, token, send=send))


def told(user: User, person: User) -> dict[str, Any]:
    (one,) = listed(user, User.objects.filter(pk=person.pk))
    return one.to_response()


def on_its_way(
    request: UserRequest, invitation: Invitation, token: str, *, send: bool
) -> dict[str, Any]:
    """The invitation, with its link unless a mail with it is sent."""
    url = absolute(request, "join-link", token)
    answer: dict[str, Any] = {"invitation": invitation.to_response()}
    failure = send_invitation(invitation, url) if send else ""
    if failure:
        answer["mail_failure"] = failure
    return answer if send and not failure else answer | {"url": url}
