"""Small pieces of markup that stand in every row of long lists; so they are put together here.

A template that is included takes ten times as long, and nothing here asks the database.
"""

from functools import cache, lru_cache
from typing import Any
from urllib.parse import quote

from django import template
from django.template.base import FilterExpression, Parser, TextNode, Token
from django.templatetags.static import static
from django.urls import get_script_prefix, reverse
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString

from endpoints.access import may
from endpoints.model_states import ModelStatus
from endpoints.permissions import Action
from endpoints.references import Reference
from endpoints.status import EndpointStatus
from inference.references.cluster import Kind

register = template.Library()

# The pages of what names endpoints, and who may see them.
PLACES = {
    Kind.INDEX: ("reference-index", Action.INDEX_GET),
    Kind.PIPELINE: ("reference-pipeline", Action.PIPELINE_GET),
}
# What stands for a name while the address around it is found out.
ANY_NAME = "any-name-at-all"


class Icon(template.Node):
    """A symbol whose name only the context knows."""

    def __init__(self, name: FilterExpression) -> None:
        self._name = name

    def render(self, context: template.Context) -> SafeString:
        return drawn(self._name.resolve(context))


@register.tag
def icon(parser: Parser, token: Token) -> template.Node:
    """One of the symbols in static/vendor/icons.svg; decoration, so hidden from readers.

    One that the template names itself is drawn once, when the template is read.
    """
    _, name = token.split_contents()
    expression = parser.compile_filter(name)
    if expression.is_var:
        return Icon(expression)
    return TextNode(drawn(expression.resolve(template.Context())))


@cache
def drawn(name: str) -> SafeString:
    return format_html(
        '<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"/></svg>',
        static("vendor/icons.svg"),
        name,
    )


@register.simple_tag
def copy(text: str, what: str) -> SafeString:
    """A button that copies a text. what: what its name calls that, after "the"."""
    return format_html(
        '<button class="copy needs-js" type="button" data-copy="{}" aria-label="Copy the {}" '
        'title="Copy"><span class="copy-before">{}</span><span class="copy-after">{}</span>'
        "</button>",
        text,
        what,
        drawn("copy"),
        drawn("check"),
    )


@register.simple_tag
def state(status: EndpointStatus | ModelStatus) -> SafeString:
    """How an endpoint or a model is, in words; with how far it is while it is fetched."""
    download = status.download
    far = f"{download.percent}%" if download and download.bytes_total else ""
    return _state(status.state, status.words, far)


@lru_cache(maxsize=256)
def _state(name: str, words: str, more: str) -> SafeString:
    told = format_html('{} <span class="state-more">{}</span>', words, more) if more else words
    return format_html(
        '<span class="state state-{}"><span class="state-dot" aria-hidden="true"></span>{}</span>',
        name,
        told,
    )


@register.simple_tag(takes_context=True)
def place(context: Any, use: Reference, words: str) -> SafeString:
    """An index or a pipeline that names an endpoint. Only what is registered here has a page.

    words: how it is written.
    """
    view, action = PLACES[use.kind]
    if use.cluster or not may(context["request"].user, action):
        return format_html('<span class="font-monospace">{}</span>', words)
    return format_html('<a class="font-monospace" href="{}">{}</a>', address(view, use.name), words)


@register.simple_tag
def address(view: str, name: str) -> SafeString:
    """What `url` gives for a page about one thing, as it stands in markup."""
    before, after = _address_around(view, get_script_prefix())
    return SafeString(f"{before}{quote(name, safe='')}{after}")


@lru_cache(maxsize=64)
def _address_around(view: str, script_prefix: str) -> tuple[str, str]:
    """What stands before a name and after it. script_prefix: where the console begins."""
    before, _, after = reverse(view, args=[ANY_NAME]).partition(ANY_NAME)
    return escape(before), escape(after)
