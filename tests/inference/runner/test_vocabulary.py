"""Tokenizers out of an uploaded vocabulary read texts as those that come with a model do."""

import json
from typing import Any

import pytest
from tokenizers import ByteLevelBPETokenizer, Tokenizer, decoders, normalizers, pre_tokenizers
from tokenizers.models import Unigram, WordPiece
from tokenizers.processors import RobertaProcessing, TemplateProcessing

from inference.errors import InvalidRequest, UnsupportedModel
from inference.nlp_config import DebertaOptions, Tokenization, TokenizerOptions
from inference.runner.vocabulary import UploadTokenizer, Vocabulary, build_tokenizer
from inference.types import Truncation
from tests.weights import MIRROR

TEXTS = (
    "Hello, World! unaffable 3.14",
    "naïve café 東京 don't",
    "a [MASK] is not <mask>",
    "",
    "  \t\n x   y  ",
    "a" * 150,
)
MINILM = MIRROR / "sentence-transformers" / "all-MiniLM-L6-v2" / "tokenizer.json"
TINY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "c", "d", "e", "f", "g", "q"]


def by_id(tokenizer: Tokenizer) -> list[str]:
    ids = tokenizer.get_vocab()
    return sorted(ids, key=ids.__getitem__)


def assert_same(ours: Tokenizer, reference: Tokenizer) -> None:
    for text in TEXTS:
        own, theirs = ours.encode(text), reference.encode(text)
        assert (own.tokens, own.ids) == (theirs.tokens, theirs.ids)
        assert own.offsets == theirs.offsets
        own, theirs = ours.encode("how big", text), reference.encode("how big", text)
        assert (own.ids, own.type_ids) == (theirs.ids, theirs.type_ids)


@pytest.mark.skipif(not MINILM.exists(), reason="the weights for the tests are not here")
def test_bert_reads_as_the_tokenizer_of_a_published_model() -> None:
    reference = Tokenizer.from_file(str(MINILM))
    reference.no_padding()
    reference.no_truncation()
    vocabulary = Vocabulary(by_id(reference), [], [])

    ours = build_tokenizer(vocabulary, Tokenization(bert=TokenizerOptions(do_lower_case=True)))

    assert_same(ours, reference)


def test_mpnet_reads_words_as_bert_does_with_tokens_of_its_own() -> None:
    tokens = ["<s>", "<pad>", "</s>", "<unk>", "[UNK]", "<mask>", *"abcehilnorxy", "##l", "##o"]
    ids = {token: number for number, token in enumerate(tokens)}
    reference = Tokenizer(WordPiece(ids, unk_token="[UNK]"))
    reference.normalizer = normalizers.BertNormalizer(lowercase=True)
    reference.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    reference.post_processor = RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    reference.add_special_tokens(["<s>", "<pad>", "</s>"])
    texts = [text for text in TEXTS if "mask" not in text]

    ours = build_tokenizer(
        Vocabulary(tokens, [], []), Tokenization(mpnet=TokenizerOptions(do_lower_case=True))
    )

    for text in texts:
        assert ours.encode(text).ids == reference.encode(text).ids
        assert ours.encode("x", text).ids == reference.encode("x", text).ids
        assert set(ours.encode("x", text).type_ids) == {0}


@pytest.mark.parametrize("adds_space", [False, True])
def test_roberta_pairs_bytes(adds_space: bool) -> None:
    learned = ByteLevelBPETokenizer(add_prefix_space=adds_space)
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    learned.train_from_iterator(TEXTS, vocab_size=320, min_frequency=1, special_tokens=special)
    reference = Tokenizer.from_str(learned.to_str())
    reference.post_processor = RobertaProcessing(
        ("</s>", 2), ("<s>", 0), trim_offsets=False, add_prefix_space=adds_space
    )
    merges = [" ".join(pair) for pair in json.loads(learned.to_str())["model"]["merges"]]
    vocabulary = Vocabulary(by_id(reference), merges, [])
    config: Any = {"roberta": {"add_prefix_space": adds_space}}

    ours = build_tokenizer(vocabulary, Tokenization.model_validate(config))

    for text in (text for text in TEXTS if "mask" not in text):
        assert ours.encode(text).ids == reference.encode(text).ids
        assert ours.encode("x", text).ids == reference.encode("x", text).ids
        assert ours.decode(ours.encode(text).ids) == reference.decode(reference.encode(text).ids)


def test_xlm_roberta_takes_the_likeliest_pieces() -> None:
    special = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    letters = [(letter, -9.0 - number) for number, letter in enumerate("abcdefghilnortuwxy▁,!")]
    pieces = [("▁Hel", -3.0), ("lo", -4.0), ("▁H", -5.0), ("ello", -5.5), ("▁x", -6.0)]
    pairs = [*special, *letters, *pieces, ("<mask>", 0.0)]
    reference = Tokenizer(Unigram(pairs, 3))
    reference.normalizer = normalizers.NFKC()
    reference.pre_tokenizer = pre_tokenizers.Metaspace()
    reference.decoder = decoders.Metaspace()
    reference.post_processor = TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", 0), ("</s>", 2)],
    )
    vocabulary = Vocabulary([token for token, _ in pairs], [], [score for _, score in pairs])

    ours = build_tokenizer(vocabulary, Tokenization(xlm_roberta=TokenizerOptions()))

    assert ours.encode("Hello").tokens == ["<s>", "▁Hel", "lo", "</s>"]
    for text in ("Hello, x!", "ﬁne", "東", "a b"):
        assert ours.encode(text).ids == reference.encode(text).ids
        assert ours.encode("x", text).ids == reference.encode("x", text).ids
    assert ours.encode("  a \n  b ").tokens == ours.encode("a b").tokens


def test_a_mask_takes_the_blank_before_it() -> None:
    tokens = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", "▁a", "▁", "a"]
    vocabulary = Vocabulary(tokens, [], [0.0] * len(tokens))

    ours = build_tokenizer(vocabulary, Tokenization(xlm_roberta=TokenizerOptions()))

    assert ours.encode("a <mask>").ids == [0, 5, 4, 2]


@pytest.mark.parametrize(
    ("vocabulary", "tokenization", "reason"),
    [
        (Vocabulary(TINY, [], []), {"bert_ja": {}}, "not supported here, only"),
        (Vocabulary(["a", "b"], [], []), {"bert": {}}, r"must hold \['\[CLS\]', '\[SEP\]'\]"),
        (Vocabulary(["<s>", "</s>"], [], []), {"roberta": {}}, r"must come with \[merges\]"),
        (Vocabulary(["<s>", "</s>"], [], []), {"xlm_roberta": {}}, r"must come with \[scores\]"),
        (Vocabulary(["<s>", "</s>"], ["x y"], []), {"roberta": {}}, "makes no"),
        (Vocabulary(["<s>", "</s>"], [], [0.0, 0.0]), {"xlm_roberta": {}}, "makes no"),
    ],
)
def test_a_vocabulary_that_does_not_fit_is_refused(
    vocabulary: Vocabulary, tokenization: dict[str, Any], reason: str
) -> None:
    with pytest.raises(UnsupportedModel, match=reason):
        build_tokenizer(vocabulary, Tokenization.model_validate(tokenization))


@pytest.fixture(scope="module")
def tiny() -> UploadTokenizer:
    return UploadTokenizer(Vocabulary(TINY, [], []), Tokenization(bert=TokenizerOptions()))


def windows(found: Any) -> list[str]:
    return [" ".join(window.encoding.tokens) for window in found]


def options(length: int, truncate: Any = "none", span: int = -1, **more: Any) -> TokenizerOptions:
    return DebertaOptions(max_sequence_length=length, truncate=truncate, span=span, **more)


def test_a_text_that_fits_is_one_window(tiny: UploadTokenizer) -> None:
    (window,) = tiny.windows("a b", options(4))

    assert window.encoding.tokens == ["[CLS]", "a", "b", "[SEP]"]
    assert window.cut is None


@pytest.mark.parametrize("truncate", ["first", "second", "balanced"])
def test_a_long_text_loses_its_end(tiny: UploadTokenizer, truncate: str) -> None:
    (window,) = tiny.windows("a b c", options(4, truncate))

    assert window.encoding.tokens == ["[CLS]", "a", "b", "[SEP]"]
    assert window.cut == Truncation(4, 1)


def test_a_long_text_can_be_read_in_windows_that_overlap(tiny: UploadTokenizer) -> None:
    assert windows(tiny.windows("a b c d e f g", options(6, span=2))) == [
        "[CLS] a b c d [SEP]",
        "[CLS] c d e f [SEP]",
        "[CLS] e f g [SEP]",
    ]


def test_every_window_of_a_pair_begins_with_the_first_text(tiny: UploadTokenizer) -> None:
    found = tiny.pair_windows("q", "a b c d e", options(7, span=1))

    assert windows(found) == ["[CLS] q [SEP] a b c [SEP]", "[CLS] q [SEP] c d e [SEP]"]
    assert found[1].encoding.type_ids == [0, 0, 0, 1, 1, 1, 1]
    assert found[1].encoding.offsets[3] == (4, 5)


@pytest.mark.parametrize(
    ("truncate", "expected"),
    [
        ("first", "[CLS] q [SEP] a b c d [SEP]"),
        ("second", "[CLS] q q q [SEP] a b [SEP]"),
        ("balanced", "[CLS] q q [SEP] a b c [SEP]"),
    ],
)
def test_one_text_of_a_pair_is_cut(tiny: UploadTokenizer, truncate: str, expected: str) -> None:
    (window,) = tiny.pair_windows("q q q", "a b c d", options(8, truncate))

    assert " ".join(window.encoding.tokens) == expected
    assert window.cut == Truncation(8, 2)


@pytest.mark.parametrize(
    ("first", "second", "how"),
    [
        ("a b c d", "", options(4)),
        ("q", "a b c d e", options(6)),
        ("a b c d e", "q", options(6, span=1)),
        ("q", "a b c d e", options(6, "first")),
        ("a b c d e", "q", options(6, "second")),
        ("q", "a b c d e", options(6, span=2)),
    ],
)
def test_what_cannot_be_made_to_fit_is_refused(
    tiny: UploadTokenizer, first: str, second: str, how: TokenizerOptions
) -> None:
    with pytest.raises(InvalidRequest, match=r"too large|leaves no room"):
        tiny.pair_windows(first, second, how)


def test_special_tokens_can_be_left_out(tiny: UploadTokenizer) -> None:
    bare = options(3, "first", with_special_tokens=False)

    assert windows(tiny.windows("a b c d", bare)) == ["a b c"]
