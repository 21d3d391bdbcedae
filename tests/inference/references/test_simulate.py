from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from inference.errors import NotFound
from inference.references.pipelines import check_pipeline
from inference.references.simulate import Prediction, simulate, simulate_verbose

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class FakeModels:
    """Says of every text how long it is; cuts texts of more than ten characters."""

    asked: list[tuple[str, list[str]]] = field(default_factory=list)

    def __call__(
        self, model_id: str, texts: Sequence[str], config: Mapping[str, Any]
    ) -> list[Prediction]:
        if model_id == "nobody":
            raise NotFound("Inference endpoint not found [nobody]")
        self.asked.append((model_id, list(texts)))
        return [Prediction([len(text), 0.5], len(text) > 10) for text in texts]


@pytest.fixture
def models() -> FakeModels:
    return FakeModels()


def infer(model_id: str = "m", **options: Any) -> dict[str, Any]:
    return {"inference": {"model_id": model_id, **options}}


def put(name: str, value: Any, **options: Any) -> dict[str, Any]:
    return {"set": {"field": name, "value": value, **options}}


def pipeline(*processors: Any, **more: Any) -> dict[str, Any]:
    config = {"processors": list(processors), **more}
    check_pipeline(config)
    return config


def run(config: dict[str, Any], **source: Any) -> Any:
    """The source after the pipeline."""
    (entry,) = simulate(config, [{"_source": source}], FakeModels(), NOW)
    assert "error" not in entry, entry
    return entry["doc"]["_source"]


def error(config: dict[str, Any], **source: Any) -> tuple[str, str]:
    (entry,) = simulate(config, [{"_source": source}], FakeModels(), NOW)
    found = entry["error"]
    assert found["root_cause"] == [{"type": found["type"], "reason": found["reason"]}]
    return found["type"], found["reason"]


IN_OUT: dict[str, Any] = {"input_output": {"input_field": "text", "output_field": "vector"}}
ILLEGAL = "illegal_argument_exception"


def test_a_document_comes_back_with_its_names_and_the_time(models: FakeModels) -> None:
    docs: list[Any] = [{"_index": "i", "_id": "1", "_source": {"a": 1}}, {"_source": {}}]

    first, second = simulate(pipeline(), docs, models, NOW)

    assert first["doc"] == {
        "_index": "i",
        "_id": "1",
        "_version": "-3",
        "_source": {"a": 1},
        "_ingest": {"timestamp": "2026-01-01T00:00:00.000000Z"},
    }
    assert (second["doc"]["_index"], second["doc"]["_id"]) == ("_index", "_id")


def test_one_document_that_fails_does_not_fail_the_others(models: FakeModels) -> None:
    docs: list[Any] = [{"_source": {"text": "a"}}, {"_source": {}}, {"_source": {"text": "bb"}}]

    first, second, third = simulate(pipeline(infer(**IN_OUT)), docs, models, NOW)

    assert first["doc"]["_source"]["vector"] == [1, 0.5]
    assert "[text]" in second["error"]["reason"]
    assert third["doc"]["_source"]["vector"] == [2, 0.5]


def test_what_was_sent_is_left_as_it_was(models: FakeModels) -> None:
    docs = [{"_source": {"a": {"b": 1}}}]

    simulate(pipeline(put("a.b", 2)), docs, models, NOW)

    assert docs == [{"_source": {"a": {"b": 1}}}]


def test_set_fills_in_templates_everywhere() -> None:
    value = {"{{name}}": ["{{{ name }}}!", "{{a.b}}", "{{nothing}}", "{{_id}}", 3]}

    result = run(pipeline(put("to.{{name}}", value)), name="x", a={"b": 1.5})

    assert result["to"] == {"x": {"x": ["x!", "1.5", "", "_id", 3]}}


def test_set_leaves_what_it_is_told_to_leave() -> None:
    keep = put("a", 2, override=False)

    assert run(pipeline(keep), a=1) == {"a": 1}
    assert run(pipeline(keep), a=None) == {"a": 2}
    assert run(pipeline(put("a", "{{b}}", ignore_empty_value=True)), c=1) == {"c": 1}


def test_set_copies_a_field_with_its_type() -> None:
    copy = {"set": {"field": "b", "copy_from": "a.x"}}

    assert run(pipeline(copy), a={"x": [1, 2]})["b"] == [1, 2]
    assert error(pipeline(copy), a={})[0] == ILLEGAL


def test_remove_takes_fields_away() -> None:
    remove = {"remove": {"field": ["a.b", "c"]}}

    assert run(pipeline(remove), a={"b": 1, "d": 2}, c=3) == {"a": {"d": 2}}
    assert error(pipeline(remove), a={}) == (
        ILLEGAL,
        "field [b] not present as part of path [a.b]",
    )
    assert run(pipeline({"remove": {"field": "x", "ignore_missing": True}}), a=1) == {"a": 1}


def test_remove_can_keep_only_what_is_named() -> None:
    assert run(pipeline({"remove": {"keep": ["a.b", "z"]}}), a={"b": 1, "c": 2}, d=3) == {
        "a": {"b": 1}
    }


def test_rename_moves_a_field() -> None:
    rename = {"rename": {"field": "a", "target_field": "b.c"}}

    assert run(pipeline(rename), a=1) == {"b": {"c": 1}}
    assert error(pipeline(rename), x=1) == (ILLEGAL, "field [a] doesn't exist")
    assert error(pipeline(rename), a=1, b={"c": 2}) == (ILLEGAL, "field [b.c] already exists")


def test_rename_may_overwrite_or_find_nothing() -> None:
    options = {"override": True, "ignore_missing": True}
    rename = {"rename": {"field": "a", "target_field": "b", **options}}

    assert run(pipeline(rename), a=1, b=2) == {"b": 1}
    assert run(pipeline(rename), b=2) == {"b": 2}


def test_paths_lead_through_lists() -> None:
    assert run(pipeline(put("rows.1.name", "x")), rows=[{}, {}])["rows"] == [{}, {"name": "x"}]
    for path in ("rows.2", "rows.x", "rows.0.deep", "rows..0"):
        assert error(pipeline(put(path, 1)), rows=["a"])[0] == ILLEGAL


def test_foreach_passes_each_value() -> None:
    each = {"foreach": {"field": "rows", "processor": put("_ingest._value.n", "{{_index}}")}}

    assert run(pipeline(each), rows=[{}, {"n": 0}]) == {"rows": [{"n": "_index"}] * 2}
    assert run(pipeline(each), rows={"a": {}}) == {"rows": {"a": {"n": "_index"}}}


def test_foreach_can_run_a_model_on_every_row() -> None:
    pair = {"input_field": "_ingest._value.text", "output_field": "_ingest._value.vector"}
    each = {"foreach": {"field": "rows", "processor": infer(input_output=pair)}}

    result = run(pipeline(each), rows=[{"text": "a"}, {"text": "bb"}])

    assert [row["vector"] for row in result["rows"]] == [[1, 0.5], [2, 0.5]]


def test_foreach_fails_with_any_of_its_values_and_without_any() -> None:
    each = {"foreach": {"field": "rows", "processor": {"remove": {"field": "_ingest._value.x"}}}}

    assert error(pipeline(each), rows=[{"x": 1}, {}])[0] == ILLEGAL
    assert error(pipeline(each), other=1)[0] == ILLEGAL
    assert error(pipeline(each), rows=3)[0] == ILLEGAL


def test_a_model_writes_its_result_and_its_name() -> None:
    assert run(pipeline(infer(**IN_OUT)), text="abc") == {
        "text": "abc",
        "vector": [3, 0.5],
        "model_id": "m",
    }


def test_a_list_of_texts_gets_a_list_of_results(models: FakeModels) -> None:
    docs = [{"_source": {"text": ["a", "bb"]}}]

    (entry,) = simulate(pipeline(infer(**IN_OUT)), docs, models, NOW)

    assert entry["doc"]["_source"]["vector"] == [[1, 0.5], [2, 0.5]]
    assert models.asked == [("m", ["a", "bb"])]
    assert run(pipeline(infer(**IN_OUT)), text=[])["vector"] == []


def test_an_unnamed_output_has_the_name_of_the_results_field() -> None:
    pair: dict[str, Any] = {"input_output": {"input_field": "text"}}
    named: dict[str, Any] = {"inference_config": {"text_embedding": {"results_field": "r"}}}

    assert run(pipeline(infer(**pair)), text="a")["predicted_value"] == [1, 0.5]
    assert run(pipeline(infer(**pair, **named)), text="a")["r"] == [1, 0.5]


def test_a_missing_input_can_be_ignored() -> None:
    assert run(pipeline(infer(**IN_OUT, ignore_missing=True)), other=1) == {"other": 1}
    for source in ({}, {"text": None}, {"text": 3}, {"text": ["a", 3]}):
        kind, reason = error(pipeline(infer(**IN_OUT)), **source)
        assert (kind, "[text]" in reason) == (ILLEGAL, True)


def test_without_outputs_everything_goes_to_the_target_field() -> None:
    assert run(pipeline(infer()), text_field="a")["ml"] == {
        "inference": {"predicted_value": [1, 0.5], "model_id": "m"}
    }
    tagged = run(pipeline(infer(tag="t", field_map={"text": "text_field"})), text="a")
    assert tagged["ml"]["inference"]["t"]["predicted_value"] == [1, 0.5]
    cut = run(pipeline(infer(target_field="out")), text_field="a" * 11)
    assert cut["out"] == {"predicted_value": [11, 0.5], "is_truncated": True, "model_id": "m"}


def test_the_target_field_form_needs_its_input() -> None:
    assert "[text_field]" in error(pipeline(infer()), other="a")[1]
    assert "[title]" in error(pipeline(infer(field_map={"title": "text_field"})), other="a")[1]


def test_a_model_that_is_not_there_is_the_error_of_the_document() -> None:
    expected = ("resource_not_found_exception", "Inference endpoint not found [nobody]")
    assert error(pipeline(infer("nobody", **IN_OUT)), text="a") == expected


def test_a_failure_can_be_ignored() -> None:
    failing = infer("nobody", **IN_OUT, ignore_failure=True)

    assert run(pipeline(failing, put("b", 1)), text="a") == {"text": "a", "b": 1}


SEEN = put(
    "seen",
    "{{_ingest.on_failure_message}}|{{_ingest.on_failure_processor_type}}"
    "|{{_ingest.on_failure_processor_tag}}",
)
FAILURE = "Inference endpoint not found [nobody]|inference|t"


def test_what_handles_a_failure_sees_it_and_the_pipeline_goes_on() -> None:
    failing = infer("nobody", tag="t", **IN_OUT, on_failure=[SEEN])
    after = put("after", "<{{_ingest.on_failure_message}}>")

    result = run(pipeline(failing, after), text="a")

    assert (result["seen"], result["after"]) == (FAILURE, "<>")


def test_what_handles_the_failure_of_a_pipeline_ends_it() -> None:
    failing = infer("nobody", tag="t", **IN_OUT)

    result = run(pipeline(failing, put("after", 1), on_failure=[SEEN]), text="a")

    assert result == {"text": "a", "seen": FAILURE}


def test_a_failure_while_handling_one_is_the_error() -> None:
    failing = infer("nobody", **IN_OUT, on_failure=[{"remove": {"field": "x"}}])

    assert error(pipeline(failing), text="a")[1] == "field [x] not present as part of path [x]"


def test_conditions_and_other_processors_are_told_to_be_unsupported() -> None:
    assert "[if]" in error(pipeline(put("a", 1, **{"if": "true"})))[1]
    assert "[script]" in error(pipeline({"script": {"source": "x"}}))[1]
    assert "not supported" in error(pipeline(put("a", "{{#rows}}x{{/rows}}")))[1]


def test_verbose_tells_the_document_after_each_processor(models: FakeModels) -> None:
    config = pipeline(
        put("a", 1, tag="first", description="sets a"),
        infer("nobody", **IN_OUT, ignore_failure=True),
        infer(input_output={"input_field": "none"}, ignore_missing=True),
        infer("nobody", tag="t", **IN_OUT, on_failure=[put("b", 2)]),
        {"remove": {"field": "x"}},
        put("never", 1),
    )

    (entry,) = simulate_verbose(config, [{"_source": {"text": "a"}}], models, NOW)

    results = entry["processor_results"]
    assert [(one["processor_type"], one["status"]) for one in results] == [
        ("set", "success"),
        ("inference", "error_ignored"),
        ("inference", "skipped"),
        ("inference", "error"),
        ("set", "success"),
        ("remove", "error"),
    ]
    assert (results[0]["tag"], results[0]["description"]) == ("first", "sets a")
    assert results[0]["doc"]["_source"] == {"text": "a", "a": 1}
    assert results[1]["ignored_error"]["error"]["type"] == "resource_not_found_exception"
    assert results[3]["error"]["type"] == "resource_not_found_exception"
    assert results[4]["doc"]["_source"] == {"text": "a", "a": 1, "b": 2}
    assert results[5]["error"]["type"] == ILLEGAL


def test_a_pipeline_that_makes_too_much_of_a_document_is_stopped() -> None:
    nested = {"set": {"field": "a.b", "copy_from": "a"}}
    doubled = put("a", "{{a}}{{a}}")

    assert error(pipeline(*[nested] * 200), a={})[1] == "path [a.b] is too deep"
    assert error(pipeline(put("a." * 200 + "b", 1)))[0] == ILLEGAL
    assert "too much" in error(pipeline(*[doubled] * 60), a="x")[1]
    both = [{"set": {"field": f"a.{n}", "copy_from": "a"}} for n in range(60)]
    assert "too much" in error(pipeline(*both), a={"x": 1})[1]


def test_a_map_keeps_names_for_its_keys() -> None:
    each = {"foreach": {"field": "rows", "processor": put("_ingest._key", ["x"])}}

    assert error(pipeline(each), rows={"a": 1})[0] == ILLEGAL
