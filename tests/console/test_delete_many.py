"""Deleting several endpoints at once."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from endpoints import actions
from endpoints.models import AuditEntry, DeletedEndpoint, Endpoint, Team, User
from inference.errors import Conflict
from tests.console.conftest import browser_of, of_team, text
from tests.console.deleting import DELETED, MANY, RESTORE, called
from tests.factories import make_endpoint, make_index


def ids(*names: str) -> str:
    return f"{MANY}?" + "&".join(f"id={name}" for name in names)


def test_one_page_tells_what_each_delete_would_come_to(
    console: Client, used: None, admin: User
) -> None:
    make_endpoint("free")
    called(make_endpoint("busy"), admin, timedelta(hours=2))
    make_endpoint(".rerank-v1-elasticsearch", model_id=".minilm-rerank-v1")

    page = text(console.get(ids("free", "my-endpoint", "busy", ".rerank-v1-elasticsearch", "no")))

    assert "Delete 5 endpoints?" in page
    assert "2 of 5 may be in use" in page
    assert 'value="free" checked' in page
    assert 'value="my-endpoint" aria' in page
    assert 'value="busy" aria' in page
    assert "Used by 2 indices." in page
    assert "2 hours ago" in page
    assert "It is always there and cannot be deleted" in page
    assert "There is no such endpoint." in page
    assert 'name="count"' in page


def test_what_nothing_uses_is_deleted_without_a_word(console: Client) -> None:
    make_endpoint("a")
    make_endpoint("b")
    make_endpoint("c")
    assert 'name="count"' not in text(console.get(ids("a", "b", "c")))

    answer = console.post(MANY, {"id": ["a", "b", "c"], "agreed": ["a", "c"]}, follow=True)

    assert answer.redirect_chain == [("/console/endpoints", 302)]
    assert "2 endpoints are deleted." in text(answer)
    assert [one.inference_id for one in Endpoint.objects.all()] == ["b"]


@pytest.mark.parametrize(
    ("count", "words"),
    [
        ("", "Write how many endpoints you delete. Nothing was deleted."),
        ("two", "Write a whole number. Nothing was deleted."),
        ("3", "You chose 2, not 3. Nothing was deleted."),
    ],
)
def test_what_is_used_needs_how_many_to_be_written(
    console: Client, used: None, count: str, words: str
) -> None:
    make_endpoint("free")
    names = ["my-endpoint", "free"]
    sent = {"id": names, "agreed": names, "risky": ["my-endpoint"]}

    page = text(console.post(MANY, sent | {"count": count}))

    assert words in page
    assert page.count(" checked") == 2
    assert Endpoint.objects.count() == 2
    assert "2 endpoints are deleted." in text(
        console.post(MANY, sent | {"count": "2"}, follow=True)
    )
    assert not Endpoint.objects.exists()


def test_what_came_into_use_meanwhile_is_asked_for_again(console: Client, used: None) -> None:
    page = text(console.post(MANY, {"id": "my-endpoint", "agreed": "my-endpoint", "count": "1"}))

    assert "Something uses my-endpoint by now. Nothing was deleted: look again." in page
    assert Endpoint.objects.exists()


def test_nothing_chosen_deletes_nothing(console: Client) -> None:
    make_endpoint("a")

    assert "Choose at least one endpoint." in text(console.post(MANY, {"id": "a"}))
    assert "Choose at least one endpoint." in text(console.post(MANY, {"id": "a", "agreed": "b"}))
    assert "Tick the endpoints to delete" in text(console.get(MANY))
    assert Endpoint.objects.exists()


def test_what_fails_is_told_and_the_rest_deleted(
    console: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_endpoint("a")
    make_endpoint("b")
    delete = actions.delete_endpoint

    def refusing(actor: User, endpoint: Endpoint, **more: Any) -> None:
        if endpoint.inference_id == "a":
            raise Conflict("somebody holds it")
        delete(actor, endpoint, **more)

    monkeypatch.setattr(actions, "delete_endpoint", refusing)
    answer = console.post(MANY, {"id": ["a", "b"], "agreed": ["a", "b"]})
    page = text(console.get(answer["Location"]))

    undo = f"{DELETED}/{DeletedEndpoint.objects.get().pk}/restore"
    assert "1 deleted, 1 not" in page
    assert "somebody holds it" in page
    assert f'action="{undo}"' in page
    assert [one.inference_id for one in Endpoint.objects.all()] == ["a"]
    console.post(undo)
    assert "Undo" not in text(console.get(answer["Location"]))  # there is nothing left to undo


def test_what_became_of_them_is_told_to_one_session_at_an_address(
    console: Client, admin: User
) -> None:
    first = console.post(RESTORE, {"number": ["77"]})["Location"]
    second = console.post(RESTORE, {"number": ["78", "79"]})["Location"]

    assert "None of 1 restored" in text(console.get(first))
    assert "None of 2 restored" in text(console.get(second))
    assert "None of 1 restored" in text(console.get(first))
    assert browser_of(admin).get(first).status_code == 404


def test_all_of_them_are_brought_back_at_once(console: Client) -> None:
    make_endpoint("a")
    make_endpoint("b")
    page = text(console.post(MANY, {"id": ["a", "b"], "agreed": ["a", "b"]}, follow=True))
    assert f'action="{RESTORE}"' in page
    assert "Undo all" in page
    kept = re.findall(r'name="number" value="(\d+)"', page)

    answer = console.post(RESTORE, {"number": kept}, follow=True)

    assert answer.redirect_chain == [("/console/endpoints", 302)]
    assert "2 endpoints are restored." in text(answer)
    assert {one.inference_id for one in Endpoint.objects.all()} == {"a", "b"}
    verbs = AuditEntry.objects.filter(verb="endpoint.restore")
    assert sorted(verbs.values_list("subject", flat=True)) == ["a", "b"]


def test_of_others_endpoints_the_page_says_whose_they_are_or_nothing(
    search: Team, other: Team, boss: Client
) -> None:
    of_team(search, "mine")
    of_team(other, "hidden")
    shared = of_team(other, "shared")
    shared.shares.create(team=search, level="manage")

    page = text(boss.get(ids("mine", "hidden", "shared")))
    assert "It belongs to team other, and only who manages that may delete it." in page
    assert "There is no such endpoint." in page
    names = ["mine", "hidden", "shared"]
    told = text(boss.post(MANY, {"id": names, "agreed": names}, follow=True))
    assert "mine is deleted." in told
    assert {one.inference_id for one in Endpoint.objects.all()} == {"hidden", "shared"}


def test_many_cost_as_many_queries_as_one(
    console: Client, admin: User, django_assert_max_num_queries: Any
) -> None:
    names = [f"e{number}" for number in range(205)]
    Endpoint.objects.bulk_create(
        Endpoint(inference_id=name, task_type="completion", service="openai") for name in names
    )
    make_index("docs", "e1")

    with django_assert_max_num_queries(21):
        page = text(console.get(ids(*names)))
    assert "Delete 200 endpoints?" in page
    assert "200 at once at most: 5 more stay as they are." in page
