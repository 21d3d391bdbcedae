"""An installation with something of everything, whose names are as bad as they can be."""

from allauth.account.models import EmailAddress
from django.utils import timezone
from pytest_django import Settings

from endpoints import accounts, audit, directory, keys, sharing, teams
from endpoints.invitations import Wish, invite
from endpoints.models import (
    ApiKey,
    ClusterReference,
    DeploymentEvent,
    Endpoint,
    IngestPipeline,
    LabRun,
    LabState,
    ModelUpload,
    ShareLevel,
    Team,
    TeamRole,
    User,
)
from inference.references.cluster import Kind
from inference.types import TaskType
from tests.elastic import inferring
from tests.factories import (
    make_added_model,
    make_cluster,
    make_endpoint,
    make_index,
    make_remote_endpoint,
    make_user,
)

# It closes attributes and elements, and would be an element of its own.
PLANT = "'\"><img data-planted src=x onerror=planted=1>"


def furnish_all(admin: User, settings: Settings) -> Team:
    """Something of everything. What others refer to by its name has the script in that already."""
    settings.OIDC_ISSUER, settings.OIDC_NAME = "https://sso.example/o", PLANT
    team, other = teams.create_team("search", "They search."), teams.create_team("other")
    ann = make_user(f"{PLANT}ann")
    teams.put_member(team, ann, TeamRole.TEAM_ADMIN)
    teams.put_member(team, admin, TeamRole.INFERENCE_USER)
    make_user(f"{PLANT}gone")
    User.objects.filter(username=f"{PLANT}gone").update(is_active=False)
    furnish(team, other)
    give_keys(admin, team)
    LabRun.objects.create(
        owner=admin,
        name="Notes",
        text="A text.",
        characters=7,
        losses=[PLANT],
        state=LabState.FAILED,
        reason="no room",
    )
    invite(admin, Wish("eve", "eve@example.org", "search", TeamRole.INFERENCE_USER))
    EmailAddress.objects.create(user=admin, email="elastic@example.org", verified=True)
    EmailAddress.objects.create(user=admin, email="new@example.org")
    User.objects.filter(service_team=None).update(email=PLANT)
    directory.link(admin, directory.Identity("https://sso.example/o", PLANT, PLANT))
    return team


def furnish(team: Team, other: Team) -> None:
    local = make_endpoint(f"{PLANT}local", reason="no room")
    assert local.deployment
    DeploymentEvent.objects.create(deployment=local.deployment, phase="failed", reason="no room")
    make_added_model(description=PLANT, languages=(PLANT,))
    make_remote_endpoint(
        "openai",
        TaskType.TEXT_EMBEDDING,
        {"api_key": "sk-1", "model_id": PLANT, "organization_id": PLANT},
        f"{PLANT}hosted",
    )
    ModelUpload.objects.create(model_id="mine", team=team, files=[[PLANT, 5]])
    Endpoint.objects.update(team=team)
    for endpoint in Endpoint.objects.all():
        sharing.share(endpoint, other, ShareLevel.USE)
        for number in range(6):  # more than the endpoint's own page shows
            audit.record(
                f"endpoint.{number}{PLANT}",
                endpoint.inference_id,
                team=team,
                before={PLANT: PLANT},
                after={PLANT: [PLANT]},
                reason=PLANT,
            )
    index = make_index("books", local.inference_id)
    index.mappings["properties"][PLANT] = {"type": "semantic_text", "inference_id": PLANT}
    index.save()
    config = {
        "description": PLANT,
        **inferring(PLANT),
        "on_failure": [{"set": {"field": PLANT, "value": PLANT}}],
    }
    IngestPipeline.objects.create(pipeline_id="embeds", config=config)
    IngestPipeline.objects.create(pipeline_id="embed", config=inferring(local.inference_id))
    cluster = make_cluster(team=team, reason="it did not answer")
    for kind in Kind:
        ClusterReference.objects.create(
            cluster=cluster,
            kind=kind,
            name=f"films-{kind}",
            inference_id=local.inference_id,
            seen_at=timezone.now(),
        )


def give_keys(admin: User, team: Team) -> None:
    account = accounts.create_account(admin, "robot", "inference_user", team=team.name)
    account.username = f"{account.service_namespace}/{PLANT}"
    account.save()
    roles = {PLANT: {"cluster": ["all"]}}
    keys.create_api_key(admin, "shop", role_descriptors=roles, metadata={PLANT: PLANT})
    keys.create_api_key(admin, "team", team=team.name)
    old, _ = keys.create_api_key(admin, "robot", account=account.username)
    keys.rotate_api_key(admin, old.key_id)
    ApiKey.objects.filter(name="team").update(endpoints=[f"{PLANT}*"])
