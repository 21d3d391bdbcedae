"""The deleted endpoints: which there are, bringing them back, wiping one."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from endpoints import actions
from endpoints.models import DeletedEndpoint, Endpoint, Team, TeamRole, User
from tests.console.conftest import member, of_team, text
from tests.console.deleting import DELETE, DELETED, RESTORE
from tests.factories import make_endpoint, make_user


def test_an_empty_list_says_what_would_be_in_it(console: Client, settings: Any) -> None:
    assert "What is deleted stays here for 7 days" in text(console.get(DELETED))

    settings.RESTORE_DAYS = 0
    assert "<code>CONSOLE_RESTORE_DAYS</code> is 0" in text(console.get(DELETED))


def test_the_list_tells_who_when_what_used_it_and_how_long(console: Client, used: None) -> None:
    console.post(DELETE, {"inference_id": "my-endpoint"})
    at = timezone.now() - timedelta(days=4, hours=1)
    DeletedEndpoint.objects.update(deleted_at=at)

    page = text(console.get(DELETED))

    assert "1 deleted endpoint" in page
    assert "4 days ago" in page
    assert "by elastic." in page
    assert "3 days left." in page
    assert "Used by 2 indices then" in page
    assert "prod:docs" in page
    assert "Nothing found for" in text(console.get(f"{DELETED}?q=nope"))


def test_the_list_asks_as_often_for_many_as_for_one(
    console: Client, admin: User, django_assert_max_num_queries: Any
) -> None:
    make_endpoint()
    console.post(DELETE)
    one = DeletedEndpoint.objects.get()
    for number in range(60):
        one.pk, one.inference_id = None, f"e{number}"
        one.save(force_insert=True)

    with django_assert_max_num_queries(12):
        page = text(console.get(DELETED))
    assert "Page 1 of 2" in page
    assert page.count('aria-label="Restore e') == page.count(' for good"') == 50


def test_what_cannot_be_restored_is_told_and_stays(console: Client) -> None:
    make_endpoint()
    console.post(DELETE)
    make_endpoint()
    kept = DeletedEndpoint.objects.get()

    assert "Another endpoint has its id now" in text(console.get(DELETED))
    page = text(console.post(f"{DELETED}/{kept.pk}/restore", follow=True))

    assert "cannot be restored: another endpoint has its id by now" in page
    assert DeletedEndpoint.objects.exists()


def deleted(*names: str, team: Team | None = None) -> dict[str, int]:
    """Deleted endpoints of these ids; their numbers by their ids."""
    actor = make_user(f"deletes-{names[0]}")
    for name in names:
        actions.delete_endpoint(actor, of_team(team, name) if team else make_endpoint(name))
    return dict(DeletedEndpoint.objects.values_list("inference_id", "pk"))


def test_several_are_ticked_and_restored_together(console: Client) -> None:
    numbers = deleted("a", "b", "c")
    page = text(console.get(DELETED))
    assert page.count('type="checkbox" name="number"') == 3

    answer = console.post(RESTORE, {"number": [numbers["a"], numbers["c"]]}, follow=True)

    assert "2 endpoints are restored." in text(answer)
    assert {one.inference_id for one in Endpoint.objects.all()} == {"a", "c"}
    assert [one.inference_id for one in DeletedEndpoint.objects.all()] == ["b"]
    assert 'type="checkbox"' not in text(console.get(DELETED))  # one alone has its button


def test_each_is_answered_for_itself(console: Client) -> None:
    numbers = deleted("free", "taken", "over")
    make_endpoint("taken")
    long_ago = timezone.now() - timedelta(days=8)
    DeletedEndpoint.objects.filter(inference_id="over").update(deleted_at=long_ago)

    page = text(console.post(RESTORE, {"number": list(numbers.values())}, follow=True))

    assert "1 restored, 2 not" in page
    assert "[taken] cannot be restored: another endpoint has its id by now" in page
    assert "1 of them is not there to restore: restored or wiped meanwhile." in page
    assert ">over<" not in page
    assert 'href="/console/endpoints/free"' in page
    assert Endpoint.objects.filter(inference_id="free").exists()
    again = text(console.post(RESTORE, {"number": list(numbers.values())}, follow=True))
    assert "None of 3 restored" in again
    assert "2 of them are not there to restore" in again


def test_what_others_deleted_is_neither_told_nor_restored(
    search: Team, other: Team, boss: Client
) -> None:
    numbers = deleted("mine", team=search) | deleted("hidden", team=other)

    page = text(boss.post(RESTORE, {"number": list(numbers.values())}, follow=True))

    assert "1 restored, 1 not" in page
    assert ">hidden<" not in page
    assert [one.inference_id for one in Endpoint.objects.all()] == ["mine"]


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ([], "Choose at least one endpoint. Nothing was restored."),
        (["x", "-1", "9" * 30], "Choose at least one endpoint. Nothing was restored."),
        ([str(number) for number in range(201)], "Choose 200 endpoints at most."),
    ],
)
def test_none_and_too_many_restore_nothing(console: Client, sent: list[str], words: str) -> None:
    deleted("a", "b")

    assert words in text(console.post(RESTORE, {"number": sent}, follow=True))
    assert DeletedEndpoint.objects.count() == 2


def test_deleting_for_good_asks_first(console: Client) -> None:
    make_endpoint()
    console.post(DELETE)
    forget = f"{DELETED}/{DeletedEndpoint.objects.get().pk}/forget"

    assert "Nobody can restore it any more." in text(console.get(forget))
    assert DeletedEndpoint.objects.exists()
    assert "my-endpoint is deleted for good." in text(console.post(forget, follow=True))
    assert not DeletedEndpoint.objects.exists()
    assert console.post(forget).status_code == 404


def test_of_another_teams_deleted_endpoints_nothing_is_told(
    search: Team, other: Team, boss: Client
) -> None:
    of_team(search, "my-endpoint")
    boss.post(DELETE)
    restore = f"{DELETED}/{DeletedEndpoint.objects.get().pk}/restore"
    stranger = member(other, TeamRole.TEAM_ADMIN)

    assert "Nothing to restore" in text(stranger.get(DELETED))
    assert stranger.post(restore).status_code == 404
    assert boss.post(restore).status_code == 302
