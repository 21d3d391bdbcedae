"""Forms that what refuses them later is noted at: an action, a provider."""

from dataclasses import dataclass
from typing import Any

from django import forms

from inference.errors import InferenceError, ModelDiffers, ProblemList
from inference.upstream.errors import Explanation, UpstreamError


@dataclass(frozen=True)
class Refusal:
    """problems: in words. explanation: why a provider failed, and what to do about it."""

    problems: tuple[str, ...] = ()
    explanation: Explanation | None = None

    @classmethod
    def of(cls, exc: InferenceError) -> "Refusal":
        explanation = exc.explanation if isinstance(exc, UpstreamError) else None
        return cls(problems_of(exc), explanation)


def problems_of(exc: InferenceError) -> tuple[str, ...]:
    """What is wrong, without the advice that is for programs."""
    if isinstance(exc, ModelDiffers):
        return (exc.problem,)
    return exc.problems if isinstance(exc, ProblemList) else (str(exc),)


NOT_REFUSED = Refusal()


class RefusableForm(forms.Form):
    """refusal: what the last attempt came to, as far as no single field is to blame."""

    refusal = NOT_REFUSED

    def note(self, exc: InferenceError) -> None:
        """Put each problem to the field that it names, the rest above the form.

        What a provider says stands there with its explanation, whatever it names.
        """
        told, left = Refusal.of(exc), []
        for problem in told.problems:
            name = None if told.explanation else self.named_in(problem)
            self.add_error(name, self.at_its_field(problem) if name else problem)
            if name is None:
                left.append(problem)
        self.refusal = Refusal(tuple(left), told.explanation)

    def at_its_field(self, problem: str) -> str:
        """A problem in the words in which it stands below the field that it names."""
        return problem

    def write(self, name: str, text: str) -> None:
        """Put another text into a field than was sent."""
        sent: Any = self.data
        data = sent.copy()
        for part in (f"{name}.name", f"{name}.value"):  # rows, which are one text together
            data.pop(part, None)
        data[name] = text
        self.data = data

    def named_in(self, problem: str) -> str | None:
        """The field that a problem speaks of; None where it is about the whole."""
        return next((name for name in self.fields if f"[{name}]" in problem), None)
