"""What a graph gives for each token: the encoder's states, or what a trained head makes of them."""

from inference.errors import UnsupportedModel
from inference.runner.graph_bert import WORDS
from inference.runner.graph_encoder import (
    EncoderConfig,
    Family,
    Parts,
    Shapes,
    add_encoder,
    dense_shapes,
    encoder_shapes,
    norm_shapes,
)
from inference.runner.outputs import Output


def output_shapes(family: Family, config: EncoderConfig, output: Output) -> Shapes:
    """The weights that the graph needs."""
    dim = config.hidden_size
    shapes = encoder_shapes(family, config)
    match output:
        case Output.LOGITS:
            names = family.vocabulary
            shapes |= dense_shapes(names.dense, dim, dim) | norm_shapes(names.norm, dim)
            shapes[names.bias] = (config.vocab_size,)
            if not config.tie_word_embeddings:
                shapes[names.decoder] = (config.vocab_size, dim)
        case Output.SCORE:
            shapes |= dense_shapes(family.score.dense, dim, dim)
            shapes |= dense_shapes(family.score.output, dim, 1)
    return shapes


def add_output(parts: Parts, family: Family, config: EncoderConfig, output: Output) -> int:
    """Add encoder and head. Returns how many numbers there are for each token."""
    match output:
        case Output.STATES:
            add_encoder(parts, family, config, output)
            return config.hidden_size
        case Output.LOGITS:
            _add_logits(parts, family, config, output)
            return config.vocab_size
        case Output.SCORE:
            _add_score(parts, family, config, output)
            return 1
        case Output.VECTOR:
            raise UnsupportedModel("only a graph that came with its model pools by itself")


def _add_logits(parts: Parts, family: Family, config: EncoderConfig, output: str) -> None:
    names = family.vocabulary
    states = add_encoder(parts, family, config, "states")
    states = parts.normalized(names.norm, parts.dense_gelu(names.dense, states))
    # The table of words serves both ends of the network, so it is not copied.
    decoder = WORDS if config.tie_word_embeddings else parts.table(names.decoder)
    products = parts.draft.fused("FusedMatMul", [states, decoder], "products", transB=1)
    parts.draft.op("Add", [products, parts.copy(names.bias)], output)


def _add_score(parts: Parts, family: Family, config: EncoderConfig, output: str) -> None:
    """At every token, though only the first of each text counts.

    That costs a hundredth of the encoder, and a row of several texts needs no other graph.
    """
    names = family.score
    dense = parts.dense(names.dense, add_encoder(parts, family, config, "states"))
    active = parts.draft.op(names.activation, [dense], f"{names.dense}.active")
    product = parts.draft.matmul(active, parts.kernel(names.output), f"{names.output}.product")
    parts.draft.op("Add", [product, parts.copy(f"{names.output}.bias")], output)
