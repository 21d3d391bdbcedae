"""Teams: who is in them, with which role, and what of theirs is shared with whom."""

from django.db import IntegrityError, transaction
from django.utils import timezone

from endpoints import audit
from endpoints.access import Action, Forbidden, forbidden
from endpoints.attempts import attempt
from endpoints.models import (
    DEFAULT_TEAM,
    ApiKey,
    Endpoint,
    EndpointShare,
    Membership,
    ShareLevel,
    Team,
    TeamRole,
    User,
)
from endpoints.scopes import scope_of
from inference.errors import Conflict, InvalidArgument, NotFound


def get_team(name: str) -> Team:
    """Raises NotFound."""
    found = Team.objects.filter(name=name).first()
    if found is None:
        raise NotFound(f"There is no team [{name}]")
    return found


def team_to_own(user: User, action: Action, name: str | None = None) -> Team:
    """The team that something new is to belong to: the one that is named, else the obvious one.

    Obvious is the team of the key that a caller came with, the only team in which they may do
    this, or the first team of the installation for who may do it everywhere. Raises NotFound for
    a team that the caller does not see, Forbidden where they may not do it, and InvalidArgument
    where several teams come into question.
    """
    scope, granted_by = scope_of(user), action.granted_by
    everywhere = scope.site.allow(action, granted_by)
    allowed = [team for team, rights in scope.teams.items() if rights.allow(action, granted_by)]
    if name is not None:
        team = get_team(name)
        if everywhere or team.pk in allowed:
            return team
        if team.pk in scope.teams:
            raise Forbidden(f"{forbidden(user, action)} in team [{name}]", action, team.pk)
        raise NotFound(f"There is no team [{name}]")
    if len(allowed) == 1:
        return Team.objects.get(pk=allowed[0])
    if everywhere:
        return default_team()
    if not allowed:
        raise forbidden(user, action)
    names = Team.objects.filter(pk__in=allowed).values_list("name", flat=True)
    raise InvalidArgument(
        f"It could belong to any of the teams [{', '.join(names)}]: name one with the query "
        "parameter [team]"
    )


@transaction.atomic
def default_team() -> Team:
    """The first team of the installation, made when something needs it."""
    team, is_new = Team.objects.get_or_create(name=DEFAULT_TEAM)
    if is_new:
        audit.record("team.create", team.name, team=team)
    return team


@attempt("team.create", on="name")
def create_team(name: str, description: str = "") -> Team:
    """Raises Conflict for a name that is taken."""
    try:
        with transaction.atomic():
            team = Team.objects.create(name=name, description=description)
            audit.record("team.create", name, team=team, after={"description": description})
            return team
    except IntegrityError:
        raise Conflict(f"There is a team [{name}] already") from None


@attempt("member.put", on="user")
@transaction.atomic
def put_member(team: Team, user: User, role: TeamRole) -> Membership:
    """Let somebody be in a team with this role, whether they were before or not.

    Raises Conflict where nobody would be left to administer the team.
    """
    if role != TeamRole.TEAM_ADMIN:
        check_keeps_administrator(team, user)
    known = Membership.objects.filter(team=team, user=user).first()
    membership, _ = Membership.objects.update_or_create(
        team=team, user=user, defaults={"role": role}
    )
    before = {"role": known.role} if known else None
    audit.record("member.put", user.username, team=team, before=before, after={"role": role})
    return membership


@attempt("member.remove", on="user")
@transaction.atomic
def remove_member(team: Team, user: User) -> None:
    """Gone already is success. The keys that somebody has in the team end with it.

    Raises Conflict where nobody would be left to administer the team.
    """
    check_keeps_administrator(team, user)
    known = Membership.objects.filter(team=team, user=user).first()
    keys = ApiKey.objects.filter(team=team, user=user).not_invalidated()
    before = {"role": known and known.role, "keys": list(keys.values_list("key_id", flat=True))}
    if not any(before.values()):
        return
    Membership.objects.filter(team=team, user=user).delete()
    now = timezone.now()
    keys.update(invalidated_at=now, updated_at=now)
    audit.record("member.remove", user.username, team=team, before=before)


def check_keeps_administrator(team: Team, without: User) -> None:
    """A team that had an administrator keeps one. Locks them, so that two cannot go at once."""
    administrators = Membership.objects.select_for_update().filter(
        team=team, role=TeamRole.TEAM_ADMIN
    )
    left = {membership.user_id for membership in administrators}
    if left == {without.pk}:
        raise Conflict(
            f"[{without.username}] is the last administrator of team [{team.name}]; "
            "let somebody else administer it first"
        )


@attempt("endpoint.share", on="endpoint")
@transaction.atomic
def share(endpoint: Endpoint, team: Team | None, level: ShareLevel) -> EndpointShare:
    """Let another team, or everybody, use an endpoint or manage it, too."""
    if team is not None and team.pk == endpoint.team_id:
        raise InvalidArgument(f"[{endpoint.inference_id}] belongs to team [{team.name}] already")
    known = endpoint.shares.filter(team=team).first()
    shared, _ = EndpointShare.objects.update_or_create(
        endpoint=endpoint, team=team, defaults={"level": level}
    )
    audit.record(
        "endpoint.share",
        endpoint.inference_id,
        team=endpoint.team,
        before=told_of(known) if known else None,
        after=told_of(shared),
    )
    return shared


@transaction.atomic
def unshare(endpoint: Endpoint, team: Team | None) -> None:
    """Not shared already is success."""
    known = endpoint.shares.filter(team=team).first()
    if known is None:
        return
    before = told_of(known)
    known.delete()
    audit.record("endpoint.unshare", endpoint.inference_id, team=endpoint.team, before=before)


def told_of(share: EndpointShare) -> dict[str, str]:
    """What the audit log tells of a share."""
    return {"with": share.team.name if share.team else "everyone", "level": share.level}
