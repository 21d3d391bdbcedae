"""What is seen before an endpoint is saved: an answer, the models of a key, and the chunks."""

import re

import pytest
from django.test import Client

from console.chunks import MOST_CHARACTERS, preview_of
from endpoints import actions
from endpoints.models import Endpoint, User
from inference.sandbox.app import Fault, Sandbox
from tests.console.conftest import HTMX, text
from tests.console.filling import EMBEDDING, NEW, problem_at
from tests.factories import make_endpoint, make_index

pytestmark = pytest.mark.usefixtures("door")

LOCAL = "/console/endpoints/_new/elasticsearch"
CHUNKS = "/console/endpoints/_chunks"


# ---------------------------------------------------------------------- one real call


def test_a_try_shows_the_answer_and_stores_nothing(console: Client, sandbox: Sandbox) -> None:
    fields = EMBEDDING | {"inference_id": "", "trial-text": "one", "trial-other": "two"}

    page = text(console.post(f"{NEW}/try", fields, headers=HTMX))

    assert "It works." in page
    assert "cosine similarity" in page
    assert len(sandbox.seen["openai"]) == 1
    assert not Endpoint.objects.exists()
    assert "sk-planted" not in page
    assert problem_at(page, "inference_id") == ""


def test_a_try_that_fails_is_explained_at_its_field(console: Client) -> None:
    fields = EMBEDDING | {"service_settings.api_key": "sk-wrong", "trial-text": "one"}

    page = text(console.post(f"{NEW}/try", fields, headers=HTMX))

    assert "does not know the credentials" in problem_at(page, "service_settings.api_key")
    assert "It works." not in page


def test_a_try_of_settings_that_cannot_be_calls_nobody(console: Client, sandbox: Sandbox) -> None:
    fields = EMBEDDING | {"service_settings.dimensions": "0"}

    page = text(console.post(f"{NEW}/try", fields, headers=HTMX))

    assert "must be a positive integer" in problem_at(page, "service_settings.dimensions")
    assert not sandbox.seen["openai"]


def test_what_runs_here_says_what_it_will_take_instead(console: Client) -> None:
    page = text(console.get(LOCAL))
    more = text(console.post(f"{LOCAL}/request", {"num_allocations": "9"}, headers=HTMX))

    assert "225.9 MB" in page
    assert "91.3 MB, once" in page
    assert "about 15 s" in page
    assert "390.1 MB" in more
    assert console.post(f"{LOCAL}/try").status_code == 404


# ---------------------------------------------------------------------- models of a key


def test_the_models_of_a_key_are_listed_before_one_is_chosen(console: Client) -> None:
    fields = EMBEDDING | {"service_settings.model_id": ""}

    listed = text(console.post(f"{NEW}/models", fields, headers=HTMX))

    assert '<option value="text-embedding-3-small">' in listed
    assert 'data-fill="service_settings.model_id"' in listed
    assert "<form" not in listed


def test_models_that_cannot_be_listed_are_told_with_the_reason(console: Client) -> None:
    fields = EMBEDDING | {"service_settings.api_key": "sk-wrong"}

    refused = text(console.post(f"{NEW}/models", fields, headers=HTMX))
    missing = text(console.post(f"{NEW}/models", {}, headers=HTMX))

    assert "does not know the credentials" in refused
    assert "sk-wrong" not in refused
    assert "one of the required settings [api_key, client_secret]" in missing


def test_a_server_of_the_same_shape_is_asked_beside_its_own_address(
    console: Client, sandbox: Sandbox
) -> None:
    url = "https://api.openai.com/v1/embeddings"
    fields = EMBEDDING | {"service_settings.url": url}

    listed = text(console.post(f"{NEW}/models", fields, headers=HTMX))
    elsewhere = fields | {"service_settings.url": "https://api.openai.com/answer"}
    unknown = text(console.post(f"{NEW}/models", elsewhere, headers=HTMX))

    assert "gpt-4o" in listed
    assert "lists no models for these settings" in unknown


def test_a_provider_without_a_list_offers_none(console: Client) -> None:
    assert "Show the models of this key" in text(console.get(NEW))
    assert "Show the models" not in text(console.get("/console/endpoints/_new/hugging_face"))


# ---------------------------------------------------------------------- the form


def test_another_task_keeps_what_is_written(console: Client) -> None:
    fields = EMBEDDING | {"task": "chat_completion", "inference_id": "openai-text_embedding"}

    answer = console.post(f"{NEW}/form", fields, headers=HTMX)

    page = text(answer)
    assert 'value="text-embedding-3-small"' in page
    assert 'name="inference_id" value="openai-chat_completion"' in page
    assert answer["HX-Replace-Url"].endswith("/openai?task=chat_completion")
    assert 'class="problem"' not in page
    assert "sk-planted" not in page


def test_who_has_no_script_is_told_to_write_secrets_again(console: Client) -> None:
    refused = EMBEDDING | {"service_settings.dimensions": "0"}

    with_script = text(console.post(NEW, refused, headers=HTMX))
    without = text(console.post(NEW, refused))

    assert "Write it again: a secret never comes back to the page." in without
    assert "Write it again" not in with_script


def test_another_model_that_runs_here_has_other_options(console: Client) -> None:
    fields = {"model_id": ".rerank-v1", "inference_id": "all-minilm-l6-v2"}

    page = text(console.post(f"{LOCAL}/form", fields, headers=HTMX))

    assert 'name="service_settings.long_document_strategy"' in page
    assert 'name="chunking_settings.strategy"' not in page
    assert 'name="inference_id" value="rerank-v1"' in page


def test_chunking_of_what_runs_here_is_stored(console: Client) -> None:
    fields = {
        "model_id": ".all-minilm-l6-v2",
        "inference_id": "mine",
        "num_allocations": "1",
        "num_threads": "1",
        "chunking_settings.strategy": "word",
        "chunking_settings.max_chunk_size": "50",
        "chunking_settings.sentence_overlap": "1",  # of another strategy: hidden, and not sent
    }

    console.post(LOCAL, fields)

    assert Endpoint.objects.get().chunking_settings == {
        "strategy": "word",
        "max_chunk_size": 50,
        "overlap": 20,
    }


# ---------------------------------------------------------------------- ids


def test_an_id_that_was_deleted_is_told_with_what_still_names_it(
    console: Client, admin: User
) -> None:
    actions.delete_endpoint(admin, make_endpoint("gone"))
    make_index("docs", "gone")
    fields = {"model_id": ".all-minilm-l6-v2", "inference_id": "gone"}

    told = text(console.post(f"{LOCAL}/request", fields, headers=HTMX))

    assert "An endpoint of this id was deleted just now" in told
    assert re.search(r"still named by indices <span class=\"font-monospace\">docs", told)


def test_ids_that_are_easily_mistaken_are_named(console: Client) -> None:
    make_endpoint("product-search")
    fields = {"model_id": ".all-minilm-l6-v2", "inference_id": "product-serch"}

    told = text(console.post(f"{LOCAL}/request", fields, headers=HTMX))

    assert "Easily taken for" in told
    assert ">product-search</a>" in told


# ---------------------------------------------------------------------- chunks


def test_a_preview_marks_what_a_chunk_repeats(console: Client) -> None:
    sample = " ".join(f"word{number}" for number in range(20))
    fields = {
        "chunking_settings.strategy": "word",
        "chunking_settings.max_chunk_size": "12",
        "chunking_settings.overlap": "4",
        "chunk_sample": sample,
    }

    page = text(console.post(CHUNKS, fields, headers=HTMX))

    assert "<strong>2 chunks</strong> of 20 words, the longest of 12." in page
    assert re.search(r"<mark .*?> word8 word9 word10 word11</mark> word12", page)


def test_chunks_that_the_model_would_cut_are_marked() -> None:
    preview = preview_of("word " * 300, {"strategy": "none"}, window=256)

    assert (preview.over, preview.chunks[0].is_over) == (1, True)
    assert preview_of("word " * 100, {"strategy": "none"}, window=256).over == 0


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"chunking_settings.strategy": "word", "chunking_settings.max_chunk_size": "5"}, "10.0"),
        ({"chunk_most": "30", "chunking_settings.strategy": "word"}, "less than or equal to"),
        ({"chunk_sample": "x" * (MOST_CHARACTERS + 1)}, "20,000 characters at most"),
    ],
)
def test_a_preview_says_what_is_wrong(
    console: Client, fields: dict[str, str], problem: str
) -> None:
    page = text(console.post(CHUNKS, {"chunk_sample": "one two"} | fields, headers=HTMX))

    assert problem in page
    assert "<ol" not in page


def test_who_has_no_script_sees_the_chunks_with_the_form(console: Client) -> None:
    fields = EMBEDDING | {"chunk_sample": "Only this."}

    page = text(console.post(f"{NEW}/form", fields))

    assert "<strong>1 chunk</strong> of 2 words" in page
    assert ">Only this.</textarea>" in page


def test_a_provider_that_is_down_is_told_with_its_models(console: Client, sandbox: Sandbox) -> None:
    sandbox.faults["openai"] = Fault(kind="status", status=503)

    assert "status [503]" in text(console.post(f"{NEW}/models", EMBEDDING, headers=HTMX))
