"""What the panel to try an endpoint accepts, for each task, with an example to begin with."""

from typing import Any, ClassVar

from django import forms

from endpoints.models import Endpoint
from inference.chat import ChatRequest, Message
from inference.types import InferenceRequest, TaskType


def text_area(rows: int) -> forms.Textarea:
    return forms.Textarea(attrs={"class": "form-control", "rows": rows})


def missing(words: str) -> dict[str, str]:
    return {"required": words}


class TryForm(forms.Form):
    """example: what the fields hold before anybody wrote something."""

    example: ClassVar[dict[str, str]] = {}

    def to_request(self) -> InferenceRequest | ChatRequest:
        """The call that a valid form asks for."""
        raise NotImplementedError

    @staticmethod
    def body_of(request: Any) -> dict[str, Any]:
        """The same call as the API's body."""
        return {"input": list(request.input)}

    @classmethod
    def example_body(cls) -> dict[str, Any]:
        form = cls(cls.example)
        form.full_clean()
        return cls.body_of(form.to_request())


class EmbeddingForm(TryForm):
    text = forms.CharField(
        label="Text", error_messages=missing("Write a text first."), widget=text_area(3)
    )
    other = forms.CharField(label="Compare with", required=False, widget=text_area(3))

    example: ClassVar[dict[str, str]] = {
        "text": "How do I reset my password?",
        "other": "I forgot my login and cannot get in.",
    }

    def to_request(self) -> InferenceRequest:
        texts = (self.cleaned_data["text"], self.cleaned_data["other"])
        return InferenceRequest(tuple(filter(None, texts)))


class RerankForm(TryForm):
    query = forms.CharField(
        label="Query",
        error_messages=missing("Write a query first."),
        widget=forms.TextInput(attrs={"class": "form-control"}),
    )
    documents = forms.CharField(
        label="Documents",
        help_text="One on each line.",
        error_messages=missing("Write at least one document."),
        widget=text_area(6),
    )

    example: ClassVar[dict[str, str]] = {
        "query": "How do I reset my password?",
        "documents": "\n".join(
            (
                "Invoices are sent on the first day of each month.",
                "To choose a new password, open Settings and then Security.",
                "Our office is open from nine to five.",
                "Locked out? We can mail you a link to sign in again.",
                "The password of the guest network is on the notice board.",
            )
        ),
    }

    def to_request(self) -> InferenceRequest:
        lines = map(str.strip, self.cleaned_data["documents"].splitlines())
        return InferenceRequest(
            tuple(filter(None, lines)), query=self.cleaned_data["query"], return_documents=True
        )

    @staticmethod
    def body_of(request: Any) -> dict[str, Any]:
        return {"query": request.query, "input": list(request.input)}


class SparseForm(TryForm):
    text = forms.CharField(
        label="Text", error_messages=missing("Write a text first."), widget=text_area(3)
    )

    example: ClassVar[dict[str, str]] = {
        "text": "A flat tyre on my bicycle, far away from any repair shop"
    }

    def to_request(self) -> InferenceRequest:
        return InferenceRequest((self.cleaned_data["text"],))


class PromptForm(TryForm):
    prompt = forms.CharField(
        label="Prompt", error_messages=missing("Write a prompt first."), widget=text_area(4)
    )

    example: ClassVar[dict[str, str]] = {
        "prompt": "Explain in two sentences what a search engine does with a vector."
    }


class CompletionForm(PromptForm):
    def to_request(self) -> InferenceRequest:
        return InferenceRequest((self.cleaned_data["prompt"],))

    @staticmethod
    def body_of(request: Any) -> dict[str, Any]:
        return {"input": request.input[0]}


class ChatForm(PromptForm):
    system = forms.CharField(
        label="System",
        required=False,
        help_text="What the model is to keep in mind for the whole chat.",
        widget=text_area(2),
    )

    field_order = ("system", "prompt")

    def to_request(self) -> ChatRequest:
        told = {"system": self.cleaned_data["system"], "user": self.cleaned_data["prompt"]}
        messages = [Message(role=role, content=text) for role, text in told.items() if text]
        return ChatRequest(messages=messages)

    @staticmethod
    def body_of(request: Any) -> dict[str, Any]:
        body: dict[str, Any] = request.to_json()
        return body


TRY_FORMS: dict[TaskType, type[TryForm]] = {
    TaskType.TEXT_EMBEDDING: EmbeddingForm,
    TaskType.RERANK: RerankForm,
    TaskType.SPARSE_EMBEDDING: SparseForm,
    TaskType.EMBEDDING: EmbeddingForm,
    TaskType.COMPLETION: CompletionForm,
    TaskType.CHAT_COMPLETION: ChatForm,
}


def try_form(endpoint: Endpoint, data: Any = None) -> TryForm | None:
    """The form for the endpoint's task; None for a task that cannot be tried here."""
    form_class = TRY_FORMS.get(endpoint.task)
    if form_class is None:
        return None
    return form_class(data, initial=form_class.example)
