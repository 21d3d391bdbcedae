"""What an uploaded network says of the tokens of a text: names, a missing word, an answer."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from inference.arrays import FloatArray
from inference.errors import InvalidRequest, UnsupportedModel
from inference.nlp_config import Kind
from inference.runner.answers import (
    DEFAULT_TOP_CLASSES,
    Answerer,
    Classification,
    Expansion,
    PassThrough,
    Similarity,
    Vector,
    ZeroShot,
    softmax,
)
from inference.runner.vocabulary import Window

OUTSIDE = "O"
DEFAULT_LABELS = ("O", "B_MISC", "I_MISC", "B_PER", "I_PER", "B_ORG", "I_ORG", "B_LOC", "I_LOC")
MAX_ANSWER_TOKENS = 15


class FillMask(Answerer):
    """The word that fits best where the mask stands."""

    ndims = (2,)

    def windows(self, text: str, query: str | None) -> list[Window]:
        mask = self.tokenizer.specials.mask
        named = self.options.mask_token
        if named not in (None, mask):
            raise InvalidRequest(f"the mask token of this model is [{mask}], not [{named}]")
        return super().windows(text, query)

    def tell(
        self, text: str, windows: Sequence[Window], outputs: Sequence[FloatArray]
    ) -> dict[str, Any]:
        mask = self.tokenizer.specials.mask
        mask_id = self.tokenizer.ids.get(mask, -1)
        (window, *_), (output, *_) = windows, outputs
        places = [place for place, token in enumerate(window.encoding.ids) if token == mask_id]
        if len(places) != 1:
            raise InvalidRequest(f"the text must hold one mask token [{mask}], not {len(places)}")
        scores = softmax(output[places[0], : len(self.tokenizer.tokens)].astype(np.float64))
        order = np.argsort(-scores, kind="stable")
        best = int(order[0])
        word = self.tokenizer.decode([best]).strip()
        told: dict[str, Any] = {
            "predicted_value": word,
            "predicted_value_sequence": text.replace(mask, word),
        }
        if count := self.options.num_top_classes or 0:
            told["top_classes"] = [
                {
                    "class_name": self.tokenizer.decode([token]).strip(),
                    "class_probability": float(scores[token]),
                }
                for token in order[: count if count > 0 else None].tolist()
            ]
        return told | {"prediction_probability": float(scores[best])}


class Ner(Answerer):
    """The names in a text. A word gets the mean of what its tokens get."""

    ndims = (2,)

    @property
    def labels(self) -> Sequence[str]:
        return self.options.classification_labels or DEFAULT_LABELS

    def check(self, output: FloatArray) -> None:
        super().check(output)
        if output.shape[1] != len(self.labels):
            raise UnsupportedModel(
                f"the network gives {output.shape[1]} classes, "
                f"[classification_labels] names {len(self.labels)}"
            )

    def tell(
        self, text: str, windows: Sequence[Window], outputs: Sequence[FloatArray]
    ) -> dict[str, Any]:
        (window, *_), (output, *_) = windows, outputs
        entities = self._entities(text, self._words(window, output))
        marked, end = "", 0
        for entity in entities:
            start, label = entity["start_pos"], entity["class_name"]
            marked += text[end:start]
            marked += f"[{entity['entity']}]({label}&{quoted(entity['entity'])})"
            end = entity["end_pos"]
        return {"predicted_value": marked + text[end:], "entities": entities}

    @staticmethod
    def _words(window: Window, output: FloatArray) -> list[tuple[int, int, FloatArray]]:
        """Where each word starts and ends, and the probabilities of the labels for it."""
        words: dict[int, list[int]] = {}
        for place, word in enumerate(window.encoding.word_ids):
            if word is not None:
                words.setdefault(word, []).append(place)
        offsets = window.encoding.offsets
        return [
            (
                offsets[places[0]][0],
                offsets[places[-1]][1],
                np.mean([softmax(output[place]) for place in places], axis=0),
            )
            for places in words.values()
        ]

    def _entities(
        self, text: str, words: Sequence[tuple[int, int, FloatArray]]
    ) -> list[dict[str, Any]]:
        """Words that follow one another under one name; `B` begins a new one."""
        entities: list[dict[str, Any]] = []
        open_name = ""
        for start, end, scores in words:
            best = int(np.argmax(scores))
            mark, _, name = self.labels[best].replace("-", "_", 1).partition("_")
            if not name or mark == OUTSIDE:
                open_name = ""
                continue
            score = float(scores[best])
            if name == open_name and mark != "B":
                last = entities[-1]
                last["end_pos"] = end
                last["entity"] = text[last["start_pos"] : end]
                last["class_probability"] = min(last["class_probability"], score)
            else:
                entities.append(
                    {
                        "entity": text[start:end],
                        "class_name": name,
                        "class_probability": score,
                        "start_pos": start,
                        "end_pos": end,
                    }
                )
            open_name = name
        return entities


def quoted(entity: str) -> str:
    return entity.replace(" ", "+")


class QuestionAnswering(Answerer):
    """The part of a text that answers a question; a long text is read in several windows.

    Source: Devlin et al. 2019, arXiv:1810.04805, section 4.2.
    """

    ndims = (2,)

    def windows(self, text: str, query: str | None) -> list[Window]:
        return self.tokenizer.pair_windows(self.options.question or "", text, self.tokens)

    def check(self, output: FloatArray) -> None:
        super().check(output)
        if output.shape[0] != 2:
            raise UnsupportedModel("an answer has a start and an end")

    def tell(
        self, text: str, windows: Sequence[Window], outputs: Sequence[FloatArray]
    ) -> dict[str, Any]:
        longest = self.options.max_answer_length or MAX_ANSWER_TOKENS
        found = [
            spot
            for window, output in zip(windows, outputs, strict=True)
            for spot in spots(window, output, longest)
        ]
        if not found:
            return {
                "predicted_value": "",
                "start_offset": 0,
                "end_offset": 0,
                "prediction_probability": 0.0,
            }
        found.sort(key=lambda spot: -spot[0])
        score, start, end = found[0]
        told: dict[str, Any] = {
            "predicted_value": text[start:end],
            "start_offset": start,
            "end_offset": end,
            "prediction_probability": score,
        }
        if count := self.options.num_top_classes or 0:
            distinct = {(start, end): score for score, start, end in reversed(found)}
            best = sorted(distinct.items(), key=lambda item: -item[1])
            told["top_classes"] = [
                {"answer": text[a:b], "score": score, "start_offset": a, "end_offset": b}
                for (a, b), score in best[: count if count > 0 else DEFAULT_TOP_CLASSES]
            ]
        return told


def spots(window: Window, output: FloatArray, longest: int) -> list[tuple[float, int, int]]:
    """The best answers of a window: probability, start and end in characters of the text."""
    encoding = window.encoding
    is_text = np.array([sequence == 1 for sequence in encoding.sequence_ids])
    if not is_text.any():
        return []
    logits = np.where(is_text, output[:, : len(encoding)], -np.inf)
    starts, ends = softmax(logits[0]), softmax(logits[1])
    scores = np.triu(np.outer(starts, ends)) - np.triu(np.outer(starts, ends), longest)
    best = np.argsort(-scores, axis=None)[:DEFAULT_TOP_CLASSES]
    offsets = encoding.offsets
    return [
        (float(scores[start, end]), offsets[start][0], offsets[end][1])
        for start, end in zip(*np.unravel_index(best, scores.shape), strict=True)
        if scores[start, end] > 0
    ]


ANSWERERS: dict[Kind, type[Answerer]] = {
    Kind.TEXT_EMBEDDING: Vector,
    Kind.TEXT_EXPANSION: Expansion,
    Kind.TEXT_SIMILARITY: Similarity,
    Kind.TEXT_CLASSIFICATION: Classification,
    Kind.ZERO_SHOT_CLASSIFICATION: ZeroShot,
    Kind.FILL_MASK: FillMask,
    Kind.NER: Ner,
    Kind.QUESTION_ANSWERING: QuestionAnswering,
    Kind.PASS_THROUGH: PassThrough,
}
