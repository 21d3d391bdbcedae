"""A tiny BERT with random weights, and what it computes, written out in numpy.

Source: Devlin et al. 2018, arXiv:1810.04805; Vaswani et al. 2017, arXiv:1706.03762, section 3.
"""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from inference.arrays import FloatArray, IntArray

DIM, INNER, HEADS, LAYERS, VOCABULARY, POSITIONS = 32, 64, 4, 2, 50, 24
EPSILON = 1e-12
CONFIG: dict[str, Any] = {
    "model_type": "bert",
    "hidden_act": "gelu",
    "vocab_size": VOCABULARY,
    "hidden_size": DIM,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": HEADS,
    "intermediate_size": INNER,
    "max_position_embeddings": POSITIONS,
    "type_vocab_size": 2,
    "layer_norm_eps": EPSILON,
    "architectures": ["BertModel"],
}
WeightsByName = dict[str, FloatArray]


def random_weights(seed: int = 5) -> WeightsByName:
    random = np.random.default_rng(seed)
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (VOCABULARY, DIM),
        "embeddings.position_embeddings.weight": (POSITIONS, DIM),
        "embeddings.token_type_embeddings.weight": (2, DIM),
        "pooler.dense.weight": (DIM, DIM),  # not part of the encoder
    }
    dense = {
        "attention.self.query": (DIM, DIM),
        "attention.self.key": (DIM, DIM),
        "attention.self.value": (DIM, DIM),
        "attention.output.dense": (DIM, DIM),
        "intermediate.dense": (INNER, DIM),
        "output.dense": (DIM, INNER),
    }
    norms = ["embeddings.LayerNorm"]
    for layer in (f"encoder.layer.{number}" for number in range(LAYERS)):
        for name, shape in dense.items():
            shapes[f"{layer}.{name}.weight"] = shape
            shapes[f"{layer}.{name}.bias"] = shape[:1]
        norms += [f"{layer}.attention.output.LayerNorm", f"{layer}.output.LayerNorm"]
    weights = {
        name: random.normal(0, 0.3, shape).astype(np.float32) for name, shape in shapes.items()
    }
    for norm in norms:
        weights[f"{norm}.weight"] = random.normal(1, 0.1, DIM).astype(np.float32)
        weights[f"{norm}.bias"] = random.normal(0, 0.1, DIM).astype(np.float32)
    return weights


def write_model(folder: Path, config: dict[str, Any], weights: WeightsByName) -> None:
    (folder / "config.json").write_text(json.dumps(config))
    save_file(weights, folder / "model.safetensors")


def reference_states(weights: WeightsByName, ids: IntArray, types: IntArray) -> FloatArray:
    """The last hidden states, (tokens, dim), of one text alone; ids, types: (tokens,)."""
    states = (
        weights["embeddings.word_embeddings.weight"][ids]
        + weights["embeddings.position_embeddings.weight"][: len(ids)]
        + weights["embeddings.token_type_embeddings.weight"][types]
    ).astype(np.float64)
    states = _norm(weights, "embeddings.LayerNorm", states)
    for layer in (f"encoder.layer.{number}" for number in range(LAYERS)):
        attended = _dense(
            weights, f"{layer}.attention.output.dense", _attention(weights, layer, states)
        )
        states = _norm(weights, f"{layer}.attention.output.LayerNorm", states + attended)
        inner = _gelu(_dense(weights, f"{layer}.intermediate.dense", states))
        states = _norm(
            weights,
            f"{layer}.output.LayerNorm",
            states + _dense(weights, f"{layer}.output.dense", inner),
        )
    last: FloatArray = states.astype(np.float32)
    return last


def _attention(weights: WeightsByName, layer: str, states: Any) -> Any:
    """Scaled dot-product attention of each head over all tokens."""

    def heads(part: str) -> Any:
        projected = _dense(weights, f"{layer}.attention.self.{part}", states)
        return projected.reshape(len(states), HEADS, DIM // HEADS).transpose(1, 0, 2)

    scores = heads("query") @ heads("key").transpose(0, 2, 1) / math.sqrt(DIM // HEADS)
    shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
    shares /= shares.sum(axis=-1, keepdims=True)
    return (shares @ heads("value")).transpose(1, 0, 2).reshape(len(states), DIM)


def _dense(weights: WeightsByName, name: str, states: Any) -> Any:
    return states @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]


def _norm(weights: WeightsByName, name: str, states: Any) -> Any:
    centered = states - states.mean(axis=-1, keepdims=True)
    deviation = np.sqrt((centered**2).mean(axis=-1, keepdims=True) + EPSILON)
    return centered / deviation * weights[f"{name}.weight"] + weights[f"{name}.bias"]


def _gelu(states: Any) -> Any:
    return states * (1 + np.vectorize(math.erf)(states / math.sqrt(2))) / 2
