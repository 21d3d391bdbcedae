"""What an answer tells beside its body: values of the header `Warning`."""

from itertools import islice

from django.http import HttpResponse

from endpoints.api.cluster import cluster_info
from inference.types import (
    QUERY,
    InferenceRequest,
    InferenceResult,
    Ranking,
    SparseEmbeddings,
    Truncation,
)

MOST_NAMED = 5


def warn(response: HttpResponse, *texts: str) -> None:
    """Set the header to these texts, one value each. A text holds no quotation mark."""
    if texts:
        response["Warning"] = ", ".join(warning_value(text) for text in texts)


def warning_value(text: str) -> str:
    """A text in the form that Elasticsearch's clients raise as a warning."""
    version = cluster_info()["version"]
    return f'299 Elasticsearch-{version["number"]}-{version["build_hash"]} "{text}"'


def cuts_of(request: InferenceRequest, result: InferenceResult) -> tuple[str, ...]:
    """What the model did not read, unless the answer itself says it, as sparse ones do."""
    if isinstance(result, SparseEmbeddings) or not result.truncated:
        return ()
    truncated = result.truncated
    if isinstance(result, Ranking):
        count, kind, noun = 1 + len(request.input), "text", "document"
    else:
        count, kind, noun = len(request.input), "input", "input"
    of_all = f"{count} {kind}{'' if count == 1 else 's'}"
    named = [told(noun, *cut) for cut in islice(truncated.items(), MOST_NAMED)]
    if more := len(truncated) - len(named):
        named.append(f"and {more} more were cut")
    cut = next(iter(truncated.values()))
    were = "was" if len(truncated) == 1 else "were"
    whither = f" to the model's window of {cut.read_tokens} tokens"
    if cut.lost_characters is not None:
        whither = " before they were sent" if len(truncated) > 1 else " before it was sent"
    return (
        f"{len(truncated)} of {of_all} {were} cut{whither}: {', '.join(named)}; the rest was not "
        "read",
    )


def told(noun: str, name: str, truncation: Truncation) -> str:
    return f"{name if name == QUERY else f'{noun} {name}'} lost {truncation}"
