"""What the chunking tests share."""

from typing import Any

from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from inference.chunking import chunk
from inference.chunking.settings import parse_chunking

CHARACTERS = st.one_of(
    st.sampled_from(
        "ab XY19 .,'_:\n\r\t!?-。、ไท\u0e34日本語はカ々한\u0301\u200d\u2029Жя\u0645ß½Ⓐ😀🇩🇪𠀀"
    ),
    st.characters(),
    st.characters(categories=["Cs"]),
)
WORDS = st.sampled_from(
    [
        "one",
        "Two",
        "e.g.",
        "3.14",
        "日本語を話す",
        "好。",
        "Ja!",
        "\n",
        "\n\n",
        "\n# ",
        "\r\n",
        "👍🏽",
        "👩\u200d👩\u200d👧\u200d👦",
        "ภาษาไทยเป็นภาษาที่มีระดับเสียง",
        "机器学习是人工智能的一个分支",
        "اللغة العربية.",
        "\ud83d",
        "\ude00",
        "한\u0301",
        ".",
    ]
)
ANY_TEXT = st.one_of(
    st.text(CHARACTERS, max_size=60),
    st.lists(WORDS, max_size=120).map(" ".join),
    st.lists(st.one_of(WORDS, CHARACTERS), max_size=80).map("".join),
)
quickly = hypothesis_settings(max_examples=120, deadline=None, derandomize=True)


def offsets(text: str, strategy: str, **settings: Any) -> list[list[int]]:
    spans = chunk(text, parse_chunking({"strategy": strategy, **settings}))
    return [[span.start, span.end] for span in spans]


def utf16_length(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def utf16_slice(text: str, start: int, end: int) -> str:
    encoded = text.encode("utf-16-le", "surrogatepass")
    return encoded[2 * start : 2 * end].decode("utf-16-le", "surrogatepass")
