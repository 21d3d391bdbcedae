"""Running a pipeline on documents that are stored nowhere."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

from inference.errors import InferenceError, InvalidArgument, InvalidRequest
from inference.references.documents import DEFAULTS, Document
from inference.references.pipelines import (
    REQUIRED,
    Config,
    input_outputs,
    json_type,
    split,
)

DEFAULT_RESULTS_FIELD = "predicted_value"
DEFAULT_TARGET = "ml.inference"
MODEL_INPUT = "text_field"
FAILURE_FIELDS = ("on_failure_message", "on_failure_processor_type", "on_failure_processor_tag")


@dataclass(frozen=True)
class Prediction:
    """What a model says about one text: a vector, weights of tokens, a score, a label."""

    value: Any
    is_truncated: bool = False


# Runs a model, by its id, on texts with the processor's inference_config; one prediction each.
Infer: TypeAlias = Callable[[str, Sequence[str], Mapping[str, Any]], Sequence[Prediction]]


class _Skipped(Exception):
    """The processor has nothing to do for this document."""


@dataclass
class Run:
    """One document on its way. results: what each processor did, noted for a verbose answer."""

    document: Document
    infer: Infer
    is_verbose: bool = False
    results: list[dict[str, Any]] = field(default_factory=list)

    def pipeline(self, config: Config) -> None:
        """Raises InferenceError where a processor fails and nothing handles that."""
        try:
            self.processors(config["processors"])
        except _ProcessorFailed as failed:
            handlers = config.get("on_failure")
            if not handlers:
                raise failed.error from None
            try:
                self.handle(failed, handlers)
            except _ProcessorFailed as again:
                raise again.error from None

    def processors(self, processors: Sequence[Config]) -> None:
        for processor in processors:
            kind, options = split(processor)
            try:
                run_processor(kind, options, self.document, self.infer)
            except _Skipped:
                self.note(kind, options, "skipped")
            except InferenceError as error:
                self.failed(kind, options, error)
            else:
                self.note(kind, options, "success", has_doc=True)

    def failed(self, kind: str, options: Config, error: InferenceError) -> None:
        if options.get("ignore_failure"):
            self.note(kind, options, "error_ignored", has_doc=True, ignored_error=told(error))
            return
        self.note(kind, options, "error", error=told(error)["error"])
        failed = _ProcessorFailed(kind, options.get("tag"), error)
        handlers = options.get("on_failure")
        if not handlers:
            raise failed
        self.handle(failed, handlers)

    def handle(self, failed: "_ProcessorFailed", handlers: Sequence[Config]) -> None:
        """Run what is there for failures; only meanwhile `_ingest` tells what happened."""
        before = {n: v for n, v in self.document.ingest.items() if n in FAILURE_FIELDS}
        values = (str(failed.error), failed.kind, failed.tag)
        self.document.ingest.update(zip(FAILURE_FIELDS, values, strict=True))
        try:
            self.processors(handlers)
        finally:
            for name in FAILURE_FIELDS:
                self.document.ingest.pop(name, None)
            self.document.ingest.update(before)

    def note(
        self, kind: str, options: Config, status: str, *, has_doc: bool = False, **more: Any
    ) -> None:
        if not self.is_verbose:
            return
        if has_doc:
            more["doc"] = self.document.to_response()
        named = {n: options[n] for n in ("description", "tag") if options.get(n) is not None}
        self.results.append({"processor_type": kind, "status": status, **named, **more})


class _ProcessorFailed(Exception):
    def __init__(self, kind: str, tag: str | None, error: InferenceError) -> None:
        super().__init__(str(error))
        self.kind, self.tag, self.error = kind, tag, error


def simulate(
    config: Config, docs: Sequence[Mapping[str, Any]], infer: Infer, now: datetime
) -> list[dict[str, Any]]:
    """The documents after a checked pipeline, or what went wrong, one entry each."""
    entries: list[dict[str, Any]] = []
    for doc in docs:
        run = Run(_document(doc, now), infer)
        try:
            run.pipeline(config)
        except InferenceError as error:
            entries.append(told(error))
        else:
            entries.append({"doc": run.document.to_response(ingest=("timestamp",))})
    return entries


def simulate_verbose(
    config: Config, docs: Sequence[Mapping[str, Any]], infer: Infer, now: datetime
) -> list[dict[str, Any]]:
    """The same with the document as each processor left it."""
    entries: list[dict[str, Any]] = []
    for doc in docs:
        run = Run(_document(doc, now), infer, is_verbose=True)
        with suppress(InferenceError):  # the last of the results tells it
            run.pipeline(config)
        entries.append({"processor_results": run.results})
    return entries


def told(error: InferenceError) -> dict[str, Any]:
    cause = {"type": error.type, "reason": str(error)}
    return {"error": {"root_cause": [cause], **cause}}


def _document(doc: Mapping[str, Any], now: datetime) -> Document:
    given = {n: str(doc[n]) for n in (*DEFAULTS, "_routing") if doc.get(n) is not None}
    return Document(
        source=deepcopy(doc["_source"]),
        metadata=DEFAULTS | given,
        ingest={"timestamp": now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")},
    )


def run_processor(kind: str, options: Config, document: Document, infer: Infer) -> None:
    if options.get("if") is not None:
        raise InvalidRequest(f"[if] of processor [{kind}] is not supported here")
    match kind:
        case "set":
            _set(options, document)
        case "remove":
            _remove(options, document)
        case "rename":
            _rename(options, document)
        case "foreach":
            _foreach(options, document, infer)
        case "inference":
            _infer(options, document, infer)
        case _:
            listed = ", ".join(sorted(REQUIRED))
            raise InvalidRequest(
                f"processor [{kind}] is not supported here, only [{listed}] can be simulated"
            )


def _set(options: Config, document: Document) -> None:
    path = document.render(options["field"])
    if options.get("override") is False and document.has(path) and document.get(path) is not None:
        return
    is_empty_ignored = bool(options.get("ignore_empty_value"))
    if source := options.get("copy_from"):
        source = document.render(source)
        if is_empty_ignored and not document.has(source):
            return
        value = document.copy(source)
    else:
        value = document.render(options["value"])
    if not (is_empty_ignored and value in (None, "")):
        document.set(path, value)


def _remove(options: Config, document: Document) -> None:
    if options.get("keep") is not None:
        _keep([document.render(path) for path in _as_list(options["keep"])], document)
        return
    for template in _as_list(options["field"]):
        path = document.render(template)
        if not (options.get("ignore_missing") and not document.has(path)):
            document.remove(path)


def _keep(paths: list[str], document: Document) -> None:
    kept = Document({})
    for path in paths:
        if document.has(path):
            kept.set(path, document.get(path))
    document.source = kept.source


def _rename(options: Config, document: Document) -> None:
    path, target = document.render(options["field"]), document.render(options["target_field"])
    if not document.has(path):
        if options.get("ignore_missing"):
            return
        raise InvalidArgument(f"field [{path}] doesn't exist")
    if document.has(target) and not options.get("override"):
        raise InvalidArgument(f"field [{target}] already exists")
    value = document.get(path)
    document.remove(path)
    try:
        document.set(target, value)
    except InvalidArgument:
        document.set(path, value)
        raise


def _foreach(options: Config, document: Document, infer: Infer) -> None:
    """Each value passes the inner processor as `_ingest._value`; one failure fails them all."""
    path = options["field"]
    values = document.get(path) if document.has(path) else None
    if values is None:
        if options.get("ignore_missing"):
            raise _Skipped
        raise InvalidArgument(f"field [{path}] is null or missing, cannot loop over its elements.")
    before = dict(document.ingest)
    try:
        if isinstance(values, list):
            done: Any = []
            for value in values:
                done.append(_foreach_value(options, document, infer, None, value)[1])
        elif isinstance(values, dict):
            done = dict(
                _foreach_value(options, document, infer, key, value)
                for key, value in values.items()
            )
        else:
            raise InvalidArgument(
                f"field [{path}] of type [{json_type(values)}] cannot be looped over: "
                "it is neither a list nor a map"
            )
    finally:
        for name in ("_key", "_value"):
            document.ingest.pop(name, None)
            if name in before:
                document.ingest[name] = before[name]
    document.set(path, done)


def _foreach_value(
    options: Config, document: Document, infer: Infer, key: str | None, value: Any
) -> tuple[Any, Any]:
    document.ingest["_value"] = value
    if key is not None:
        document.ingest["_key"] = key
    run = Run(document, infer)
    try:
        run.processors([options["processor"]])
    except _ProcessorFailed as failed:
        raise failed.error from None
    named = document.ingest.get("_key")
    if key is not None and not isinstance(named, str):
        raise InvalidArgument(f"key [{key}] of a map cannot become [{json_type(named)}]")
    return named, document.ingest.get("_value")


def _infer(options: Config, document: Document, infer: Infer) -> None:
    if "input_output" in options:
        _infer_outputs(options, document, infer)
    else:
        _infer_target(options, document, infer)


def _infer_outputs(options: Config, document: Document, infer: Infer) -> None:
    model_id, config = options["model_id"], _inference_config(options)
    found: list[tuple[str, Any]] = []
    for pair in input_outputs(options):
        path = pair["input_field"]
        value = document.get(path) if document.has(path) else None
        if value is None:
            if options.get("ignore_missing"):
                continue
            raise InvalidArgument(f"Input field [{path}] does not exist in the source document")
        output = pair.get("output_field") or config.get("results_field") or DEFAULT_RESULTS_FIELD
        predictions = infer(model_id, _texts(path, value), _kinds(options)) if value != [] else []
        results = [prediction.value for prediction in predictions]
        found.append((output, results if isinstance(value, list) else results[0]))
    if not found:
        raise _Skipped
    for output, result in found:
        parent, dot, _ = output.rpartition(".")
        document.set(output, result)
        document.set(f"{parent}{dot}model_id", model_id)


def _infer_target(options: Config, document: Document, infer: Infer) -> None:
    model_id, config = options["model_id"], _inference_config(options)
    fields = {model: path for path, model in (options.get("field_map") or {}).items()}
    path = fields.get(MODEL_INPUT, MODEL_INPUT)
    value = document.get(path) if document.has(path) else None
    if value is None:
        raise InvalidArgument(f"Input field [{path}] does not exist in the source document")
    if not isinstance(value, str):
        raise InvalidArgument(f"Input field [{path}] must be a string, not [{json_type(value)}]")
    (prediction,) = infer(model_id, [value], _kinds(options))
    tag = options.get("tag")
    target = options.get("target_field") or (f"{DEFAULT_TARGET}.{tag}" if tag else DEFAULT_TARGET)
    result = {config.get("results_field") or DEFAULT_RESULTS_FIELD: prediction.value}
    if prediction.is_truncated:
        result["is_truncated"] = True
    document.set(target, result | {"model_id": model_id})


def _inference_config(options: Config) -> Mapping[str, Any]:
    """The options of the one kind of inference that a checked processor may ask for."""
    return next(iter(_kinds(options).values()), {})


def _kinds(options: Config) -> Mapping[str, Any]:
    return options.get("inference_config") or {}


def _texts(path: str, value: Any) -> list[str]:
    texts = _as_list(value)
    if any(not isinstance(text, str) for text in texts):
        raise InvalidArgument(f"Input field [{path}] must be a string or a list of strings")
    return texts


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
