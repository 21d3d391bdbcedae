"""Tiny checkpoints of every family with random weights, as a hub would publish them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file
from tokenizers import Tokenizer, normalizers, pre_tokenizers
from tokenizers.models import WordLevel
from tokenizers.processors import TemplateProcessing

from inference.arrays import FloatArray
from inference.runner.graph import FAMILIES
from inference.runner.graph_heads import output_shapes
from inference.runner.outputs import Output
from tests import tiny

DIM, HEADS, INNER, LAYERS, WINDOW = 8, 2, 16, 2, 160
WORDS = ("<s>", "<pad>", "</s>", "<unk>", "<mask>", *tiny.WORDS, "query", "passage", ":", ".")
SIZES = {
    "vocab_size": 64,  # a few more than there are tokens, as published models have
    "hidden_size": DIM,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": HEADS,
    "intermediate_size": INNER,
    "hidden_act": "gelu",
}
CONFIGS: dict[str, dict[str, Any]] = {
    "bert": SIZES
    | {
        "architectures": ["Bert"],
        "max_position_embeddings": WINDOW,
        "type_vocab_size": 2,
        "layer_norm_eps": 1e-12,
        "pad_token_id": 0,
    },
    "distilbert": {
        "architectures": ["DistilBert"],
        "vocab_size": 64,
        "dim": DIM,
        "n_layers": LAYERS,
        "n_heads": HEADS,
        "hidden_dim": INNER,
        "activation": "gelu",
        "max_position_embeddings": WINDOW,
        "pad_token_id": 0,
    },
    "mpnet": SIZES
    | {
        "architectures": ["MPNet"],
        "max_position_embeddings": WINDOW + 2,
        "layer_norm_eps": 1e-5,
        "relative_attention_num_buckets": 32,
        "pad_token_id": 1,
    },
    "roberta": SIZES
    | {
        "architectures": ["Roberta"],
        "max_position_embeddings": WINDOW + 2,
        "type_vocab_size": 1,
        "layer_norm_eps": 1e-5,
        "pad_token_id": 1,
    },
    "xlm-roberta": SIZES
    | {
        "architectures": ["XLMRoberta"],
        "max_position_embeddings": WINDOW + 2,
        "type_vocab_size": 1,
        "layer_norm_eps": 1e-5,
        "pad_token_id": 1,
    },
}
ENDINGS = {
    Output.STATES: "Model",
    Output.LOGITS: "ForMaskedLM",
    Output.SCORE: "ForSequenceClassification",
}


def write_checkpoint(folder: Path, family: str, output: Output = Output.STATES) -> Path:
    """Write config.json, tokenizer.json and model.safetensors; the same ones every time."""
    folder.mkdir(parents=True, exist_ok=True)
    config = CONFIGS[family] | {"model_type": family}
    config["architectures"] = [config["architectures"][0] + ENDINGS[output]]
    if output == Output.SCORE:
        config["id2label"], config["label2id"] = {"0": "LABEL_0"}, {"LABEL_0": 0}
    (folder / "config.json").write_text(json.dumps(config))
    tokenizer(family).save(str(folder / "tokenizer.json"))
    save_file(random_weights(family, config, output), folder / "model.safetensors")
    return folder


def random_weights(family: str, config: dict[str, Any], output: Output) -> dict[str, FloatArray]:
    parsed = FAMILIES[family].config.model_validate(config)
    shapes = output_shapes(FAMILIES[family], parsed, output)
    random = np.random.default_rng(7)
    return {
        stored_name(name, family, output): random.normal(
            1 if "norm" in name.lower() and name.endswith("weight") else 0, 0.4, shape
        ).astype(np.float32)
        for name, shape in shapes.items()
    }


def stored_name(name: str, family: str, output: Output) -> str:
    """Checkpoints with a head put the encoder's names behind the network's."""
    of_encoder = ("embeddings.", "encoder.", "transformer.", "pooler.")
    is_prefixed = output != Output.STATES and name.startswith(of_encoder)
    return FAMILIES[family].prefix + name if is_prefixed else name


def tokenizer(family: str) -> Tokenizer:
    return tiny.tokenizer() if family in ("bert", "distilbert") else words_tokenizer()


def words_tokenizer() -> Tokenizer:
    """As RoBERTa's: other special tokens, two of them between the texts of a pair, no types."""
    ids = {token: number for number, token in enumerate(WORDS)}
    made = Tokenizer(WordLevel(ids, unk_token="<unk>"))
    made.normalizer = normalizers.Lowercase()
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.post_processor = TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", ids["<s>"]), ("</s>", ids["</s>"])],
    )
    made.add_special_tokens(list(WORDS[:5]))
    return made
