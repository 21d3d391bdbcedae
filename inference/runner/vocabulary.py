"""A tokenizer out of an uploaded vocabulary, and texts and pairs as a network reads them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from tokenizers import (
    AddedToken,
    Encoding,
    Regex,
    Tokenizer,
    decoders,
    normalizers,
    pre_tokenizers,
)
from tokenizers.models import BPE, Unigram, WordPiece
from tokenizers.processors import TemplateProcessing

from inference.errors import InvalidRequest, UnsupportedModel
from inference.nlp_config import RobertaOptions, Tokenization, TokenizerOptions
from inference.types import Truncation

# A word of more characters is one unknown token, as in BERT's own tokenizer.
MAX_WORD_CHARACTERS = 100
SPACES = Regex(" {2,}")


@dataclass(frozen=True)
class Vocabulary:
    """tokens: by id. merges: of a byte-pair encoding. scores: of a unigram model, by id."""

    tokens: list[str]
    merges: list[str]
    scores: list[float]

    @classmethod
    def read(cls, path: Path) -> "Vocabulary":
        raw = orjson.loads(path.read_bytes())
        scores = [float(score) for score in raw.get("scores", ())]
        return cls(raw["vocabulary"], raw.get("merges", []), scores)

    @property
    def ids(self) -> dict[str, int]:
        return {token: number for number, token in enumerate(self.tokens)}


@dataclass(frozen=True)
class Specials:
    """The tokens that stand for no text. between: what parts two texts of a pair."""

    start: str
    end: str
    pad: str
    unknown: str
    mask: str
    between: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[str, ...]:
        return (self.start, self.end, self.pad, self.unknown, self.mask)


BERT = Specials("[CLS]", "[SEP]", "[PAD]", "[UNK]", "[MASK]", ("[SEP]",))
ROBERTA = Specials("<s>", "</s>", "<pad>", "<unk>", "<mask>", ("</s>", "</s>"))
MPNET = Specials("<s>", "</s>", "<pad>", "[UNK]", "<mask>", ("</s>", "</s>"))


def build_tokenizer(vocabulary: Vocabulary, tokenization: Tokenization) -> Tokenizer:
    """The tokenizer that the config names. Raises UnsupportedModel for what cannot be built."""
    kind = tokenization.kind
    if kind not in BUILDERS:
        raise UnsupportedModel(
            f"tokenization [{kind}] is not supported here, only [{', '.join(BUILDERS)}]"
        )
    specials, build = BUILDERS[kind]
    ids = vocabulary.ids
    if missing := [token for token in (specials.start, specials.end) if token not in ids]:
        raise UnsupportedModel(f"the vocabulary of a [{kind}] model must hold {missing}")
    try:
        tokenizer = build(vocabulary, tokenization.options)
    except UnsupportedModel:
        raise
    except Exception as exc:  # the library has no errors of its own
        raise UnsupportedModel(f"the vocabulary makes no [{kind}] tokenizer: {exc}") from exc
    tokenizer.add_special_tokens(
        [
            # What stands for a word to be guessed takes the blank before it, as a word would.
            AddedToken(token, lstrip=token == ROBERTA.mask, special=True)
            for token in specials.all
            if token in ids
        ]
    )
    # RoBERTa and its kin know one type of token, BERT tells two texts apart by it.
    second = ":1" if specials is BERT else ""
    between = " ".join(specials.between)
    tokenizer.post_processor = TemplateProcessing(
        single=f"{specials.start} $A {specials.end}",
        pair=f"{specials.start} $A {between} $B{second} {specials.end}{second}",
        special_tokens=[(token, ids[token]) for token in (specials.start, specials.end)],
    )
    return tokenizer


def word_pieces(unknown: str) -> Callable[[Vocabulary, TokenizerOptions], Tokenizer]:
    def build(vocabulary: Vocabulary, options: TokenizerOptions) -> Tokenizer:
        model = WordPiece(
            vocabulary.ids, unk_token=unknown, max_input_chars_per_word=MAX_WORD_CHARACTERS
        )
        tokenizer = Tokenizer(model)
        tokenizer.normalizer = normalizers.BertNormalizer(lowercase=options.do_lower_case)
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        tokenizer.decoder = decoders.WordPiece()
        return tokenizer

    return build


def byte_pairs(vocabulary: Vocabulary, options: TokenizerOptions) -> Tokenizer:
    if not vocabulary.merges:
        raise UnsupportedModel("the vocabulary of a [roberta] model must come with [merges]")
    merges = [(first, second) for first, _, second in (m.partition(" ") for m in vocabulary.merges)]
    tokenizer = Tokenizer(BPE(vocabulary.ids, merges))
    adds_space = isinstance(options, RobertaOptions) and options.add_prefix_space
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=adds_space)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def unigrams(unknown: str) -> Callable[[Vocabulary, TokenizerOptions], Tokenizer]:
    def build(vocabulary: Vocabulary, options: TokenizerOptions) -> Tokenizer:
        if not vocabulary.scores:
            raise UnsupportedModel("the vocabulary of a unigram model must come with [scores]")
        pairs = list(zip(vocabulary.tokens, vocabulary.scores, strict=True))
        tokenizer = Tokenizer(Unigram(pairs, vocabulary.ids[unknown]))
        # SentencePiece's own table of characters is no part of an upload; this is what it does
        # to all but rare ones.
        steps: list[Any] = [normalizers.Nmt(), normalizers.NFKC(), normalizers.Strip()]
        if options.do_lower_case:
            steps.append(normalizers.Lowercase())
        tokenizer.normalizer = normalizers.Sequence([*steps, normalizers.Replace(SPACES, " ")])
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
        tokenizer.decoder = decoders.Metaspace()
        return tokenizer

    return build


BUILDERS: dict[str, tuple[Specials, Callable[[Vocabulary, Any], Tokenizer]]] = {
    "bert": (BERT, word_pieces(BERT.unknown)),
    "mpnet": (MPNET, word_pieces(MPNET.unknown)),
    "roberta": (ROBERTA, byte_pairs),
    "xlm_roberta": (ROBERTA, unigrams(ROBERTA.unknown)),
    "deberta_v2": (BERT, unigrams(BERT.unknown)),
}


@dataclass(frozen=True)
class Window:
    """Tokens that the network reads at once. cut: what of the text it does not read."""

    encoding: Encoding
    cut: Truncation | None = None


class UploadTokenizer:
    """Texts, or pairs of them, to tokens, within the window that the config sets."""

    def __init__(self, vocabulary: Vocabulary, tokenization: Tokenization) -> None:
        self._tokenizer = build_tokenizer(vocabulary, tokenization)
        self.specials = BUILDERS[tokenization.kind][0]
        self.tokens = vocabulary.tokens
        self.ids = vocabulary.ids
        self.pad_id = self.ids.get(self.specials.pad, 0)

    @property
    def special_ids(self) -> list[int]:
        return [self.ids[token] for token in self.specials.all if token in self.ids]

    def decode(self, ids: Sequence[int]) -> str:
        """The text of tokens, without the special ones."""
        text: str = self._tokenizer.decode(list(ids))
        return text

    def windows(self, text: str, options: TokenizerOptions) -> list[Window]:
        """One text: one window, or several where a span lets a long one have them.

        Raises InvalidRequest for a text that is longer than a window and must not be cut.
        """
        (own,) = self._encode(text)
        room = options.max_sequence_length - self._added(options, is_pair=False)
        lost = max(0, len(own) - room) if options.truncate != "none" else 0
        pieces = fit(own, room, options)
        return [self._window(piece, None, lost, options) for piece in pieces]

    def pair_windows(self, first: str, second: str, options: TokenizerOptions) -> list[Window]:
        """The same for a pair; several windows all begin with the whole first text."""
        one, two = self._encode(first, second)
        room = options.max_sequence_length - self._added(options, is_pair=True)
        lost, pieces = max(0, len(one) + len(two) - room), [two]
        if options.truncate == "none":
            lost, pieces = 0, fit(two, room - len(one), options)
        elif lost:
            keep_one, keep_two = shares(len(one), len(two), room, options.truncate)
            one.truncate(keep_one)
            two.truncate(keep_two)
        return [self._window(one, piece, lost, options) for piece in pieces]

    def _encode(self, *texts: str) -> list[Encoding]:
        encodings: list[Encoding] = self._tokenizer.encode_batch(
            list(texts), add_special_tokens=False
        )
        return encodings

    def _window(
        self, first: Encoding, second: Encoding | None, lost: int, options: TokenizerOptions
    ) -> Window:
        """lost: how many tokens were cut off."""
        encoding = self._tokenizer.post_process(first, second, options.with_special_tokens)
        return Window(encoding, Truncation(len(encoding), lost) if lost else None)

    def _added(self, options: TokenizerOptions, *, is_pair: bool) -> int:
        """How many special tokens come to one text or a pair."""
        if not options.with_special_tokens:
            return 0
        return 2 + (len(self.specials.between) if is_pair else 0)


def fit(text: Encoding, room: int, options: TokenizerOptions) -> list[Encoding]:
    """A text cut to room, or in windows that have it all. Raises InvalidRequest."""
    if len(text) <= room:
        return [text]
    if options.truncate != "none":
        text.truncate(max(room, 0))
        return [text]
    if options.span < 0:
        raise InvalidRequest(
            f"Input too large. The tokenized input length [{len(text)}] exceeds the maximum "
            f"sequence length [{room}]"
        )
    if room <= options.span:
        raise InvalidRequest(f"a [span] of {options.span} leaves no room in a window of {room}")
    text.truncate(room, stride=options.span)
    return [text, *text.overflowing]


def shares(first: int, second: int, room: int, truncate: str) -> tuple[int, int]:
    """How many tokens of each of two texts are kept. Raises InvalidRequest where none would be."""
    match truncate:
        case "first":
            kept = room - second, second
        case "second":
            kept = first, room - first
        case _:
            half = room // 2
            shorter = min(first, second, half)
            kept = (shorter, room - shorter) if first <= second else (room - shorter, shorter)
    if min(kept) < 0:
        raise InvalidRequest(
            f"Input too large. The two texts have [{first}] and [{second}] tokens, and cutting "
            f"the {truncate} one alone does not make them fit into [{room}]"
        )
    return kept
