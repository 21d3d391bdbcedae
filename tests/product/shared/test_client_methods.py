"""Every method of the real client that applies here, against the real server and a real model."""

from collections.abc import Iterator

import pytest
from elasticsearch import (
    AuthenticationException,
    AuthorizationException,
    BadRequestError,
    ConflictError,
    Elasticsearch,
    ElasticsearchWarning,
    NotFoundError,
)

from tests.product.running import Product

VECTORS, WEIGHTS, RANKS = "their-vectors", "their-weights", "their-ranks"
ONE = {"num_allocations": 1, "num_threads": 1}


@pytest.fixture(scope="module", autouse=True)
def _endpoints(client: Elasticsearch) -> None:
    """One endpoint of each task, each made by another method."""
    made = client.inference.put_elasticsearch(
        task_type="text_embedding",
        elasticsearch_inference_id=VECTORS,
        service="elasticsearch",
        service_settings=ONE | {"model_id": ".all-minilm-l6-v2"},
        chunking_settings={"strategy": "word", "max_chunk_size": 100, "overlap": 10},
        timeout="50s",
    )
    assert made["inference_id"] == VECTORS
    assert made["chunking_settings"]["strategy"] == "word"
    with pytest.warns(ElasticsearchWarning, match="deprecated"):
        made = client.inference.put_elser(
            task_type="sparse_embedding",
            elser_inference_id=WEIGHTS,
            service="elser",
            service_settings=ONE,
        )
    assert made["service"] == "elasticsearch"
    made = client.inference.put(
        task_type="rerank",
        inference_id=RANKS,
        inference_config={
            "service": "elasticsearch",
            "service_settings": ONE | {"model_id": ".minilm-rerank-v1"},
            "task_settings": {"return_documents": False},
        },
    )
    assert made["task_settings"] == {"return_documents": False}


@pytest.fixture
def index(client: Elasticsearch) -> Iterator[str]:
    """An index with a field that the vectors belong to."""
    fields = {"content": {"type": "semantic_text", "inference_id": VECTORS}}
    client.indices.create(index="books", mappings={"properties": fields})
    yield "books"
    client.indices.delete(index="books", ignore_unavailable=True)


def test_endpoints_are_listed_and_read(client: Elasticsearch) -> None:
    listed = [one["inference_id"] for one in client.inference.get()["endpoints"]]
    assert {VECTORS, WEIGHTS, RANKS} <= set(listed)
    assert listed == sorted(listed)

    (one,) = client.inference.get(task_type="rerank", inference_id=RANKS)["endpoints"]
    assert one["task_type"] == "rerank"


def test_an_endpoint_is_updated(client: Elasticsearch) -> None:
    told = client.inference.update(
        inference_id=RANKS, inference_config={"task_settings": {"return_documents": True}}
    )
    assert told["task_settings"] == {"return_documents": True}

    told = client.inference.update(
        task_type="rerank",
        inference_id=RANKS,
        inference_config={"task_settings": {"return_documents": False}},
    )
    assert told["task_settings"] == {"return_documents": False}


def test_each_task_has_its_method_and_one_serves_all(client: Elasticsearch) -> None:
    text = "the harbour at night"

    own = client.inference.text_embedding(
        inference_id=VECTORS, input=text, input_type="search", timeout="20s"
    )
    general = client.inference.inference(inference_id=VECTORS, input=[text])
    assert len(own["text_embedding"][0]["embedding"]) == 384
    assert own["text_embedding"][0]["embedding"] == pytest.approx(
        general["text_embedding"][0]["embedding"], abs=1e-5
    )

    own = client.inference.sparse_embedding(inference_id=WEIGHTS, input=text)
    general = client.inference.inference(
        task_type="sparse_embedding", inference_id=WEIGHTS, input=text
    )
    assert own["sparse_embedding"][0]["embedding"].keys() >= {"harbour", "night"}
    assert general["sparse_embedding"][0]["embedding"].keys() >= {"harbour", "night"}

    documents = ["The office is closed.", "Ships lie in the harbour.", "A cat sat on the mat."]
    own = client.inference.rerank(
        inference_id=RANKS, query="ships", input=documents, top_n=2, return_documents=True
    )
    general = client.inference.inference(
        task_type="rerank", inference_id=RANKS, query="ships", input=documents
    )
    assert own["rerank"][0]["text"] == documents[1]
    assert len(own["rerank"]) == 2
    assert [row.get("text") for row in general["rerank"]] == [None] * 3


def test_what_no_model_here_does_is_refused(client: Elasticsearch) -> None:
    with pytest.raises(BadRequestError, match=r"\[completion\]"):
        client.inference.completion(inference_id=VECTORS, input="a")
    with pytest.raises(BadRequestError, match=r"\[embedding\]"):
        client.inference.inference(task_type="embedding", inference_id=VECTORS, input="a")


def test_an_endpoint_that_is_named_is_deleted_by_force_only(
    client: Elasticsearch, index: str
) -> None:
    client.inference.put(
        task_type="text_embedding",
        inference_id="brief",
        inference_config={
            "service": "elasticsearch",
            "service_settings": ONE | {"model_id": ".all-minilm-l6-v2"},
        },
    )
    client.ingest.put_pipeline(
        id="brief-pipeline",
        processors=[{"inference": {"model_id": "brief", "field_map": {"a": "text_field"}}}],
    )

    would = client.inference.delete(inference_id="brief", dry_run=True)
    assert (would["acknowledged"], would["pipelines"]) == (False, ["brief-pipeline"])
    assert "force" in would["error_message"]
    with pytest.raises(ConflictError):
        client.inference.delete(inference_id="brief")
    with pytest.raises(ConflictError, match=index):
        client.inference.delete(task_type="text_embedding", inference_id=VECTORS)

    assert client.inference.delete(inference_id="brief", force=True)["acknowledged"] is True
    with pytest.raises(NotFoundError):
        client.inference.get(inference_id="brief")
    client.ingest.delete_pipeline(id="brief-pipeline")


def test_a_region_policy_comes_and_goes(client: Elasticsearch) -> None:
    policy = {"allowed_geos": ["eu"]}

    assert client.inference.put_region_policy(region_policy=policy)["region_policy"] == policy
    assert client.inference.get_region_policy()["created_by"] == "elastic"
    assert client.inference.delete_region_policy()["acknowledged"] is True
    with pytest.raises(NotFoundError):
        client.inference.get_region_policy()


def test_a_key_is_made_used_and_revoked(client: Elasticsearch, product: Product) -> None:
    assert client.security.authenticate()["username"] == "elastic"
    made = client.security.create_api_key(
        name="reader",
        expiration="1d",
        role_descriptors={"reader": {"cluster": ["monitor_inference"]}},
        metadata={"team": "search"},
    )

    with Elasticsearch(product.url, api_key=made["encoded"]) as program:
        assert program.security.authenticate()["api_key"]["name"] == "reader"
        told = program.security.has_privileges(cluster=["monitor_inference", "manage_inference"])
        assert told["cluster"] == {"monitor_inference": True, "manage_inference": False}
        assert program.inference.text_embedding(inference_id=VECTORS, input="a")
        with pytest.raises(AuthorizationException):
            program.inference.delete(inference_id=VECTORS)

        (shown,) = client.security.get_api_key(id=made["id"])["api_keys"]
        assert shown["metadata"] == {"team": "search"}
        revoked = client.security.invalidate_api_key(ids=[made["id"]])
        assert revoked["invalidated_api_keys"] == [made["id"]]
        with pytest.raises(AuthenticationException):
            program.inference.get()


def test_a_pipeline_really_runs_the_model(client: Elasticsearch) -> None:
    fields = {"input_field": "content", "output_field": "content_embedding"}
    processors = [{"inference": {"model_id": VECTORS, "input_output": [fields]}}]
    docs = [{"_source": {"content": "the harbour at night"}}, {"_source": {"other": "a"}}]

    client.ingest.put_pipeline(id="vectors", processors=processors, description="adds vectors")
    assert client.ingest.get_pipeline(id="vectors")["vectors"]["description"] == "adds vectors"
    for answer in (
        client.ingest.simulate(id="vectors", docs=docs),
        client.ingest.simulate(pipeline={"processors": processors}, docs=docs),
    ):
        done, failed = answer["docs"]
        assert len(done["doc"]["_source"]["content_embedding"]) == 384
        assert "content" in failed["error"]["reason"]
    assert client.ingest.delete_pipeline(id="vectors")["acknowledged"] is True
    with pytest.raises(NotFoundError):
        client.ingest.get_pipeline(id="vectors")


def test_an_index_keeps_its_mapping(client: Elasticsearch, index: str) -> None:
    assert client.indices.exists(index=index)
    assert not client.indices.exists(index="nobody")
    client.indices.put_mapping(index=index, properties={"title": {"type": "text"}})

    shown = client.indices.get(index=index)["books"]["mappings"]["properties"]
    mapping = client.indices.get_mapping(index=index)["books"]["mappings"]["properties"]
    assert shown == mapping
    assert mapping["title"] == {"type": "text"}
    assert mapping["content"]["inference_id"] == VECTORS
    with pytest.raises(BadRequestError, match="resource_already_exists_exception"):
        client.indices.create(index=index)

    assert client.indices.delete(index=index)["acknowledged"] is True
    assert not client.indices.exists(index=index)
