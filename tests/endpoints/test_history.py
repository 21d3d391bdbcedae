"""Reading the audit log: who sees what of it, how it is found, and how it is written out."""

import csv
import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.db import connection

from endpoints import audit, history, sharing, teams
from endpoints.audit import Who
from endpoints.history import Search, chosen, differences, history_of, visible_entries, window
from endpoints.models import AuditEntry, Outcome, ShareLevel, Team, TeamRole, User
from inference.errors import InvalidArgument
from tests.factories import make_admin, make_endpoint, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def red() -> Team:
    return teams.create_team("red")


def member(name: str, team: Team, role: TeamRole) -> User:
    user = make_user(name)
    teams.put_member(team, user, role)
    return user


def subjects(search: Search) -> list[str]:
    return sorted(one.subject for one in window(AuditEntry.objects.all(), search, 50).entries)


def test_a_site_administrator_sees_everything(red: Team) -> None:
    audit.record("endpoint.create", "e1", team=red)
    audit.record("session.start", "elastic")

    assert visible_entries(make_admin()).count() == AuditEntry.objects.count()


def test_a_team_administrator_sees_what_concerns_the_team(red: Team) -> None:
    lead = member("lead", red, TeamRole.TEAM_ADMIN)
    AuditEntry.objects.all().delete()
    audit.record("endpoint.create", "of-red", team=red)
    audit.record("endpoint.create", "of-blue", team=teams.create_team("blue"))
    audit.record("session.start", "lead")

    assert [one.subject for one in visible_entries(lead)] == ["of-red"]


@pytest.mark.parametrize("role", [TeamRole.INFERENCE_USER, TeamRole.INFERENCE_ADMIN])
def test_others_in_a_team_see_nothing(red: Team, role: TeamRole) -> None:
    audit.record("endpoint.create", "of-red", team=red)

    assert not visible_entries(member("bob", red, role)).exists()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["e1", "e2", "k1"]),
        ({"q": "TIMED"}, ["e2"]),
        ({"q": "10.9"}, ["k1"]),
        ({"who": "ada"}, ["k1"]),
        ({"who": "ad"}, []),
        ({"verb": "endpoint"}, ["e1", "e2"]),
        ({"verb": "end"}, []),
        ({"verb": "endpoint.update"}, ["e2"]),
        ({"thing": "e1"}, ["e1"]),
        ({"team": "red"}, ["e1"]),
        ({"outcome": "failed"}, ["e2"]),
        ({"outcome": "failed", "thing": "e1"}, []),
    ],
)
def test_filters_leave_what_fits_all_of_them(query: dict[str, str], expected: list[str]) -> None:
    red = Team.objects.create(name="red")
    audit.record("endpoint.create", "e1", team=red)
    audit.record("endpoint.update", "e2", outcome=Outcome.FAILED, reason="It timed out")
    audit.record("key.create", "k1", who=Who(None, "ada", address="10.9.8.7"))

    assert subjects(Search.of(query)) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"from": "2026-03-02"}, ["second", "third"]),
        ({"to": "2026-03-02"}, ["first", "second"]),
        ({"from": "2026-03-02", "to": "2026-03-02"}, ["second"]),
        ({"to": "2026-03-02T12:00:00Z"}, ["first"]),
        ({"from": "2026-03-02T14:00:00+02:00"}, ["second", "third"]),
        ({"from": "2026-03-02T12:00:01Z"}, ["third"]),
        ({"from": "2027-01-01"}, []),
        ({"to": "2025-01-01"}, []),
    ],
)
def test_days_are_whole_and_times_are_exact(query: dict[str, str], expected: list[str]) -> None:
    for day, name in ((1, "first"), (2, "second"), (3, "third")):
        audit.record("endpoint.create", name, at=datetime(2026, 3, day, 12, tzinfo=UTC))

    assert subjects(Search.of(query)) == expected


def test_what_was_written_late_is_found_by_its_time() -> None:
    noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
    audit.record("endpoint.create", "soon", at=noon)
    audit.record("session.refuse", "late", at=noon - timedelta(minutes=1))

    assert subjects(Search(start=noon)) == ["soon"]
    assert subjects(Search(end=noon)) == ["late"]


@pytest.mark.parametrize(
    "query",
    [
        {"from": "yesterday"},
        {"to": "2026-02-30"},
        {"from": "0001-01-01"},
        {"to": "9999-12-31"},
        {"outcome": "perhaps"},
        {"from": "2026-03-02", "to": "2026-03-01"},
    ],
)
def test_a_filter_that_cannot_be_is_refused(query: dict[str, str]) -> None:
    with pytest.raises(InvalidArgument):
        Search.of(query)


def test_windows_follow_each_other_without_a_gap() -> None:
    for number in range(5):
        audit.record("endpoint.create", f"e{number}")
    entries = AuditEntry.objects.all()

    first = window(entries, Search(), 2)
    second = window(entries, Search(), 2, first.next_before)
    audit.record("endpoint.create", "meanwhile")
    third = window(entries, Search(), 2, second.next_before)

    told = [[one.subject for one in part.entries] for part in (first, second, third)]
    assert told == [["e4", "e3"], ["e2", "e1"], ["e0"]]
    assert third.next_before is None


def test_a_text_is_looked_for_in_so_many_entries_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(history, "LOOKED_THROUGH", 2)
    for number in range(7):
        audit.record("endpoint.create", "wanted" if number in (0, 6) else "other")
    search, before, seen = Search(q="want"), None, []
    while True:
        part = window(AuditEntry.objects.all(), search, 5, before)
        seen.append([one.number for one in part.entries])
        if (before := part.next_before) is None:
            break

    assert seen == [[7], [], [1]]
    assert [one.number for one in history.every(AuditEntry.objects.all(), search)] == [7, 1]


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ({}, "number"),
        ({"who": "ada"}, "audit_by_actor"),
        ({"verb": "endpoint.update"}, "audit_by_verb"),
        ({"verb": "endpoint"}, "audit_by_kind"),
        ({"thing": "e1"}, "audit_by_subject"),
        ({"outcome": "refused"}, "audit_by_outcome"),
        ({"from": "2026-03-02", "to": "2026-03-03"}, "number"),
    ],
)
def test_what_is_found_is_read_by_an_index_in_its_order(query: dict[str, str], index: str) -> None:
    """Else a log of a million entries would be read, or sorted, for a page of fifty."""
    entries = chosen(AuditEntry.objects.all(), Search.of(query)).filter(number__lt=10**6)
    plan = entries.order_by("-number")[:50].explain()

    if connection.vendor == "sqlite":
        assert index in plan
        assert "TEMP B-TREE" not in plan


def test_an_export_holds_exactly_what_is_found_and_is_written_down(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(history, "READ_AT_ONCE", 2)
    admin = make_admin()
    for number in range(5):
        audit.record("endpoint.create", f"e{number}", after={"a": {"b": 1}})
    audit.record("key.create", "k")

    lines = b"".join(history.export(admin, Search(verb="endpoint"), "ndjson")).splitlines()

    assert [json.loads(line)["subject"] for line in lines] == ["e4", "e3", "e2", "e1", "e0"]
    assert json.loads(lines[0])["after"] == {"a": {"b": 1}}
    newest = AuditEntry.objects.order_by("-number")[0]
    assert (newest.verb, newest.after) == (
        "audit.export",
        {"format": "ndjson", "verb": "endpoint"},
    )


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r"])
def test_a_cell_of_a_csv_is_no_formula(begin: str) -> None:
    audit.record("endpoint.create", f"{begin}1+1", reason="plain, with a comma")

    text = b"".join(history.as_csv(iter(AuditEntry.objects.all()))).decode()

    (row,) = csv.DictReader(StringIO(text, newline=""))
    assert row["subject"] == f"'{begin}1+1"
    assert (row["reason"], row["number"], row["times"]) == ("plain, with a comma", "1", "1")


def test_differences_are_told_by_whole_names() -> None:
    before = {"settings": {"a": 1, "b": [1, 2]}, "gone": "x"}
    entry = audit.record(
        "endpoint.update", "e1", before=before, after={"settings": {"a": 2, "b": [1, 2], "c": {}}}
    )

    assert [(one.name, one.was, one.is_now) for one in differences(entry)] == [
        ("settings.a", "1", "2"),
        ("gone", "x", None),
        ("settings.c", None, "{}"),
    ]


def told(user: User, endpoint: Any) -> list[str]:
    return [one.verb for one in history_of(user, endpoint).order_by("number")]


def test_the_history_of_an_endpoint_begins_when_it_was_made(red: Team) -> None:
    audit.record("endpoint.delete", "e1", team=red)
    endpoint = make_endpoint("e1")
    audit.record("endpoint.create", "e1")
    audit.record("endpoint.create", "e2")
    audit.record("pipeline.put", "e1")

    assert told(make_admin(), endpoint) == ["endpoint.create"]


def test_who_only_uses_an_endpoint_sees_what_was_changed_alone(red: Team) -> None:
    endpoint = make_endpoint("e1")
    endpoint.team = red
    endpoint.save()
    uses = member("uses", red, TeamRole.INFERENCE_USER)
    manages = member("manages", red, TeamRole.INFERENCE_ADMIN)
    sharing.share(endpoint, None, ShareLevel.USE)
    audit.record("endpoint.delete", "e1", outcome=Outcome.REFUSED, reason="no")

    assert told(uses, endpoint) == ["endpoint.share"]
    assert told(manages, endpoint) == ["endpoint.share", "endpoint.delete"]
    assert not history.is_told_all(uses, endpoint)
    assert history.is_told_all(manages, endpoint)
