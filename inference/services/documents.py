"""How documents come back from services that rank them."""

from typing import ClassVar, Generic

from inference.services.calls import Call, SettingsT
from inference.services.remote import Task
from inference.services.replies import Received, ranking
from inference.services.settings import Settings
from inference.services.task_settings import RerankTaskSettings
from inference.types import Ranking


class SentDocument(Received):
    text: str | None = None


def document_text(document: SentDocument | str | None) -> str | None:
    """The text of a document, which some providers send in an object."""
    return document.text if isinstance(document, SentDocument) else document


class RankedRow(Received):
    index: int
    relevance_score: float
    document: SentDocument | str | None = None


class RankedReply(Received):
    results: list[RankedRow]


class RerankDocuments(Task[SettingsT, RankedReply], Generic[SettingsT]):
    """Ranks in Cohere's shape, which many send."""

    task_settings: ClassVar[type[Settings]] = RerankTaskSettings
    reply = RankedReply

    def parse(self, reply: RankedReply, call: Call[SettingsT]) -> Ranking:
        rows = (
            (row.index, row.relevance_score, document_text(row.document)) for row in reply.results
        )
        return ranking(rows, call)
