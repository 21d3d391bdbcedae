"""The BERT encoder. Source: Devlin et al. 2018, arXiv:1810.04805."""

from typing import Literal

from pydantic import PositiveInt

from inference.runner.graph_encoder import (
    TOKENS,
    Embedded,
    EncoderConfig,
    Family,
    LayerNames,
    Parts,
    ScoreNames,
    Shapes,
    VocabularyNames,
    norm_shapes,
)

WORDS, POSITIONS, TYPES, NORM = (
    "embeddings.word_embeddings.weight",
    "embeddings.position_embeddings.weight",
    "embeddings.token_type_embeddings.weight",
    "embeddings.LayerNorm",
)


class BertConfig(EncoderConfig):
    model_type: Literal["bert"]
    type_vocab_size: PositiveInt = 2


def shapes(config: BertConfig) -> Shapes:
    dim = config.hidden_size
    return {
        WORDS: (config.vocab_size, dim),
        POSITIONS: (config.max_position_embeddings, dim),
        TYPES: (config.type_vocab_size, dim),
        **norm_shapes(NORM, dim),
    }


def embed(parts: Parts, config: BertConfig) -> Embedded:
    ids = parts.draft.input("input_ids", TOKENS)
    types = parts.draft.input("token_type_ids", TOKENS)
    positions = parts.draft.input("position_ids", TOKENS)
    tables = [parts.table(WORDS), parts.copy(POSITIONS), parts.copy(TYPES)]
    states = parts.embed(ids, types, tables, NORM, positions)
    return Embedded(states, parts.draft.input("mask", (*TOKENS, "seq")))


def layer(number: int) -> LayerNames:
    name = f"encoder.layer.{number}"
    return LayerNames(
        query=f"{name}.attention.self.query",
        key=f"{name}.attention.self.key",
        value=f"{name}.attention.self.value",
        attended=f"{name}.attention.output.dense",
        attended_norm=f"{name}.attention.output.LayerNorm",
        inner=f"{name}.intermediate.dense",
        outer=f"{name}.output.dense",
        outer_norm=f"{name}.output.LayerNorm",
    )


BERT = Family(
    config=BertConfig,
    prefix="bert.",
    shapes=shapes,
    embed=embed,
    layer=layer,
    vocabulary=VocabularyNames(
        dense="cls.predictions.transform.dense",
        norm="cls.predictions.transform.LayerNorm",
        bias="cls.predictions.bias",
        decoder="cls.predictions.decoder.weight",
    ),
    score=ScoreNames(dense="pooler.dense", activation="Tanh", output="classifier"),
)
