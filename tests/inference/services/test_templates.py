"""Templates are filled in one pass: no value can ever name another."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.services.templates import TemplateError, fill
from inference.types import TaskType
from tests.inference.services.asking import endpoint

NASTY = st.one_of(
    st.text(),
    st.sampled_from(
        ["${api_key}", "$${api_key}", "${x:-${api_key}}", '"', "\\", "}", "${", "a\nb"]
    ),
)
SCALAR = st.one_of(
    NASTY,
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False),
)


@pytest.mark.parametrize(
    ("template", "filled"),
    [
        ("a ${x} b ${x}", "a 1 b 1"),
        ("${x}${y}", "12"),
        ("${z:-0.2}", "0.2"),
        ("${z:-}", ""),
        ("${x:-0.2}", "1"),
        ("${:-empty}", "empty"),
        ("$ {x} $x {x} $", "$ {x} $x {x} $"),
        ("${x", "${x"),
        ("${x} ${x", "1 ${x"),
        ("${z:-a\nb}", "a\nb"),
        ("", ""),
    ],
)
def test_a_name_is_replaced_by_its_value(template: str, filled: str) -> None:
    assert fill(template, {"x": "1", "y": "2"}, "request") == filled


@pytest.mark.parametrize(
    ("template", "placeholder"),
    [
        ("${z}", "${z}"),
        ("${X}", "${X}"),
        ("${ x }", "${ x }"),
        ("${}", "${}"),
        ("$${x}", "${x}"),
        ("$$${x}", "${x}"),
        ("$${z:-1}", "${z:-1}"),
        ("${z:-${x}}", "${x}"),
        ("${${x}}", "${${x}"),
        ("${x\n}", "${x\n}"),
    ],
)
def test_a_name_without_a_value_is_told(template: str, placeholder: str) -> None:
    with pytest.raises(TemplateError) as told:
        fill(template, {"x": "1"}, "header.Authorization")

    assert str(told.value) == (
        f"Found placeholder [{placeholder}] in field [header.Authorization] after replacement "
        "call, please check that all templates have a corresponding field definition."
    )


def test_a_long_template_of_nothing_but_beginnings_takes_no_time() -> None:
    template = "${:-" * 200_000

    assert fill(template, {}, "request") == template


@given(st.dictionaries(st.sampled_from("abc"), NASTY, min_size=3))
def test_values_are_put_in_as_they_are(values: dict[str, str]) -> None:
    filled = fill("<${a}|${b}|${c}>", values, "url")

    assert filled == f"<{values['a']}|{values['b']}|{values['c']}>"


@given(st.lists(NASTY, min_size=1), SCALAR, NASTY)
def test_a_body_stays_the_json_that_was_meant_whatever_the_values(
    texts: list[str], parameter: Any, secret: str
) -> None:
    asking = endpoint(
        "custom",
        TaskType.TEXT_EMBEDDING,
        {
            "url": "https://emb.example.org/",
            "secret_parameters": {"api_key": secret},
            "request": '{"t":${input},"p":${p},"k":${api_key},"m":${input_type}}',
            "response": {"json_parser": {"text_embeddings": "$.rows"}},
        },
        {"rows": [[0.5]] * len(texts)},
        task_settings={"parameters": {"p": parameter}},
    )

    asking.infer(*texts)

    assert json.loads(asking.request.content) == {
        "t": texts,
        "p": parameter,
        "k": secret,
        "m": "",
    }


@given(NASTY)
def test_what_a_caller_sends_cannot_bring_out_a_secret(text: str) -> None:
    asking = endpoint(
        "custom",
        TaskType.COMPLETION,
        {
            "url": "https://llm.example.org/",
            "secret_parameters": {"api_key": "planted-secret"},
            "headers": {"Authorization": "Bearer ${api_key}"},
            "request": '{"prompt":${input},"user":${user}}',
            "response": {"json_parser": {"completion_result": "$.text"}},
        },
        {"text": "ok"},
        task_settings={"parameters": {"user": "nobody"}},
    )

    asking.infer(text, task_settings={"parameters": {"user": text}})

    assert b"planted-secret" not in asking.request.content
    assert asking.request.headers["Authorization"] == "Bearer planted-secret"
