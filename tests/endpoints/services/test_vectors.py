"""Vectors that are no floats, and inputs that are no texts, from the API to the provider."""

from typing import Any

import orjson
import pytest

from endpoints.models import User
from endpoints.references import model_settings_of
from inference.sandbox.app import Sandbox
from tests.endpoints.conftest import Api, refused, told

pytestmark = pytest.mark.django_db

KEY = {"api_key": "a-key"}
PICTURE = "data:image/png;base64,AAAA"


def create(api: Api, service: str, task: str = "text_embedding", **settings: Any) -> None:
    body = {"service": service, "service_settings": {"model_id": "m"} | KEY | settings}
    answer = api("PUT", f"/_inference/{task}/e1", body)
    assert answer.status_code == 200, answer.content


def ask(api: Api, *texts: str, **more: Any) -> Any:
    answer = api("POST", "/_inference/e1", {"input": texts} | more)
    assert answer.status_code == 200, answer.content
    return told(answer)


@pytest.mark.parametrize(
    ("service", "kind", "name"),
    [
        ("cohere", "float", "text_embedding"),
        ("cohere", "byte", "text_embedding_bytes"),
        ("voyageai", "int8", "text_embedding_bytes"),
        ("jinaai", "binary", "text_embedding_bits"),
    ],
)
def test_an_answer_from_memory_is_that_of_the_provider(
    api: Api, sandbox: Sandbox, service: str, kind: str, name: str
) -> None:
    create(api, service, embedding_type=kind)
    api("PUT", "/_console/endpoints/e1/cache", {"enabled": True})
    fresh = ask(api, "a", "b")
    calls = len(sandbox.seen[service])

    assert ask(api, "a", "b") == fresh
    assert list(fresh) == [name]
    assert len(sandbox.seen[service]) == calls


def test_an_update_of_where_texts_are_cut_forgets_the_answers_before_it(
    api: Api, sandbox: Sandbox
) -> None:
    create(api, "openai", max_input_tokens=1)
    api("PUT", "/_console/endpoints/e1/cache", {"enabled": True})
    asked = []
    for change in ({"rate_limit": {"requests_per_minute": 7000}}, {"max_input_tokens": 2}):
        ask(api, "abcdefgh")
        changed = api("PUT", "/_inference/e1/_update", {"service_settings": change})
        assert changed.status_code == 200, changed.content
        calls = len(sandbox.seen["openai"])
        ask(api, "abcdefgh")
        asked.append([orjson.loads(one.content)["input"] for one in sandbox.seen["openai"][calls:]])

    assert asked == [[], [["abcdef"]]]


def test_texts_that_are_read_as_one_are_never_answered_from_memory(
    api: Api, sandbox: Sandbox
) -> None:
    create(api, "jinaai")
    api("PUT", "/_console/endpoints/e1/cache", {"enabled": True})
    calls = len(sandbox.seen["jinaai"])

    for texts in (("a",), ("a", "b")):
        ask(api, *texts, task_settings={"late_chunking": True})

    sent = [orjson.loads(one.content)["input"] for one in sandbox.seen["jinaai"][calls:]]
    assert sent == [["a"], ["a", "b"]]


@pytest.mark.parametrize(
    ("kind", "element_type", "dimensions"),
    [("float", "float", 8), ("int8", "byte", 8), ("bit", "bit", 8)],
)
def test_mappings_are_told_what_vectors_are_made_of(
    api: Api, admin: User, kind: str, element_type: str, dimensions: int
) -> None:
    create(api, "cohere", embedding_type=kind)

    known = model_settings_of(admin, "e1")

    assert known is not None
    assert (known["element_type"], known["dimensions"]) == (element_type, dimensions)


def test_voyage_tells_who_chose_the_length_and_nvidia_learns_it(api: Api) -> None:
    create(api, "voyageai", dimensions=256)
    shown = told(api("GET", "/_inference/e1"))["endpoints"][0]["service_settings"]
    assert (shown["dimensions"], shown["dimensions_set_by_user"]) == (256, True)
    api("DELETE", "/_inference/e1")

    create(api, "nvidia")

    shown = told(api("GET", "/_inference/e1"))["endpoints"][0]["service_settings"]
    assert shown["dimensions"] == 8


def with_image() -> list[Any]:
    image = {"type": "image", "format": "base64", "value": PICTURE}
    return ["a cat", {"content": image}]


@pytest.mark.parametrize(
    ("service", "sent"),
    [
        ("jinaai", {"input": [{"text": "a cat"}, {"image": PICTURE}]}),
        (
            "voyageai",
            {
                "inputs": [
                    {"content": [{"type": "text", "text": "a cat"}]},
                    {"content": [{"type": "image_base64", "image_base64": PICTURE}]},
                ]
            },
        ),
    ],
)
def test_images_are_embedded_beside_texts(
    api: Api, sandbox: Sandbox, service: str, sent: dict[str, Any]
) -> None:
    create(api, service, "embedding")

    answer = api("POST", "/_inference/embedding/e1", {"input": with_image()})

    assert answer.status_code == 200, answer.content
    assert len(told(answer)["embeddings"]) == 2
    assert sent.items() <= orjson.loads(sandbox.seen[service][-1].content).items()


@pytest.mark.parametrize("service", ["jinaai", "voyageai"])
def test_a_model_of_texts_takes_no_images(api: Api, sandbox: Sandbox, service: str) -> None:
    create(api, service, "embedding", multimodal_model=False)
    calls = len(sandbox.seen[service])

    answer = api("POST", "/_inference/embedding/e1", {"input": with_image()})

    assert refused(answer) == (400, "status_exception")
    assert len(sandbox.seen[service]) == calls
