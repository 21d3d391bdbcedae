import re
from dataclasses import replace
from typing import Any

import orjson
import pytest
from django.test import Client
from django.utils.html import escape

from console.forms import local as forms
from console.pages.takes import free_id, model_cards
from endpoints import actions, indices, tasks
from endpoints.models import ArtifactState, Endpoint, User
from inference.errors import InvalidSettings
from inference.runner.catalogue import OFFERED_MODELS
from inference.types import TaskType
from tests.console.conftest import HTMX, text
from tests.factories import (
    make_added_model,
    make_artifact,
    make_deployment,
    make_endpoint,
    make_model,
    make_remote_endpoint,
)

NEW = "/console/endpoints/_new/elasticsearch"
FILLED_IN = {
    "model_id": ".minilm-rerank-v1",
    "inference_id": "order-docs",
    "num_allocations": "3",
    "num_threads": "4",
}


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks.fetch_artifact, "delay_on_commit", lambda *args: None)


def test_every_model_is_offered_in_plain_words(console: Client) -> None:
    page = text(console.get(NEW))

    for model in OFFERED_MODELS.values():
        assert f'value="{model.model_id}"' in page
        assert escape(model.description) in page
    for words in ("English", "384 dimensions", "Apache-2.0", "91.3 MB"):
        assert words in page


def test_a_model_that_is_here_needs_no_download(console: Client) -> None:
    make_artifact(state=ArtifactState.READY)

    page = text(console.get(NEW))

    assert "already downloaded" in page
    assert "91.3 MB" not in page


def test_the_first_model_is_picked_and_an_id_suggested(console: Client) -> None:
    page = text(console.get(NEW))

    assert 'value="all-minilm-l6-v2"' in page
    assert page.count("checked>") == 2  # the model, and the language of the code
    assert "Free to use." in page


def test_a_link_can_pick_the_model(console: Client) -> None:
    page = text(console.get(NEW, {"model_id": ".minilm-sparse-v1"}))

    assert 'name="inference_id" value="minilm-sparse-v1"' in page
    assert "PUT /_inference/sparse_embedding/minilm-sparse-v1" in page


def test_what_was_filled_in_is_created_and_its_page_opened(console: Client, admin: User) -> None:
    answer = console.post(NEW, FILLED_IN)

    assert answer["Location"] == "/console/endpoints/order-docs"
    endpoint = Endpoint.objects.get()
    assert (endpoint.inference_id, endpoint.task_type) == ("order-docs", "rerank")
    assert endpoint.service_settings == {
        "num_allocations": 3,
        "num_threads": 4,
        "model_id": ".minilm-rerank-v1",
    }
    assert endpoint.created_by == admin
    assert "order-docs is created." in text(console.get(answer["Location"]))


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("inference_id", "", "Give the endpoint an id."),
        ("inference_id", "Not An Id", "Invalid inference_id"),
        ("inference_id", "taken", "Inference endpoint [taken] already exists"),
        ("inference_id", "in-use", "must be unique"),
        ("num_allocations", "0", "[num_allocations] must be a positive integer"),
        ("num_allocations", "many", "Write a whole number."),
        ("num_allocations", "", "Write a whole number."),
        ("num_threads", "3", "[num_threads] must be a power of 2"),
    ],
)
def test_a_refusal_stands_at_its_field_and_keeps_what_was_written(
    console: Client, field: str, value: str, problem: str
) -> None:
    make_endpoint("taken")
    make_deployment("in-use")
    filled_in = FILLED_IN | {field: value}

    answer = console.post(NEW, filled_in)

    page = text(answer)
    assert answer.status_code == 200
    place = page.index(f'id="id_{field}_error"')
    assert problem.replace("'", "&#x27;") in page[place : place + 200]
    assert page.count('class="problem"') == 1
    assert 'value=".minilm-rerank-v1" checked' in page
    if field != "num_threads":
        assert '<option value="4" selected>' in page
    for name in ("inference_id", "num_allocations"):
        assert not filled_in[name] or f'name="{name}" value="{filled_in[name]}"' in page
    assert not Endpoint.objects.exclude(inference_id="taken").exists()


def test_folded_options_open_when_there_is_something_to_see(console: Client) -> None:
    assert '<details class="step more" >' in text(console.get(NEW))
    page = text(console.post(NEW, FILLED_IN | {"num_allocations": "0"}))
    assert '<details class="step more" open>' in page


@pytest.fixture
def other_model_before(admin: User) -> None:
    """An index that holds what another model made under the id."""
    actions.delete_endpoint(admin, make_endpoint("order-docs"))
    field = {"type": "semantic_text", "inference_id": "order-docs"}
    indices.create("docs", {"mappings": {"properties": {"text": field}}})


OFFER = 'type="checkbox" name="force" value="order-docs"'


@pytest.mark.usefixtures("other_model_before")
def test_an_id_that_stood_for_another_model_is_refused_with_an_offer(console: Client) -> None:
    assert 'name="force"' not in text(console.get(NEW))

    page = text(console.post(NEW, FILLED_IN))

    place = page.index('id="id_inference_id_error"')
    assert "still being used by" in page[place : place + 400]
    assert "?force=true" not in page
    assert OFFER in page
    assert f"{OFFER} checked" not in page
    assert not Endpoint.objects.exists()


@pytest.mark.usefixtures("other_model_before")
def test_who_takes_the_offer_gets_the_endpoint_and_a_warning(console: Client) -> None:
    answer = console.post(NEW, FILLED_IN | {"force": "order-docs"})

    assert answer["Location"] == "/console/endpoints/order-docs"
    page = text(console.get(answer["Location"]))
    place = page.index("alert-warning")
    assert "do not match this endpoint." in page[place:]


@pytest.mark.usefixtures("other_model_before")
def test_an_offer_is_for_one_id_only(console: Client) -> None:
    page = text(console.post(NEW, FILLED_IN | {"force": "another"}))

    assert OFFER in page
    assert not Endpoint.objects.exists()


@pytest.mark.usefixtures("other_model_before")
def test_an_offer_that_was_taken_stays_so_while_the_rest_is_put_right(console: Client) -> None:
    page = text(console.post(NEW, FILLED_IN | {"force": "order-docs", "num_allocations": "0"}))

    assert f"{OFFER} checked" in page


@pytest.mark.usefixtures("other_model_before")
def test_an_id_that_stood_for_another_model_is_told_while_it_is_written(console: Client) -> None:
    fragment = text(console.post(f"{NEW}/request", FILLED_IN, headers=HTMX))
    forced = text(console.post(f"{NEW}/request", FILLED_IN | {"force": "order-docs"}, headers=HTMX))

    assert "still being used by" in fragment
    assert "still being used by" not in forced
    assert "Free to use." not in forced
    assert "order-docs?force=true" in forced


def test_an_unknown_model_is_refused(console: Client) -> None:
    page = text(console.post(NEW, FILLED_IN | {"model_id": ".nope"}))

    assert "There is no model [.nope]." in page


def test_a_refusal_about_the_whole_stands_at_the_top(
    console: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any, **options: Any) -> None:
        raise InvalidSettings(["The moon is in the wrong place"])

    monkeypatch.setattr("endpoints.actions.create_endpoint", refuse)

    page = text(console.post(NEW, FILLED_IN))

    assert "<span>The moon is in the wrong place</span>" in page
    assert 'value="order-docs"' in page


@pytest.mark.parametrize(
    ("inference_id", "hint"),
    [
        ("free", "Free to use."),
        ("taken", "Inference endpoint [taken] already exists"),
        ("Bad Id", "Invalid inference_id"),
        ("", "Lowercase letters, digits"),
    ],
)
def test_the_id_is_checked_while_it_is_written(
    console: Client, inference_id: str, hint: str
) -> None:
    make_endpoint("taken")

    fragment = text(
        console.post(f"{NEW}/request", FILLED_IN | {"inference_id": inference_id}, headers=HTMX)
    )

    assert "<html" not in fragment
    place = fragment.index('hx-target="#id-hint"')
    assert hint in fragment[place:]


def test_the_request_is_shown_as_it_is_filled_in(console: Client) -> None:
    fragment = text(console.post(f"{NEW}/request", FILLED_IN, headers=HTMX))

    assert "PUT /_inference/rerank/order-docs" in fragment
    assert "&quot;num_allocations&quot;: 3" in fragment
    assert "client.inference.put(" in fragment


@pytest.mark.parametrize("number", ["", "x", "--1", "1e9"])
def test_a_number_half_written_does_not_disturb_the_request(console: Client, number: str) -> None:
    filled_in = FILLED_IN | {"num_allocations": number}

    fragment = text(console.post(f"{NEW}/request", filled_in, headers=HTMX))

    assert "&quot;num_allocations&quot;: 1" in fragment


def test_suggested_ids_are_free_and_never_a_model() -> None:
    assert free_id("m", set()) == "m"
    assert free_id("m", {"m", "m-2"}) == "m-3"


def test_suggestions_step_aside_for_what_is_there(console: Client) -> None:
    make_endpoint("all-minilm-l6-v2")

    assert 'name="inference_id" value="all-minilm-l6-v2-2"' in text(console.get(NEW))


def test_a_number_is_suggested_that_nothing_has(console: Client) -> None:
    make_endpoint("all-minilm-l6-v2")
    for number in range(2, 11):
        make_deployment(f"all-minilm-l6-v2-{number}")

    assert 'name="inference_id" value="all-minilm-l6-v2-11"' in text(console.get(NEW))


def test_thousands_of_models_each_have_a_suggestion(
    console: Client, django_assert_max_num_queries: Any
) -> None:
    card = OFFERED_MODELS[".all-minilm-l6-v2"].facts
    models = {f"m-{number}": replace(card, model_id=f"m-{number}") for number in range(1500)}
    make_endpoint("m-7-2")

    with django_assert_max_num_queries(40):
        cards = model_cards(models)

    assert [one.suggested_id for one in cards[6:9]] == ["m-6-2", "m-7-3", "m-8-2"]


def test_each_model_says_what_it_will_take(console: Client) -> None:
    make_model().measures.create(
        precision="fp32", memory_bytes=183_000_000, tokens_per_s=4000, num_threads=1
    )

    page = text(console.get(NEW))

    assert "<span>201.3 MB of memory</span>" in page
    assert "<span>225.9 MB of memory (estimated)</span>" in page


def test_a_precision_that_is_chosen_is_asked_for(console: Client) -> None:
    console.post(NEW, FILLED_IN | {"precision": "auto"})

    endpoint = Endpoint.objects.get(inference_id="order-docs")
    assert endpoint.service_settings["precision"] == "auto"
    assert endpoint.deployment
    assert endpoint.deployment.precision == "auto"


def test_no_precision_is_asked_for_where_none_is_chosen(console: Client) -> None:
    console.post(NEW, FILLED_IN | {"precision": ""})

    assert "precision" not in Endpoint.objects.get(inference_id="order-docs").service_settings


def test_a_precision_that_this_machine_lacks_is_not_offered(
    console: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    lacks = {"bf16": "the processor is too old"}
    monkeypatch.setattr(forms, "missing_for", lambda name: lacks.get(name, ""))

    page = text(console.get(NEW))
    answer = text(console.post(NEW, FILLED_IN | {"precision": "bf16"}))

    assert '<option value="int8">' in page
    assert '<option value="bf16">' not in page
    assert "This machine cannot compute in [bf16]." in answer
    assert not Endpoint.objects.filter(inference_id="order-docs").exists()


def test_the_request_beside_the_form_has_the_precision(console: Client) -> None:
    wish = FILLED_IN | {"precision": "int8"}

    fragment = text(console.post(f"{NEW}/request", wish, headers=HTMX))

    assert "precision" in fragment
    assert "int8" in fragment


# ---------------------------------------------------------------------- what it begins with


def test_a_new_endpoint_can_begin_with_the_settings_of_another(console: Client) -> None:
    make_remote_endpoint(
        "cohere",
        TaskType.TEXT_EMBEDDING,
        {"api_key": "sk-of-mine", "model_id": "embed-v4.0", "similarity": "dot_product"},
        "shop",
    )

    page = text(console.get("/console/endpoints/_new/cohere", {"from": "shop"}))

    assert 'name="inference_id" value="shop-2"' in page
    assert 'value="embed-v4.0"' in page
    assert '<option value="dot_product" selected>' in page
    assert "sk-of-mine" not in page
    assert "It begins with the settings of" in page
    assert "/console/endpoints/_new/cohere?from=shop" in text(
        console.get("/console/endpoints/shop")
    )


def test_one_that_runs_here_begins_with_its_model_and_its_numbers(console: Client) -> None:
    endpoint = make_endpoint("order", ".minilm-rerank-v1")
    endpoint.service_settings |= {"num_allocations": 3, "num_threads": 2}
    endpoint.save()

    form = console.get(NEW, {"from": "order"}).context["form"]

    assert form.config["service_settings"] == endpoint.service_settings
    assert form.wished_id == "order-2"


def test_nobody_begins_with_what_they_do_not_see(console: Client) -> None:
    make_endpoint("order")

    assert console.get(NEW, {"from": "nowhere"}).status_code == 404
    assert console.get("/console/endpoints/_new/cohere", {"from": "order"}).status_code == 404


def test_a_link_can_carry_how_texts_are_cut(console: Client) -> None:
    cut = '{"strategy": "word", "max_chunk_size": 80, "overlap": 20}'

    pick = text(console.get("/console/endpoints/_new", {"chunking_settings": cut}))
    form = console.get(NEW, {"chunking_settings": cut}).context["form"]

    assert form.config["chunking_settings"] == orjson.loads(cut)
    links = re.findall(r'_new/(\w+)\?[^"]*chunking_settings=%7B', pick)
    assert {"elasticsearch", "cohere"} <= set(links)
    for unreadable in ("{", "[1]", "7"):
        form = console.get(NEW, {"chunking_settings": unreadable}).context["form"]
        assert "chunking_settings" not in form.config


def test_a_model_that_was_added_is_offered_with_the_others(console: Client, admin: User) -> None:
    make_added_model("my-e5")

    assert '_new/elasticsearch?model_id=my-e5"' in text(console.get("/console/endpoints/_new"))
    assert "?model_id=my-e5" in text(console.get("/console/models/my-e5"))
    form = console.get(NEW, {"model_id": "my-e5"}).context["form"]
    assert form.config["service_settings"]["model_id"] == "my-e5"
    assert form.wished_id == "my-e5-2"

    console.post(NEW, FILLED_IN | {"model_id": "my-e5", "inference_id": "ours"})

    assert Endpoint.objects.get(inference_id="ours").service_settings["model_id"] == "my-e5"
