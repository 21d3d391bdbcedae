"""A folder with a model small enough to load in no time: random weights, letters as tokens."""

from pathlib import Path

from tokenizers import Tokenizer, normalizers, pre_tokenizers
from tokenizers.models import WordPiece
from tokenizers.processors import TemplateProcessing

from inference.runner.graph import build_graph
from tests.inference.runner import bert

WORDS = ("the", "a", "cat", "dog", "sat", "ran", "blue", "sky", "port", "harbour", "night", "on")
PIECES = tuple("##" + piece for piece in ("s", "ing", "ed", "er", "est", "ly", "ness", "al", "y"))
LETTERS = tuple("bcdefghijklmnopqrstuvwxyz")
VOCABULARY = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", *LETTERS, *WORDS, *PIECES)


def write_tiny_model(folder: Path, seed: int = 5) -> Path:
    """Write config.json, tokenizer.json, model.safetensors and model.onnx."""
    folder.mkdir(parents=True, exist_ok=True)
    bert.write_model(folder, bert.CONFIG, bert.random_weights(seed))
    tokenizer().save(str(folder / "tokenizer.json"))
    build_graph(folder)
    return folder


def tokenizer() -> Tokenizer:
    ids = {token: number for number, token in enumerate(VOCABULARY)}
    made = Tokenizer(WordPiece(ids, unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", ids["[CLS]"]), ("[SEP]", ids["[SEP]"])],
    )
    made.add_special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]"])
    return made
