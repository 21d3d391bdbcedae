"""Deleted endpoints: kept for a while as they were, brought back whole, and then wiped."""

from datetime import timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.utils import timezone

from endpoints import actions, deleted, rotation, sharing, tasks, teams
from endpoints.models import (
    AuditEntry,
    DeletedEndpoint,
    Deployment,
    Endpoint,
    EndpointTombstone,
    ScanState,
    ShareLevel,
    Team,
    TeamRole,
    User,
)
from endpoints.providers import opened_secrets
from endpoints.references import Elsewhere, Reference
from endpoints.restoring import restore_endpoint
from inference.errors import Conflict, EndpointExists, NotFound
from inference.references.cluster import Kind
from inference.types import InputType, TaskType
from tests.endpoints.conftest import SETTINGS, Api, member, refused, told
from tests.factories import (
    make_added_model,
    make_cluster,
    make_endpoint,
    make_index,
    make_remote_endpoint,
    make_user,
)

DELETED, RESTORE = "/_console/deleted", "/_console/endpoints/e1/_restore"
CREATE = "/_inference/text_embedding/e1"
HOSTED = {"service": "elasticsearch", "service_settings": SETTINGS}


def deleted_by(actor: User, endpoint: Endpoint) -> DeletedEndpoint:
    actions.delete_endpoint(actor, endpoint, force=True)
    return DeletedEndpoint.objects.restorable()[0]


@pytest.fixture
def remote(admin: User, search: Team) -> Endpoint:
    settings = {"api_key": "sk-1", "model_id": "m"}
    made = make_remote_endpoint("openai", TaskType.COMPLETION, settings, "e1")
    Endpoint.objects.filter(pk=made.pk).update(
        team=search,
        learned_settings={"similarity": "cosine"},
        task_settings={"user": "u"},
        created_by=admin,
        created_at=timezone.now() - timedelta(days=30),
    )
    made.refresh_from_db()
    return made


def test_it_comes_back_as_it_was(admin: User, remote: Endpoint, other: Team) -> None:
    sharing.share(remote, other, ShareLevel.MANAGE)
    sharing.share(remote, None, ShareLevel.USE)
    was = {name: getattr(remote, name) for name in ("team", "created_by", "created_at", "kept")}

    back = restore_endpoint(admin, deleted_by(admin, remote))

    assert {name: getattr(back, name) for name in was} == was
    assert back.learned_settings == {"similarity": "cosine"}
    assert opened_secrets(back.encrypted_secrets) == {"api_key": "sk-1"}
    levels = {sharing.shared_as(one.team): one.level for one in sharing.shares_of(back)}
    assert levels == {"_everyone": "use", "other": "manage"}
    assert not DeletedEndpoint.objects.exists()
    assert not EndpointTombstone.objects.exists()


def test_a_model_that_runs_here_starts_again(api: Api, admin: User) -> None:
    assert api("PUT", CREATE, HOSTED).status_code == 200
    made = Endpoint.objects.get()
    api("PUT", "/_console/endpoints/e1/cache", {"enabled": True})
    assert api("DELETE", CREATE).status_code == 200
    assert not Deployment.objects.exists()

    answer = told(api("POST", RESTORE))

    back = Endpoint.objects.get()
    assert answer == back.to_response()
    assert back.fingerprint == made.fingerprint
    assert Deployment.objects.get().deployment_id == "e1"
    assert back.is_cached
    assert api("POST", "/_inference/e1", {"input": "a"}).status_code == 200


def test_what_happened_to_it_before_is_told_again_but_not_of_another(api: Api, admin: User) -> None:
    api("PUT", CREATE, HOSTED)
    created_at = Endpoint.objects.get().created_at
    for _ in range(2):
        api("DELETE", CREATE)
        api("POST", RESTORE)
    assert Endpoint.objects.get().created_at == created_at

    api("DELETE", CREATE)
    api("PUT", CREATE, HOSTED)
    api("DELETE", CREATE)
    api("DELETE", f"{DELETED}/e1")
    assert api("POST", RESTORE).status_code == 200
    assert Endpoint.objects.get().created_at > created_at


def test_an_id_that_is_taken_is_refused_and_nothing_lost(admin: User, remote: Endpoint) -> None:
    kept = deleted_by(admin, remote)
    taker = make_endpoint("e1")

    with pytest.raises(EndpointExists, match="another endpoint has its id by now"):
        restore_endpoint(admin, kept)
    assert list(Endpoint.objects.all()) == [taker]

    actions.delete_endpoint(admin, taker)
    assert restore_endpoint(admin, kept).service == "openai"


def test_it_is_restored_once(admin: User, remote: Endpoint) -> None:
    kept = deleted_by(admin, remote)
    DeletedEndpoint.objects.all().delete()

    with pytest.raises(NotFound):
        restore_endpoint(admin, kept)
    assert not Endpoint.objects.exists()


def test_a_model_that_is_another_by_now_is_refused(admin: User) -> None:
    model = make_added_model("my-e5")
    endpoint = actions.create_endpoint(
        admin,
        "e1",
        TaskType.TEXT_EMBEDDING,
        "elasticsearch",
        {"service_settings": SETTINGS | {"model_id": "my-e5"}},
    )
    kept = deleted_by(admin, endpoint)
    model.delete()
    make_added_model("my-e5", prefixes={InputType.SEARCH: "query: "})

    with pytest.raises(Conflict, match="its model is another by now"):
        restore_endpoint(admin, kept)
    assert DeletedEndpoint.objects.exists()


def test_its_time_ends_and_its_secrets_with_it(
    api: Api, admin: User, remote: Endpoint, settings: Any
) -> None:
    deleted_by(admin, remote)
    settings.RESTORE_DAYS = 2
    at = timezone.now() - timedelta(days=2, seconds=1)
    DeletedEndpoint.objects.update(deleted_at=at + timedelta(hours=1))
    tasks.wipe_deleted()
    assert told(api("GET", DELETED))["count"] == 1

    DeletedEndpoint.objects.update(deleted_at=at)
    assert told(api("GET", DELETED)) == {"count": 0, "deleted": []}
    assert refused(api("POST", RESTORE)) == (404, "resource_not_found_exception")
    assert DeletedEndpoint.objects.exists()
    tasks.wipe_deleted()
    assert not DeletedEndpoint.objects.exists()


def test_nothing_is_kept_where_nothing_is_to_be_restored(
    admin: User, remote: Endpoint, settings: Any
) -> None:
    settings.RESTORE_DAYS = 0

    actions.delete_endpoint(admin, remote)

    assert not DeletedEndpoint.objects.exists()
    assert EndpointTombstone.objects.exists()


def test_what_is_wiped_for_good_is_gone_at_once(api: Api, admin: User, remote: Endpoint) -> None:
    deleted_by(admin, remote)

    assert told(api("DELETE", f"{DELETED}/e1")) == {"acknowledged": True}

    assert not DeletedEndpoint.objects.exists()
    assert api("POST", RESTORE).status_code == 404
    assert api("DELETE", f"{DELETED}/e1").status_code == 404


def test_of_one_id_only_the_last_few_are_kept(admin: User) -> None:
    for number in range(deleted.MOST_OF_ONE_ID + 2):
        settings = {"api_key": f"sk-{number}", "model_id": "m"}
        made = make_remote_endpoint("openai", TaskType.COMPLETION, settings, "e1")
        actions.delete_endpoint(admin, made)

    kept = [opened_secrets(one.encrypted_secrets) for one in DeletedEndpoint.objects.restorable()]
    assert kept == [{"api_key": f"sk-{number}"} for number in (4, 3, 2)]


def test_a_change_just_before_the_delete_is_kept(admin: User, remote: Endpoint) -> None:
    Endpoint.objects.update(task_settings={"user": "changed"})

    assert deleted_by(admin, remote).task_settings == {"user": "changed"}


def test_rotated_keys_open_what_is_kept(admin: User, remote: Endpoint, settings: Any) -> None:
    kept, new = deleted_by(admin, remote), Fernet.generate_key().decode()
    settings.SECRET_KEYS = (new, *settings.SECRET_KEYS)

    assert [(one.kind, one.is_changed) for one in rotation.rotate()] == [("deleted endpoint", True)]
    settings.SECRET_KEYS = (new,)
    kept.refresh_from_db()
    assert opened_secrets(kept.encrypted_secrets) == {"api_key": "sk-1"}


def test_the_list_tells_who_deleted_it_when_and_what_used_it(
    admin: User, remote: Endpoint, search: Team, other: Team
) -> None:
    make_index("docs", "e1")
    for name, team in (("ours", search), ("theirs", other)):
        cluster = make_cluster(name, team=team, scan_state=ScanState.SCANNED)
        cluster.references.create(
            kind="index", name="logs", inference_id="e1", seen_at=timezone.now()
        )
    kept = deleted_by(admin, remote)
    manager = member(search, TeamRole.INFERENCE_ADMIN)

    (shown,) = told(manager("GET", DELETED))["deleted"]

    assert (shown["inference_id"], shown["team"], shown["deleted_by"]) == (
        "e1",
        "search",
        "elastic",
    )
    assert shown["used_by"] == {
        "pipelines": [],
        "indexes": ["docs", "ours:logs", "1 index of another team's cluster"],
    }
    uses = deleted.uses_of(kept, frozenset())
    assert uses.found == (Reference(Kind.INDEX, "docs"),)
    assert uses.elsewhere == (Elsewhere(Kind.INDEX, 2),)


@pytest.mark.parametrize("path", [("POST", RESTORE), ("DELETE", f"{DELETED}/e1")])
def test_only_who_manages_its_team_sees_and_restores_it(
    admin: User, remote: Endpoint, search: Team, other: Team, path: tuple[str, str]
) -> None:
    deleted_by(admin, remote)
    reader, stranger = member(search, TeamRole.INFERENCE_USER), member(other, TeamRole.TEAM_ADMIN)

    assert refused(reader("GET", DELETED)) == (403, "security_exception")
    assert refused(reader(*path)) == (403, "security_exception")
    assert told(stranger("GET", DELETED))["count"] == 0
    assert refused(stranger(*path)) == (404, "resource_not_found_exception")
    assert member(search, TeamRole.INFERENCE_ADMIN)(*path).status_code == 200


def test_it_goes_along_to_the_team_that_gets_everything(
    admin: User, remote: Endpoint, search: Team, other: Team
) -> None:
    kept = deleted_by(admin, remote)

    teams.delete_team(search, other)

    kept.refresh_from_db()
    assert restore_endpoint(admin, kept).team == other


def test_without_its_team_it_is_wiped_and_that_is_told(
    admin: User, remote: Endpoint, search: Team
) -> None:
    deleted_by(admin, remote)

    teams.delete_team(search)

    assert not DeletedEndpoint.objects.exists()
    assert AuditEntry.objects.filter(verb="endpoint.forget", subject="e1").count() == 1


def test_shares_with_a_team_that_is_gone_are_left_out(
    admin: User, remote: Endpoint, other: Team
) -> None:
    sharing.share(remote, other, ShareLevel.USE)
    kept = deleted_by(admin, remote)
    teams.delete_team(other)

    assert not restore_endpoint(admin, kept).shares.exists()


def test_who_deleted_it_may_be_gone(api: Api, remote: Endpoint) -> None:
    bob = make_user("bob")
    deleted_by(bob, remote)
    bob.delete()

    (shown,) = told(api("GET", DELETED))["deleted"]
    assert shown["deleted_by"] is None


def test_the_size_of_the_list_is_checked(api: Api) -> None:
    assert api("GET", f"{DELETED}?size=0").status_code == 400
    assert api("GET", f"{DELETED}?size=5").status_code == 200


def test_it_is_written_down_by_whom_it_was_restored(api: Api) -> None:
    api("PUT", CREATE, HOSTED)
    api("DELETE", CREATE)
    api("POST", RESTORE)

    entry = AuditEntry.objects.order_by("number").last()
    assert entry
    assert (entry.verb, entry.subject, entry.actor_name) == ("endpoint.restore", "e1", "elastic")
    assert entry.after
    assert entry.after["service"] == "elasticsearch"
