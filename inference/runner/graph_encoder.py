"""What the encoders of the BERT family have in common, and what each of them says of itself.

Source: Vaswani et al. 2017, arXiv:1706.03762, section 3; the names of the weights are those of the
`transformers` library.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, PositiveFloat, PositiveInt, model_validator

from inference.arrays import FloatArray
from inference.runner.graph_draft import GraphDraft, Shape, WeightsReader

Shapes = dict[str, Shape]
TOKENS = ("batch", "seq")


class EncoderConfig(BaseModel):
    """What of config.json shapes the graph; a value that would need another graph is refused."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    model_type: str
    hidden_act: Literal["gelu"]
    position_embedding_type: Literal["absolute"] = "absolute"
    is_decoder: Literal[False] = False
    tie_word_embeddings: bool = True
    vocab_size: PositiveInt
    hidden_size: PositiveInt
    num_hidden_layers: PositiveInt
    num_attention_heads: PositiveInt
    intermediate_size: PositiveInt
    max_position_embeddings: PositiveInt
    layer_norm_eps: PositiveFloat = 1e-12

    @model_validator(mode="after")
    def heads_share_the_states(self) -> Self:
        if self.hidden_size % self.num_attention_heads:
            raise ValueError(
                f"hidden_size {self.hidden_size} is no multiple of "
                f"num_attention_heads {self.num_attention_heads}"
            )
        return self


@dataclass(frozen=True)
class LayerNames:
    """What a family calls the dense layers and normalizations of one layer of the encoder."""

    query: str
    key: str
    value: str
    attended: str
    attended_norm: str
    inner: str
    outer: str
    outer_norm: str


@dataclass(frozen=True)
class VocabularyNames:
    """The head that says which tokens could stand in a token's place.

    bias: of the decoder, whose kernel is the table of word embeddings unless it has its own.
    """

    dense: str
    norm: str
    bias: str
    decoder: str


@dataclass(frozen=True)
class ScoreNames:
    """The head that scores a text by its first token. activation: between its dense layers."""

    dense: str
    activation: str
    output: str


@dataclass(frozen=True)
class Embedded:
    """Where the layers start. bias: what is added to the attention's products, if anything."""

    states: str
    mask: str
    bias: str = ""


@dataclass(frozen=True)
class Family:
    """One kind of encoder.

    prefix: what may stand before the encoder's names in the file. shapes: of the embeddings.
    embed: adds the inputs and the embeddings.
    """

    config: type[EncoderConfig]
    prefix: str
    shapes: Callable[[Any], Shapes]
    embed: Callable[["Parts", Any], Embedded]
    layer: Callable[[int], LayerNames]
    vocabulary: VocabularyNames
    score: ScoreNames


class Parts:
    """Turns the weights of a file into parts of a draft."""

    def __init__(self, draft: GraphDraft, weights: WeightsReader, epsilon: float) -> None:
        self.draft = draft
        self._weights = weights
        self._epsilon = epsilon

    def read(self, name: str) -> FloatArray:
        return self._weights.read(name)

    def copy(self, name: str) -> str:
        return self.draft.weight(name, self.read(name))

    def table(self, name: str) -> str:
        """A weight as it is in the file, and left there if it can be: tables are large."""
        try:
            return self.draft.stored(name, self._weights.place(name))
        except ValueError:
            return self.copy(name)

    def kernel(self, name: str) -> str:
        weight = f"{name}.weight"
        return self.draft.weight(weight, self.read(weight).T)

    def norm(self, name: str) -> list[str]:
        return [self.copy(f"{name}.weight"), self.copy(f"{name}.bias")]

    def embed(self, ids: str, types: str, tables: list[str], norm: str, positions: str) -> str:
        """tables: of words, positions and token types; an empty name for one that is not there."""
        # The empty name stands for the operator's own mask, which only counts tokens.
        inputs = [ids, types, *tables, *self.norm(norm), "", positions]
        return self.draft.embed(inputs, "embedded", epsilon=self._epsilon)

    def dense(self, name: str, states: str) -> str:
        product = self.draft.matmul(states, self.kernel(name), f"{name}.product")
        return self.draft.op("Add", [product, self.copy(f"{name}.bias")], f"{name}.states")

    def dense_gelu(self, name: str, states: str) -> str:
        product = self.draft.matmul(states, self.kernel(name), f"{name}.product")
        return self.draft.fused("BiasGelu", [product, self.copy(f"{name}.bias")], f"{name}.states")

    def normalized(self, name: str, states: str) -> str:
        inputs = [states, *self.norm(name)]
        return self.draft.op("LayerNormalization", inputs, f"{name}.states", epsilon=self._epsilon)

    def attention(self, names: LayerNames, states: str, start: Embedded, heads: int) -> str:
        """One product makes queries, keys and values; the operator wants them side by side."""
        parts = (names.query, names.key, names.value)
        kernels = [self.read(f"{part}.weight").T for part in parts]
        biases = [self.read(f"{part}.bias") for part in parts]
        kernel = self.draft.weight(f"{names.query}.qkv.weight", np.concatenate(kernels, axis=1))
        bias = self.draft.weight(f"{names.query}.qkv.bias", np.concatenate(biases))
        inputs = [states, kernel, bias, start.mask]
        if start.bias:
            inputs += ["", start.bias]  # the empty name stands for the past of a decoder
        return self.draft.fused("Attention", inputs, f"{names.query}.states", num_heads=heads)

    def project(self, dense: str, norm: str, states: str, residual: str, output: str) -> str:
        """Back to the width of the residual, which is added before the normalization."""
        product = self.draft.matmul(states, self.kernel(dense), f"{dense}.product")
        inputs = [product, residual, *self.norm(norm), self.copy(f"{dense}.bias")]
        return self.draft.fused("SkipLayerNormalization", inputs, output, epsilon=self._epsilon)


def encoder_shapes(family: Family, config: EncoderConfig) -> Shapes:
    """The weights that the encoder needs; those of a dense layer are (out, in)."""
    dim, inner = config.hidden_size, config.intermediate_size
    shapes = dict(family.shapes(config))
    for names in _layers(family, config):
        for name in (names.query, names.key, names.value, names.attended):
            shapes |= dense_shapes(name, dim, dim)
        shapes |= norm_shapes(names.attended_norm, dim)
        shapes |= dense_shapes(names.inner, dim, inner)
        shapes |= dense_shapes(names.outer, inner, dim)
        shapes |= norm_shapes(names.outer_norm, dim)
    return shapes


def add_encoder(parts: Parts, family: Family, config: EncoderConfig, output: str) -> str:
    """Add the encoder, whose last states, (batch, seq, dim), get the name `output`.

    Adds the inputs input_ids and position_ids, (batch, seq), positions counted from 0 whatever
    the family, mask, (batch, seq, seq), 1 where a token may attend to another, and token_type_ids,
    (batch, seq), where the family tells types apart. All are int32.
    """
    start = family.embed(parts, config)
    states = start.states
    layers = _layers(family, config)
    for number, names in enumerate(layers, start=1):
        attended = parts.attention(names, states, start, config.num_attention_heads)
        normed = parts.project(
            names.attended, names.attended_norm, attended, states, f"{names.attended}.states"
        )
        inner = parts.dense_gelu(names.inner, normed)
        name = output if number == len(layers) else f"{names.outer}.states"
        states = parts.project(names.outer, names.outer_norm, inner, normed, name)
    return states


def dense_shapes(name: str, inputs: int, outputs: int) -> Shapes:
    return {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}


def norm_shapes(name: str, dim: int) -> Shapes:
    return {f"{name}.weight": (dim,), f"{name}.bias": (dim,)}


def _layers(family: Family, config: EncoderConfig) -> Sequence[LayerNames]:
    return [family.layer(number) for number in range(config.num_hidden_layers)]
