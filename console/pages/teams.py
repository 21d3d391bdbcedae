"""Teams: list, create, look at, describe, delete; who is in them; the one that is worked in."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme

from console.forms.teams import CreateTeamForm, DeleteTeamForm, MemberForm, TeamForm
from console.http import HtmxRequest, page, require_fresh
from console.working import work_in
from endpoints import roles, teams
from endpoints.access import forbidden_in, require
from endpoints.deleted import restorable_of
from endpoints.models import Team
from endpoints.permissions import Action
from endpoints.team_access import get_seen_team, get_visible_team, may_in, teams_where
from inference.errors import InferenceError, NotFound

PAGE_SIZE = 50
# What the page of a team offers to those who may do it there.
OFFERED = (Action.TEAM_UPDATE, Action.TEAM_DELETE, Action.MEMBER_PUT, Action.MEMBER_REMOVE)
GIVEN_AGAIN = "Groups of their sign-in service give them a role here, and set it again next time."


@page("GET", "HEAD")
def team_list(request: HtmxRequest) -> HttpResponse:
    require(request.user, Action.TEAM_GET)
    shown = Paginator(teams_where(request.user), PAGE_SIZE).get_page(request.GET.get("page"))
    rows = teams.listed(request.user, list(shown.object_list))
    return render(request, "teams/list.html", {"shown": shown, "rows": rows})


@page("GET", "HEAD", "POST")
def team_create(request: HtmxRequest) -> HttpResponse:
    require(request.user, Action.TEAM_CREATE)
    form = CreateTeamForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            team = teams.create_team(form.cleaned_data["name"], form.cleaned_data["description"])
        except InferenceError as exc:
            form.note(exc)
        else:
            messages.success(request, f"{team.name} is created. It has no members yet.")
            return redirect("team-detail", team.name)
    return render(request, "teams/form.html", {"form": form})


@page("GET", "HEAD")
def team_detail(request: HtmxRequest, name: str) -> HttpResponse:
    return detail(request, get_visible_team(request.user, name))


def detail(request: HtmxRequest, team: Team, form: MemberForm | None = None) -> HttpResponse:
    """The page of a team. form: what was refused about a member; about one of the rows, if any."""
    members = team.memberships.select_related("user")
    shown = Paginator(members, PAGE_SIZE).get_page(request.GET.get("page"))
    refused = str(form["username"].value()) if form else ""
    context = {
        "team": team,
        "shown": shown,
        "own": members.filter(user=request.user.pk).first(),
        "counts": teams.counts_of(team),
        "form": form or MemberForm(),
        "blank": MemberForm(),
        # Where a present member's role was refused, it is told in their row.
        "refused": refused if any(one.user.username == refused for one in shown) else "",
        "roles": roles.team_roles(),
        "may": {action.name: may_in(request.user, action, team) for action in OFFERED},
    }
    return render(request, "teams/detail.html", context)


@page("GET", "HEAD", "POST")
def team_edit(request: HtmxRequest, name: str) -> HttpResponse:
    team = get_visible_team(request.user, name, to=Action.TEAM_UPDATE)
    initial = {"description": team.description}
    form = TeamForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            teams.describe_team(team, form.cleaned_data["description"])
        except InferenceError as exc:
            form.note(exc)
        else:
            messages.success(request, f"{name} is changed.")
            return redirect("team-detail", name)
    return render(request, "teams/form.html", {"form": form, "team": team})


@page("GET", "HEAD", "POST", fresh=True)
def team_delete(request: HtmxRequest, name: str) -> HttpResponse:
    """Ask first, and where to put what it has."""
    team = get_visible_team(request.user, name, to=Action.TEAM_DELETE)
    others = [one.name for one in teams_where(request.user) if one != team]
    form = DeleteTeamForm(others, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        move_to = form.cleaned_data["move_to"]
        try:
            teams.delete_team(team, teams.get_team(move_to) if move_to else None)
        except NotFound:
            raise
        except InferenceError as exc:
            form.note(exc)
        else:
            messages.success(request, f"{name} is deleted.")
            return redirect("team-list")
    context = {
        "team": team,
        "form": form,
        "holdings": teams.holdings_of(team),
        "deleted_count": restorable_of(team),
    }
    return render(request, "teams/delete.html", context)


@page("POST")
def member_put(request: HtmxRequest, name: str) -> HttpResponse:
    """Add somebody, or give them another role."""
    team = get_visible_team(request.user, name, to=Action.MEMBER_PUT)
    require_fresh(request, resolve_url("team-detail", name))
    form = MemberForm(request.POST)
    if form.is_valid():
        try:
            person = teams.person_to_add(form.cleaned_data["username"])
            member = teams.put_member(team, person, teams.check_role(form.cleaned_data["role"]))
        except InferenceError as exc:
            form.note(exc)
        else:
            role = member.get_role_display()
            messages.success(request, f"{person.username} is in {name} as {role}.")
            if member.is_managed:
                messages.warning(request, GIVEN_AGAIN)
            return redirect("team-detail", name)
    return detail(request, team, form)


@page("GET", "HEAD", "POST")
def member_remove(request: HtmxRequest, name: str, username: str) -> HttpResponse:
    """Ask first. Who asks for themselves leaves."""
    team = get_seen_team(request.user, name, Action.MEMBER_REMOVE)
    membership = teams.get_membership(team, username)
    is_own = membership.user_id == request.user.pk
    if not teams.may_remove(request.user, membership):
        raise forbidden_in(request.user, Action.MEMBER_REMOVE, team)
    if not is_own:
        require_fresh(request)
    if request.method == "POST":
        try:
            teams.remove_member(team, membership.user)
        except InferenceError as exc:
            messages.error(request, f"{exc}.")
            return redirect("team-detail", name)
        done = f"You left {name}." if is_own else f"{username} is no longer in {name}."
        messages.success(request, done)
        sees = teams_where(request.user).filter(pk=team.pk).exists()
        return redirect("team-detail", name) if sees else redirect("roles-explained")
    keys = membership.user.api_keys.filter(team=team).valid().count()
    context = {"team": team, "membership": membership, "is_own": is_own, "keys": keys}
    return render(request, "teams/remove_member.html", context)


@page("POST")
def team_switch(request: HtmxRequest) -> HttpResponse:
    """Work in another team, or in all, and go on where one was."""
    work_in(request, request.POST.get("team", ""))
    target = request.POST.get("next", "")
    is_here = url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    # An address, and never the name of a page.
    return HttpResponseRedirect(target if is_here else resolve_url("overview"))


@page("GET", "HEAD")
def roles_explained(request: HtmxRequest) -> HttpResponse:
    """For everybody, above all for those who may not do something."""
    context = {
        "in_teams": roles.in_teams(),
        "team_roles": roles.team_roles(),
        "on_the_site": roles.on_the_site(),
        "site_roles": roles.site_roles(),
    }
    return render(request, "teams/roles.html", context)
