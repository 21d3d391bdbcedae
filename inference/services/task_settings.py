"""Task settings that several services have."""

from pydantic import StrictBool

from inference.services.settings import PositiveInt, Settings, setting


class RerankTaskSettings(Settings):
    return_documents: StrictBool | None = setting(
        "Return Documents",
        "Whether the texts come back with the scores.",
        updatable=True,
        default=None,
    )
    top_n: PositiveInt | None = setting(
        "Top N", "How many documents come back at most.", updatable=True, default=None
    )
