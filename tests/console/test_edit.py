"""Changing endpoints: what is written changes, and nothing else."""

import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.html import escape

from endpoints import providers
from endpoints.models import CallerDay, Endpoint, TrainedModel, User
from inference.sandbox.app import Sandbox
from tests.console.conftest import HTMX, text
from tests.console.filling import create, problem_at
from tests.factories import make_endpoint, make_index

pytestmark = pytest.mark.usefixtures("door")

EDIT = "/console/endpoints/my-endpoint/edit"


def test_the_form_to_change_it_holds_what_is_stored_but_no_secret(console: Client) -> None:
    create(console, **{"service_settings.max_input_tokens": "50"})

    page = text(console.get(EDIT))

    assert re.search(r'name="service_settings.max_input_tokens" value="50"', page)
    assert 'placeholder="Stored; stays if left empty"' in page
    assert "sk-planted" not in page
    assert 'name="service_settings.model_id"' not in page  # cannot be changed


def test_the_precision_of_an_uploaded_model_is_not_asked(console: Client) -> None:
    make_endpoint()
    assert 'name="service_settings.precision"' in text(console.get(EDIT))

    TrainedModel.objects.update(artifact=None)

    assert 'name="service_settings.precision"' not in text(console.get(EDIT))


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


# ---------------------------------------------------------------------- what runs here


def test_what_runs_here_is_changed_as_far_as_an_update_may(console: Client) -> None:
    make_endpoint()
    page = text(console.get(EDIT))

    console.post(EDIT, filled_in(console) | {"service_settings.num_allocations": "2"})

    assert 'name="service_settings.model_id"' not in page
    endpoint = Endpoint.objects.with_status().get()
    assert endpoint.service_settings["num_allocations"] == 2
    assert endpoint.deployment
    assert endpoint.deployment.num_allocations == 2


def test_what_adapts_has_no_fixed_number(console: Client) -> None:
    make_endpoint()
    group = "service_settings.adaptive_allocations"
    fields = filled_in(console) | {
        f"{group}.enabled": "true",
        f"{group}.max_number_of_allocations": "4",
    }

    console.post(EDIT, fields)

    settings = Endpoint.objects.get().service_settings
    assert settings["adaptive_allocations"] == {"enabled": True, "max_number_of_allocations": 4}
    assert "num_allocations" not in settings


# ---------------------------------------------------------------------- before saving


def test_before_and_after_are_shown_and_nothing_is_changed(console: Client) -> None:
    create(console)
    before = Endpoint.objects.values().get()
    fields = filled_in(console) | {
        "service_settings.max_input_tokens": "20",
        "service_settings.api_key": "sk-other",
    }

    live, without_script = (
        text(console.post(f"{EDIT}/changes", fields, headers=HTMX)),
        text(console.post(EDIT, fields | {"review": "1"})),
    )

    for shown in (live, without_script):
        assert "<ins>20</ins>" in shown
        assert "<del>stored</del>" in shown
        assert "sk-other" not in shown
        assert escape('"api_key": "<api_key>"') in shown
        assert "The vectors stay the same." in shown
    assert "<html" not in live
    assert Endpoint.objects.values().get() == before


def test_what_a_change_touches_is_told(console: Client, admin: User) -> None:
    endpoint = create(console)
    make_index("docs", "my-endpoint")
    today = timezone.now()
    CallerDay.objects.create(
        endpoint=endpoint, user=admin, day=today.date(), requests=7, called_at=today
    )

    page = text(console.post(f"{EDIT}/changes", filled_in(console) | LIMIT, headers=HTMX))

    assert "docs" in page
    assert "7 calls" in page


LIMIT = {"service_settings.rate_limit.requests_per_minute": "9"}


def test_a_change_that_cannot_be_says_so_before_it_is_saved(console: Client) -> None:
    create(console)
    fields = filled_in(console) | {"service_settings.max_input_tokens": "0"}

    page = text(console.post(f"{EDIT}/changes", fields, headers=HTMX))

    assert "must be a positive integer" in page


def test_other_vectors_than_an_index_has_are_only_saved_knowingly(console: Client) -> None:
    create(console, **{"task_settings.user": "someone"})
    make_index("docs", "my-endpoint")
    fields = filled_in(console) | {"task_settings.headers": '[["X-Team", "search"]]'}
    changed = Endpoint.objects.filter(task_settings__has_key="headers")
    before = Endpoint.objects.get().fingerprint
    Endpoint.objects.update(fingerprint="another")

    page = text(console.post(EDIT, fields))

    assert before
    assert "The vectors change." in page
    assert 'name="confirm"' in page
    assert not changed.exists()
    console.post(EDIT, filled_in(console) | fields | {"confirm": "1"})
    assert changed.exists()


# ---------------------------------------------------------------------- two people


def test_the_second_to_save_is_told_and_saves_over_it_knowingly(console: Client) -> None:
    create(console, **{"service_settings.max_input_tokens": "50"})
    opened = filled_in(console)
    console.post(EDIT, opened | {"service_settings.max_input_tokens": "60"} | LIMIT)

    mine = opened | {"service_settings.max_input_tokens": "70"}
    page = text(console.post(EDIT, mine))

    assert "Changed meanwhile" in page
    assert "Save over it" in page
    row = re.search(r">Maximum input tokens</th>(.*?)</tr>", page)
    assert row
    assert re.findall(r"\d+", row[1]) == ["50", "60", "70"]
    assert 'name="service_settings.max_input_tokens" value="70"' in page
    assert 'name="service_settings.rate_limit.requests_per_minute" value="9"' in page
    assert Endpoint.objects.get().service_settings["max_input_tokens"] == 60

    again = {name: value for name, value in fields_of(page).items() if name in opened}
    console.post(EDIT, opened | again)

    settings = Endpoint.objects.get().service_settings
    assert settings["max_input_tokens"] == 70
    assert settings["rate_limit"] == {"requests_per_minute": 9}  # theirs, which nobody touched


def test_a_secret_that_changed_meanwhile_is_told(console: Client) -> None:
    create(console)
    opened = filled_in(console)
    console.post(EDIT, opened | {"service_settings.api_key": "sk-theirs"})

    page = text(console.post(EDIT, opened | {"service_settings.max_input_tokens": "7"}))

    assert "Changed meanwhile" in page
    assert ">Secrets</th>" in page
    assert "sk-theirs" not in page


def test_a_version_that_nobody_signed_counts_as_none(console: Client) -> None:
    create(console)

    console.post(EDIT, filled_in(console) | LIMIT | {"version": "made up"})

    assert Endpoint.objects.get().service_settings["rate_limit"] == {"requests_per_minute": 9}


def fields_of(page: str) -> dict[str, str]:
    """The inputs of a page, by name."""
    inputs = re.findall(r"<input[^>]*>", page)
    pairs = ((re.search(r'name="(.*?)"', one), re.search(r'value="(.*?)"', one)) for one in inputs)
    return {name[1]: value[1] if value else "" for name, value in pairs if name}


def filled_in(console: Client) -> dict[str, Any]:
    """What the form to change the endpoint holds when it is opened."""
    form = console.get(EDIT).context["form"]
    return {name: form[name].value() or "" for name in form.fields}
