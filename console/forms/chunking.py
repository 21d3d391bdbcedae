"""How long texts are cut, as somebody fills it in: the same for every service."""

from collections.abc import Mapping
from typing import Any

from console.forms.settings import Entry, Kind

CHUNKING = "chunking_settings"
# What each strategy knows beside its name; the rest is not asked for, and not sent.
KNOWN = {
    "sentence": ("max_chunk_size", "sentence_overlap"),
    "word": ("max_chunk_size", "overlap"),
    "recursive": ("max_chunk_size", "separator_group", "separators"),
    "none": (),
}
USUAL_SIZE, USUAL_OVERLAP = 250, 0.4


def chunking_entries() -> tuple[Entry, ...]:
    def entry(name: str, label: str, description: str, kind: Kind, **more: Any) -> Entry:
        return Entry(CHUNKING, (name,), label, description, kind, is_updatable=True, **more)

    return (
        entry("strategy", "Strategy", "Where texts are cut.", Kind.CHOICE, choices=tuple(KNOWN)),
        entry(
            "max_chunk_size", "Largest chunk", "In words.", Kind.INTEGER,
            least=10, default=USUAL_SIZE,
        ),
        entry(
            "sentence_overlap", "Sentence overlap",
            "How many sentences a chunk begins with that ended the one before: 0 or 1.",
            Kind.INTEGER, least=0, most=1, default=1,
        ),
        entry(
            "overlap", "Overlap",
            "How many words a chunk begins with that ended the one before: half a chunk at most. "
            "Left empty: two fifths.",
            Kind.INTEGER, least=1,
        ),
        entry(
            "separator_group", "Separators for", "Where texts of this kind are cut first.",
            Kind.CHOICE, choices=("plaintext", "markdown"), default="plaintext",
        ),
        entry(
            "separators", "Own separators",
            "Regular expressions in place of those, as a list.", Kind.JSON,
            example='["\\\\n\\\\n", "\\\\n"]',
        ),
    )  # fmt: skip


def strategies_for(entry: Entry) -> str:
    """The strategies that know a setting, between blanks; empty for the strategy itself."""
    return " ".join(name for name, known in KNOWN.items() if entry.path[0] in known)


def chunking_of(written: Mapping[str, Any]) -> dict[str, Any]:
    """The settings as a request would give them: what is written, as far as the strategy knows it.

    A size that is left open is the usual one, which the API does not fill in itself.
    """
    strategy = written.get("strategy")
    if strategy not in KNOWN:
        return dict(written)
    known = {name: value for name, value in written.items() if name in KNOWN[strategy]}
    settings = {"strategy": strategy, **known}
    if strategy != "none":
        settings.setdefault("max_chunk_size", USUAL_SIZE)
    size = settings.get("max_chunk_size")
    if strategy == "word" and isinstance(size, int):
        settings.setdefault("overlap", int(size * USUAL_OVERLAP))
    return settings
