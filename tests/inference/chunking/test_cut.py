import numpy as np

from inference.chunking import chunk, chunk_texts
from inference.chunking.cut import cut_start, cut_text
from inference.chunking.settings import parse_chunking

WORDS = {"strategy": "word", "max_chunk_size": 10, "overlap": 3}
TEXT = "One two three four five six seven eight nine ten 🐝 eleven twelve. Thirteen is the last."


def test_a_cut_has_the_chunks_of_the_api_by_their_place_in_the_text() -> None:
    settings = parse_chunking(WORDS)

    cut = cut_text(TEXT, settings)

    assert cut.texts(TEXT) == chunk_texts(TEXT, chunk(TEXT, settings))
    assert cut.texts(TEXT, 1, 2) == cut.texts(TEXT)[1:2]
    assert cut.words.tolist() == [10, 9]
    assert cut.characters.tolist() == [len(one) for one in cut.texts(TEXT)]


def test_a_cut_knows_what_a_chunk_repeats_of_the_one_before() -> None:
    cut = cut_text(TEXT, parse_chunking(WORDS))

    assert cut.repeated(0) == 0
    assert cut.texts(TEXT)[1][: cut.repeated(1)] == " eight nine ten"


def test_a_cut_counts_the_chunks_up_to_a_place() -> None:
    cut = cut_text(TEXT, parse_chunking(WORDS))

    assert [cut.up_to(place) for place in (0, int(cut.ends[0]), len(TEXT))] == [1, 1, 2]
    assert np.all(cut.ends > cut.starts)


def test_the_start_of_a_long_text_is_cut_as_in_the_whole() -> None:
    text = "# One\n\n" + "A sentence of some words is here.\n\n## Two\n\nAnd one more. " * 300
    recursive = {"strategy": "recursive", "max_chunk_size": 20, "separator_group": "markdown"}
    sentence = {"strategy": "sentence", "max_chunk_size": 25, "sentence_overlap": 1}

    for written in (WORDS, recursive, sentence):
        settings = parse_chunking(written)
        start, whole = cut_start(text, settings, 2000), cut_text(text, settings)
        assert 10 < len(start) < len(whole) / 3
        assert start.ends.tolist() == whole.ends[: len(start)].tolist()
        assert start.starts.tolist() == whole.starts[: len(start)].tolist()
        assert len(cut_start(text, settings, len(text))) == len(whole)
