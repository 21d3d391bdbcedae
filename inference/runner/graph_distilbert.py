"""The DistilBERT encoder: BERT without token types. Source: Sanh et al. 2019, arXiv:1910.01108."""

from typing import Literal

from pydantic import Field, PositiveInt

from inference.runner.graph_bert import NORM, POSITIONS, WORDS
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


class DistilBertConfig(EncoderConfig):
    model_type: Literal["distilbert"]
    hidden_act: Literal["gelu"] = Field(validation_alias="activation")
    hidden_size: PositiveInt = Field(validation_alias="dim")
    num_hidden_layers: PositiveInt = Field(validation_alias="n_layers")
    num_attention_heads: PositiveInt = Field(validation_alias="n_heads")
    intermediate_size: PositiveInt = Field(validation_alias="hidden_dim")


def shapes(config: DistilBertConfig) -> Shapes:
    dim = config.hidden_size
    return {
        WORDS: (config.vocab_size, dim),
        POSITIONS: (config.max_position_embeddings, dim),
        **norm_shapes(NORM, dim),
    }


def embed(parts: Parts, config: DistilBertConfig) -> Embedded:
    ids = parts.draft.input("input_ids", TOKENS)
    positions = parts.draft.input("position_ids", TOKENS)
    tables = [parts.table(WORDS), parts.copy(POSITIONS), ""]
    states = parts.embed(ids, "", tables, NORM, positions)
    return Embedded(states, parts.draft.input("mask", (*TOKENS, "seq")))


def layer(number: int) -> LayerNames:
    name = f"transformer.layer.{number}"
    return LayerNames(
        query=f"{name}.attention.q_lin",
        key=f"{name}.attention.k_lin",
        value=f"{name}.attention.v_lin",
        attended=f"{name}.attention.out_lin",
        attended_norm=f"{name}.sa_layer_norm",
        inner=f"{name}.ffn.lin1",
        outer=f"{name}.ffn.lin2",
        outer_norm=f"{name}.output_layer_norm",
    )


DISTILBERT = Family(
    config=DistilBertConfig,
    prefix="distilbert.",
    shapes=shapes,
    embed=embed,
    layer=layer,
    vocabulary=VocabularyNames(
        dense="vocab_transform",
        norm="vocab_layer_norm",
        bias="vocab_projector.bias",
        decoder="vocab_projector.weight",
    ),
    score=ScoreNames(dense="pre_classifier", activation="Relu", output="classifier"),
)
