"""What a team lets others do with its endpoints, and giving them to another team."""

from django.db import transaction
from django.utils import timezone

from endpoints import audit
from endpoints.access import team_of
from endpoints.attempts import attempt
from endpoints.models import (
    Deployment,
    Endpoint,
    EndpointShare,
    EndpointTombstone,
    ShareLevel,
    Team,
)
from endpoints.teams import EVERYONE, get_team
from inference.errors import Conflict, InvalidArgument, InvalidRequest, NotFound, shown


def check_level(name: str) -> ShareLevel:
    """Raises InvalidArgument."""
    if name not in ShareLevel.values:
        raise InvalidArgument(
            f"Unknown [level] [{shown(name)}]; there are [{', '.join(ShareLevel.values)}]"
        )
    return ShareLevel(name)


def team_to_share_with(name: str) -> Team | None:
    """The team of this name; None for everyone. Raises NotFound.

    Whoever shares has to know the name: teams are listed to nobody outside of them, but a name
    that is written wrongly must not look as if it were shared. So that there is a team of a name
    can be found out here, by administrators of some team, one guess at a time, and nothing else.
    """
    return None if name == EVERYONE else get_team(name)


def shared_as(team: Team | None) -> str:
    """What a share is called in the API."""
    return team.name if team else EVERYONE


def shares_of(endpoint: Endpoint) -> list[EndpointShare]:
    """With everyone first, then by team."""
    shares = endpoint.shares.select_related("team", "endpoint")
    return sorted(shares, key=lambda share: (share.team is not None, shared_as(share.team)))


def get_share(endpoint: Endpoint, name: str) -> EndpointShare:
    """What is shared with a team of this name, or with everyone.

    Raises NotFound where nothing is, whether there is such a team or not.
    """
    for share in shares_of(endpoint):
        if shared_as(share.team) == name:
            return share
    raise NotFound(f"[{endpoint.inference_id}] is not shared with [{shown(name)}]")


@attempt("endpoint.share", on="endpoint")
@transaction.atomic
def share(endpoint: Endpoint, team: Team | None, level: ShareLevel) -> EndpointShare:
    """Let another team, or everybody, use an endpoint or manage it, too.

    Raises InvalidArgument where they may already, because it is theirs.
    """
    if endpoint.team is None:
        raise InvalidArgument(f"[{endpoint.inference_id}] belongs to everybody already")
    if team == endpoint.team:
        raise InvalidArgument(f"[{endpoint.inference_id}] belongs to team [{team.name}] already")
    known = EndpointShare.objects.filter(endpoint=endpoint, team=team).first()
    if known and known.level == level:
        return known
    name = shared_as(team)
    before = {name: known.level} if known else None
    subject = endpoint.inference_id
    audit.record("endpoint.share", subject, team=endpoint.team, before=before, after={name: level})
    return EndpointShare.objects.update_or_create(
        endpoint=endpoint, team=team, defaults={"level": level}
    )[0]


@transaction.atomic
def unshare(endpoint: Endpoint, team: Team | None) -> None:
    """Not shared already is success."""
    known = endpoint.shares.filter(team=team).first()
    if known is None:
        return
    before = {shared_as(team): known.level}
    audit.record("endpoint.unshare", endpoint.inference_id, team=endpoint.team, before=before)
    known.delete()


@attempt("endpoint.move", on="endpoint")
@transaction.atomic
def move_endpoint(endpoint: Endpoint, team: Team) -> None:
    """Let an endpoint belong to another team, with what was started for it and was left of it.

    With whom else it is shared stays. Raises InvalidRequest for one that is always there, and
    Conflict where it runs on what the other team has not, where others run on what was started for
    it, or where somebody else changed it meanwhile.
    """
    if endpoint.is_preconfigured:
        raise InvalidRequest(f"[{endpoint.inference_id}] is always there and belongs to everybody")
    if endpoint.team == team:
        return
    check_runs_there(endpoint, team)
    unchanged = Endpoint.objects.filter(pk=endpoint.pk, team=endpoint.team)
    if not unchanged.update(team=team, updated_at=timezone.now()):
        raise Conflict(f"Endpoint [{endpoint.inference_id}] was changed by somebody else meanwhile")
    endpoint.shares.filter(team=team).delete()
    if endpoint.owns_deployment:
        own = Deployment.objects.filter(deployment_id=endpoint.deployment_id)
        own.filter(team=endpoint.team).update(team=team)
    left = EndpointTombstone.objects.filter(inference_id=endpoint.inference_id)
    left.filter(team=endpoint.team).update(team=team)
    before = {"team": endpoint.team.name if endpoint.team else None}
    audit.record(
        "endpoint.move", endpoint.inference_id, team=team, before=before, after={"team": team.name}
    )
    endpoint.team = team


def check_runs_there(endpoint: Endpoint, team: Team) -> None:
    """Raises Conflict where an endpoint of this team could not run on what it runs on."""
    deployment = endpoint.deployment
    if deployment is None:
        return
    theirs = (None, team)
    if deployment.model.team not in theirs:
        raise Conflict(
            f"[{endpoint.inference_id}] runs on model [{deployment.model.model_id}], which team "
            f"[{team.name}] does not have"
        )
    if not endpoint.owns_deployment and team_of(deployment) not in theirs:
        raise Conflict(
            f"[{endpoint.inference_id}] runs on deployment [{deployment.deployment_id}], which "
            f"team [{team.name}] does not have"
        )
    if endpoint.owns_deployment and (
        others := deployment.endpoints.exclude(pk=endpoint.pk).exclude(team=team).count()
    ):
        raise Conflict(
            f"[{endpoint.inference_id}] cannot go alone: other endpoints, {others}, run on what "
            "was started for it. Move or delete them first"
        )
