"""The `_console/audit` routes: the audit log, found and written out. Not of Elasticsearch's API."""

from collections.abc import Iterable

from django.http import HttpResponse, StreamingHttpResponse

from endpoints import attempts
from endpoints.access import require
from endpoints.api.http import ElasticView, UserRequest
from endpoints.history import (
    FILTERS,
    FORMS,
    MOST_SHOWN,
    Search,
    export,
    visible_entries,
    window,
)
from endpoints.permissions import Action
from inference.errors import InvalidArgument

USUAL_SIZE = 100
USUAL_FORM = "ndjson"


class AuditView(ElasticView):
    def get(self, request: UserRequest) -> HttpResponse:
        """The newest first. `before` is the number that the older ones come before."""
        require(request.user, Action.AUDIT_GET)
        params = self.params(request, *FILTERS, "size", "before")
        size, before = params.integer("size"), params.integer("before")
        size = USUAL_SIZE if size is None else size
        if not 1 <= size <= MOST_SHOWN:
            raise InvalidArgument(f"Parameter [size] must be from 1 to {MOST_SHOWN}, was [{size}]")
        search = Search.of(request.query_params.dict())
        attempts.waiting.write(everything=True)
        shown = window(visible_entries(request.user), search, size, before)
        entries = [entry.to_response() for entry in shown.entries]
        return self.answer({"entries": entries, "next_before": shown.next_before})


class ExportView(ElasticView):
    def get(self, request: UserRequest) -> StreamingHttpResponse:
        """All that is found, as lines of JSON or as CSV."""
        require(request.user, Action.AUDIT_GET)
        form = self.params(request, *FILTERS, "format").text("format", USUAL_FORM)
        if form not in FORMS:
            raise InvalidArgument(f"[format] must be one of [{', '.join(FORMS)}], not [{form}]")
        lines = export(request.user, Search.of(request.query_params.dict()), form)
        return download(lines, form)


def download(lines: Iterable[bytes], form: str) -> StreamingHttpResponse:
    return StreamingHttpResponse(
        lines,
        content_type=FORMS[form][0],
        headers={"Content-Disposition": f'attachment; filename="audit.{form}"'},
    )
