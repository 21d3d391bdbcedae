"""The BERT encoder as a graph.

Source: Devlin et al. 2018, arXiv:1810.04805; Vaswani et al. 2017, arXiv:1706.03762, section 3; the
names of the weights are those of the `transformers` library's BertModel.
"""

from typing import Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, PositiveFloat, PositiveInt, model_validator

from inference.runner.graph_draft import GraphDraft, Shape, WeightsReader


class BertConfig(BaseModel):
    """What of config.json shapes the graph; a value that would need another graph is refused."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    model_type: Literal["bert"]
    hidden_act: Literal["gelu"]
    position_embedding_type: Literal["absolute"] = "absolute"
    is_decoder: Literal[False] = False
    vocab_size: PositiveInt
    hidden_size: PositiveInt
    num_hidden_layers: PositiveInt
    num_attention_heads: PositiveInt
    intermediate_size: PositiveInt
    max_position_embeddings: PositiveInt
    type_vocab_size: PositiveInt = 2
    layer_norm_eps: PositiveFloat = 1e-12

    @model_validator(mode="after")
    def heads_share_the_states(self) -> Self:
        if self.hidden_size % self.num_attention_heads:
            raise ValueError(
                f"hidden_size {self.hidden_size} is no multiple of "
                f"num_attention_heads {self.num_attention_heads}"
            )
        return self


PREFIXES = ("", "bert.")
QKV = ("query", "key", "value")


def bert_shapes(config: BertConfig) -> dict[str, Shape]:
    """The weights that the encoder needs; those of a dense layer are (out, in)."""
    dim, inner = config.hidden_size, config.intermediate_size
    shapes: dict[str, Shape] = {
        "embeddings.word_embeddings.weight": (config.vocab_size, dim),
        "embeddings.position_embeddings.weight": (config.max_position_embeddings, dim),
        "embeddings.token_type_embeddings.weight": (config.type_vocab_size, dim),
        **_norm_shapes("embeddings.LayerNorm", dim),
    }
    for number in range(config.num_hidden_layers):
        layer = f"encoder.layer.{number}"
        for part in QKV:
            shapes |= _dense_shapes(f"{layer}.attention.self.{part}", dim, dim)
        shapes |= _dense_shapes(f"{layer}.attention.output.dense", dim, dim)
        shapes |= _norm_shapes(f"{layer}.attention.output.LayerNorm", dim)
        shapes |= _dense_shapes(f"{layer}.intermediate.dense", dim, inner)
        shapes |= _dense_shapes(f"{layer}.output.dense", inner, dim)
        shapes |= _norm_shapes(f"{layer}.output.LayerNorm", dim)
    return shapes


def add_bert(draft: GraphDraft, weights: WeightsReader, config: BertConfig, output: str) -> None:
    """Add the encoder, whose last states, (batch, seq, dim), get the name `output`.

    Adds the inputs input_ids, token_type_ids, position_ids, (batch, seq), and mask,
    (batch, seq, seq), 1 where a token may attend to another. All are int32.
    """
    builder = _BertBuilder(draft, weights, config)
    states = builder.embeddings()
    for number in range(config.num_hidden_layers):
        is_last = number == config.num_hidden_layers - 1
        states = builder.layer(
            f"encoder.layer.{number}", states, output if is_last else f"states.{number}"
        )


class _BertBuilder:
    def __init__(self, draft: GraphDraft, weights: WeightsReader, config: BertConfig) -> None:
        self._draft = draft
        self._weights = weights
        self._heads = config.num_attention_heads
        self._epsilon = config.layer_norm_eps
        self._mask = ""

    def embeddings(self) -> str:
        tokens = ("batch", "seq")
        ids = self._draft.input("input_ids", tokens)
        types = self._draft.input("token_type_ids", tokens)
        positions = self._draft.input("position_ids", tokens)
        self._mask = self._draft.input("mask", (*tokens, "seq"))
        tables = [
            self._copy(f"embeddings.{table}.weight")
            for table in ("word_embeddings", "position_embeddings", "token_type_embeddings")
        ]
        # The empty name stands for the operator's own mask, which only counts tokens.
        inputs = [ids, types, *tables, *self._norm("embeddings.LayerNorm"), "", positions]
        return self._draft.embed(inputs, "embedded", epsilon=self._epsilon)

    def layer(self, name: str, states: str, output: str) -> str:
        attention, dense = f"{name}.attention.output", f"{name}.intermediate.dense"
        attended = self._attention(f"{name}.attention.self", states)
        normed = self._project(attention, attended, states, f"{attention}.states")
        inner = self._draft.matmul(normed, self._kernel(dense), f"{dense}.product")
        inner = self._draft.fused(
            "BiasGelu", [inner, self._copy(f"{dense}.bias")], f"{dense}.states"
        )
        return self._project(f"{name}.output", inner, normed, output)

    def _attention(self, name: str, states: str) -> str:
        """One product makes queries, keys and values; the operator wants them side by side."""
        kernels = [self._weights.read(f"{name}.{part}.weight").T for part in QKV]
        biases = [self._weights.read(f"{name}.{part}.bias") for part in QKV]
        kernel = self._draft.weight(f"{name}.qkv.weight", np.concatenate(kernels, axis=1))
        bias = self._draft.weight(f"{name}.qkv.bias", np.concatenate(biases))
        inputs = [states, kernel, bias, self._mask]
        return self._draft.fused("Attention", inputs, f"{name}.states", num_heads=self._heads)

    def _project(self, name: str, states: str, residual: str, output: str) -> str:
        """Back to the width of the residual, which is added before the normalization."""
        product = self._draft.matmul(states, self._kernel(f"{name}.dense"), f"{name}.product")
        scale, shift = self._norm(f"{name}.LayerNorm")
        inputs = [product, residual, scale, shift, self._copy(f"{name}.dense.bias")]
        return self._draft.fused("SkipLayerNormalization", inputs, output, epsilon=self._epsilon)

    def _kernel(self, name: str) -> str:
        weight = f"{name}.weight"
        return self._draft.weight(weight, self._weights.read(weight).T)

    def _norm(self, name: str) -> list[str]:
        return [self._copy(f"{name}.weight"), self._copy(f"{name}.bias")]

    def _copy(self, name: str) -> str:
        return self._draft.weight(name, self._weights.read(name))


def _dense_shapes(name: str, inputs: int, outputs: int) -> dict[str, Shape]:
    return {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}


def _norm_shapes(name: str, dim: int) -> dict[str, Shape]:
    return {f"{name}.weight": (dim,), f"{name}.bias": (dim,)}
