"""Moments and spans, in words.

Every moment is an element that says it exactly: in UTC as it comes, and in the viewer's zone once
`static/js/times.js` has seen it.
"""

from datetime import UTC, datetime, timedelta

from django import template
from django.utils import timezone
from django.utils.safestring import SafeString

register = template.Library()

SPANS = ((86400, "day"), (3600, "hour"), (60, "minute"))


def span(duration: timedelta) -> str:
    """A duration in one rough number; empty for less than a minute."""
    for seconds, name in SPANS:
        if (count := int(duration.total_seconds() // seconds)) >= 1:
            return f"{count} {name}{'s' if count > 1 else ''}"
    return ""


@register.filter
def ago(moment: datetime) -> SafeString:
    """How long ago, in one rough number."""
    passed = span(timezone.now() - moment)
    return _element(moment, f"{passed} ago" if passed else "just now", "")


@register.filter
def exactly(moment: datetime) -> SafeString:
    """The day and the time."""
    return _element(moment, _in_full(moment), "minute")


@register.filter
def on_day(moment: datetime) -> SafeString:
    """The day alone."""
    return _element(moment, f"{moment.astimezone(UTC):%-d %B %Y}", "day")


@register.filter
def to_the_second(moment: datetime) -> SafeString:
    """The time of something that is one of many on a day."""
    return _element(moment, f"{moment.astimezone(UTC):%-d %b, %H:%M:%S}", "second")


@register.filter
def to_the_minute(moment: datetime) -> SafeString:
    """The same, of what happens by the hour."""
    return _element(moment, f"{moment.astimezone(UTC):%-d %b, %H:%M}", "hour")


@register.filter
def at_hour(moment: datetime) -> SafeString:
    """The time of a day that is known."""
    return _element(moment, f"{moment.astimezone(UTC):%H:%M}", "time")


@register.filter
def on_short_day(moment: datetime) -> SafeString:
    return _element(moment, f"{moment.astimezone(UTC):%-d %b}", "short-day")


def _element(moment: datetime, words: str, shown: str) -> SafeString:
    """shown: what of the moment the words say, so that they can be said in another zone.

    All of it is made here: nothing in it has to be escaped.
    """
    exact = moment.astimezone(UTC).isoformat(timespec="seconds")
    mark = f' data-shown="{shown}"' if shown else ""
    return SafeString(f'<time datetime="{exact}" title="{_in_full(moment)}"{mark}>{words}</time>')


def _in_full(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%-d %B %Y, %H:%M} UTC"
