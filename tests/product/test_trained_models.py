"""Trained models as the real client puts, starts, asks, stops and deletes them."""

import base64
import importlib.util
import shutil
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

import httpx
import numpy as np
import psutil
import pytest
from elasticsearch import ApiError, ConflictError, Elasticsearch, NotFoundError

from inference.runner.precision.engines import INT8_FILE
from inference.runner.precision.report import Measure, Report, report_key, write_report
from inference.types import TaskType
from tests.endpoints.api.trained_models.uploading import torchscript
from tests.inference.runner.uploads import BERT_TOKENS, table_graph
from tests.product.running import Product, is_alive, start_and_wait, wait_for
from tests.trials import FULL, INT8

JSON = {"accept": "application/json", "content-type": "application/json"}
BUILTIN = ".all-minilm-l6-v2"
TABLE = np.arange(len(BERT_TOKENS) * 2, dtype=np.float32).reshape(-1, 2)


def upload(client: Elasticsearch, model_id: str, content: bytes, part_bytes: int = 1 << 20) -> None:
    """What eland sends."""
    client.ml.put_trained_model(
        model_id=model_id,
        model_type="pytorch",
        description="a table",
        inference_config={"text_embedding": {"tokenization": {"bert": {}}}},
        input={"field_names": ["text_field"]},
    )
    pieces = [content[at : at + part_bytes] for at in range(0, len(content), part_bytes)]
    for number, piece in enumerate(pieces):
        client.ml.put_trained_model_definition_part(
            model_id=model_id,
            part=number,
            definition=base64.b64encode(piece).decode(),
            total_definition_length=len(content),
            total_parts=len(pieces),
        )
    client.ml.put_trained_model_vocabulary(model_id=model_id, vocabulary=list(BERT_TOKENS))


def state_of(client: Elasticsearch, model_id: str) -> str:
    (stats,) = client.ml.get_trained_models_stats(model_id=model_id)["trained_model_stats"]
    state: str = stats["deployment_stats"]["allocation_status"]["state"]
    return state


def test_a_builtin_model_is_fetched_started_asked_and_stopped(client: Elasticsearch) -> None:
    put = client.ml.put_trained_model(
        model_id=BUILTIN, input={"field_names": ["text_field"]}, wait_for_completion=True
    )
    assert put["model_id"] == BUILTIN

    started = client.ml.start_trained_model_deployment(
        model_id=BUILTIN, deployment_id="vectors", wait_for="fully_allocated", timeout="60s"
    )
    assert started["assignment"]["assignment_state"] == "started"
    assert state_of(client, "vectors") == "fully_allocated"

    docs = [{"text_field": "the cat sat"}, {"text_field": "a cat was sitting"}, {"text_field": "7"}]
    answer = client.ml.infer_trained_model(model_id="vectors", docs=docs)
    cat, sitting, seven = (
        np.array(result["predicted_value"]) for result in answer["inference_results"]
    )
    assert cat.shape == (384,)
    assert cat @ sitting > 0.7 > 0.4 > cat @ seven

    update = client.ml.update_trained_model_deployment(model_id="vectors", number_of_allocations=2)
    assert update["assignment"]["task_parameters"]["number_of_allocations"] == 2
    wait_for("two allocations", lambda: state_of(client, "vectors") == "fully_allocated")

    with pytest.raises(ConflictError):
        client.ml.delete_trained_model(model_id=BUILTIN)
    assert client.ml.stop_trained_model_deployment(model_id="vectors").body == {"stopped": True}
    client.ml.delete_trained_model(model_id=BUILTIN)
    with pytest.raises(NotFoundError):
        client.ml.get_trained_models(model_id=BUILTIN)


def ask_for(product: Product, deployment_id: str, statuses: Counter[int], texts: int) -> int:
    """The status of one call, which is also counted."""
    docs = [{"text_field": f"{number} trains of grain roll to port"} for number in range(texts)]
    answer = httpx.post(
        f"{product.url}/_ml/trained_models/{deployment_id}/_infer",
        params={"timeout": "180s"},
        json={"docs": docs},
        auth=("elastic", product.password),
        timeout=200,
        trust_env=False,
    )
    statuses[answer.status_code] += 1
    return answer.status_code


def slow_call(
    callers: ThreadPoolExecutor, ask: Callable[..., int], host: psutil.Process, texts: int
) -> Future[int]:
    """A call that has begun, and takes its time."""
    idle_s = sum(host.cpu_times()[:2])
    slow = callers.submit(ask, texts=texts)
    wait_for("the host to be busy", lambda: sum(host.cpu_times()[:2]) > idle_s + 0.2)
    return slow


def answered_by_allocations(client: Elasticsearch, deployment_id: str) -> int:
    """The texts that all of them together answered."""
    (stats,) = client.ml.get_trained_models_stats(model_id=deployment_id)["trained_model_stats"]
    (node,) = stats["deployment_stats"]["nodes"]
    return sum(one["inference_count"] for one in node.get("allocations", []))


def has_compared(product: Product) -> None:
    """Have the model compared already, which takes a minute: the candidate is as good as the full
    graph, because it is that.
    """
    (graph,) = product.data_dir.glob("models/*MiniLM*/model.onnx")
    shutil.copy(graph, graph.with_name(INT8_FILE))
    key = report_key(graph.parent)
    write_report(graph.parent, Report(TaskType.TEXT_EMBEDDING, key, (FULL, INT8), Measure.VECTORS))


def test_another_precision_under_load_refuses_nobody(
    product: Product, client: Elasticsearch
) -> None:
    client.ml.put_trained_model(
        model_id=BUILTIN, input={"field_names": ["text_field"]}, wait_for_completion=True
    )
    client.ml.start_trained_model_deployment(
        model_id=BUILTIN, deployment_id="changing", wait_for="fully_allocated", timeout="60s"
    )
    has_compared(product)
    statuses: Counter[int] = Counter()
    ask = partial(ask_for, product, "changing", statuses)
    has_changed = threading.Event()

    def ask_until_changed() -> None:
        while not has_changed.is_set():
            ask(texts=3)

    host = product.part('"deployment_id":"changing"')
    assert host
    with ThreadPoolExecutor(5) as callers:
        slow = slow_call(callers, ask, host, texts=300)
        others = [callers.submit(ask_until_changed) for _ in range(4)]
        try:
            path = "/_ml/trained_models/changing/deployment/_update"
            client.perform_request("POST", path, body={"precision": "int8"}, headers=JSON)
            wait_for("the host to give way", lambda: not is_alive(host))
            answered = statuses[200]
            wait_for("answers of its successor", lambda: statuses[200] > answered + 8)
        finally:
            has_changed.set()

    for other in others:
        other.result()
    assert slow.result() == 200
    assert set(statuses) == {200}, statuses
    successor = product.part('"deployment_id":"changing"')
    assert successor
    assert '"precision":"int8"' in " ".join(successor.cmdline())
    wait_for("its figures", lambda: answered_by_allocations(client, "changing") >= statuses[200])
    client.ml.stop_trained_model_deployment(model_id="changing")
    client.ml.delete_trained_model(model_id=BUILTIN)


def test_a_stop_under_load_answers_who_asked_and_refuses_who_comes(
    product: Product, client: Elasticsearch
) -> None:
    client.ml.put_trained_model(
        model_id=BUILTIN, input={"field_names": ["text_field"]}, wait_for_completion=True
    )
    client.ml.start_trained_model_deployment(
        model_id=BUILTIN, deployment_id="busy", wait_for="fully_allocated", timeout="60s"
    )
    statuses: Counter[int] = Counter()
    ask = partial(ask_for, product, "busy", statuses)

    def ask_until_refused() -> None:
        while ask(texts=3) == 200:
            continue

    host = product.part('"deployment_id":"busy"')
    assert host
    with ThreadPoolExecutor(9) as callers:
        slow = slow_call(callers, ask, host, texts=1000)
        others = [callers.submit(ask_until_refused) for _ in range(8)]
        wait_for("other answers", lambda: statuses[200] > 8)
        assert not slow.done()
        client.ml.stop_trained_model_deployment(model_id="busy")

    for other in others:
        other.result()
    assert slow.result() == 200
    assert set(statuses) <= {200, 404, 409}, statuses
    wait_for("the host to end", lambda: not is_alive(host))


@pytest.mark.parametrize(
    ("model_id", "kind", "expected"),
    [
        (".minilm-sparse-v1", None, dict),
        (".minilm-rerank-v1", {"text_similarity": {"text": "where is the cat"}}, float),
    ],
)
def test_every_builtin_task_is_asked_by_its_kind(
    client: Elasticsearch, model_id: str, kind: dict[str, object] | None, expected: type
) -> None:
    client.ml.put_trained_model(
        model_id=model_id, wait_for_completion=True, input={"field_names": ["text_field"]}
    )
    client.ml.start_trained_model_deployment(model_id=model_id, timeout="60s")

    answer = client.ml.infer_trained_model(
        model_id=model_id, docs=[{"text_field": "the cat sat"}], inference_config=kind
    )

    (result,) = answer["inference_results"]
    assert isinstance(result["predicted_value"], expected)
    client.ml.stop_trained_model_deployment(model_id=model_id)


def test_an_upload_runs_and_serves_an_endpoint(client: Elasticsearch) -> None:
    upload(client, "table", table_graph(TABLE, pools=True), part_bytes=100)
    client.ml.start_trained_model_deployment(model_id="table", timeout="60s")

    answer = client.ml.infer_trained_model(model_id="table", docs=[{"text_field": "the cat"}])

    expected = TABLE[[BERT_TOKENS.index(t) for t in ("[CLS]", "the", "cat", "[SEP]")]].sum(axis=0)
    assert answer["inference_results"][0]["predicted_value"] == expected.tolist()

    settings = {"model_id": "table", "num_allocations": 1, "num_threads": 1}
    endpoint = client.inference.put(
        task_type="text_embedding",
        inference_id="on-table",
        inference_config={"service": "elasticsearch", "service_settings": settings},
    )
    assert endpoint["service_settings"]["dimensions"] == 2
    result = client.inference.text_embedding(inference_id="on-table", input="the cat")
    assert result["text_embedding"][0]["embedding"] == expected.tolist()


@pytest.mark.skipif(importlib.util.find_spec("torch") is not None, reason="PyTorch is here")
def test_torchscript_is_kept_until_the_extra_is_there(client: Elasticsearch) -> None:
    upload(client, "traced", torchscript())

    with pytest.raises(ApiError, match=r"extra \[torch\].*pip install"):
        client.ml.start_trained_model_deployment(model_id="traced", timeout="60s")

    (stats,) = client.ml.get_trained_models_stats(model_id="traced")["trained_model_stats"]
    assert stats["deployment_stats"]["state"] == "failed"
    assert "[torch]" in stats["deployment_stats"]["reason"]
    client.ml.stop_trained_model_deployment(model_id="traced")
    (model,) = client.ml.get_trained_models(model_id="traced", include="definition_status")[
        "trained_model_configs"
    ]
    assert model["fully_defined"] is True


def test_after_a_restart_an_upload_goes_on_and_what_ran_runs_again_by_itself(
    product: Product, client: Elasticsearch
) -> None:
    content = table_graph(TABLE, pools=True)
    half = len(content) // 2
    pieces = (content[:half], content[half:])
    docs = [{"text_field": "the cat"}]

    def put_part(client: Elasticsearch, number: int) -> None:
        client.ml.put_trained_model_definition_part(
            model_id="halves",
            part=number,
            definition=base64.b64encode(pieces[number]).decode(),
            total_definition_length=len(content),
            total_parts=2,
        )

    def start_and_ask(client: Elasticsearch, model_id: str) -> object:
        client.ml.start_trained_model_deployment(model_id=model_id, timeout="60s")
        return client.ml.infer_trained_model(model_id=model_id, docs=docs).body

    upload(client, "runs", content)
    before = start_and_ask(client, "runs")
    client.ml.put_trained_model(
        model_id="halves",
        model_type="pytorch",
        inference_config={"text_embedding": {"tokenization": {"bert": {}}}},
        input={"field_names": ["text_field"]},
    )
    put_part(client, 0)
    product.end()

    again = start_and_wait(product.data_dir)
    with Elasticsearch(again.url, basic_auth=("elastic", product.password)) as client:
        answer = client.ml.infer_trained_model(model_id="runs", docs=docs, timeout="30s")
        assert answer.body == before
        put_part(client, 1)
        client.ml.put_trained_model_vocabulary(model_id="halves", vocabulary=list(BERT_TOKENS))
        assert start_and_ask(client, "halves") == before
    again.end()
