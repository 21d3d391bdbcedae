"""The audit log: what it holds, and that nobody can change it unnoticed."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from endpoints import audit, tasks
from endpoints.audit import Break, Who
from endpoints.models import AuditEntry, AuditHead
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def write(count: int = 3) -> None:
    for number in range(count):
        audit.record("endpoint.updated", f"e{number}", before={"a": 1}, after={"a": 2})


def breaks() -> list[Break]:
    return [found for found in audit.verify() if isinstance(found, Break)]


def test_an_entry_tells_who_did_what_from_where() -> None:
    user = make_user("ada")
    with audit.acting(Who.of(user, "10.0.0.7")):
        entry = audit.record("endpoint.created", "e1", after={"service": "openai"})

    told = entry.to_response()
    assert (told["actor"], told["address"], told["outcome"]) == ("ada", "10.0.0.7", "done")
    assert told["after"] == {"service": "openai"}


def test_of_a_change_only_what_differs_is_kept() -> None:
    entry = audit.record(
        "endpoint.updated", "e1", before={"a": 1, "b": 2, "c": 3}, after={"a": 1, "b": 5, "d": 6}
    )

    assert (entry.before, entry.after) == ({"b": 2, "c": 3}, {"b": 5, "d": 6})


def test_what_the_shell_does_is_the_shell_s() -> None:
    assert audit.record("user.created", "bob").actor_name == "shell"


def test_a_log_that_nobody_touched_is_whole(capsys: pytest.CaptureFixture[str]) -> None:
    write()
    call_command("verify_audit")

    assert "whole: 3 entries" in capsys.readouterr().out


@pytest.mark.parametrize(
    "tamper",
    [
        lambda: AuditEntry.objects.filter(number=2).update(subject="other"),
        lambda: AuditEntry.objects.filter(number=2).update(actor_name="nobody"),
        lambda: AuditEntry.objects.filter(number=2).update(after={"a": 9}),
        lambda: AuditEntry.objects.filter(number=2).delete(),
        lambda: AuditEntry.objects.filter(number=1).delete(),
        lambda: AuditEntry.objects.filter(number=3).delete(),
        lambda: AuditHead.objects.update(last_number=9),
    ],
)
def test_a_log_that_somebody_changed_is_not(tamper: Callable[[], object]) -> None:
    write()
    tamper()

    assert breaks()
    with pytest.raises(CommandError, match="broken"):
        call_command("verify_audit")


def test_what_is_old_can_go_and_the_chain_holds() -> None:
    write()
    AuditEntry.objects.filter(number=1).update(at=timezone.now() - timedelta(days=9))
    head = AuditHead.objects.get()
    # Its own time is part of it: write the chain anew from there, as time would have.
    previous = ""
    for entry in AuditEntry.objects.order_by("number"):
        entry.sha256 = previous = audit.chained(previous, entry)
        entry.save()
    head.last_sha256 = previous
    head.save()

    assert audit.forget_before(timezone.now() - timedelta(days=1)) == 1
    assert not breaks()
    assert audit.forget_before(timezone.now() - timedelta(days=1)) == 0


def test_what_is_old_goes_a_part_at_a_time_and_that_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(audit, "FORGOTTEN_AT_ONCE", 2)
    long_ago = timezone.now() - timedelta(days=400)
    for number in range(5):
        audit.record("endpoint.create", f"old{number}", at=long_ago)
    write(1)

    tasks.forget_audit()

    kept = AuditEntry.objects.order_by("number")
    assert [entry.verb for entry in kept] == ["endpoint.updated", "audit.forget"]
    assert (kept[1].after or {})["entries"] == 5
    assert not breaks()


def test_a_log_that_is_kept_for_good_forgets_nothing(settings: Any) -> None:
    settings.AUDIT_DAYS = 0
    audit.record("endpoint.create", "old", at=timezone.now() - timedelta(days=4000))

    tasks.forget_audit()

    assert AuditEntry.objects.count() == 1


def test_an_entry_behind_the_end_is_found() -> None:
    write()
    AuditEntry.objects.create(number=4, verb="endpoint.delete", outcome="done", sha256="x")

    assert [found.number for found in breaks()] == [4]


def test_of_settings_within_settings_only_what_differs_is_kept() -> None:
    before = {"settings": {"a": 1, "b": 2}, "same": {"c": 3}}
    entry = audit.record(
        "endpoint.updated",
        "e1",
        before=before,
        after={"settings": {"a": 1, "b": 5}, "same": {"c": 3}},
    )

    assert (entry.before, entry.after) == ({"settings": {"b": 2}}, {"settings": {"b": 5}})


def test_a_chain_holds_whatever_was_kept() -> None:
    strange = {"big": 1e22, "small": 1e-9, "nul": "a\0b", "text": "é 漢 \u2028", "none": None}
    audit.record("pipeline.put", "p", after=strange)

    assert not breaks()


def test_an_entry_outlives_who_made_it() -> None:
    user = make_user("ada")
    audit.record("endpoint.deleted", "e1", who=Who.of(user, ""))
    user.delete()

    assert AuditEntry.objects.get().actor_name == "ada"
    assert not breaks()
