import re
from typing import Any

import pytest
from django.http import HttpResponse

from endpoints.models import Deployment, DeploymentState, Endpoint
from inference.errors import QueueFull, TimedOut
from inference.runner.client import HostFailed
from inference.runner.protocol import HostReply
from inference.types import Truncation
from tests.endpoints.conftest import SETTINGS, Api, World, refused, told


@pytest.fixture
def vectors(api: Api) -> str:
    return created(api, "text_embedding", ".all-minilm-l6-v2")


@pytest.fixture
def weights(api: Api) -> str:
    return created(api, "sparse_embedding", ".minilm-sparse-v1")


@pytest.fixture
def ranks(api: Api) -> str:
    return created(api, "rerank", ".minilm-rerank-v1")


def created(api: Api, task: str, model_id: str) -> str:
    path = f"/_inference/{task}/e1"
    settings = SETTINGS | {"model_id": model_id}
    request = {"service": "elasticsearch", "service_settings": settings}
    assert api("PUT", path, request).status_code == 200
    return path


def test_one_text_gives_one_vector(api: Api, vectors: str) -> None:
    assert told(api("POST", vectors, {"input": "abc"})) == {
        "text_embedding": [{"embedding": [3.0, 0.5]}]
    }


def test_vectors_come_in_the_order_of_the_texts(api: Api, vectors: str) -> None:
    answer = told(api("POST", vectors, {"input": ["abc", "", "a"]}))

    assert [row["embedding"][0] for row in answer["text_embedding"]] == [3.0, 0.0, 1.0]


def test_the_task_type_may_be_left_out_or_any(api: Api, vectors: str) -> None:
    for path in ("/_inference/e1", "/_inference/any/e1"):
        assert "text_embedding" in told(api("POST", path, {"input": "a"}))


def warned(response: HttpResponse) -> str:
    """The text of the one warning that an answer carries."""
    found = re.fullmatch(r'299 Elasticsearch-[\d.]+-[0-9a-f]{40} "([^"]+)"', response["Warning"])
    assert found
    return found.group(1)


def test_inputs_that_were_cut_are_told_in_a_warning(api: Api, vectors: str, world: World) -> None:
    assert "Warning" not in api("POST", vectors, {"input": "short"})

    world.hosts.truncated = {1: Truncation(256, 44), 3: Truncation(256, 300, is_exact=False)}
    response = api("POST", vectors, {"input": ["a", "long", "a", "longer", "a"]})

    assert warned(response) == (
        "2 of 5 inputs were cut to the model's window of 256 tokens: "
        "input 1 lost 44 tokens, input 3 lost at least 300 tokens; the rest was not read"
    )


def test_a_warning_names_the_first_cut_inputs_and_counts_the_others(
    api: Api, vectors: str, world: World
) -> None:
    world.hosts.truncated = {number: Truncation(256, 1) for number in reversed(range(12))}
    told_first = ", ".join(f"input {number} lost 1 token" for number in range(5))

    text = warned(api("POST", vectors, {"input": ["long"] * 12}))

    assert text.startswith("12 of 12 inputs were cut")
    assert text.endswith(f": {told_first}, and 7 more were cut; the rest was not read")


def test_a_query_and_documents_that_were_cut_are_told(api: Api, ranks: str, world: World) -> None:
    """Also where `top_n` leaves the document out, and by its number in the input."""
    world.hosts.truncated = {0: Truncation(256, 7), 2: Truncation(256, 9)}

    text = warned(api("POST", ranks, {"query": "long", "input": ["aaa", "b"], "top_n": 1}))

    assert text == (
        "2 of 3 texts were cut to the model's window of 256 tokens: "
        "query lost 7 tokens, document 1 lost 9 tokens; the rest was not read"
    )


def test_sparse_weights_tell_in_the_answer_what_was_cut(
    api: Api, weights: str, world: World
) -> None:
    world.hosts.truncated = {1: Truncation(256, 44)}

    response = api("POST", weights, {"input": ["short", "long"]})

    assert [row["is_truncated"] for row in told(response)["sparse_embedding"]] == [False, True]
    assert "Warning" not in response


def test_sparse_weights_say_whether_the_text_was_cut(api: Api, weights: str) -> None:
    assert told(api("POST", weights, {"input": "a"})) == {
        "sparse_embedding": [{"is_truncated": False, "embedding": {"sky": 1.5, "port": 0.5}}]
    }


def test_documents_are_ranked_best_first_with_their_text(api: Api, ranks: str) -> None:
    answer = told(api("POST", ranks, {"query": "q", "input": ["a", "abc", "ab"]}))

    assert answer == {
        "rerank": [
            {"index": 1, "relevance_score": 0.03, "text": "abc"},
            {"index": 2, "relevance_score": 0.02, "text": "ab"},
            {"index": 0, "relevance_score": 0.01, "text": "a"},
        ]
    }


def test_equal_scores_keep_the_order_of_the_documents(api: Api, ranks: str) -> None:
    answer = told(api("POST", ranks, {"query": "q", "input": ["a", "bb", "c", "dd"]}))

    assert [row["index"] for row in answer["rerank"]] == [1, 3, 0, 2]


@pytest.mark.parametrize(("top_n", "kept"), [(1, 1), (2, 2), (3, 3), (99, 3)])
def test_top_n_keeps_the_best(api: Api, ranks: str, top_n: int, kept: int) -> None:
    answer = told(api("POST", ranks, {"query": "q", "input": ["a", "b", "c"], "top_n": top_n}))

    assert len(answer["rerank"]) == kept


@pytest.mark.parametrize(
    ("stored", "in_settings", "at_the_root", "is_shown"),
    [
        (None, None, None, True),
        (False, None, None, False),
        (False, True, None, True),
        (True, True, False, False),
        (False, False, True, True),
    ],
)
def test_the_nearest_word_on_returning_documents_wins(
    api: Api,
    ranks: str,
    stored: bool | None,
    in_settings: bool | None,
    at_the_root: bool | None,
    is_shown: bool,
) -> None:
    if stored is not None:
        Endpoint.objects.update(task_settings={"return_documents": stored})
    body: dict[str, Any] = {"query": "q", "input": ["a"]}
    if in_settings is not None:
        body["task_settings"] = {"return_documents": in_settings}
    if at_the_root is not None:
        body["return_documents"] = at_the_root

    answer = told(api("POST", ranks, body))

    assert ("text" in answer["rerank"][0]) is is_shown


BAD = "action_request_validation_exception"
REFUSED_BODIES: dict[str, tuple[dict[str, Any] | bytes, str]] = {
    "no input": ({}, BAD),
    "null input": ({"input": None}, BAD),
    "an empty list": ({"input": []}, BAD),
    "a number": ({"input": 3}, "x_content_parse_exception"),
    "a list with a number": ({"input": ["a", 3]}, "x_content_parse_exception"),
    "an unknown field": ({"input": "a", "colour": "red"}, "x_content_parse_exception"),
    "a query": ({"input": "a", "query": "q"}, BAD),
    "top_n": ({"input": "a", "top_n": 1}, BAD),
    "return_documents": ({"input": "a", "return_documents": True}, BAD),
    "an unknown input type": ({"input": "a", "input_type": "poem"}, BAD),
    "an internal input type": ({"input": "a", "input_type": "internal_search"}, BAD),
    "an unknown task setting": ({"input": "a", "task_settings": {"x": 1}}, "status_exception"),
    "no body": (b"", "parse_exception"),
    "half a body": (b'{"input":', "x_content_parse_exception"),
}


@pytest.mark.parametrize(("body", "kind"), REFUSED_BODIES.values(), ids=REFUSED_BODIES)
def test_a_bad_body_is_refused(api: Api, vectors: str, body: Any, kind: str) -> None:
    assert refused(api("POST", vectors, body)) == (400, kind)


@pytest.mark.parametrize(
    "body",
    [
        {"input": ["a"]},
        {"input": ["a"], "query": ""},
        {"input": ["a"], "query": "q", "top_n": 0},
        {"input": ["a"], "query": "q", "input_type": "search"},
    ],
)
def test_a_bad_rerank_body_is_refused(api: Api, ranks: str, body: Any) -> None:
    assert refused(api("POST", ranks, body)) == (400, BAD)


def test_a_rerank_without_query_is_refused_wherever_the_task_is_named(api: Api, ranks: str) -> None:
    for body in ({"input": ["a"]}, {"input": ["a"], "query": ""}):
        assert refused(api("POST", "/_inference/e1", body)) == (400, "validation_exception")


def test_the_place_of_an_unknown_field_is_told(api: Api, vectors: str) -> None:
    response = api("POST", vectors, b'{"input": "a",\n  "colour": "red"}')

    assert told(response)["error"]["reason"].startswith("[2:3] ")


def test_an_unknown_endpoint_is_not_found(api: Api) -> None:
    response = api("POST", "/_inference/text_embedding/nobody", {"input": "a"})

    assert refused(response) == (404, "resource_not_found_exception")


def test_an_endpoint_of_another_task_is_refused(api: Api, vectors: str) -> None:
    response = api("POST", "/_inference/rerank/e1", {"input": ["a"], "query": "q"})

    assert refused(response) == (400, "status_exception")


def test_a_host_that_is_starting_again_is_waited_for(api: Api, vectors: str, world: World) -> None:
    Deployment.objects.update(state=DeploymentState.STARTING)

    assert api("POST", vectors, {"input": "a"}).status_code == 200


def test_a_host_that_does_not_come_back_in_time_is_told(
    api: Api, vectors: str, world: World
) -> None:
    world.hosts.down = True

    response = api("POST", f"{vectors}?timeout=1s", {"input": "a"})

    assert response.status_code == 503  # no runner has given a sign of life in this test


def test_a_failed_deployment_is_told_with_its_reason(api: Api, vectors: str, world: World) -> None:
    Deployment.objects.update(state=DeploymentState.FAILED, reason="the file is cut short")

    response = api("POST", vectors, {"input": "a"})

    assert refused(response) == (409, "status_exception")
    assert "the file is cut short" in told(response)["error"]["reason"]


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (TimedOut("slow"), (408, "status_exception")),
        (QueueFull("full"), (429, "es_rejected_execution_exception")),
        (HostFailed("broken"), (500, "status_exception")),
    ],
)
def test_a_failure_of_the_host_keeps_its_status(
    api: Api, vectors: str, world: World, failure: Exception, expected: tuple[int, str]
) -> None:
    world.hosts.raises = failure

    assert refused(api("POST", vectors, {"input": "a"})) == expected


def test_the_callers_time_reaches_the_host(api: Api, vectors: str, world: World) -> None:
    api("POST", f"{vectors}?timeout=1500ms", {"input": "a", "timeout": "9s"})
    assert world.hosts.asked[-1].budget_s == pytest.approx(1.5)

    api("POST", vectors, {"input": "a", "timeout": "9s"})
    assert world.hosts.asked[-1].budget_s == pytest.approx(9)

    api("POST", vectors, {"input": "a"})
    assert world.hosts.asked[-1].budget_s == pytest.approx(30)

    api("POST", f"{vectors}?timeout=-1", {"input": "a"})
    assert 3600 < world.hosts.asked[-1].budget_s < 1e6


def test_a_call_makes_no_query_beside_its_two_lookups(
    api: Api, vectors: str, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(1):  # what the fake host looks up; lookups are not counted
        api("POST", vectors, {"input": "a"})


def test_a_host_that_is_left_over_from_another_task_is_not_believed(
    api: Api, vectors: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its deployment was deleted, another has its name, and it has not been stopped yet."""
    leftover = [HostReply(weights=[{"sky": 1.0}]), HostReply(scores=[1.0])]
    answer = world.hosts.call
    monkeypatch.setattr(
        world.hosts, "call", lambda *call: leftover.pop() if leftover else answer(*call)
    )

    assert "text_embedding" in told(api("POST", vectors, {"input": "a"}))
    assert not leftover
