from typing import Any

import pytest

from inference.errors import InvalidArgument
from inference.references.errors import InvalidPipeline
from inference.references.pipelines import check_pipeline, next_version, referenced_models

DROP: dict[str, Any] = {"drop": {}}


def infer(model_id: str = "m", **options: Any) -> dict[str, Any]:
    return {"inference": {"model_id": model_id, **options}}


def foreach(processor: Any, **options: Any) -> dict[str, Any]:
    return {"foreach": {"field": "f", "processor": processor, **options}}


def test_any_known_processor_is_taken_and_its_own_options_are_not_looked_at() -> None:
    check_pipeline(
        {
            "description": "d",
            "version": 3,
            "_meta": {"x": 1},
            "deprecated": False,
            "processors": [{"script": {"lang": "painless", "anything": 1}}, DROP],
            "on_failure": [{"fail": {"message": "no"}}],
        }
    )
    check_pipeline({"processors": []})


def test_models_are_found_wherever_a_processor_may_stand() -> None:
    config = {
        "processors": [
            infer("top"),
            foreach(foreach(infer("looped"))),
            {"set": {"field": "a", "value": 1, "on_failure": [infer("failed")]}},
            infer("outer", on_failure=[foreach(infer("both"), on_failure=[infer("deep")])]),
            {"set": {"field": "model_id", "value": "not-a-model"}},
        ],
        "on_failure": [infer("last")],
    }
    check_pipeline(config)

    expected = {"top", "looped", "failed", "outer", "both", "deep", "last"}
    assert referenced_models(config) == expected


def test_models_are_looked_for_through_ten_loops() -> None:
    def looped(times: int) -> dict[str, Any]:
        return foreach(looped(times - 1)) if times else infer("m")

    assert referenced_models({"processors": [looped(10)]}) == {"m"}
    assert referenced_models({"processors": [looped(11)]}) == frozenset()


@pytest.mark.parametrize(
    ("processor", "reason", "metadata"),
    [
        (
            {"poem": {}},
            "No processor type exists with name [poem]",
            {"processor_type": "poem"},
        ),
        (
            {"inference": {"tag": "t"}},
            "[model_id] required property is missing",
            {"processor_type": "inference", "processor_tag": "t", "property_name": "model_id"},
        ),
        (
            infer(a=1, b=2),
            "processor [inference] doesn't support one or more provided configuration "
            "parameters [a, b]",
            {"processor_type": "inference"},
        ),
        (
            {"set": {"value": 1}},
            "[field] required property is missing",
            {"processor_type": "set", "property_name": "field"},
        ),
        (
            {"set": {"field": "a"}},
            "[value] required property is missing",
            {"processor_type": "set", "property_name": "value"},
        ),
        (
            {"remove": {}},
            "[field] required property is missing",
            {"processor_type": "remove", "property_name": "field"},
        ),
        (
            {"rename": {"field": "a"}},
            "[target_field] required property is missing",
            {"processor_type": "rename", "property_name": "target_field"},
        ),
        (
            {"foreach": {"field": "a"}},
            "[processor] required property is missing",
            {"processor_type": "foreach", "property_name": "processor"},
        ),
    ],
)
def test_a_refusal_names_the_processor_and_the_option(
    processor: Any, reason: str, metadata: dict[str, Any]
) -> None:
    nested = {"set": {"field": "a", "value": 1, "on_failure": [foreach(processor)]}}
    for config in (
        {"processors": [processor]},
        {"processors": [nested]},
        {"processors": [], "on_failure": [processor]},
    ):
        with pytest.raises(InvalidPipeline) as refused:
            check_pipeline(config)
        assert str(refused.value) == reason
        assert refused.value.metadata == metadata


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"input_output": {"input_field": "a"}, "target_field": "t"}, "target_field"),
        ({"input_output": {"input_field": "a"}, "field_map": {"a": "b"}}, "field_map"),
        ({"input_output": []}, "input_output"),
        ({"input_output": None}, "input_output"),
        ({"input_output": [{"output_field": "a"}]}, "input_field"),
        ({"input_output": [{"input_field": "a", "colour": "b"}]}, "colour"),
        (
            {
                "input_output": [
                    {"input_field": "a", "output_field": "c"},
                    {"input_field": "b", "output_field": "c"},
                ]
            },
            "output_field",
        ),
        ({"input_output": [{"input_field": "a"}, {"input_field": "b"}]}, "output_field"),
        ({"inference_config": {}}, "inference_config"),
        ({"inference_config": {"regression": {}, "classification": {}}}, "inference_config"),
        ({"inference_config": {"text_embedding": {"results_field": 3}}}, "results_field"),
        ({"inference_config": {"text_embedding": 3}}, "inference_config"),
        ({"ignore_missing": True}, "ignore_missing"),
        ({"model_id": 3}, "model_id"),
        ({"field_map": {"a": 1}}, "field_map"),
    ],
)
def test_an_inference_processor_that_cannot_be_is_refused(
    options: dict[str, Any], named: str
) -> None:
    with pytest.raises(InvalidPipeline, match=named):
        check_pipeline({"processors": [infer(**options)]})


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"input_output": {"input_field": "a"}, "ignore_missing": True},
        {
            "input_output": [
                {"input_field": "a"},
                {"input_field": "b", "output_field": "c"},
            ]
        },
        {"target_field": "t", "field_map": {"a": "text_field"}},
        {"inference_config": {"text_embedding": {"results_field": "r"}}},
        {"if": "ctx.a == 1", "tag": "t", "description": "d", "ignore_failure": True},
    ],
)
def test_an_inference_processor_has_these_options(options: dict[str, Any]) -> None:
    check_pipeline({"processors": [infer(**options)]})


@pytest.mark.parametrize(
    "config",
    [
        [],
        {"processors": {}},
        {"processors": ["drop"]},
        {"processors": [{}]},
        {"processors": [{"drop": {}, "fail": {}}]},
        {"processors": [{"drop": "x"}]},
        {"processors": [{"set": {"field": "a", "value": 1, "copy_from": "b"}}]},
        {"processors": [{"remove": {"field": "a", "keep": "b"}}]},
        {"processors": [{"remove": {"field": [1]}}]},
        {"processors": [foreach({"drop": {}, "fail": {}})]},
        {"processors": [{"drop": {"ignore_failure": "yes"}}]},
        {"processors": [{"drop": {"on_failure": []}}]},
        {"processors": [], "on_failure": []},
        {"processors": [], "version": "1"},
        {"processors": [], "version": True},
        {"processors": [], "version": 2**40},
        {"processors": [], "colour": "red"},
    ],
)
def test_what_is_no_pipeline_is_refused(config: Any) -> None:
    with pytest.raises(InvalidPipeline):
        check_pipeline(config)


def test_missing_processors_are_named() -> None:
    with pytest.raises(InvalidPipeline) as refused:
        check_pipeline({"description": "d"})

    assert str(refused.value) == "[processors] required property is missing"
    assert refused.value.metadata == {"property_name": "processors"}


def test_a_pipeline_that_replaces_one_version_gets_the_next() -> None:
    assert next_version({}, {"version": 3}, 3) == 4
    assert next_version({"version": 9}, {"version": 3}, 3) == 9
    for config, current in (({}, None), ({}, {"version": 2}), ({}, {}), ({"version": 3},) * 2):
        with pytest.raises(InvalidArgument, match="version"):
            next_version(config, current, 3)
