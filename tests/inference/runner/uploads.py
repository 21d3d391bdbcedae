"""Folders of uploaded models: small ONNX graphs whose answers can be worked out by hand."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import orjson
from onnx import TensorProto, helper, numpy_helper

from inference.nlp_config import InferenceConfig
from inference.runner.definition import DEFINITION_FILE, VOCABULARY_FILE

BERT_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "cat", "sat", "bob", "s", ".")
INPUTS = ("input_ids", "attention_mask", "token_type_ids", "position_ids")


def config(kind: str, tokenization: dict[str, Any] | None = None, **options: Any) -> dict[str, Any]:
    """An inference_config as it is stored."""
    given = {kind: {"tokenization": tokenization or {"bert": {}}, **options}}
    return InferenceConfig.model_validate(given).to_response()


def write_upload(
    folder: Path,
    definition: bytes,
    tokens: Sequence[str] = BERT_TOKENS,
    **more: Any,
) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / DEFINITION_FILE).write_bytes(definition)
    (folder / VOCABULARY_FILE).write_bytes(orjson.dumps({"vocabulary": list(tokens), **more}))
    return folder


def table_graph(
    table: Any,
    *,
    pools: bool,
    inputs: Sequence[str] = INPUTS,
    output: str = "out",
    input_type: int = TensorProto.INT64,
) -> bytes:
    """A graph that looks each token up in a table, (vocab, dim).

    pools: give the sum over the real tokens, (batch, dim), and else the rows, (batch, tokens, dim).
    """
    rows = np.asarray(table, np.float32)
    nodes = [helper.make_node("Gather", ["table", "input_ids"], ["rows"])]
    if pools:
        nodes += [
            helper.make_node("Cast", ["attention_mask"], ["floats"], to=TensorProto.FLOAT),
            helper.make_node("Unsqueeze", ["floats", "last"], ["weights"]),
            helper.make_node("Mul", ["rows", "weights"], ["kept"]),
            helper.make_node("ReduceSum", ["kept", "middle"], [output], keepdims=0),
        ]
        shape: list[Any] = ["batch", rows.shape[1]]
    else:
        nodes.append(helper.make_node("Identity", ["rows"], [output]))
        shape = ["batch", "tokens", rows.shape[1]]
    graph = helper.make_graph(
        nodes,
        "table",
        [helper.make_tensor_value_info(name, input_type, ["batch", "tokens"]) for name in inputs],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, shape)],
        [
            numpy_helper.from_array(rows, "table"),
            numpy_helper.from_array(np.array([-1], np.int64), "last"),
            numpy_helper.from_array(np.array([1], np.int64), "middle"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString()
    return content


def answer_graph(starts: Any, ends: Any) -> bytes:
    """A graph for question answering: a logit for each token to start, and one to end, an answer.

    starts, ends: (vocab,).
    """
    graph = helper.make_graph(
        [
            helper.make_node("Gather", ["starts", "input_ids"], ["start_logits"]),
            helper.make_node("Gather", ["ends", "input_ids"], ["end_logits"]),
        ],
        "answers",
        [helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", "tokens"])],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", "tokens"])
            for name in ("start_logits", "end_logits")
        ],
        [
            numpy_helper.from_array(np.asarray(starts, np.float32), "starts"),
            numpy_helper.from_array(np.asarray(ends, np.float32), "ends"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    content: bytes = model.SerializeToString()
    return content
