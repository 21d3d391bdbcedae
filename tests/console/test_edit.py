"""Changing endpoints of providers: what is written changes, and nothing else."""

import re
from typing import Any

import pytest
from django.test import Client

from endpoints import providers
from endpoints.models import Endpoint
from inference.sandbox.app import Sandbox
from tests.console.conftest import text
from tests.console.filling import create, problem_at
from tests.factories import make_endpoint

pytestmark = pytest.mark.usefixtures("door")

EDIT = "/console/endpoints/my-endpoint/edit"


def test_the_form_to_change_it_holds_what_is_stored_but_no_secret(console: Client) -> None:
    create(console, **{"service_settings.max_input_tokens": "50"})

    page = text(console.get(EDIT))

    assert re.search(r'name="service_settings.max_input_tokens" value="50"', page)
    assert 'placeholder="Stored; stays if left empty"' in page
    assert "sk-planted" not in page
    assert 'name="service_settings.model_id"' not in page  # cannot be changed


def test_only_what_is_written_changes(console: Client, sandbox: Sandbox) -> None:
    create(console, **{"task_settings.user": "someone"})
    fields = filled_in(console) | {
        "service_settings.max_input_tokens": "20",
        "service_settings.rate_limit.requests_per_minute": "9",
        "task_settings.user": "",
    }

    answer = console.post(EDIT, fields)

    assert answer["Location"] == "/console/endpoints/my-endpoint"
    endpoint = Endpoint.objects.get()
    assert endpoint.service_settings["max_input_tokens"] == 20
    assert endpoint.service_settings["rate_limit"] == {"requests_per_minute": 9}
    assert endpoint.task_settings == {}
    assert providers.opened_secrets(endpoint.encrypted_secrets) == {"api_key": "sk-planted"}


def test_a_secret_that_is_written_takes_the_place_of_the_stored_one(console: Client) -> None:
    create(console)

    console.post(EDIT, filled_in(console) | {"service_settings.api_key": "sk-other"})

    endpoint = Endpoint.objects.get()
    assert providers.opened_secrets(endpoint.encrypted_secrets) == {"api_key": "sk-other"}


def test_a_stored_secret_is_removed_where_another_takes_its_place(console: Client) -> None:
    create(console)
    fields = filled_in(console) | {
        "service_settings.client_id": "me",
        "service_settings.client_secret": "planted",
        "service_settings.scopes": "one\ntwo",
        "service_settings.token_url": "https://openai-auth.sandbox.test/token",
    }

    refused = text(console.post(EDIT, fields))
    console.post(EDIT, fields | {"remove.service_settings.api_key": "on"})

    assert "[api_key] cannot be used together with" in problem_at(
        refused, "service_settings.api_key"
    )
    endpoint = Endpoint.objects.get()
    assert endpoint.service_settings["scopes"] == ["one", "two"]
    assert providers.opened_secrets(endpoint.encrypted_secrets) == {"client_secret": "planted"}


def test_saving_what_is_stored_calls_nobody(console: Client, sandbox: Sandbox) -> None:
    create(console)
    before, calls = Endpoint.objects.values().get(), len(sandbox.seen["openai"])

    answer = console.post(EDIT, filled_in(console), follow=True)

    assert "nothing was changed" in text(answer)
    assert Endpoint.objects.values().get() == before
    assert len(sandbox.seen["openai"]) == calls


def test_chunking_is_changed_as_a_whole(console: Client) -> None:
    create(console)
    fields = filled_in(console) | {"chunking_settings.max_chunk_size": "100"}

    console.post(EDIT, fields)

    assert Endpoint.objects.get().chunking_settings == {
        "strategy": "sentence",
        "max_chunk_size": 100,
        "sentence_overlap": 1,
    }


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("service_settings.max_input_tokens", "0", "must be a positive integer"),
        ("chunking_settings.max_chunk_size", "1", "greater than or equal to"),
    ],
)
def test_a_change_that_is_refused_is_told_at_its_field(
    console: Client, field: str, value: str, problem: str
) -> None:
    create(console)
    before = Endpoint.objects.values().get()

    page = text(console.post(EDIT, filled_in(console) | {field: value}))

    assert problem in problem_at(page, field)
    assert Endpoint.objects.values().get() == before


def test_a_change_that_the_provider_refuses_is_explained(console: Client) -> None:
    create(console)
    before = Endpoint.objects.values().get()

    page = text(console.post(EDIT, filled_in(console) | {"service_settings.api_key": "sk-wrong"}))

    assert "<dt>What to do</dt>" in page
    assert Endpoint.objects.values().get() == before


def test_what_runs_here_has_no_such_form(console: Client) -> None:
    make_endpoint()

    assert console.get(EDIT).status_code == 404


def filled_in(console: Client) -> dict[str, Any]:
    """What the form to change the endpoint holds when it is opened."""
    form = console.get(EDIT).context["form"]
    return {name: form[name].value() or "" for name in form.fields}
