"""The audit log and the history of an endpoint on the pages, and who signs in there."""

from typing import Any

import pytest
from django.test import Client

from endpoints import actions, attempts, audit, sharing, teams
from endpoints.models import AuditEntry, Endpoint, Outcome, ShareLevel, Team, TeamRole, User
from inference.types import TaskType
from inference.upstream.door import Door
from tests.console.conftest import HTMX, text
from tests.factories import PASSWORD, make_endpoint, make_user

AUDIT = "/console/audit"
SIGN_IN, SIGN_OUT = "/console/sign-in", "/console/sign-out"


def written() -> list[AuditEntry]:
    attempts.waiting.write(everything=True)
    return list(AuditEntry.objects.order_by("number"))


def told(entries: list[AuditEntry]) -> list[tuple[str, str, str, str]]:
    return [(one.verb, one.subject, one.actor_name, one.outcome) for one in entries]


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_signing_in_and_out_is_written_down(client: Client, admin: User) -> None:
    client.post(SIGN_IN, {"login": "elastic", "password": PASSWORD})
    client.post(SIGN_OUT)

    entries = written()
    assert told(entries) == [
        ("session.start", "elastic", "elastic", "done"),
        ("session.end", "elastic", "elastic", "done"),
    ]
    assert {one.address for one in entries} == {"127.0.0.1"}


def test_wrong_passwords_are_counted_and_never_kept(client: Client, admin: User) -> None:
    for _ in range(3):
        client.post(SIGN_IN, {"login": "elastic", "password": "hunter2"})

    (entry,) = written()
    assert told([entry]) == [("session.refuse", "elastic", "", "refused")]
    assert (entry.times, entry.address) == (3, "127.0.0.1")
    assert "hunter2" not in str(entry.to_response())


def test_a_page_acts_for_who_asked(console: Client) -> None:
    make_endpoint()
    console.post("/console/endpoints/my-endpoint/cache/purge")

    entry = written()[-1]
    assert told([entry]) == [("endpoint.purge", "my-endpoint", "elastic", "done")]
    assert entry.address == "127.0.0.1"
    assert audit.record("team.create", "red").actor_name == "shell"


def test_a_page_that_is_refused_is_written_down(plain: Client) -> None:
    make_endpoint()
    plain.post("/console/endpoints/my-endpoint/delete")

    assert told(written()[-1:]) == [("endpoint.delete", "my-endpoint", "plain", "refused")]


def test_an_endpoint_of_others_is_missing_and_the_attempt_written_down(admin: User) -> None:
    red, blue = (Team.objects.create(name=name) for name in ("red", "blue"))
    make_endpoint()
    Endpoint.objects.update(team=blue)
    eve = make_user("eve")
    teams.put_member(red, eve, TeamRole.INFERENCE_ADMIN)

    assert client_of(eve).post("/console/endpoints/my-endpoint/delete").status_code == 404

    entry = written()[-1]
    assert told([entry]) == [("endpoint.delete", "my-endpoint", "eve", "refused")]
    assert entry.team == blue


def test_no_secret_of_a_provider_is_kept(admin: User, door: Door) -> None:
    settings = {"api_key": "sk-first", "model_id": "text-embedding-3-small"}
    endpoint = actions.create_endpoint(
        admin, "gpt", TaskType.TEXT_EMBEDDING, "openai", {"service_settings": settings}
    )
    actions.update_endpoint(endpoint, {"service_settings": {"api_key": "sk-second"}})

    kept = str([one.to_response() for one in written()])
    assert "sk-first" not in kept
    assert "sk-second" not in kept
    change = AuditEntry.objects.get(verb="secret.change")
    assert change.after == {"of": "endpoint", "secrets": ["api_key"]}


def test_the_log_is_listed_and_found(console: Client) -> None:
    audit.record("endpoint.create", "e1", after={"service": "openai"})
    audit.record("cluster.scan", "prod", outcome=Outcome.FAILED, reason="nobody answers")

    everything = text(console.get(AUDIT))
    assert "Create endpoint" in everything
    assert "Entries are kept for 365 days" in everything
    found = text(console.get(f"{AUDIT}?outcome=failed&q=answers"))
    assert "Scan cluster" in found
    assert "Create endpoint" not in found
    assert 'value="answers"' in found
    fragment = text(console.get(f"{AUDIT}?who=nobody", headers=HTMX))
    assert "Nothing found" in fragment
    assert "<form" not in fragment


def test_a_filter_that_cannot_be_is_told_and_kept(console: Client) -> None:
    answer = text(console.get(f"{AUDIT}?from=2026-03-02&to=2026-03-01&who=ada"))

    assert "[from] must be before [to]" in answer
    assert 'value="ada"' in answer


def test_older_entries_are_a_page_further_and_keep_the_filters(
    console: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.pages.audit.PAGE_SIZE", 2)
    for number in range(3):
        audit.record("endpoint.create", f"e{number}")

    newest = text(console.get(f"{AUDIT}?verb=endpoint.create"))
    before = AuditEntry.objects.get(subject="e1").number
    assert f"?verb=endpoint.create&amp;before={before}" in newest
    older = text(console.get(f"{AUDIT}?verb=endpoint.create&before={before}"))
    assert "e0" in older
    assert "Newest" in older
    assert "Older" not in older


def test_an_entry_tells_what_is_different(console: Client) -> None:
    entry = audit.record(
        "endpoint.update", "e1", before={"a": {"b": 1}}, after={"a": {"b": "<2>"}}, reason="why"
    )

    answer = text(console.get(f"{AUDIT}/{entry.number}"))

    assert "Update endpoint" in answer
    assert "a.b" in answer
    assert "<del>1</del>" in answer
    assert "<ins>&lt;2&gt;</ins>" in answer
    assert entry.sha256 in answer
    assert console.get(f"{AUDIT}/9999").status_code == 404


def test_the_log_is_taken_along(console: Client) -> None:
    audit.record("endpoint.create", "e1")

    answer: Any = console.get(f"{AUDIT}/export.csv?thing=e1")

    assert b"".join(answer.streaming_content).decode().splitlines()[1].split(",")[6] == "e1"
    assert console.get(f"{AUDIT}/export.xml").status_code == 404
    assert console.get(f"{AUDIT}/export.csv?from=never").status_code == 400


def test_a_team_administrator_is_shown_what_concerns_the_team(admin: User) -> None:
    red = Team.objects.create(name="red")
    lead = make_user("lead")
    teams.put_member(red, lead, TeamRole.TEAM_ADMIN)
    other = audit.record("endpoint.create", "of-blue", team=Team.objects.create(name="blue"))
    client = client_of(lead)

    answer = text(client.get(AUDIT))

    assert "Put into team" in answer
    assert "of-blue" not in answer
    assert "blue" not in answer
    assert client.get(f"{AUDIT}/{other.number}").status_code == 404
    assert "of-blue" not in text(client.get(f"{AUDIT}?q=of-blue", headers=HTMX))


def test_only_who_may_read_it_is_led_to_the_log(console: Client, admin: User) -> None:
    assert 'href="/console/audit"' in text(console.get("/console/"))
    red = Team.objects.create(name="red")
    bob = make_user("bob")
    teams.put_member(red, bob, TeamRole.INFERENCE_ADMIN)
    assert 'href="/console/audit"' not in text(client_of(bob).get("/console/"))
    assert client_of(bob).get(AUDIT).status_code == 403


def test_an_endpoint_tells_its_history(console: Client, admin: User) -> None:
    endpoint = make_endpoint()
    endpoint.team = Team.objects.create(name="blue")
    endpoint.save()
    with audit.acting(audit.Who.of(admin, "10.0.0.7")):
        sharing.share(endpoint, None, ShareLevel.USE)
        actions.update_endpoint(endpoint, {"service_settings": {"num_allocations": 2}})
    attempts.note(Outcome.REFUSED, "endpoint.delete", "my-endpoint", "no right to that")
    written()

    page = "/console/endpoints/my-endpoint/history"
    answer = text(console.get(page))
    for words in ("Share endpoint", "from 10.0.0.7", "no right to that"):
        assert words in answer
    uses = make_user("uses")
    teams.put_member(Team.objects.create(name="red"), uses, TeamRole.INFERENCE_USER)
    answer = text(client_of(uses).get(page))
    assert "Update endpoint" in answer
    for words in ("Share endpoint", "10.0.0.7", "no right to that"):
        assert words not in answer
    assert console.get("/console/endpoints/gone/history").status_code == 404
