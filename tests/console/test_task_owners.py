"""Whom the worker acts for: whoever asked for a task, or the clock."""

from types import SimpleNamespace
from typing import Any

import pytest

from console.task_owners import HEADER, act_for_who_asked, tell_who_asked
from endpoints import audit
from endpoints.audit import Who
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def run(headers: dict[str, Any]) -> Any:
    """What a worker does with a message that has these headers."""
    act_for_who_asked(task=SimpleNamespace(request=SimpleNamespace(**headers)))
    return audit.record("model.fetch", "my-e5")


def test_a_task_is_done_for_who_asked_for_it() -> None:
    ada, headers = make_user("ada"), dict[str, Any]()
    with audit.acting(Who(ada, "ada", "key-1", "10.0.0.7")):
        tell_who_asked(headers=headers)

    entry = run(headers)

    assert headers[HEADER] == [ada.pk, "ada", "key-1", "10.0.0.7"]
    assert (entry.actor, entry.actor_name) == (ada, "ada")
    assert (entry.key_id, entry.address) == ("key-1", "10.0.0.7")


def test_who_is_gone_by_then_is_still_named() -> None:
    ada, headers = make_user("ada"), dict[str, Any]()
    with audit.acting(Who.of(ada, "")):
        tell_who_asked(headers=headers)
    ada.delete()

    entry = run(headers)

    assert (entry.actor, entry.actor_name) == (None, "ada")


def test_a_message_of_an_older_version_is_of_the_clock() -> None:
    assert run({}).actor_name == "schedule"
