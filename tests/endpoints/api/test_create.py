from typing import Any

import pytest

from endpoints.models import Artifact, ArtifactState, Deployment, Endpoint
from inference.errors import TimedOut
from tests.endpoints.conftest import SETTINGS, Api, World, refused, told

PATH = "/_inference/text_embedding/my-vectors"


def body(**changes: Any) -> dict[str, Any]:
    return {"service": "elasticsearch", "service_settings": SETTINGS} | changes


def without(name: str) -> dict[str, Any]:
    return body(service_settings={key: value for key, value in SETTINGS.items() if key != name})


def with_settings(**changes: Any) -> dict[str, Any]:
    return body(service_settings=SETTINGS | changes)


def test_an_endpoint_is_answered_as_it_was_stored(api: Api) -> None:
    response = api("PUT", PATH, body())

    assert response.status_code == 200
    assert list(told(response).items()) == [
        ("inference_id", "my-vectors"),
        ("task_type", "text_embedding"),
        ("service", "elasticsearch"),
        ("service_settings", SETTINGS),
        (
            "chunking_settings",
            {"strategy": "sentence", "max_chunk_size": 250, "sentence_overlap": 1},
        ),
    ]


def test_it_is_proved_by_a_real_call_before_it_is_answered(api: Api, world: World) -> None:
    api("PUT", PATH, body())

    assert [request.texts for request in world.hosts.asked] == [("how big",)]


def test_the_task_type_may_stand_in_the_body(api: Api) -> None:
    response = api("PUT", "/_inference/my-vectors", body(task_type="Text_Embedding "))

    assert told(response)["task_type"] == "text_embedding"


def test_rerank_keeps_its_task_settings_and_has_no_chunking(api: Api) -> None:
    settings = SETTINGS | {"model_id": ".minilm-rerank-v1"}
    request = body(service_settings=settings, task_settings={"return_documents": False})

    response = api("PUT", "/_inference/rerank/my-ranks", request)

    assert told(response)["task_settings"] == {"return_documents": False}
    assert "chunking_settings" not in told(response)


def test_elser_is_another_name_for_the_sparse_model(api: Api) -> None:
    settings = {"num_allocations": 1, "num_threads": 1}

    response = api(
        "PUT",
        "/_inference/sparse_embedding/my-elser",
        {"service": "elser", "service_settings": settings},
    )

    assert told(response)["service"] == "elasticsearch"
    assert told(response)["service_settings"]["model_id"] == ".minilm-sparse-v1"
    assert response["Warning"].startswith("299 Elasticsearch-9")
    assert response["Warning"].count("deprecated") == 2


def test_elser_is_for_sparse_vectors_only(api: Api) -> None:
    assert refused(api("PUT", PATH, body(service="elser"))) == (400, "status_exception")


def test_three_tasks_share_one_set_of_files(api: Api) -> None:
    for task, model in (
        ("text_embedding", ".all-minilm-l6-v2"),
        ("sparse_embedding", ".minilm-sparse-v1"),
        ("rerank", ".minilm-rerank-v1"),
    ):
        request = with_settings(model_id=model)
        assert api("PUT", f"/_inference/{task}/my-{task}", request).status_code == 200

    assert Artifact.objects.count() == 1
    assert Deployment.objects.count() == 3


ACTION = "action_request_validation_exception"
SETTINGS_ERROR = "validation_exception"
STATUS = "status_exception"
PARSE = "x_content_parse_exception"
RERANK = with_settings(model_id=".minilm-rerank-v1")
TOO_LARGE = {"strategy": "sentence", "max_chunk_size": 301}
REFUSALS: dict[str, tuple[str, Any, str]] = {
    "upper case in the id": ("/_inference/text_embedding/My", body(), ACTION),
    "an id that starts with a dot": ("/_inference/text_embedding/.my", body(), ACTION),
    "no task type": ("/_inference/my", body(), STATUS),
    "an unknown task type": ("/_inference/poetry/my", body(), STATUS),
    "any task": ("/_inference/any/my", body(), STATUS),
    "two task types": (PATH, body(task_type="rerank"), STATUS),
    "no service": (PATH, {"service_settings": SETTINGS}, STATUS),
    "an unknown service": (PATH, body(service="oracle"), STATUS),
    "no service settings": (PATH, {"service": "elasticsearch"}, STATUS),
    "a task the service has not": ("/_inference/completion/my", body(), STATUS),
    "an unknown top-level key": (PATH, body(colour="red"), STATUS),
    "an unknown setting": (PATH, with_settings(colour="red"), STATUS),
    "an unknown task setting": (PATH, body(task_settings={"colour": "red"}), STATUS),
    "an unknown model": (PATH, with_settings(model_id="gpt"), "illegal_argument_exception"),
    "a model for another task": (PATH, RERANK, SETTINGS_ERROR),
    "no allocations": (PATH, with_settings(num_allocations=0), SETTINGS_ERROR),
    "more allocations than make sense": (
        PATH,
        with_settings(num_allocations=10**20),
        SETTINGS_ERROR,
    ),
    "an endless id": (f"/_inference/text_embedding/{'a' * 257}", body(), ACTION),
    "allocations in words": (PATH, with_settings(num_allocations="two"), SETTINGS_ERROR),
    "no number of allocations": (PATH, without("num_allocations"), SETTINGS_ERROR),
    "no number of threads": (PATH, without("num_threads"), SETTINGS_ERROR),
    "neither model nor deployment": (PATH, without("model_id"), "illegal_argument_exception"),
    "three threads": (PATH, with_settings(num_threads=3), ACTION),
    "sixty-four threads": (PATH, with_settings(num_threads=64), ACTION),
    "chunking for rerank": (
        "/_inference/rerank/my",
        RERANK | {"chunking_settings": {"strategy": "none"}},
        STATUS,
    ),
    "an unknown chunking strategy": (
        PATH,
        body(chunking_settings={"strategy": "page"}),
        "illegal_argument_exception",
    ),
    "a chunking that is a list": (PATH, body(chunking_settings=[None]), SETTINGS_ERROR),
    "a chunking that is a text": (PATH, body(chunking_settings=""), SETTINGS_ERROR),
    "chunks that are too large": (PATH, body(chunking_settings=TOO_LARGE), SETTINGS_ERROR),
    "the id of the model itself": (
        "/_inference/text_embedding/my",
        with_settings(model_id="my"),
        STATUS,
    ),
    "malformed JSON": (PATH, b'{"service": ', PARSE),
    "no body": (PATH, b"", "parse_exception"),
    "a list for a body": (PATH, [1], PARSE),
}


@pytest.mark.parametrize(("path", "request_body", "kind"), REFUSALS.values(), ids=REFUSALS)
def test_a_bad_request_is_refused_and_leaves_no_trace(
    api: Api, path: str, request_body: Any, kind: str
) -> None:
    assert refused(api("PUT", path, request_body)) == (400, kind)

    assert not Endpoint.objects.exists()
    assert not Deployment.objects.exists()
    assert not Artifact.objects.exists()


def test_all_problems_of_the_settings_are_told_at_once(api: Api) -> None:
    response = api("PUT", PATH, with_settings(num_allocations=0, num_threads="x"))

    assert told(response)["error"]["reason"] == (
        "Validation Failed: "
        "1: [service_settings] Invalid value [0]. [num_allocations] must be a positive integer;"
        "2: field [num_threads] is not of the expected type. "
        "The value [x] cannot be converted to a [Integer];"
    )


def test_an_id_is_never_overwritten(api: Api) -> None:
    api("PUT", PATH, body())

    again = api("PUT", PATH, with_settings(num_allocations=2))

    assert refused(again) == (400, "resource_already_exists_exception")
    assert Endpoint.objects.get().service_settings["num_allocations"] == 1


def test_weights_that_cannot_be_had_are_told_and_nothing_is_kept(api: Api, world: World) -> None:
    world.download_fails = "The weights cannot be had: hub: no route to host"

    response = api("PUT", PATH, body())

    assert refused(response) == (400, "status_exception")
    assert "no route to host" in told(response)["error"]["reason"]
    assert not Endpoint.objects.exists()
    assert not Deployment.objects.exists()


def test_a_model_that_cannot_be_loaded_is_told_and_nothing_is_kept(api: Api, world: World) -> None:
    world.load_fails = "the file is cut short"

    response = api("PUT", PATH, body())

    assert refused(response) == (500, "status_exception")
    assert not Endpoint.objects.exists()


def test_a_download_that_failed_is_tried_again_by_the_next_create(api: Api, world: World) -> None:
    world.download_fails = "no route to host"
    api("PUT", PATH, body())
    world.download_fails = ""

    assert api("PUT", PATH, body()).status_code == 200


def test_when_the_time_runs_out_the_endpoint_stays_and_goes_on(api: Api, world: World) -> None:
    world.stands_still = True

    response = api("PUT", f"{PATH}?timeout=2s", body())

    assert refused(response) == (408, "model_deployment_timeout_exception")
    assert Endpoint.objects.filter(inference_id="my-vectors").exists()
    assert Artifact.objects.get().state == ArtifactState.QUEUED


def test_an_endpoint_deleted_while_it_starts_ends_the_wait(api: Api, world: World) -> None:
    world.stands_still = True
    world.before_step = lambda: (Endpoint.objects.all().delete(), Deployment.objects.all().delete())

    assert refused(api("PUT", PATH, body())) == (409, "status_exception")


def test_a_duration_needs_a_unit(api: Api) -> None:
    response = api("PUT", f"{PATH}?timeout=30", body())

    assert refused(response) == (400, "illegal_argument_exception")
    assert not Endpoint.objects.exists()


def test_the_call_that_proves_it_has_the_time_that_is_left(api: Api, world: World) -> None:
    assert api("PUT", f"{PATH}?timeout=2s", body()).status_code == 200

    (probe,) = world.hosts.asked
    assert 0 < probe.budget_s < 2


def test_a_new_endpoint_that_does_not_answer_in_time_stays(api: Api, world: World) -> None:
    world.hosts.raises = TimedOut("too slow")

    response = api("PUT", f"{PATH}?timeout=2s", body())

    assert refused(response) == (408, "model_deployment_timeout_exception")
    world.hosts.raises = None
    assert api("POST", PATH, {"input": "a"}).status_code == 200
