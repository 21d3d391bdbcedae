"""What a try before saving sends: the smallest call of each task, with an example to begin with."""

from typing import Any, ClassVar

from django import forms

from console.forms.chat import ChatForm
from console.forms.embedding import EmbeddingForm
from console.forms.try_it import PromptForm, RerankForm, SparseForm, missing, text_area
from inference.chat import ChatRequest, Message
from inference.types import InferenceRequest, TaskType

PREFIX = "trial"


class TrialForm(forms.Form):
    """example: what the fields hold before anybody wrote something."""

    example: ClassVar[dict[str, Any]] = {}

    def __init__(self, data: Any = None) -> None:
        is_sent = data is not None and any(
            f"{PREFIX}-{name}" in data for name in type(self).base_fields
        )
        super().__init__(data if is_sent else None, initial=self.example, prefix=PREFIX)
        for field in self.fields.values():
            field.widget.attrs["form"] = "create"  # beside it on the page, and sent with it

    def to_request(self) -> InferenceRequest | ChatRequest:
        """The call that a valid form asks for."""
        raise NotImplementedError


class TextTrial(TrialForm):
    text = forms.CharField(
        label="Text", error_messages=missing("Write a text first."), widget=text_area(2)
    )

    example: ClassVar[dict[str, Any]] = {"text": SparseForm.example["input"][0]}

    def to_request(self) -> InferenceRequest:
        return InferenceRequest((self.cleaned_data["text"],))


class VectorTrial(TextTrial):
    other = forms.CharField(label="Compare with", required=False, widget=text_area(2))

    example: ClassVar[dict[str, Any]] = dict(
        zip(("text", "other"), EmbeddingForm.example["input"], strict=True)
    )

    def to_request(self) -> InferenceRequest:
        texts = (self.cleaned_data["text"], self.cleaned_data["other"])
        return InferenceRequest(tuple(filter(None, texts)))


class RerankTrial(TrialForm):
    query = RerankForm.base_fields["query"]
    documents = forms.CharField(
        label="Documents",
        help_text="One on each line.",
        error_messages=missing("Write at least one document."),
        widget=text_area(5),
    )

    example: ClassVar[dict[str, Any]] = RerankForm.example

    def to_request(self) -> InferenceRequest:
        lines = map(str.strip, self.cleaned_data["documents"].splitlines())
        return InferenceRequest(
            tuple(filter(None, lines)), query=self.cleaned_data["query"], return_documents=True
        )


class PromptTrial(TrialForm):
    prompt = forms.CharField(
        label="Prompt", error_messages=missing("Write a prompt first."), widget=text_area(3)
    )

    example: ClassVar[dict[str, Any]] = PromptForm.example

    def to_request(self) -> InferenceRequest | ChatRequest:
        return InferenceRequest((self.cleaned_data["prompt"],))


class ChatTrial(PromptTrial):
    example: ClassVar[dict[str, Any]] = ChatForm.example

    def to_request(self) -> ChatRequest:
        return ChatRequest(messages=[Message(role="user", content=self.cleaned_data["prompt"])])


TRIALS: dict[TaskType, type[TrialForm]] = {
    TaskType.TEXT_EMBEDDING: VectorTrial,
    TaskType.EMBEDDING: VectorTrial,
    TaskType.SPARSE_EMBEDDING: TextTrial,
    TaskType.RERANK: RerankTrial,
    TaskType.COMPLETION: PromptTrial,
    TaskType.CHAT_COMPLETION: ChatTrial,
}


def trial_form(task_type: TaskType, data: Any = None) -> TrialForm | None:
    """Its fields, and what they were sent with; None for a task that cannot be tried.

    What a form for another task sent is left out.
    """
    form_class = TRIALS.get(task_type)
    return form_class(data) if form_class else None
