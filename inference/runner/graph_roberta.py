"""The RoBERTa and XLM-RoBERTa encoders: BERT's, with positions that start behind the padding's.

Source: Liu et al. 2019, arXiv:1907.11692; Conneau et al. 2019, arXiv:1911.02116.
"""

from typing import Literal

from pydantic import Field, NonNegativeInt

from inference.runner.graph_bert import BERT, NORM, POSITIONS, TYPES, WORDS
from inference.runner.graph_encoder import (
    TOKENS,
    Embedded,
    EncoderConfig,
    Family,
    Parts,
    ScoreNames,
    Shapes,
    VocabularyNames,
    norm_shapes,
)


class RobertaConfig(EncoderConfig):
    model_type: Literal["roberta", "xlm-roberta"]
    # With one type only, which is added to every token, nobody has to say which.
    type_vocab_size: Literal[1] = 1
    padding_idx: NonNegativeInt = Field(1, validation_alias="pad_token_id")


def shapes(config: RobertaConfig) -> Shapes:
    dim = config.hidden_size
    return {
        WORDS: (config.vocab_size, dim),
        POSITIONS: (config.max_position_embeddings, dim),
        TYPES: (1, dim),
        **norm_shapes(NORM, dim),
    }


def embed(parts: Parts, config: RobertaConfig) -> Embedded:
    ids = parts.draft.input("input_ids", TOKENS)
    positions = parts.draft.input("position_ids", TOKENS)
    # The first token of a text has position padding_idx + 1 here, and 0 in the graph.
    places = parts.read(POSITIONS)[config.padding_idx + 1 :] + parts.read(TYPES)
    tables = [parts.table(WORDS), parts.draft.weight(POSITIONS, places), ""]
    states = parts.embed(ids, "", tables, NORM, positions)
    return Embedded(states, parts.draft.input("mask", (*TOKENS, "seq")))


ROBERTA = Family(
    config=RobertaConfig,
    prefix="roberta.",
    shapes=shapes,
    embed=embed,
    layer=BERT.layer,
    vocabulary=VocabularyNames(
        dense="lm_head.dense",
        norm="lm_head.layer_norm",
        bias="lm_head.bias",
        decoder="lm_head.decoder.weight",
    ),
    score=ScoreNames(dense="classifier.dense", activation="Tanh", output="classifier.out_proj"),
)
