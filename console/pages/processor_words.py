"""The processors of a pipeline in words, each with the endpoint that it runs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from inference.references.pipelines import (
    FOREACH,
    INFERENCE,
    REQUIRED,
    Config,
    input_outputs,
    split,
)
from inference.references.simulate import DEFAULT_RESULTS_FIELD, DEFAULT_TARGET, MODEL_INPUT

MOST_OF_VALUE = 60


@dataclass(frozen=True)
class Told:
    """A processor. words: with names between backticks. level: 0 at the top, 1 inside another.

    inference_id: what it runs; empty for one that runs nothing. notes: when it runs, and what
    follows where it fails. is_stored_only: whether nothing here can run it.
    """

    kind: str
    words: str
    level: int = 0
    inference_id: str = ""
    description: str = ""
    notes: tuple[str, ...] = ()
    is_stored_only: bool = False


def told_of(config: Config) -> list[Told]:
    """The processors of a checked pipeline in their order, those for failures at the end."""
    return [
        *_all(config["processors"], 0, ""),
        *_all(config.get("on_failure") or (), 0, "only after a failure"),
    ]


def _all(processors: Sequence[Config], level: int, when: str) -> Iterator[Told]:
    for processor in processors:
        kind, options = split(processor)
        yield Told(
            kind,
            _words(kind, options),
            level,
            options["model_id"] if kind == INFERENCE else "",
            options.get("description") or "",
            tuple(_notes(options, when)),
            kind not in REQUIRED,
        )
        if kind == FOREACH:
            yield from _all([options["processor"]], level + 1, "")
        yield from _all(options.get("on_failure") or (), level + 1, "only if that fails")


def _notes(options: Config, when: str) -> Iterator[str]:
    if when:
        yield when
    if options.get("if") is not None:
        yield f"only if {_short(options['if'])}"
    if options.get("ignore_missing"):
        yield "skipped where the field is missing"
    if options.get("ignore_failure"):
        yield "a failure is ignored"


def _words(kind: str, options: Config) -> str:
    match kind:
        case "inference":
            return _inference(options)
        case "set" if options.get("copy_from"):
            return f"Copy `{options['copy_from']}` to `{options['field']}`"
        case "set":
            return f"Set `{options['field']}` to {_short(options.get('value'))}"
        case "remove" if options.get("keep") is not None:
            return f"Keep only {_listed(options['keep'])}"
        case "remove":
            return f"Remove {_listed(options['field'])}"
        case "rename":
            return f"Rename `{options['field']}` to `{options['target_field']}`"
        case "foreach":
            return f"For each value of `{options['field']}`"
    field = options.get("field")
    words = kind.replace("_", " ").capitalize()
    return f"{words} `{field}`" if isinstance(field, str) else words


def _inference(options: Config) -> str:
    if "input_output" not in options:
        fields: Mapping[str, str] = options.get("field_map") or {}
        read = next((path for path, model in fields.items() if model == MODEL_INPUT), MODEL_INPUT)
        tag = options.get("tag")
        target = options.get("target_field") or DEFAULT_TARGET + (f".{tag}" if tag else "")
        return f"Read `{read}` and write what the model says into `{target}`"
    kinds = options.get("inference_config") or {}
    usual = next((kind.get("results_field") for kind in kinds.values()), None)
    pairs = (
        f"`{pair['input_field']}` into "
        f"`{pair.get('output_field') or usual or DEFAULT_RESULTS_FIELD}`"
        for pair in input_outputs(options)
    )
    return f"Turn {', and '.join(pairs)}"


def _listed(paths: str | Sequence[str]) -> str:
    names = [paths] if isinstance(paths, str) else paths
    return ", ".join(f"`{name}`" for name in names)


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    text = text.replace("`", "'")
    return f"“{text[:MOST_OF_VALUE]}…”" if len(text) > MOST_OF_VALUE else f"“{text}”"
