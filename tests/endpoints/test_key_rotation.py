"""A key is replaced while the old one goes on working for a while, and never grows."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from endpoints import teams
from endpoints.models import ApiKey, AuditEntry, Team, TeamRole, User
from tests.endpoints.conftest import Api, basic, refused, told
from tests.endpoints.having_keys import KEYS, made, made_here, member, shown, using
from tests.factories import PASSWORD, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("world")]

FORBIDDEN = (403, "security_exception")
CONFLICT = (409, "status_exception")
BAD_ARGUMENT = (400, "illegal_argument_exception")
MONITOR = {"r": {"cluster": ["monitor_inference"]}}


@pytest.fixture
def search() -> Team:
    return teams.create_team("search")


class Clock:
    """Moves the time that keys are held against."""

    def __init__(self) -> None:
        self.now = timezone.now()

    def __call__(self) -> Any:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(timezone, "now", clock)
    return clock


def rotate(api: Api, key: dict[str, Any], **body: Any) -> Any:
    return api("POST", f"/_console/api_keys/{key['id']}/_rotate", body or None)


def works(key: dict[str, Any]) -> bool:
    return using(key)("GET", "/").status_code == 200


def test_both_work_until_the_overlap_is_over(api: Api, clock: Clock) -> None:
    old = made(api)

    new = told(rotate(api, old, overlap="2h"))

    assert new["replaces"]["id"] == old["id"]
    assert new["id"] != old["id"]
    assert (works(old), works(new)) == (True, True)
    clock.now += timedelta(hours=1, minutes=59)
    assert (works(old), works(new)) == (True, True)
    clock.now += timedelta(minutes=2)
    assert not works(old)
    assert works(new)
    assert shown(api, new)["replaces"] == old["id"]
    assert shown(api, old)["replaced_by"] == new["id"]


def test_without_an_overlap_named_it_takes_a_day(api: Api, clock: Clock) -> None:
    old = made(api)
    assert rotate(api, old).status_code == 200

    clock.now += timedelta(hours=23)
    assert works(old)
    clock.now += timedelta(hours=2)
    assert not works(old)


def test_no_overlap_ends_the_old_key_at_once(api: Api) -> None:
    old = made(api)

    new = told(rotate(api, old, overlap="0"))

    assert not works(old)
    assert works(new)


def test_an_overlap_does_not_prolong_a_key(api: Api, clock: Clock) -> None:
    old = made(api, expiration="1h")

    new = told(rotate(api, old, overlap="1d"))

    clock.now += timedelta(minutes=61)
    assert not works(old)
    assert "expiration" in new


def test_the_new_key_lasts_as_long_as_the_old_one_did(api: Api, clock: Clock) -> None:
    old = made(api, expiration="10d")
    ApiKey.objects.update(created_at=clock.now)
    clock.now += timedelta(days=9)

    new = told(rotate(api, old))

    clock.now += timedelta(days=9)
    assert works(new)
    clock.now += timedelta(days=2)
    assert not works(new)


def test_the_new_key_can_do_the_same_and_no_more(api: Api, search: Team) -> None:
    console = {"team": "search", "tasks": ["rerank"], "endpoints": ["a*"]}
    old = made_here(api, roles=MONITOR, **console)

    new = told(rotate(api, old))

    one, two = (ApiKey.objects.get(key_id=key["id"]) for key in (old, new))
    for name in ("role_descriptors", "limited_by", "tasks", "endpoints", "team_id", "user_id"):
        assert getattr(one, name) == getattr(two, name), name
    verbs = AuditEntry.objects.filter(subject=old["id"]).values_list("verb", flat=True)
    assert set(verbs) == {"key.create", "key.rotate"}


def test_a_key_is_rotated_once_and_only_while_it_works(api: Api) -> None:
    twice, ended = made(api), made(api)
    assert rotate(api, twice).status_code == 200
    assert refused(rotate(api, twice)) == CONFLICT
    api("DELETE", KEYS, {"ids": [ended["id"]]})
    assert refused(rotate(api, ended)) == CONFLICT


@pytest.mark.parametrize("overlap", ["31d", "-1", "soon", "1", "999999999999999999d"])
def test_an_overlap_that_makes_no_sense_is_refused(api: Api, overlap: str) -> None:
    old = made(api)

    assert refused(rotate(api, old, overlap=overlap)) == BAD_ARGUMENT
    assert ApiKey.objects.get().expires_at is None


# --- what must not grow


def test_a_key_rotates_no_key_not_even_itself(api: Api, search: Team) -> None:
    key = made(api)

    assert refused(rotate(using(key), key)) == BAD_ARGUMENT
    assert ApiKey.objects.count() == 1


def test_nobody_gets_the_successor_of_somebody_elses_key(api: Api, search: Team) -> None:
    bobs = made(member(search, TeamRole.INFERENCE_USER, "bob"))
    boss = member(search, TeamRole.TEAM_ADMIN, "boss")
    mate = member(search, TeamRole.INFERENCE_USER, "mate")

    assert refused(rotate(boss, bobs)) == refused(rotate(api, bobs)) == FORBIDDEN
    assert refused(rotate(mate, bobs)) == (404, "resource_not_found_exception")
    assert ApiKey.objects.count() == 1


def test_rights_that_were_lost_are_not_prolonged(api: Api, admin: User) -> None:
    key = made(api)
    make_user("other-admin")
    User.objects.filter(pk=admin.pk).update(is_superuser=False, roles=["inference_user"])
    teams.put_member(teams.create_team("t"), admin, TeamRole.TEAM_ADMIN)

    assert refused(rotate(Api(basic("elastic", PASSWORD)), key)) == CONFLICT


def test_a_key_of_a_team_makes_no_key_that_can_do_anything(search: Team) -> None:
    key = using(made(member(search, TeamRole.TEAM_ADMIN, "boss")))

    for asked in (
        {"name": "k"},
        {"name": "k", "role_descriptors": MONITOR},
        {"name": "k", "metadata": {"console": {"service_account": "search/robot"}}},
        {"name": "k", "metadata": {"console": {"team": "search"}}},
    ):
        assert refused(key("POST", KEYS, asked)) == BAD_ARGUMENT, asked
    derived = using(made(key, role_descriptors={"r": {}}))
    assert derived("GET", "/_inference").status_code == 403
