"""Deleting an endpoint, and undoing it."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from endpoints.models import Artifact, DeletedEndpoint, Deployment, Endpoint, User
from endpoints.privileges import BUILTIN_ROLES
from tests.console.conftest import browser_of, text
from tests.console.deleting import DELETE, DELETED, called
from tests.factories import make_endpoint, make_user


def test_a_post_deletes_and_says_so_on_the_list(console: Client) -> None:
    make_endpoint()

    answer = console.post(DELETE)

    assert answer["Location"] == "/console/endpoints"
    assert not Endpoint.objects.exists()
    assert not Deployment.objects.exists()
    assert Artifact.objects.exists()
    assert "my-endpoint is deleted." in text(console.get("/console/endpoints"))
    assert "is deleted" not in text(console.get("/console/endpoints"))


def test_the_message_offers_the_way_back(console: Client) -> None:
    make_endpoint()
    page = text(console.post(DELETE, follow=True))
    undo = f'action="{DELETED}/{DeletedEndpoint.objects.get().pk}/restore"'
    assert undo in page

    answer = console.post(undo.split('"')[1])

    assert answer["Location"] == "/console/endpoints/my-endpoint"
    assert "my-endpoint is restored." in text(console.get("/console/endpoints/my-endpoint"))
    assert Deployment.objects.get().deployment_id == "my-endpoint"


def test_without_a_way_back_none_is_offered(console: Client, settings: Any) -> None:
    settings.RESTORE_DAYS = 0
    make_endpoint()

    page = text(console.post(DELETE, follow=True))

    assert "my-endpoint is deleted." in page
    assert "Undo" not in page


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({}, "Write the id, or leave the endpoint as it is."),
        ({"inference_id": ""}, "Write the id, or leave the endpoint as it is."),
        ({"inference_id": "My-Endpoint"}, "This is not its id. Nothing was deleted."),
    ],
)
def test_what_is_used_stays_without_its_id(
    console: Client, used: None, sent: dict[str, str], words: str
) -> None:
    answer = console.post(DELETE, sent)

    assert answer.status_code == 200
    assert words in text(answer)
    assert "It is used by" in text(answer)
    assert Endpoint.objects.exists()


def test_what_was_called_lately_stays_without_its_id(console: Client, admin: User) -> None:
    called(make_endpoint(), admin, timedelta(days=6))

    assert "Write the id" in text(console.post(DELETE))
    assert Endpoint.objects.exists()
    assert console.post(DELETE, {"inference_id": "my-endpoint"}).status_code == 302
    assert not Endpoint.objects.exists()


def test_who_writes_the_id_deletes_it_all_the_same(console: Client, used: None) -> None:
    answer = console.post(DELETE, {"inference_id": "my-endpoint"})

    assert answer["Location"] == "/console/endpoints"
    assert not Endpoint.objects.exists()


def test_who_may_not_delete_is_not_told_what_uses_it(client: Client, used: None) -> None:
    reader = make_user()
    reader.roles = ["inference_user"]
    reader.save()
    client.force_login(reader)

    page = text(client.get("/console/endpoints/my-endpoint"))

    assert "my-endpoint" in page
    assert "prod" not in page


def test_roles_that_may_only_delete_are_offered_no_undo(db: None) -> None:
    make_endpoint()
    cleaner = make_user("cleaner")
    cleaner.roles = ["cleaner"]
    cleaner.save()
    role = {
        "cluster": ["monitor_inference", "cluster:admin/xpack/inference/delete"],
        "indices": [],
    }

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(BUILTIN_ROLES, "cleaner", role)
        page = text(browser_of(cleaner).post(DELETE, follow=True))

    assert "my-endpoint is deleted." in page
    assert "Undo" not in page
