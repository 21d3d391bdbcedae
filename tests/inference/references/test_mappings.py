from collections.abc import Mapping
from typing import Any

import pytest

from inference.errors import InvalidArgument, InvalidRequest
from inference.references.errors import MapperParsing
from inference.references.mappings import (
    is_compatible,
    left_out,
    merge_mapping,
    parse_mapping,
    referenced_ids,
    semantic_fields,
)

DENSE = {
    "task_type": "text_embedding",
    "dimensions": 384,
    "similarity": "cosine",
    "element_type": "float",
}
SPARSE = {"task_type": "sparse_embedding"}


def fields(**properties: Any) -> dict[str, Any]:
    return {"properties": properties}


def semantic(inference_id: str | None = "a", **more: Any) -> dict[str, Any]:
    named = {} if inference_id is None else {"inference_id": inference_id}
    return {"type": "semantic_text", **named, **more}


def merged(existing: Any, update: Any, known: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return merge_mapping(parse_mapping(existing), update, (known or {}).get)


def test_a_known_type_keeps_parameters_nobody_checks() -> None:
    mapping = fields(v={"type": "dense_vector", "dims": 3, "anything": [1]}) | {"dynamic": "strict"}

    assert parse_mapping(mapping) == mapping


def test_semantic_text_is_found_in_objects_nested_objects_and_multi_fields() -> None:
    mapping = parse_mapping(
        fields(
            top=semantic("one", search_inference_id="two"),
            plain={"properties": {"inner": semantic("three")}},
            rows={"type": "nested", "properties": {"cell": semantic("four")}},
            title={"type": "text", "fields": {"semantic": semantic("five")}},
            other={"type": "keyword"},
        )
    )

    paths = [path for path, _ in semantic_fields(mapping)]
    assert paths == ["top", "plain.inner", "rows.cell", "title.semantic"]
    assert referenced_ids(mapping) == {"one", "two", "three", "four", "five"}


def test_a_field_without_an_endpoint_shows_and_uses_the_default() -> None:
    mapping = parse_mapping(fields(body=semantic(None)))

    assert mapping["properties"]["body"]["inference_id"] == ".elser-2-elasticsearch"
    assert referenced_ids(mapping) == {".elser-2-elasticsearch"}


def test_the_endpoint_for_searches_is_shown_only_where_it_is_another() -> None:
    mapping = parse_mapping(
        fields(
            same=semantic("a", search_inference_id="a"),
            other=semantic("a", search_inference_id="b"),
        )
    )

    assert "search_inference_id" not in mapping["properties"]["same"]
    assert mapping["properties"]["other"]["search_inference_id"] == "b"


def test_dots_in_a_name_are_objects() -> None:
    mapping = parse_mapping(fields(**{"a.b.c": semantic("x"), "a.d": {"type": "text"}}))

    assert mapping["properties"]["a"]["properties"]["b"]["properties"]["c"]["inference_id"] == "x"
    assert set(mapping["properties"]["a"]["properties"]) == {"b", "d"}


def test_chunking_settings_are_checked_and_completed() -> None:
    chunking = {"strategy": "sentence", "max_chunk_size": 40}

    mapping = parse_mapping(fields(body=semantic(chunking_settings=chunking)))

    assert mapping["properties"]["body"]["chunking_settings"] == chunking | {"sentence_overlap": 1}


@pytest.mark.parametrize(
    ("field", "named"),
    [
        (semantic(""), "inference_id"),
        (semantic(search_inference_id=""), "search_inference_id"),
        (semantic(3), "inference_id"),  # type: ignore[arg-type]
        ({"type": "semantic_text", "inference_id": None}, "inference_id"),
        (semantic(colour="red"), "colour"),
        (semantic(chunking_settings={"strategy": "word", "max_chunk_size": 5}), "max_chunk_size"),
        (semantic(chunking_settings=[]), "chunking_settings"),
        (semantic(meta="x"), "meta"),
        (semantic(index_options=1), "index_options"),
        (semantic(model_settings="x"), "model_settings"),
        (semantic(model_settings={}), "task_type"),
        (semantic(model_settings={"task_type": "rerank"}), "rerank"),
        (semantic(model_settings={**DENSE, "dimensions": None}), "dimensions"),
        (semantic(model_settings={**DENSE, "dimensions": True}), "dimensions"),
        (semantic(model_settings={**DENSE, "similarity": "taste"}), "similarity"),
        (semantic(model_settings={**DENSE, "element_type": "word"}), "element_type"),
        (semantic(model_settings={**SPARSE, "dimensions": 3}), "dimensions"),
        (semantic(model_settings={**SPARSE, "colour": 3}), "colour"),
        ({"type": "poem"}, r"mapper type \[poem\] declared on field \[f\] does not exist"),
        ({"type": ["text"]}, "does not exist"),
        ({"index": False}, "No type specified"),
        ("text", "Expected map"),
        ({"type": "text", "fields": []}, "Expected map"),
        ({"properties": {"": {"type": "text"}}}, "empty string"),
        ({"properties": {"a..b": {"type": "text"}}}, "empty string"),
    ],
)
def test_a_field_that_cannot_be_is_refused_with_its_cause(field: Any, named: str) -> None:
    with pytest.raises(MapperParsing, match=named) as refused:
        parse_mapping(fields(f=field))

    assert str(refused.value).startswith("Failed to parse mapping: ")
    assert refused.value.metadata["caused_by"]["reason"] in str(refused.value)


@pytest.mark.parametrize("mapping", [[], "x", {"colour": 1}, {"properties": 3}])
def test_a_mapping_that_is_none_is_refused(mapping: Any) -> None:
    with pytest.raises(MapperParsing):
        parse_mapping(mapping)


def test_a_mapping_may_be_twenty_levels_deep() -> None:
    def deep(levels: int) -> dict[str, Any]:
        return fields(a=deep(levels - 1) if levels > 1 else {"type": "text"})

    parse_mapping(deep(20))
    with pytest.raises(InvalidArgument, match="depth"):
        parse_mapping(deep(21))


def test_an_update_adds_fields_and_removes_none() -> None:
    existing = fields(a={"type": "text"}, o={"properties": {"x": {"type": "ip"}}})

    result = merged(existing, fields(b=semantic("e"), o={"properties": {"y": {"type": "long"}}}))

    assert set(result["properties"]) == {"a", "b", "o"}
    assert set(result["properties"]["o"]["properties"]) == {"x", "y"}
    assert referenced_ids(result) == {"e"}


@pytest.mark.parametrize(
    ("update", "path"),
    [
        ({"a": {"type": "keyword"}}, r"\[a\] cannot be changed from type \[text\] to \[keyword\]"),
        ({"a": {"properties": {}}}, r"\[a\] cannot be changed from type \[text\] to \[object\]"),
        ({"o": {"properties": {"x": {"type": "text"}}}}, r"\[o.x\] cannot be changed"),
        ({"o": {"type": "nested"}}, r"from type \[object\] to \[nested\]"),
        ({"s": {"type": "text"}}, r"from type \[semantic_text\] to \[text\]"),
    ],
)
def test_the_type_of_a_field_stays(update: Any, path: str) -> None:
    existing = fields(a={"type": "text"}, o={"properties": {"x": {"type": "ip"}}}, s=semantic("e"))

    with pytest.raises(InvalidArgument, match=path):
        merged(existing, fields(**update))


def test_what_has_to_do_with_searching_and_cutting_may_change() -> None:
    chunking = {"strategy": "word", "max_chunk_size": 20, "overlap": 2}
    change: dict[str, Any] = {
        "search_inference_id": "b",
        "chunking_settings": chunking,
        "meta": {"x": "y"},
        "index_options": {"dense_vector": {"type": "flat"}},
    }
    existing = fields(f=semantic(model_settings=DENSE))

    result = merged(existing, fields(f=semantic(**change)))

    assert result["properties"]["f"] == semantic(model_settings=DENSE, **change)


def test_null_clears_the_chunking() -> None:
    existing = fields(f=semantic(chunking_settings={"strategy": "none"}))

    assert merged(existing, fields(f=semantic()))["properties"]["f"]["chunking_settings"]
    cleared = merged(existing, fields(f=semantic(chunking_settings=None)))
    assert "chunking_settings" not in cleared["properties"]["f"]


def test_the_endpoint_may_change_while_nothing_was_written() -> None:
    result = merged(fields(f=semantic("a")), fields(f=semantic("b")))

    assert referenced_ids(result) == {"b"}


def test_the_endpoint_may_change_to_one_whose_model_fits() -> None:
    existing = fields(f=semantic("a", model_settings=DENSE))

    result = merged(existing, fields(f=semantic("b")), {"b": {**DENSE, "service": "other"}})

    assert referenced_ids(result) == {"b"}


@pytest.mark.parametrize("known", [{}, {"b": SPARSE}, {"b": {**DENSE, "dimensions": 3}}])
def test_the_endpoint_may_not_change_to_any_other(known: dict[str, Any]) -> None:
    existing = fields(f=semantic("a", model_settings=DENSE))

    with pytest.raises(InvalidRequest) as refused:
        merged(existing, fields(f=semantic("b")), known)

    assert refused.value.type == "illegal_argument_exception"
    assert str(refused.value) == (
        "Mapper for [f] conflicts with existing mapper: "
        "Cannot update parameter [inference_id] from [a] to [b]"
    )


def test_the_model_that_wrote_stays_known() -> None:
    existing = fields(f=semantic(model_settings=DENSE))

    for settings in (None, SPARSE):
        with pytest.raises(InvalidArgument, match=r"\[model_settings\]"):
            merged(existing, fields(f=semantic(model_settings=settings)))


def test_models_fit_when_their_vectors_do() -> None:
    assert is_compatible(DENSE, {**DENSE, "service": "elsewhere"})
    assert is_compatible(SPARSE, SPARSE)
    assert not is_compatible(DENSE, SPARSE)
    for name, value in (("dimensions", 3), ("similarity", "l2_norm"), ("element_type", "byte")):
        assert not is_compatible(DENSE, {**DENSE, name: value})


def test_what_an_update_leaves_out_is_told_by_its_dotted_name() -> None:
    inner = fields(gone={"type": "text"}, kept=semantic("a", search_inference_id="b"))
    mapping = parse_mapping(fields(o=inner, usual=semantic(None)) | {"dynamic": "strict"})

    update = fields(**{"o.kept": semantic("c")}, usual=semantic(None))

    assert sorted(left_out(mapping, update)) == ["dynamic", "o.gone", "o.kept.search_inference_id"]
    assert list(left_out(mapping, mapping)) == []
