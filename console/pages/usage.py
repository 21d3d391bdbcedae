"""What was asked of an endpoint, on its page: figures, charts, and who called."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpResponse

from console.http import HtmxRequest, page
from console.pages.charts import Bars, Place, Sum, bars, line, places, top_of
from console.pages.endpoint_page import USAGE, samples_of, show
from console.templatetags.console import percent, took
from console.templatetags.times import at_hour, on_short_day, to_the_minute
from endpoints.access import get_endpoint, may_with, require
from endpoints.failure_kinds import WORDS, FailureKind
from endpoints.models import Endpoint, LatestUsage
from endpoints.permissions import Action
from endpoints.usage_reports import SPANS, Asked, Report, Span, Step, callers_of, report_of

CALLERS_A_PAGE = 20
OTHERS = "They were counted before their kinds were told apart."
NONE = "–"  # noqa: RUF001 - a dash where there is no figure
# How many labels divide the steps of a span into equal parts.
LABELS = {"24h": 6, "7d": 7, "30d": 6, "90d": 6}


@dataclass(frozen=True)
class Chart:
    """ticks: the words beside the sheet, from the top down. lines: paths."""

    ticks: tuple[str, str, str]
    places: list[Place]
    bars: Bars
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Failures:
    """Of one kind. advice: what helps. percent: of all that failed."""

    words: str
    advice: str
    count: int
    percent: float


@page("GET", "HEAD")
def endpoint_usage(request: HtmxRequest, inference_id: str) -> HttpResponse:
    require(request.user, Action.GET)
    endpoint = get_endpoint(request.user, inference_id)
    span = span_in(request)
    report = report_of(endpoint, span)
    context: dict[str, Any] = {"span": span, "spans": SPANS, "report": report}
    if report.total:
        context |= {
            "requests": chart_of_requests(report),
            "latencies": chart_of_latencies(report),
            "failures": failures_in(report.total),
            "labels": labels_of(report),
            "heads": heads_of(report),
            "rows": [row_of(report, step) for step in reversed(report.steps) if step.asked],
        }
    else:
        context["latest"] = LatestUsage.objects.filter(endpoint=endpoint).first()
        context["samples"] = samples_of(request, endpoint, None)[:1]
    if may_with(request.user, Action.DELETE, endpoint):
        context |= callers_shown(request, endpoint, report)
    return show(request, endpoint, USAGE, **context)


def span_in(request: HtmxRequest) -> Span:
    wanted = request.GET.get("range", "")
    return next((span for span in SPANS if span.name == wanted), SPANS[0])


def callers_shown(request: HtmxRequest, endpoint: Endpoint, report: Report) -> dict[str, Any]:
    text = request.GET.get("page", "")
    number = max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 6 else 1
    first = (number - 1) * CALLERS_A_PAGE
    part = slice(first, first + CALLERS_A_PAGE)
    since = report.start.date()
    callers, count = callers_of(endpoint, since, part)
    return {
        "is_told_callers": True,
        "callers": callers,
        "trials": endpoint.callers.filter(day__gte=since).trials(),
        "callers_count": count,
        "callers_page": number,
        "callers_pages": -(-count // CALLERS_A_PAGE),
    }


def failures_in(asked: Asked) -> list[Failures]:
    """The most common kind first, and last those that were counted before there were kinds."""
    found = sorted(asked.failures.items(), key=lambda one: -one[1])
    shown = [
        Failures(*WORDS[FailureKind(kind)], count, 100 * count / asked.errors)
        for kind, count in found
        if kind in WORDS
    ]
    if shown and (others := asked.errors - sum(one.count for one in shown)) > 0:
        shown.append(Failures("Others", OTHERS, others, 100 * others / asked.errors))
    return shown


def chart_of_requests(report: Report) -> Chart:
    sums = [
        Sum(asked.requests, asked.errors) if (asked := step.asked) else None
        for step in report.steps
    ]
    top = top_of(max(one.whole for one in sums if one))
    titles = titled(report, told_requests)
    ticks = (f"{top:,.0f}", f"{top / 2:,.0f}" if top % 2 == 0 else "", "0")
    return Chart(ticks, places(titles), bars(sums, top))


def chart_of_latencies(report: Report) -> Chart | None:
    """None where nothing was answered."""
    p50 = [step.asked.p50_ms if step.asked else None for step in report.steps]
    p95 = [step.asked.p95_ms if step.asked else None for step in report.steps]
    if not any(p95):
        return None
    top = top_of(max(value for value in p95 if value))
    titles = titled(report, told_latency)
    known = bars([Sum(0, 0) if step.asked else None for step in report.steps], top)
    ticks = (took(top), took(top / 2), "0")
    return Chart(ticks, places(titles), known, (line(p50, top), line(p95, top)))


def titled(report: Report, told: Callable[[Asked], str]) -> list[tuple[str, datetime | None]]:
    """Of each step its figures in words, and its hour if it is one: days are those of UTC."""
    is_by_day = report.span.is_by_day
    form = "%-d %B" if is_by_day else "%-d %b, %H:%M UTC"
    return [
        (
            f"{step.start:{form}}: {told(step.asked) if step.asked else 'nothing recorded'}",
            None if is_by_day else step.start,
        )
        for step in report.steps
    ]


def told_requests(asked: Asked) -> str:
    requests = f"{asked.requests:,} request{'' if asked.requests == 1 else 's'}"
    return f"{requests}, {asked.errors:,} failed" if asked.errors else f"{requests}, none failed"


def told_latency(asked: Asked) -> str:
    if asked.p50_ms is None or asked.p95_ms is None:
        return "nothing answered"
    return f"half within {took(asked.p50_ms)}, 95 of 100 within {took(asked.p95_ms)}"


def heads_of(report: Report) -> list[str]:
    when = "Day (UTC)" if report.span.is_by_day else "Hour from"
    return [when, "Requests", "Failed", "Inputs", "Cut", "Cached", "p50", "p95", "p99"]


def row_of(report: Report, step: Step) -> list[str]:
    """The figures of a step as text, when it was first."""
    asked = step.asked
    if asked is None:
        return []
    counts = (asked.requests, asked.errors, asked.inputs, asked.truncated_inputs)
    times = (asked.p50_ms, asked.p95_ms, asked.p99_ms)
    return [
        f"{step.start:%-d %b}" if report.span.is_by_day else to_the_minute(step.start),
        *(f"{count:,}" for count in counts),
        NONE if asked.cached_share is None else percent(asked.cached_share),
        *(NONE if time_ms is None else took(time_ms) for time_ms in times),
    ]


def labels_of(report: Report) -> list[str]:
    """For the beginnings of equal parts of the span."""
    count = LABELS[report.span.name]
    starts = [report.steps[n * report.span.steps // count].start for n in range(count)]
    if report.span.is_by_day:
        return [f"{start:%-d %b}" for start in starts]
    return [
        at_hour(start) if report.span.name == "24h" else on_short_day(start) for start in starts
    ]
