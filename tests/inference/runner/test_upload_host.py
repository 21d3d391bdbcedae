"""Real host processes with uploaded ONNX graphs: every kind of inference, and what is refused."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference.errors import InvalidRequest, QueueFull, TimedOut, UnsupportedModel
from inference.runner.client import HostClient
from inference.runner.hosts import LocalRunner
from inference.runner.protocol import HostReply, HostRequest, socket_path
from inference.runner.spec import UploadSpec
from inference.runner.upload_host import UploadHost
from inference.types import InputType, Truncation
from tests.inference.runner.running import start
from tests.inference.runner.uploads import (
    BERT_TOKENS,
    INPUTS,
    answer_graph,
    config,
    table_graph,
    write_upload,
)

TABLE = np.arange(len(BERT_TOKENS) * 2, dtype=np.float32).reshape(-1, 2)
ID = {token: number for number, token in enumerate(BERT_TOKENS)}
Ask = Callable[..., HostReply]


@pytest.fixture
def runner() -> Iterator[LocalRunner]:
    runner = LocalRunner()
    yield runner
    runner.stop_all()


@pytest.fixture
def client(tmp_path: Path) -> Iterator[HostClient]:
    client = HostClient(tmp_path)
    yield client
    client.close()


def spec_of(tmp_path: Path, definition: bytes, inference_config: dict[str, Any]) -> UploadSpec:
    return UploadSpec(
        deployment_id="d1",
        model_folder=str(write_upload(tmp_path / "upload", definition)),
        socket=str(socket_path(tmp_path, "d1")),
        inference_config=inference_config,
        prefixes={InputType.SEARCH: "the ", InputType.INGEST: "cat "},
        num_allocations=2,
        num_threads=1,
    )


@pytest.fixture
def serve(runner: LocalRunner, client: HostClient, tmp_path: Path) -> Callable[..., Ask]:
    """Start a host of this definition and config; the result asks it."""

    def begin(definition: bytes, inference_config: dict[str, Any], **changes: Any) -> Ask:
        spec = replace(spec_of(tmp_path, definition, inference_config), **changes)
        start(runner, spec)

        def ask(*texts: str, query: str | None = None, **more: Any) -> HostReply:
            return client.call("d1", HostRequest(texts, query, **{"budget_s": 20, **more}))

        return ask

    return begin


def summed(*tokens: str) -> Any:
    return TABLE[[ID[token] for token in ("[CLS]", *tokens, "[SEP]")]].sum(axis=0)


def test_a_vector_is_what_the_network_pools(serve: Callable[..., Ask]) -> None:
    ask = serve(table_graph(TABLE, pools=True), config("text_embedding"))

    reply = ask("the cat", "the cat sat the cat sat", "")

    assert reply.vectors is not None
    np.testing.assert_allclose(reply.vectors[0], summed("the", "cat"))
    np.testing.assert_allclose(reply.vectors[1], summed(*["the", "cat", "sat"] * 2))
    np.testing.assert_allclose(reply.vectors[2], summed())
    assert reply.truncated == {}


def test_many_texts_keep_their_order(serve: Callable[..., Ask]) -> None:
    ask = serve(table_graph(TABLE, pools=True), config("text_embedding"))
    texts = ["the " * (number % 37) for number in range(100)]

    vectors = ask(*texts).vectors

    assert vectors is not None
    for text, vector in zip(texts, vectors, strict=True):
        np.testing.assert_allclose(vector, summed(*text.split()), rtol=1e-6)


def test_a_long_text_is_cut_and_marked(serve: Callable[..., Ask]) -> None:
    window = {"bert": {"max_sequence_length": 4}}
    ask = serve(table_graph(TABLE, pools=True), config("text_embedding", window))

    reply = ask("the cat sat", "the cat")

    assert reply.truncated == {0: Truncation(4, 1)}
    assert reply.vectors is not None
    np.testing.assert_allclose(reply.vectors[0], reply.vectors[1])


def test_a_text_that_must_not_be_cut_is_refused(serve: Callable[..., Ask]) -> None:
    window = {"bert": {"max_sequence_length": 4, "truncate": "none"}}
    ask = serve(table_graph(TABLE, pools=True), config("text_embedding", window))

    with pytest.raises(InvalidRequest, match=r"Input too large.*\[3\] exceeds.*\[2\]"):
        ask("the cat sat")


def test_prefixes_stand_before_the_text_by_what_it_is_for(serve: Callable[..., Ask]) -> None:
    ask = serve(table_graph(TABLE, pools=True), config("text_embedding"))

    for input_type, expected in (
        (InputType.SEARCH, summed("the", "sat")),
        (InputType.INGEST, summed("cat", "sat")),
        (InputType.UNSPECIFIED, summed("sat")),
    ):
        vectors = ask("sat", input_type=input_type).vectors
        assert vectors is not None
        np.testing.assert_allclose(vectors[0], expected)


@pytest.mark.parametrize("inputs", [INPUTS[:2], INPUTS[:3], INPUTS])
@pytest.mark.parametrize("input_type", [6, 7], ids=["int32", "int64"])
def test_a_graph_is_fed_the_inputs_that_it_declares(
    tmp_path: Path, inputs: tuple[str, ...], input_type: int
) -> None:
    graph = table_graph(TABLE, pools=True, inputs=inputs, input_type=input_type)

    UploadHost(spec_of(tmp_path, graph, config("text_embedding")))


def test_scores_over_the_vocabulary_become_weighted_tokens(serve: Callable[..., Ask]) -> None:
    scores = np.zeros((len(BERT_TOKENS), len(BERT_TOKENS)))
    scores[ID["cat"], ID["sat"]], scores[ID["cat"], ID["."]] = 2.5, 0.5
    scores[ID["cat"], ID["the"]], scores[ID["[CLS]"], ID["[SEP]"]] = -1, 9
    ask = serve(table_graph(scores, pools=True), config("text_expansion"))

    assert ask("cat").weights == [{"sat": 2.5, "__": 0.5}]


def test_logits_of_each_place_become_weighted_tokens(serve: Callable[..., Ask]) -> None:
    logits = np.zeros((len(BERT_TOKENS), len(BERT_TOKENS)))
    logits[ID["cat"], ID["sat"]] = np.e - 1
    logits[ID["sat"], ID["sat"]] = 1
    ask = serve(table_graph(logits, pools=False), config("text_expansion"))

    assert ask("cat sat", "the").weights == [{"sat": 1.0}, {}]


def test_a_similarity_is_the_logit_of_query_and_document(serve: Callable[..., Ask]) -> None:
    ask = serve(table_graph(TABLE[:, :1], pools=True), config("text_similarity"))

    reply = ask("cat", "the cat sat", query="sat")

    one = summed("sat", "[SEP]", "cat")[0]
    assert reply.scores == [one, one + TABLE[ID["the"], 0] + TABLE[ID["sat"], 0]]
    assert reply.truncated == {}


def results(reply: HostReply) -> Any:
    assert reply.results is not None
    return reply.results


def test_a_text_is_given_a_class(serve: Callable[..., Ask]) -> None:
    logits = np.zeros((len(BERT_TOKENS), 2))
    logits[ID["cat"]] = [0, np.log(3)]
    labels = config("text_classification", classification_labels=["bad", "good"])
    ask = serve(table_graph(logits, pools=True), labels)

    (told,) = results(ask("cat"))
    assert told["predicted_value"] == "good"
    assert told["prediction_probability"] == pytest.approx(0.75)
    assert "top_classes" not in told

    top = config("text_classification", classification_labels=["x", "y"], num_top_classes=2)
    (told,) = results(ask("cat", options=top))
    assert [one["class_name"] for one in told["top_classes"]] == ["y", "x"]
    assert told["top_classes"][1]["class_probability"] == pytest.approx(0.25)


def test_labels_can_be_chosen_with_the_question(serve: Callable[..., Ask]) -> None:
    logits = np.zeros((len(BERT_TOKENS), 2))
    logits[ID["sat"]] = [np.log(3), 0]
    known: dict[str, Any] = {
        "classification_labels": ["entailment", "contradiction"],
        "hypothesis_template": "{}",
    }
    ask = serve(table_graph(logits, pools=True), config("zero_shot_classification", **known))

    asked = config("zero_shot_classification", labels=["the", "sat"], **known)
    (told,) = results(ask("cat", options=asked))
    assert told["predicted_value"] == "sat"
    assert told["prediction_probability"] == pytest.approx(0.75)
    assert [one["class_name"] for one in told["top_classes"]] == ["sat", "the"]

    several = config("zero_shot_classification", labels=["the", "sat"], multi_label=True, **known)
    (told,) = results(ask("cat", options=several))
    probabilities = {one["class_name"]: one["class_probability"] for one in told["top_classes"]}
    assert probabilities == pytest.approx({"sat": 0.75, "the": 0.5})


def test_a_missing_word_is_filled_in(serve: Callable[..., Ask]) -> None:
    logits = np.zeros((len(BERT_TOKENS), len(BERT_TOKENS)))
    logits[ID["[MASK]"], ID["cat"]], logits[ID["[MASK]"], ID["sat"]] = 8, 7
    ask = serve(table_graph(logits, pools=False), config("fill_mask", num_top_classes=2))

    (told,) = results(ask("the [MASK] sat"))

    assert told["predicted_value"] == "cat"
    assert told["predicted_value_sequence"] == "the cat sat"
    assert [one["class_name"] for one in told["top_classes"]] == ["cat", "sat"]
    with pytest.raises(InvalidRequest, match="one mask token"):
        ask("the cat sat")


def test_names_are_found_where_they_stand(serve: Callable[..., Ask]) -> None:
    logits = np.full((len(BERT_TOKENS), 3), -20.0)
    logits[:, 0] = 0
    logits[ID["bob"], 1], logits[ID["cat"], 2] = 20, 20
    labels = ["O", "B_PER", "I_PER"]
    ask = serve(table_graph(logits, pools=False), config("ner", classification_labels=labels))

    (told,) = results(ask("the bob cat sat. bob"))

    assert told["predicted_value"] == "the [bob cat](PER&bob+cat) sat. [bob](PER&bob)"
    first, second = told["entities"]
    assert first["class_probability"] == pytest.approx(1)
    assert (first["entity"], first["class_name"]) == ("bob cat", "PER")
    assert (first["start_pos"], first["end_pos"]) == (4, 11)
    assert (second["start_pos"], second["end_pos"]) == (17, 20)
    (told,) = results(ask("bob bob cat"))
    assert [entity["entity"] for entity in told["entities"]] == ["bob", "bob cat"]


@pytest.mark.parametrize("length", [64, 9])
def test_an_answer_is_a_part_of_the_text(serve: Callable[..., Ask], length: int) -> None:
    starts, ends = np.full(len(BERT_TOKENS), -5.0), np.full(len(BERT_TOKENS), -5.0)
    starts[ID["bob"]], ends[ID["cat"]] = 5, 5
    window = {"bert": {"max_sequence_length": length, "span": 2, "truncate": "none"}}
    ask = serve(answer_graph(starts, ends), config("question_answering", window))

    text = "the the the the the bob cat sat"
    asked = config("question_answering", window, question="the s", num_top_classes=2)
    (told,) = results(ask(text, options=asked))

    assert told["predicted_value"] == "bob cat"
    assert (told["start_offset"], told["end_offset"]) == (20, 27)
    assert told["prediction_probability"] > 0.9
    assert told["top_classes"][0]["answer"] == "bob cat"


def test_what_a_network_gives_can_be_passed_through(serve: Callable[..., Ask]) -> None:
    ask = serve(table_graph(TABLE, pools=True), config("pass_through"))

    assert results(ask("cat")) == [{"predicted_value": summed("cat").tolist()}]


def test_a_caller_who_has_no_time_is_told_so(serve: Callable[..., Ask]) -> None:
    ask = serve(table_graph(TABLE, pools=True), config("text_embedding"))

    with pytest.raises(TimedOut):
        ask("cat", budget_s=0.0)
    assert ask("cat").vectors is not None


def test_a_full_queue_takes_no_more(serve: Callable[..., Ask]) -> None:
    ask = serve(table_graph(TABLE, pools=True), config("text_embedding"), queue_capacity=3)

    with pytest.raises(QueueFull):
        ask(*["cat"] * 4)
    assert ask("cat").vectors is not None


UNFIT: dict[str, tuple[bytes, dict[str, Any], str]] = {
    "rows where one vector should be": (
        table_graph(TABLE, pools=False),
        config("text_embedding"),
        r"gives 3 dimensions.*\[text_embedding\] needs 2",
    ),
    "two numbers for a similarity": (
        table_graph(TABLE, pools=True),
        config("text_similarity"),
        "one number, not 2",
    ),
    "more classes than labels": (
        table_graph(TABLE, pools=True),
        config("text_classification", classification_labels=["a", "b", "c"]),
        "gives 2 classes",
    ),
    "an input that no text has": (
        table_graph(TABLE, pools=True, inputs=(*INPUTS, "pixels")),
        config("text_embedding"),
        r"wants an input \[pixels\]",
    ),
    "half a graph": (
        table_graph(TABLE, pools=True)[:-300],
        config("text_embedding"),
        "cannot be loaded",
    ),
    "no network at all": (
        b"hello, world",
        config("text_embedding"),
        "neither a TorchScript archive nor an ONNX graph",
    ),
    "a tokenizer that is not there": (
        table_graph(TABLE, pools=True),
        config("text_embedding", {"bert_ja": {}}),
        r"\[bert_ja\] is not supported",
    ),
    "a vocabulary of another kind": (
        table_graph(TABLE, pools=True),
        config("text_embedding", {"roberta": {}}),
        "must hold",
    ),
}


@pytest.mark.parametrize(("definition", "inference_config", "reason"), UNFIT.values(), ids=UNFIT)
def test_what_does_not_fit_is_found_before_anybody_asks(
    tmp_path: Path, definition: bytes, inference_config: dict[str, Any], reason: str
) -> None:
    with pytest.raises(UnsupportedModel, match=reason):
        UploadHost(spec_of(tmp_path, definition, inference_config))
