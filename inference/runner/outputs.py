"""What a model's graph can give for each token."""

from enum import StrEnum


class Output(StrEnum):
    """The one output of a graph, (batch, seq, ...); its value is the output's name.

    STATES: the last hidden states, dim numbers. LOGITS: how well each token of the vocabulary
    would stand in the token's place. SCORE: one number, which counts at the first token of a text.
    VECTOR: the vector of the whole text, made by the graph itself, at each of its tokens.
    """

    STATES = "states"
    LOGITS = "logits"
    SCORE = "score"
    VECTOR = "vector"
