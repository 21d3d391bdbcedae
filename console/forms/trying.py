"""Which form tries an endpoint of which task."""

from typing import Any

from console.forms.chat import ChatForm
from console.forms.embedding import EmbeddingForm
from console.forms.try_it import CompletionForm, RerankForm, SparseForm, TryForm
from endpoints.models import Endpoint, User
from inference.types import TaskType

TRY_FORMS: dict[TaskType, type[TryForm]] = {
    TaskType.TEXT_EMBEDDING: EmbeddingForm,
    TaskType.RERANK: RerankForm,
    TaskType.SPARSE_EMBEDDING: SparseForm,
    TaskType.EMBEDDING: EmbeddingForm,
    TaskType.COMPLETION: CompletionForm,
    TaskType.CHAT_COMPLETION: ChatForm,
}


def try_form(
    endpoint: Endpoint, user: User | None = None, data: Any = None, files: Any = None
) -> TryForm | None:
    """The form for the endpoint's task; None for a task that cannot be tried here.

    user: who sends it, where somebody does.
    """
    form_class = TRY_FORMS.get(endpoint.task)
    if form_class is None:
        return None
    return form_class(data, files, endpoint=endpoint, user=user)
