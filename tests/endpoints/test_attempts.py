"""What people tried and did not get: gathered off the way of a request, counted, and bounded."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError
from django.utils import timezone

from endpoints import attempts, audit
from endpoints.attempts import (
    MOST_OF_ADDRESS,
    MOST_OF_STRANGERS,
    MOST_WAITING,
    VARIOUS,
    Attempts,
    attempt,
    note_caller,
    note_sign_in_refused,
)
from endpoints.audit import Who
from endpoints.models import AuditEntry, Outcome
from inference.errors import Conflict
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def write_all() -> list[AuditEntry]:
    attempts.waiting.write(everything=True)
    return list(AuditEntry.objects.order_by("number"))


def guess(name: str = "bob", address: str = "10.0.0.7") -> None:
    note_sign_in_refused(name, "wrong", address)


def test_the_same_again_is_one_entry_with_a_count() -> None:
    for _ in range(3):
        guess()
    guess("eve")

    told = [(one.subject, one.times, one.address, one.outcome) for one in write_all()]
    assert told == [("bob", 3, "10.0.0.7", "refused"), ("eve", 1, "10.0.0.7", "refused")]


def test_a_refusal_asks_the_database_nothing(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        guess()


def test_what_was_gathered_for_a_minute_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    guess()
    attempts.waiting.write()
    assert not AuditEntry.objects.exists()

    now = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: now + timedelta(seconds=61))
    attempts.waiting.write()
    assert AuditEntry.objects.get().at <= now


def test_who_tries_many_names_fills_nothing() -> None:
    for number in range(1000):
        guess(f"name-{number}")

    written = write_all()
    assert len(written) == MOST_OF_ADDRESS + 1
    assert sum(one.times for one in written) == 1000
    assert (written[-1].subject, written[-1].address) == (VARIOUS, "10.0.0.7")


def test_many_who_try_fill_nothing_either() -> None:
    for number in range(1000):
        guess(address=f"10.0.{number // 250}.{number % 250}")

    written = write_all()
    assert len(written) == MOST_WAITING + 1
    assert sum(one.times for one in written) == 1000


def test_who_goes_on_all_day_is_counted_together() -> None:
    attempts.waiting._of_strangers = MOST_OF_STRANGERS
    guess("bob")
    guess("eve")

    (entry,) = write_all()
    assert (entry.subject, entry.times) == (VARIOUS, 2)


def test_what_cannot_be_written_goes_on_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    guess()
    with monkeypatch.context() as broken:
        broken.setattr(audit, "record", _fail)
        with pytest.raises(DatabaseError):
            attempts.waiting.write(everything=True)
    guess()

    (entry,) = write_all()
    assert entry.times == 2


def _fail(*args: Any, **kwargs: Any) -> None:
    raise DatabaseError("the disk is full")


def test_a_failure_is_noted_with_its_reason_and_raised() -> None:
    @attempt("endpoint.update", on="name")
    def change(name: str) -> None:
        raise Conflict("somebody else was faster")

    with audit.acting(Who.of(make_user("ada"), "10.0.0.7")), pytest.raises(Conflict):
        change("e1")

    (entry,) = write_all()
    assert (entry.verb, entry.subject, entry.actor_name) == ("endpoint.update", "e1", "ada")
    assert (entry.outcome, entry.reason) == (Outcome.FAILED, "somebody else was faster")


def test_who_calls_with_a_password_is_written_down_once_a_day() -> None:
    user = make_user("ada")
    for _ in range(3):
        note_caller(user, "10.0.0.7")
    note_caller(user, "10.0.0.8")
    first = write_all()
    # As another web process would.
    attempts.waiting = Attempts()
    note_caller(user, "10.0.0.7")

    told = [(one.verb, one.actor_name, one.address) for one in first]
    assert told == [("session.start", "ada", "10.0.0.7"), ("session.start", "ada", "10.0.0.8")]
    assert write_all() == first


def test_an_attempt_of_who_is_gone_is_written_by_name() -> None:
    user = make_user("ada")
    attempts.note(Outcome.REFUSED, "endpoint.delete", "e1", "no", who=Who.of(user, ""))
    user.delete()

    (entry,) = write_all()
    assert (entry.actor_id, entry.actor_name) == (None, "ada")
