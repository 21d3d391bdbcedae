"""The audit log over the API: every change leaves an entry, every refusal too, and all is found."""

import csv
import json
from collections import Counter
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.db import transaction

from endpoints import actions, attempts, teams, uploads
from endpoints.models import (
    DEFAULT_TEAM,
    ApiKey,
    AuditEntry,
    Outcome,
    Team,
    TeamRole,
    TrainedModel,
    User,
)
from endpoints.permissions import Action
from inference.errors import Conflict
from tests.console.conftest import browser_of
from tests.endpoints.api.trained_models.uploading import (
    CONFIG,
    VOCABULARY,
    part_body,
    path,
    torchscript,
)
from tests.endpoints.conftest import PASSWORD, SETTINGS, Api, basic, refused, told
from tests.factories import make_deployment, make_endpoint, make_user

AUDIT, KEYS = "/_console/audit", "/_security/api_key"
POLICY, PROD = "/_inference/_region_policy", "/_console/clusters/prod"
EUROPE = {"region_policy": {"allowed_geos": ["eu"]}}
CLUSTER = {"url": "http://127.0.0.1:1", "api_key": "c2VjcmV0"}
PUT_MODEL, PUT_CLUSTER = ("PUT", path("m"), CONFIG), ("PUT", PROD, CLUSTER)
SCRIPT = torchscript()
PEOPLE, BOT = "/_console/people", "/_console/service_accounts/search/bot"
TEAM, OF_VECTORS = "/_console/teams/search", "/_console/endpoints/vectors"
INVITATIONS, MEMBER = f"{PEOPLE}/_invitations", f"{TEAM}/members/bob"
PUT_TEAM, PUT_KEY = ("PUT", TEAM, {"description": "Finds things"}), ("POST", KEYS, {"name": "k"})
PUT_BOT = ("PUT", BOT, {"role": "inference_user"})
PUT_MEMBER = ("PUT", MEMBER, {"role": "inference_user"})
MOVE = ("POST", f"{OF_VECTORS}/_move", {"team": "search"})
SHARE = ("PUT", f"{OF_VECTORS}/shares/_everyone", {"level": "use"})
TO_SITE = {"username": "ada", "roles": ["inference_user"]}
TO_TEAM = {"username": "ada", "team": "search", "team_role": "inference_user"}
# Of a key of which nobody can say the id before it is there.
KEY, NO_KEY = "{key}", "none"
Request = tuple[str, str, Any]
# Of every action that changes something: what is there before, the request, and the thing.
CHANGES: dict[Action, tuple[list[Request], Request, str]] = {
    Action.PUT: (
        [],
        (
            "PUT",
            "/_inference/text_embedding/new",
            {"service": "elasticsearch", "service_settings": SETTINGS},
        ),
        "new",
    ),
    Action.UPDATE: (
        [],
        ("PUT", "/_inference/vectors/_update", {"service_settings": {"num_allocations": 2}}),
        "vectors",
    ),
    Action.DELETE: ([], ("DELETE", "/_inference/ranks", None), "ranks"),
    Action.RESTORE: (
        [("DELETE", "/_inference/ranks", None)],
        ("POST", "/_console/endpoints/ranks/_restore", None),
        "ranks",
    ),
    Action.DELETED_FORGET: (
        [("DELETE", "/_inference/ranks", None)],
        ("DELETE", "/_console/deleted/ranks", None),
        "ranks",
    ),
    Action.CACHE_PUT: (
        [],
        ("PUT", "/_console/endpoints/vectors/cache", {"enabled": False}),
        "vectors",
    ),
    Action.CACHE_PURGE: ([], ("DELETE", "/_console/endpoints/vectors/cache", None), "vectors"),
    Action.REGION_POLICY_PUT: ([], ("PUT", POLICY, EUROPE), "region_policy"),
    Action.REGION_POLICY_DELETE: (
        [("PUT", POLICY, EUROPE)],
        ("DELETE", POLICY, None),
        "region_policy",
    ),
    Action.MODEL_PUT: ([], PUT_MODEL, "m"),
    Action.MODEL_DELETE: ([PUT_MODEL], ("DELETE", path("m"), None), "m"),
    Action.MODEL_PART_PUT: (
        [PUT_MODEL],
        ("PUT", path("m", "/definition/0"), part_body(SCRIPT[:10], len(SCRIPT), 2)),
        "m",
    ),
    Action.MODEL_VOCABULARY_PUT: (
        [PUT_MODEL],
        ("PUT", path("m", "/vocabulary"), VOCABULARY),
        "m",
    ),
    Action.DEPLOYMENT_START: (
        [],
        ("POST", path(".all-minilm-l6-v2", "/deployment/_start?deployment_id=d"), None),
        "d",
    ),
    Action.DEPLOYMENT_UPDATE: (
        [],
        ("POST", path("lone", "/deployment/_update"), {"number_of_allocations": 2}),
        "lone",
    ),
    Action.DEPLOYMENT_STOP: ([], ("POST", path("lone", "/deployment/_stop"), None), "lone"),
    Action.PIPELINE_PUT: ([], ("PUT", "/_ingest/pipeline/kept", {"processors": []}), "kept"),
    Action.PIPELINE_DELETE: ([], ("DELETE", "/_ingest/pipeline/kept", None), "kept"),
    Action.API_KEY_CREATE: ([], ("POST", KEYS, {"name": "k"}), ""),
    Action.API_KEY_INVALIDATE: (
        [("POST", KEYS, {"name": "k"})],
        ("DELETE", KEYS, {"owner": True}),
        "",
    ),
    Action.API_KEY_ROTATE: ([PUT_KEY], ("POST", f"/_console/api_keys/{KEY}/_rotate", None), ""),
    Action.ACCOUNT_PUT: ([PUT_TEAM], PUT_BOT, "search/bot"),
    Action.ACCOUNT_DELETE: ([PUT_TEAM, PUT_BOT], ("DELETE", BOT, None), "search/bot"),
    Action.PERSON_INVITE: ([], ("POST", INVITATIONS, TO_SITE), "ada"),
    Action.TEAM_PEOPLE: ([PUT_TEAM], ("POST", INVITATIONS, TO_TEAM), "ada"),
    Action.PERSON_ROLES: (
        [],
        ("PUT", f"{PEOPLE}/bob/roles", {"roles": ["inference_user"]}),
        "bob",
    ),
    Action.PERSON_RESET: ([], ("POST", f"{PEOPLE}/bob/_reset", None), "bob"),
    Action.PERSON_FACTORS: (
        [],
        ("POST", f"{PEOPLE}/bob/_reset_second_factor", None),
        "bob",
    ),
    Action.PERSON_DEACTIVATE: ([], ("POST", f"{PEOPLE}/bob/_deactivate", None), "bob"),
    Action.PERSON_SESSIONS: ([], ("POST", "/console/people/bob/sessions", {}), "bob"),
    Action.TEAM_CREATE: ([], PUT_TEAM, "search"),
    # Who sees no team is not told by the API whether this one would be made or changed.
    Action.TEAM_UPDATE: (
        [PUT_TEAM],
        ("POST", "/console/teams/search/edit", {"description": "Finds all"}),
        "search",
    ),
    Action.TEAM_DELETE: ([PUT_TEAM], ("DELETE", TEAM, None), "search"),
    Action.MEMBER_PUT: ([PUT_TEAM], PUT_MEMBER, "bob"),
    Action.MEMBER_REMOVE: ([PUT_TEAM, PUT_MEMBER], ("DELETE", MEMBER, None), "bob"),
    Action.ENDPOINT_MOVE: ([PUT_TEAM], MOVE, "vectors"),
    Action.SHARE_PUT: ([PUT_TEAM, MOVE], SHARE, "vectors"),
    Action.SHARE_DELETE: (
        [PUT_TEAM, MOVE, SHARE],
        ("DELETE", f"{OF_VECTORS}/shares/_everyone", None),
        "vectors",
    ),
    Action.CLUSTER_PUT: ([], PUT_CLUSTER, "prod"),
    Action.CLUSTER_DELETE: ([PUT_CLUSTER], ("DELETE", PROD, None), "prod"),
    Action.CLUSTER_SCAN: ([PUT_CLUSTER], ("POST", f"{PROD}/_scan", None), "prod"),
    Action.INDEX_CREATE: ([], ("PUT", "/films", None), "films"),
    Action.INDEX_MAPPING_PUT: (
        [],
        ("PUT", "/books/_mapping", {"properties": {"year": {"type": "keyword"}}}),
        "books",
    ),
    Action.INDEX_DELETE: ([], ("DELETE", "/books", None), "books"),
}


# What is done to something that the administrator made, and gave to no other team.
OF_DEFAULT = {action for action in CHANGES if CHANGES[action][2] in ("m", "d", "prod", "new")}
# What changes along with it: another thing, with an entry of its own.
ALONG = {Action.API_KEY_ROTATE: {"key.create"}}


@pytest.fixture(autouse=True)
def _folder(settings: Any, tmp_path: Any) -> None:
    settings.MODEL_DIR = tmp_path


def written() -> list[AuditEntry]:
    """With what was gathered, without what comes along with the first call and the first thing."""
    attempts.waiting.write(everything=True)
    entries = AuditEntry.objects.exclude(reason=attempts.BASIC)
    return list(entries.exclude(verb="team.create", subject=DEFAULT_TEAM).order_by("number"))


def asks(api: Api, person: User) -> Callable[[str, str, Any], int]:
    """Sends requests of somebody, to the API or to a page, and tells how they are answered."""
    browser = browser_of(person)

    def ask(method: str, path: str, body: Any) -> int:
        if path.startswith("/console/"):
            return browser.post(path, body).status_code
        key = ApiKey.objects.order_by("pk").last()
        return api(method, path.replace(KEY, key.key_id if key else NO_KEY), body).status_code

    return ask


def signed_in(person: User) -> None:
    """Somewhere, so that there is a session to end."""
    key = browser_of(person).session.session_key
    UserSession.objects.get_or_create(user=person, session_key=key, defaults={"ip": "10.0.0.7"})


def team_after(action: Action) -> str:
    """Whose the thing is, when the action was done to it."""
    if action in OF_DEFAULT:
        return DEFAULT_TEAM
    before, request, _ = CHANGES[action]
    return "search" if PUT_TEAM in (*before, request) and action != Action.TEAM_DELETE else ""


def test_every_action_that_changes_something_is_tried_here() -> None:
    """Give a new one a request that does it; its entries are then looked for below."""
    assert set(CHANGES) == {action for action in Action if action.is_change}


@pytest.mark.parametrize("action", CHANGES, ids=lambda action: action.name)
def test_a_change_leaves_an_entry(furnished: Api, action: Action) -> None:
    before, request, thing = CHANGES[action]
    signed_in(make_user("bob"))
    asked = asks(furnished, User.objects.get(username="elastic"))
    for one in before:
        assert asked(*one) == 200
    known = len(written())

    assert asked(*request) in (200, 302)

    entries = written()[known:]
    things = Counter((one.verb, one.subject) for one in entries)
    assert set(things.values()) == {1}
    assert {one.verb for one in entries} == {action.verb, *ALONG.get(action, ())}
    assert {one.team_name for one in entries} == {team_after(action)}
    assert {(one.actor_name, one.address) for one in entries} == {("elastic", "127.0.0.1")}
    assert all(one.subject == thing for one in entries if thing)
    assert all(one.before is not None or one.after is not None for one in entries) or action in (
        Action.CACHE_PURGE,
        Action.CLUSTER_SCAN,
        Action.PERSON_RESET,
        Action.TEAM_DELETE,
    )


@pytest.mark.parametrize("action", CHANGES, ids=lambda action: action.name)
def test_a_change_that_is_refused_leaves_an_entry(furnished: Api, action: Action) -> None:
    eve = make_user("eve")
    asked = asks(Api(basic("eve", PASSWORD)), eve)
    _, request, thing = CHANGES[action]
    known = len(written())

    assert asked(*request) == 403

    (entry,) = written()[known:]
    assert (entry.verb, entry.outcome, entry.actor_name) == (action.verb, "refused", "eve")
    assert entry.subject in (thing, NO_KEY, request[1].partition("?")[0], *request[1].split("/"))
    assert "is unauthorized for user [eve]" in entry.reason


def test_a_change_that_is_rolled_back_leaves_none(api: Api) -> None:
    endpoint = make_endpoint("e1")
    known = len(written())
    with transaction.atomic():
        actions.delete_endpoint(User.objects.get(), endpoint)
        assert len(written()) > known
        transaction.set_rollback(True)

    assert len(written()) == known


def test_of_an_update_what_differs_is_told(furnished: Api) -> None:
    furnished(*CHANGES[Action.UPDATE][1])

    entry = written()[-1]
    assert entry.before == {"service_settings": {"num_allocations": 1}}
    assert entry.after == {"service_settings": {"num_allocations": 2}}


def test_a_change_that_fails_is_written_down_with_the_reason(furnished: Api) -> None:
    known = len(written())
    body = {"service": "elasticsearch", "service_settings": SETTINGS}
    for _ in range(2):
        assert furnished("PUT", "/_inference/text_embedding/vectors", body).status_code == 400
    assert furnished("DELETE", "/_inference/vectors").status_code == 409

    create, delete = written()[known:]
    assert (create.verb, create.outcome, create.times) == ("endpoint.create", "failed", 2)
    assert create.reason == "Inference endpoint [vectors] already exists"
    assert (delete.verb, delete.outcome) == ("endpoint.delete", "failed")
    assert "[kept]" in delete.reason


def test_an_endpoint_that_is_taken_back_failed(api: Api, world: Any) -> None:
    world.load_fails = "the file is cut short"
    api(*CHANGES[Action.PUT][1])

    done, failed = [one for one in written() if one.verb == "endpoint.create"]
    assert (done.outcome, failed.outcome) == ("done", "failed")
    assert "the file is cut short" in failed.reason


def test_an_upload_is_told_when_it_begins_and_when_it_is_whole(api: Api) -> None:
    api(*PUT_MODEL)
    for number, half in enumerate((SCRIPT[:10], SCRIPT[10:])):
        body = part_body(half, len(SCRIPT), 2)
        assert api("PUT", path("m", f"/definition/{number}"), body).status_code == 200

    begin, end = [one.after for one in written() if one.verb == "model.upload"]
    assert begin == {"definition_bytes": len(SCRIPT), "definition_parts": 2}
    assert list(end or ()) == ["definition_sha256"]
    assert uploads.missing_of(TrainedModel.objects.get(model_id="m")) is None


def test_what_somebody_may_not_even_see_is_told_as_missing_and_written_down(api: Api) -> None:
    red, blue = (Team.objects.create(name=name) for name in ("red", "blue"))
    endpoint = make_endpoint("of-blue")
    endpoint.team = blue
    endpoint.save()
    teams.put_member(red, make_user("eve"), TeamRole.INFERENCE_ADMIN)
    eve = Api(basic("eve", PASSWORD))
    known = len(written())

    unseen = eve("DELETE", "/_inference/of-blue").content
    assert unseen == eve("DELETE", "/_inference/gone").content.replace(b"gone", b"of-blue")
    update = {"service_settings": {"num_allocations": 2}}
    assert eve("PUT", "/_inference/of-blue/_update", update).status_code == 404
    assert eve("GET", "/_inference/of-blue").status_code == 404

    assert [(one.verb, one.subject, one.team_name) for one in written()[known:]] == [
        ("endpoint.delete", "of-blue", "blue"),
        ("endpoint.update", "of-blue", "blue"),
    ]


@pytest.mark.parametrize(
    ("authorization", "name", "reason"),
    [
        ("", "", "missing authentication credentials"),
        (basic("eve", "guess"), "eve", "unable to authenticate user [eve]"),
        ("ApiKey YWJjOmRlZg==", "abc", "invalid credentials for API key [abc]"),
    ],
)
def test_who_is_not_known_is_written_down(
    api: Api, authorization: str, name: str, reason: str
) -> None:
    assert Api(authorization)("GET", "/_inference").status_code == 401

    entry = written()[-1]
    assert (entry.verb, entry.subject, entry.actor_name) == ("session.refuse", name, "")
    assert (entry.outcome, entry.address) == ("refused", "127.0.0.1")
    assert reason in entry.reason
    assert "guess" not in entry.reason


def test_the_key_of_a_change_is_told(api: Api) -> None:
    made = told(api("POST", KEYS, {"name": "k"}))
    Api(f"ApiKey {made['encoded']}")("PUT", "/films")

    entries = written()
    assert (entries[-1].verb, entries[-1].key_id) == ("index.create", made["id"])
    assert made["api_key"] not in json.dumps([one.to_response() for one in entries])


def test_a_call_writes_nothing_down(furnished: Api, django_assert_num_queries: Any) -> None:
    known = len(written())
    with django_assert_num_queries(1):  # by the fake host, which looks at the deployment
        assert furnished("POST", "/_inference/vectors", {"input": "a"}).status_code == 200

    assert len(written()) == known


def test_the_log_is_read_by_number_with_filters(furnished: Api) -> None:
    answer = told(furnished("GET", f"{AUDIT}?verb=index&size=1"))
    assert [one["subject"] for one in answer["entries"]] == ["books"]
    assert answer["next_before"] is None

    first = told(furnished("GET", f"{AUDIT}?size=2"))
    older = told(furnished("GET", f"{AUDIT}?size=2&before={first['next_before']}"))
    numbers = [one["number"] for one in (*first["entries"], *older["entries"])]
    assert numbers == sorted(numbers, reverse=True)
    assert len(set(numbers)) == len(numbers)


@pytest.mark.parametrize(
    "query",
    ["size=0", "size=1001", "size=x", "before=x", "outcome=perhaps", "from=never", "colour=red"],
)
def test_a_question_that_cannot_be_is_refused(api: Api, query: str) -> None:
    assert refused(api("GET", f"{AUDIT}?{query}")) == (400, "illegal_argument_exception")


@pytest.mark.parametrize(("form", "kind"), [("ndjson", "x-ndjson"), ("csv", "csv")])
def test_an_export_is_a_file_of_what_is_found(furnished: Api, form: str, kind: str) -> None:
    answer: Any = furnished("GET", f"{AUDIT}/_export?format={form}&verb=pipeline.put")

    text = b"".join(answer.streaming_content).decode()
    if form == "csv":
        rows: list[Any] = list(csv.DictReader(StringIO(text, newline="")))
    else:
        rows = [json.loads(line) for line in text.splitlines()]
    assert [row["subject"] for row in rows] == ["kept"]
    assert kind in answer["Content-Type"]
    assert answer["Content-Disposition"] == f'attachment; filename="audit.{form}"'
    assert written()[-1].verb == "audit.export"


@pytest.mark.parametrize("route", [AUDIT, f"{AUDIT}/_export"])
def test_the_log_is_not_for_everybody(api: Api, route: str) -> None:
    red = Team.objects.create(name="red")
    make_user("eve")
    teams.put_member(red, make_user("bob"), TeamRole.INFERENCE_ADMIN)
    for name in ("eve", "bob"):
        assert refused(Api(basic(name, PASSWORD))("GET", route)) == (403, "security_exception")


def test_a_team_administrator_reads_of_the_team_alone(api: Api) -> None:
    red = Team.objects.create(name="red")
    teams.put_member(red, make_user("lead"), TeamRole.TEAM_ADMIN)
    api("PUT", "/films")

    answer = told(Api(basic("lead", PASSWORD))("GET", AUDIT))

    assert [one["verb"] for one in answer["entries"]] == ["member.put"]


def test_an_export_of_no_known_form_is_refused(api: Api) -> None:
    answer = api("GET", f"{AUDIT}/_export?format=xml")

    assert refused(answer) == (400, "illegal_argument_exception")


def test_what_is_stopped_by_a_wildcard_is_told_one_by_one(api: Api) -> None:
    make_deployment("d1")
    make_deployment("d2")
    api("POST", path("d*", "/deployment/_stop"))

    stopped = [one for one in written() if one.verb == "deployment.stop"]
    assert [one.subject for one in stopped] == ["d1", "d2"]
    assert stopped[0].outcome == Outcome.DONE


def test_failures_of_a_conflict_keep_their_team(api: Api) -> None:
    red = Team.objects.create(name="red")
    with pytest.raises(Conflict):
        teams.create_team("red")
    endpoint = make_endpoint("e1")
    endpoint.team = red
    endpoint.save()
    api("PUT", "/_console/endpoints/e1/cache", {"enabled": True})  # it has no fingerprint

    create, cache = written()[-2:]
    assert (create.verb, create.outcome) == ("team.create", "failed")
    assert (cache.verb, cache.outcome, cache.team_name) == ("endpoint.cache", "failed", "red")
