"""What an endpoint of a cross-encoder does with documents that are longer than its window."""

from typing import Literal

from inference.errors import InvalidSettings
from inference.services.settings import PositiveInt, Settings, setting, unknown_settings

CHUNK = "chunk"
MODEL_ID = ".rerank-v1"


class LongDocumentSettings(Settings):
    """Settings of `.rerank-v1` alone. max_chunks_per_doc: more of a document is not read."""

    long_document_strategy: Literal["chunk", "truncate"] | None = setting(
        "Long Document Strategy",
        "Read a long document in chunks, or only its start.",
        listed=False,
        default=None,
    )
    max_chunks_per_doc: PositiveInt | None = setting(
        "Max Chunks Per Doc", "How many chunks of a document are read.", listed=False, default=None
    )

    @property
    def of_long_documents(self) -> dict[str, object]:
        return self.model_dump(include=set(LongDocumentSettings.model_fields), exclude_none=True)


def check_long_documents(settings: LongDocumentSettings, model_id: str, service: str) -> None:
    """Raises InvalidRequest for another model, InvalidSettings for chunks without chunking."""
    given = settings.of_long_documents
    if given and model_id != MODEL_ID:
        raise unknown_settings(given, service)
    if settings.max_chunks_per_doc and settings.long_document_strategy != CHUNK:
        raise InvalidSettings(
            [
                "[service_settings] The [max_chunks_per_doc] setting requires "
                f"[long_document_strategy] to be set to [{CHUNK}]"
            ]
        )
