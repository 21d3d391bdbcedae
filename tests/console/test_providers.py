"""Endpoints of providers: their forms are made of what their services declare."""

import re
from typing import Any

import pytest
from django.test import Client
from django.utils.html import escape

from console.forms.generated import CreateRemoteForm, entries_for
from console.forms.settings import Kind, found_at
from endpoints import providers
from endpoints.models import Endpoint, User
from inference.runner.catalogue import OFFERED_MODELS
from inference.sandbox.app import Fault, Sandbox
from inference.services import SERVICES
from inference.services.base import EndpointConfig
from inference.services.remote import RemoteService
from inference.types import TaskType
from inference.upstream.errors import Explanation, UpstreamError
from tests.console.conftest import HTMX, text
from tests.console.filling import EMBEDDING, NEW, create, problem_at
from tests.endpoints.services.cases import Case, cases_of
from tests.factories import make_endpoint

pytestmark = pytest.mark.usefixtures("door")

REMOTE = {
    name: one for name, one in SERVICES.items() if isinstance(one, RemoteService) and one.is_listed
}
CASES = [case for name, one in REMOTE.items() if one.is_proved for case in cases_of(name)]
LIST = "/console/endpoints/_new"


def checked(case: Case) -> EndpointConfig:
    """What the API would store for an endpoint like this."""
    given = {"service_settings": case.service_settings, "task_settings": case.task_settings}
    return REMOTE[case.service].parse(case.task_type, given)


def written(case: Case) -> dict[str, str]:
    """What somebody writes into the form for it."""
    given = {
        "service_settings": case.service_settings,
        "task_settings": checked(case).task_settings.to_response(),
    }
    fields = {
        entry.name: entry.text_of(found_at(given.get(entry.scope, {}), entry.path))
        for entry in entries_for(REMOTE[case.service], case.task_type)
    }
    return {"inference_id": "my-endpoint"} | fields


# ---------------------------------------------------------------------- choosing


def test_what_runs_here_and_providers_stand_on_one_page(console: Client) -> None:
    page = text(console.get(LIST))

    here, _, elsewhere = page.partition("Runs at a provider")
    for model in OFFERED_MODELS.values():
        assert f"/console/endpoints/_new/elasticsearch?model_id={model.model_id}" in here
        assert escape(model.description) in here
    assert "/console/endpoints/_new/openai" in elsewhere
    assert "Use the built-in model" in here


def test_a_link_with_a_model_leads_to_its_form(console: Client) -> None:
    answer = console.get(LIST, {"model_id": ".minilm-sparse-v1"})

    assert answer["Location"] == "/console/endpoints/_new/elasticsearch?model_id=.minilm-sparse-v1"


def test_each_provider_says_what_it_needs(console: Client) -> None:
    page = text(console.get(LIST, {"q": "mistral"}))

    assert '<span class="gist">Needs</span> API key, model' in page
    assert "Use the built-in model" not in page


def test_every_provider_is_listed_with_its_tasks(console: Client) -> None:
    page = text(console.get(LIST))

    for name, service in REMOTE.items():
        assert service.label in page
        for task in service.tasks:
            assert f"/console/endpoints/_new/{name}?task={task}" in page


@pytest.mark.parametrize(
    ("asked", "is_found"),
    [
        ({"q": "OPEN"}, True),
        ({"q": "nobody"}, False),
        ({"q": "open", "task": "rerank"}, False),
        ({"task": "chat_completion"}, True),
        ({"task": "sparse_embedding", "q": "openai"}, False),
        ({"task": "nonsense"}, True),
    ],
)
def test_providers_are_found_by_name_and_task(
    console: Client, asked: dict[str, str], is_found: bool
) -> None:
    page, fragment = (text(console.get(LIST, asked, headers=h)) for h in ({}, HTMX))

    assert "<html" in page
    assert "<html" not in fragment
    for shown in (page, fragment):
        assert ('<span class="gist font-monospace">openai</span>' in shown) == is_found
        # There is another OPEN that reranks.
        is_empty = not is_found and asked.get("task") != "rerank"
        assert ("Nothing found" in shown) == is_empty


# ---------------------------------------------------------------------- the form


@pytest.mark.parametrize(
    ("name", "task"),
    [(name, task) for name, service in REMOTE.items() for task in service.tasks],
)
def test_every_setting_of_every_service_has_a_labelled_field(
    console: Client, name: str, task: TaskType
) -> None:
    page = text(console.get(f"/console/endpoints/_new/{name}?task={task}"))

    for entry in entries_for(REMOTE[name], task):
        is_rows = entry.kind in (Kind.LINES, Kind.PAIRS)
        assert f'name="{entry.name}{".value" if is_rows else ""}"' in page
        assert f'for="id_{entry.name}"> {escape(entry.label)}' in page
        if entry.is_secret and not entry.is_long:
            field = re.search(f'<input type="password" name="{re.escape(entry.name)}".*?>', page)
            assert field
            assert 'autocomplete="new-password"' in field[0]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_is_filled_in_is_created(console: Client, admin: User, case: Case) -> None:
    answer = console.post(
        f"/console/endpoints/_new/{case.service}?task={case.task_type}", written(case)
    )

    assert answer.status_code == 302, re.findall('class="problem".*?</p>', text(answer))
    assert answer["Location"] == "/console/endpoints/my-endpoint"
    endpoint = Endpoint.objects.get()
    assert (endpoint.service, endpoint.task, endpoint.created_by) == (
        case.service,
        case.task_type,
        admin,
    )
    expected = checked(case)
    assert {name: getattr(endpoint, name) for name in expected.columns()} == expected.columns()
    assert providers.opened_secrets(endpoint.encrypted_secrets) == expected.secrets


def test_settings_of_other_tasks_are_not_asked_for(console: Client) -> None:
    page = text(console.get(f"{NEW}?task=completion"))

    assert "service_settings.dimensions" not in page
    assert "chunking_settings" not in page
    assert "service_settings.dimensions" in text(console.get(f"{NEW}?task=text_embedding"))


def test_what_is_needed_is_in_sight_and_the_rest_is_folded(console: Client) -> None:
    before, _, after = text(console.get(NEW)).partition("<summary>More options</summary>")

    for name in ("api_key", "model_id"):
        assert f'name="service_settings.{name}"' in before
    for name in ("client_secret", "rate_limit.requests_per_minute", "proxy", "ca_certificate"):
        assert f'name="service_settings.{name}"' in after
    assert 'name="chunking_settings.strategy"' in after
    assert '<textarea name="service_settings.ca_certificate"' in after


def test_bounds_defaults_and_choices_come_from_the_schema(console: Client) -> None:
    page = text(console.get(NEW))

    limit = re.search(r'<input type="number" name="service_settings.rate_limit.*?>', page)
    assert limit
    assert 'placeholder="As usual: 3000"' in limit[0]
    assert 'min="1"' in limit[0]
    assert '<option value="" selected>As usual (dot_product)</option>' in page
    assert '<option value="l2_norm">l2_norm</option>' in page


def test_every_kind_of_setting_is_read(console: Client) -> None:
    written: dict[str, Any] = {
        "service_settings.rate_limit.requests_per_minute": "7",
        "service_settings.dimensions": "8",
        "service_settings.similarity": "cosine",
        "task_settings.headers.name": ["X-Team", "", "X-Note"],
        "task_settings.headers.value": [" search ", "", "a=b"],
        "chunking_settings.strategy": "word",
        "chunking_settings.max_chunk_size": "40",
        "chunking_settings.overlap": "10",
    }

    endpoint = create(console, **written)

    assert endpoint.service_settings["rate_limit"] == {"requests_per_minute": 7}
    assert endpoint.service_settings["dimensions"] == 8
    assert endpoint.task_settings == {"headers": {"X-Team": "search", "X-Note": "a=b"}}
    assert endpoint.chunking_settings == {"strategy": "word", "max_chunk_size": 40, "overlap": 10}


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("inference_id", "", "Give the endpoint an id."),
        ("inference_id", "No!", "Invalid inference_id"),
        ("service_settings.model_id", "", "Fill this in: nothing works without it."),
        (
            "service_settings.api_key",
            "",
            "Fill this in, or Client secret: nothing works without it.",
        ),
        ("service_settings.dimensions", "many", "[many] cannot be converted to a [Integer]"),
        ("service_settings.dimensions", "0", "Invalid value [0]. [dimensions] must be a positive"),
        (
            "service_settings.rate_limit.requests_per_minute",
            "-1",
            "[requests_per_minute] must be a positive integer",
        ),
        ("service_settings.similarity", "close", "[similarity] must be one of"),
        ("task_settings.headers", '[["", "search"]]', "Give [search] a name"),
        ("task_settings.headers", '[["a", "1"], ["a", "2"]]', "[a] is there twice."),
        ("chunking_settings.max_chunk_size", "5", "greater than or equal to [20.0]"),
        ("chunking_settings.separators", "{", "This is no JSON"),
    ],
)
def test_what_is_refused_is_told_at_its_field(
    console: Client, sandbox: Sandbox, field: str, value: str, problem: str
) -> None:
    strategy = "recursive" if "separators" in field else "sentence"
    chunking = {"chunking_settings.strategy": strategy} if "chunk" in field else {}

    answer = console.post(NEW, EMBEDDING | chunking | {field: value})

    page = text(answer)
    assert problem in problem_at(page, field)
    assert not problem_at(page, field).startswith("[service_settings]")
    assert "sk-planted" not in page
    assert not Endpoint.objects.exists()
    assert not sandbox.seen["openai"]


def test_every_setting_says_what_it_is_for() -> None:
    silent = {
        (service.name, entry.name)
        for service in REMOTE.values()
        for task_type in service.tasks
        for entry in entries_for(service, task_type)
        if not entry.description
    }

    assert not silent


def test_a_folded_field_with_a_problem_is_unfolded(console: Client) -> None:
    fields = EMBEDDING | {"service_settings.dimensions": "0"}

    assert '<details class="more" open> <summary>More' in text(console.post(NEW, fields))


def test_what_a_provider_refuses_is_explained(console: Client) -> None:
    page = text(console.post(NEW, EMBEDDING | {"service_settings.api_key": "sk-wrong"}))

    assert "status [401]" in page
    assert "<dt>What to do</dt>" in page
    assert "does not help as long as nothing changes" in page
    assert "does not know the credentials" in problem_at(page, "service_settings.api_key")
    assert "sk-wrong" not in page
    assert not Endpoint.objects.exists()


def test_what_a_provider_says_is_explained_even_if_it_names_a_field() -> None:
    form = CreateRemoteForm(REMOTE["openai"], TaskType.COMPLETION, EMBEDDING)
    assert form.is_valid()

    form.note(UpstreamError("no [model_id] of this name", Explanation("a", "b", False)))

    assert not form["service_settings.model_id"].errors
    assert form.refusal.problems == ("no [model_id] of this name",)
    assert form.refusal.explanation


def test_what_no_database_takes_is_refused(console: Client) -> None:
    fields = EMBEDDING | {"chunking_settings.separators": '["\\u0000"]'}

    page = text(console.post(NEW, fields))

    assert "must not contain the character U+0000" in page
    assert not Endpoint.objects.exists()


def test_an_unreachable_provider_may_be_tried_again(console: Client, sandbox: Sandbox) -> None:
    sandbox.faults["openai"] = Fault(kind="status", status=503)

    assert "can help" in text(console.post(NEW, EMBEDDING))


def test_the_request_is_shown_without_secrets(console: Client) -> None:
    fields = EMBEDDING | {"service_settings.dimensions": "12", "inference_id": "my-vectors"}

    page = text(console.post(f"{NEW}/request?task=embedding", fields, headers=HTMX))

    assert "PUT /_inference/embedding/my-vectors" in page
    assert escape('"api_key": "<API key>"') in page
    assert escape('"dimensions": 12') in page
    assert "Free to use." in page
    assert "sk-planted" not in page
    assert not Endpoint.objects.exists()


def test_an_id_is_suggested_that_is_free(console: Client) -> None:
    field = 'name="inference_id" value="{}"'
    assert field.format("openai-completion") in text(console.get(f"{NEW}?task=completion"))

    make_endpoint("openai-completion")

    assert field.format("openai-completion-2") in text(console.get(f"{NEW}?task=completion"))


def test_the_call_that_a_creation_makes_is_announced(console: Client) -> None:
    assert "one real, small call to OpenAI" in text(console.get(NEW))


def test_a_provider_that_there_is_not_is_not_found(console: Client) -> None:
    for name in ("nobody", "elser", "elastic"):
        assert console.get(f"/console/endpoints/_new/{name}").status_code == 404


# ---------------------------------------------------------------------- its page


def test_an_endpoint_of_a_provider_is_ready_without_a_runner(console: Client) -> None:
    create(console)

    page, listed = (
        text(console.get("/console/endpoints/my-endpoint")),
        text(console.get("/console/endpoints")),
    )

    assert "</svg> OpenAI </dd>" in page
    for shown in (page, listed):
        assert 'state-ready">' in shown
        assert "gives no sign of life" not in shown
    assert "text-embedding-3-small" in listed
    assert "What happened" not in page
    assert "Licence" not in page


def test_its_settings_are_shown_and_its_secrets_named(console: Client) -> None:
    create(console, **{"task_settings.user": "someone"})

    page = text(console.get("/console/endpoints/my-endpoint/settings"))

    assert '<dt>API key</dt> <dd class="gist"> stored, not shown </dd>' in page
    assert re.search(
        r"<dt>Model ID</dt> <dd class=\"font-monospace\"> text-embedding-3-small", page
    )
    assert re.search(r"<dt>Dimensions</dt> <dd > 8 </dd>", page)
    assert re.search(r"<dt>User</dt> <dd > someone </dd>", page)
    assert "sk-planted" not in page


def test_deleting_it_speaks_of_no_model_here(console: Client) -> None:
    create(console)

    page = text(console.get("/console/endpoints/my-endpoint/delete"))

    assert "Nothing changes at OpenAI." in page
    assert "Then it is wiped, its secrets too." in page
    assert "memory is freed" not in page
    assert "downloaded files" not in page


def test_a_service_that_is_not_listed_is_not_offered(console: Client) -> None:
    assert "Elastic Inference" not in text(console.get(LIST))
    assert "elastic" not in REMOTE
