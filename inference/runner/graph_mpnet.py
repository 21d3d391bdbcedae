"""The MPNet encoder: each token also attends by how far away the other stands.

Source: Song et al. 2020, arXiv:2004.09297; the buckets of distances are those of Raffel et al.
2019, arXiv:1910.10683, section 2.1, as the `transformers` library computes them.
"""

from typing import Literal

import numpy as np
from pydantic import Field, NonNegativeInt

from inference.arrays import FloatArray, IntArray
from inference.runner.graph_bert import NORM, POSITIONS, WORDS
from inference.runner.graph_encoder import (
    TOKENS,
    Embedded,
    EncoderConfig,
    Family,
    LayerNames,
    Parts,
    Shapes,
    norm_shapes,
)
from inference.runner.graph_roberta import ROBERTA

DISTANCES = "encoder.relative_attention_bias.weight"
BUCKETS, FARTHEST = 32, 128


class MPNetConfig(EncoderConfig):
    model_type: Literal["mpnet"]
    relative_attention_num_buckets: Literal[32] = 32
    padding_idx: NonNegativeInt = Field(1, validation_alias="pad_token_id")


def shapes(config: MPNetConfig) -> Shapes:
    dim = config.hidden_size
    return {
        WORDS: (config.vocab_size, dim),
        POSITIONS: (config.max_position_embeddings, dim),
        DISTANCES: (BUCKETS, config.num_attention_heads),
        **norm_shapes(NORM, dim),
    }


def embed(parts: Parts, config: MPNetConfig) -> Embedded:
    ids = parts.draft.input("input_ids", TOKENS)
    positions = parts.draft.input("position_ids", TOKENS)
    places = parts.read(POSITIONS)[config.padding_idx + 1 :]
    tables = [parts.table(WORDS), parts.draft.weight(POSITIONS, places), ""]
    states = parts.embed(ids, "", tables, NORM, positions)
    mask = parts.draft.input("mask", (*TOKENS, "seq"))
    return Embedded(states, mask, _attention_bias(parts, positions, len(places)))


def _attention_bias(parts: Parts, positions: str, window: int) -> str:
    """What each head adds for two tokens, (batch, heads, seq, seq), by their positions."""
    draft = parts.draft
    distances = np.arange(1 - window, window, dtype=np.int32)
    table = draft.weight("distances.bias", parts.read(DISTANCES)[buckets(distances)])
    axes = [draft.weight(f"axis.{axis}", np.array([axis], np.int64)) for axis in (1, 2)]
    others, own = (draft.op("Unsqueeze", [positions, axis], f"positions.{axis}") for axis in axes)
    distance = draft.op("Sub", [others, own], "distances")
    first = draft.weight("distances.first", np.array(window - 1, np.int32))
    places = draft.op("Add", [distance, first], "distances.places")
    by_token = draft.op("Gather", [table, places], "distances.by_token")
    return draft.op("Transpose", [by_token], "distances.by_head", perm=[0, 3, 1, 2])


def buckets(distances: IntArray) -> IntArray:
    """The bucket of each distance, from a token to another: exact when near, coarse when far."""
    half = BUCKETS // 2
    exact = half // 2
    lengths = np.abs(distances)
    scale = np.float32(np.log(FARTHEST / exact))
    logs: FloatArray = np.log(np.maximum(lengths, 1).astype(np.float32) / np.float32(exact))
    far = exact + (logs / scale * np.float32(half - exact)).astype(np.int32)
    own = np.where(lengths < exact, lengths, np.minimum(far, half - 1))
    found: IntArray = (own + half * (distances > 0)).astype(np.int32)
    return found


def layer(number: int) -> LayerNames:
    name = f"encoder.layer.{number}"
    return LayerNames(
        query=f"{name}.attention.attn.q",
        key=f"{name}.attention.attn.k",
        value=f"{name}.attention.attn.v",
        attended=f"{name}.attention.attn.o",
        attended_norm=f"{name}.attention.LayerNorm",
        inner=f"{name}.intermediate.dense",
        outer=f"{name}.output.dense",
        outer_norm=f"{name}.output.LayerNorm",
    )


MPNET = Family(
    config=MPNetConfig,
    prefix="mpnet.",
    shapes=shapes,
    embed=embed,
    layer=layer,
    vocabulary=ROBERTA.vocabulary,
    score=ROBERTA.score,
)
