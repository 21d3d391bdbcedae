"""What an uploaded network says of a text, by the kind of inference that it was put for."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from inference.arrays import FloatArray
from inference.errors import InvalidRequest, UnsupportedModel
from inference.nlp_config import InferenceConfig
from inference.runner.vocabulary import UploadTokenizer, Window

DECIMALS = 6
DEFAULT_LABELS = ("negative", "positive")
DEFAULT_HYPOTHESIS = "This example is {}."
DEFAULT_TOP_CLASSES = 5


class Answerer:
    """One kind of inference. ndims: those of what the network may give for one sequence."""

    ndims: tuple[int, ...] = (1,)

    def __init__(self, config: InferenceConfig, tokenizer: UploadTokenizer) -> None:
        self.kind, self.options = config.kind, config.options
        self.tokens = config.tokenization.options
        self.tokenizer = tokenizer

    def windows(self, text: str, query: str | None) -> list[Window]:
        """What the network is to read for a text. Raises InvalidRequest."""
        return self.tokenizer.windows(text, self.tokens)

    def tell(self, text: str, windows: Sequence[Window], outputs: Sequence[FloatArray]) -> Any:
        """The answer for a text from what the network gave for each of its windows."""
        raise NotImplementedError

    def check(self, output: FloatArray) -> None:
        """Raises UnsupportedModel for a network whose output is not that of the kind."""
        if output.ndim not in self.ndims:
            expected = " or ".join(str(1 + ndim) for ndim in self.ndims)
            raise UnsupportedModel(
                f"the network gives {1 + output.ndim} dimensions, batch included, "
                f"where [{self.kind}] needs {expected}"
            )


class Vector(Answerer):
    """The pooled vector, as it is."""

    def tell(
        self, text: str, windows: Sequence[Window], outputs: Sequence[FloatArray]
    ) -> FloatArray:
        return outputs[0]


class Expansion(Answerer):
    """Weighted tokens: scores over the vocabulary, or logits for each place to take them from.

    Source of the latter: Formal et al. 2021, arXiv:2109.10086, section 3.1 (SPLADE-max).
    """

    ndims = (1, 2)

    def tell(
        self, text: str, windows: Sequence[Window], outputs: Sequence[FloatArray]
    ) -> dict[str, float]:
        (window, *_), (output, *_) = windows, outputs
        if output.ndim == 2:
            best = output[: len(window.encoding)].max(axis=0)
            output = np.log1p(np.maximum(best, 0))
        scores = output[: len(self.tokenizer.tokens)].copy()
        scores[self.tokenizer.special_ids] = 0
        found = np.flatnonzero(scores > 0)
        order = found[np.argsort(-scores[found], kind="stable")]
        # A field's name must not hold a dot.
        return {
            self.tokenizer.tokens[token].replace(".", "__"): weight
            for token in order.tolist()
            if (weight := round(float(scores[token]), DECIMALS)) > 0
        }


class Similarity(Answerer):
    """The logit of a pair; of a document in several windows the best, or their mean."""

    def windows(self, text: str, query: str | None) -> list[Window]:
        return self.tokenizer.pair_windows(query or "", text, self.tokens)

    def tell(self, text: str, windows: Sequence[Window], outputs: Sequence[FloatArray]) -> float:
        combine = np.mean if self.options.span_score_combination_function == "mean" else np.max
        return round(float(combine([output[0] for output in outputs])), DECIMALS)

    def check(self, output: FloatArray) -> None:
        super().check(output)
        if output.shape != (1,):
            raise UnsupportedModel(f"a similarity is one number, not {output.shape[0]}")


class Classification(Answerer):
    def tell(
        self, text: str, windows: Sequence[Window], outputs: Sequence[FloatArray]
    ) -> dict[str, Any]:
        logits = np.mean(outputs, axis=0)
        count = self.options.num_top_classes or 0
        return classes(self.labels, softmax(logits), count)

    @property
    def labels(self) -> Sequence[str]:
        return self.options.classification_labels or DEFAULT_LABELS

    def check(self, output: FloatArray) -> None:
        super().check(output)
        if len(output) != len(self.labels):
            raise UnsupportedModel(
                f"the network gives {len(output)} classes, "
                f"[classification_labels] names {len(self.labels)}"
            )


class ZeroShot(Answerer):
    """How well a text entails "this is about LABEL", for labels that the caller chooses.

    Source: Yin et al. 2019, arXiv:1909.00161.
    """

    @property
    def labels(self) -> Sequence[str]:
        labels: Sequence[str] = self.options.labels or ()
        return labels

    def windows(self, text: str, query: str | None) -> list[Window]:
        hypothesis = self.options.hypothesis_template or DEFAULT_HYPOTHESIS
        if not self.labels:  # a network is tried before anybody asks it
            return self.tokenizer.pair_windows(text, hypothesis, self.tokens)[:1]
        return [
            self.tokenizer.pair_windows(text, hypothesis.replace("{}", label), self.tokens)[0]
            for label in self.labels
        ]

    def tell(
        self, text: str, windows: Sequence[Window], outputs: Sequence[FloatArray]
    ) -> dict[str, Any]:
        names = [label.lower() for label in self.options.classification_labels]
        if not {"entailment", "contradiction"} <= set(names):
            raise InvalidRequest(
                "[classification_labels] must name [entailment] and [contradiction]"
            )
        logits = np.stack(outputs)
        entailment = logits[:, names.index("entailment")]
        if self.options.multi_label:
            contradiction = logits[:, names.index("contradiction")]
            scores = 1 / (1 + np.exp(contradiction - entailment))
        else:
            scores = softmax(entailment)
        return classes(self.labels, scores, len(self.labels))


class PassThrough(Answerer):
    """What the network gives, as it is."""

    ndims = (0, 1, 2, 3)

    def tell(
        self, text: str, windows: Sequence[Window], outputs: Sequence[FloatArray]
    ) -> dict[str, Any]:
        return {"predicted_value": outputs[0].tolist()}


def classes(labels: Sequence[str], scores: FloatArray, count: int) -> dict[str, Any]:
    """The best label, and the best few of them where some are asked for; -1 asks for all."""
    order = np.argsort(-scores, kind="stable").tolist()
    best = order[0]
    told: dict[str, Any] = {"predicted_value": labels[best]}
    if count:
        told["top_classes"] = [
            {"class_name": labels[i], "class_probability": float(scores[i])}
            for i in order[: count if count > 0 else None]
        ]
    return told | {"prediction_probability": float(scores[best])}


def softmax(logits: FloatArray) -> FloatArray:
    """logits: (n,). Returns (n,), which add up to one."""
    raised = np.exp(logits - logits.max())
    shares: FloatArray = raised / raised.sum()
    return shares
