"""The `_console/teams` routes: teams, and who is in them."""

from typing import Any

from django.http import HttpResponse
from pydantic import StrictStr

from endpoints import teams
from endpoints.access import forbidden_in, require, require_sight
from endpoints.access_to_people import check_may_give_in
from endpoints.api.http import ElasticView, UserRequest
from endpoints.api.schemas import Body, parse, parse_optional
from endpoints.models import Membership, Team
from endpoints.models.base import iso
from endpoints.permissions import Action
from endpoints.team_access import get_seen_team, get_visible_team, teams_where
from inference.errors import NotFound


class TeamBody(Body):
    """description: left out, it stays as it is."""

    is_stored = True

    description: StrictStr | None = None


class MemberBody(Body):
    role: StrictStr


class TeamListView(ElasticView):
    def get(self, request: UserRequest) -> HttpResponse:
        """Those that the caller sees, with the role that they have in each."""
        require(request.user, Action.TEAM_GET)
        self.params(request)
        seen = teams.listed(request.user, list(teams_where(request.user)))
        told = [shown(one.team, one.member_count, one.role) for one in seen]
        return self.answer({"count": len(told), "teams": told})


class TeamView(ElasticView):
    def get(self, request: UserRequest, name: str) -> HttpResponse:
        self.params(request)
        return self.answer(in_full(request, get_visible_team(request.user, name)))

    def put(self, request: UserRequest, name: str) -> HttpResponse:
        """Create a team, or describe it anew."""
        require_sight(request.user, Action.TEAM_GET, Action.TEAM_CREATE)
        self.params(request)
        body = parse_optional(TeamBody, request)
        try:
            team = get_visible_team(request.user, name, to=Action.TEAM_UPDATE)
        except NotFound:
            require(request.user, Action.TEAM_CREATE)
            team = teams.create_team(name, body.description or "")
        else:
            if body.description is not None:
                teams.describe_team(team, body.description)
        return self.answer(in_full(request, team))

    def delete(self, request: UserRequest, name: str) -> HttpResponse:
        move_to = self.params(request, "move_to").text("move_to", None)
        team = get_visible_team(request.user, name, to=Action.TEAM_DELETE)
        teams.delete_team(team, teams.get_team(move_to) if move_to is not None else None)
        return self.answer({"acknowledged": True})


class MemberListView(ElasticView):
    def get(self, request: UserRequest, name: str) -> HttpResponse:
        self.params(request)
        team = get_visible_team(request.user, name)
        members = [as_member(one) for one in team.memberships.select_related("user")]
        return self.answer({"count": len(members), "members": members})


class MemberView(ElasticView):
    def put(self, request: UserRequest, name: str, username: str) -> HttpResponse:
        """Add somebody, or give them another role."""
        self.params(request)
        team = get_visible_team(request.user, name, to=Action.MEMBER_PUT)
        role = teams.check_role(parse(MemberBody, request).role)
        check_may_give_in(request.user, team, role)
        return self.answer(as_member(teams.put_member(team, teams.person_to_add(username), role)))

    def delete(self, request: UserRequest, name: str, username: str) -> HttpResponse:
        """Remove somebody; who asks for themselves leaves."""
        self.params(request)
        team = get_seen_team(request.user, name, Action.MEMBER_REMOVE)
        membership = teams.get_membership(team, username)
        if not teams.may_remove(request.user, membership):
            raise forbidden_in(request.user, Action.MEMBER_REMOVE, team)
        teams.remove_member(team, membership.user)
        return self.answer({"acknowledged": True})


def shown(team: Team, members: int, role: str | None) -> dict[str, Any]:
    """role: that of who asks, where they have one."""
    known: dict[str, Any] = {"name": team.name, "description": team.description}
    if role:
        known["role"] = role
    return {**known, "members": members, "created_at": iso(team.created_at)}


def in_full(request: UserRequest, team: Team) -> dict[str, Any]:
    role = team.memberships.filter(user=request.user.pk).values_list("role", flat=True).first()
    return shown(team, team.memberships.count(), role) | {"holds": teams.counts_of(team)}


def as_member(membership: Membership) -> dict[str, Any]:
    return {
        "username": membership.user.username,
        "role": membership.role,
        "since": iso(membership.created_at),
    }
