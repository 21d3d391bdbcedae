"""What every template keeps to: nothing that the policy refuses, no form that others may send."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import URLPattern, URLResolver, get_resolver

ROOT = Path(settings.BASE_DIR) / "templates"
TEMPLATES = {str(path.relative_to(ROOT)): path.read_text() for path in ROOT.rglob("*.html")}
# In tags alone; `{% ... %}` within them may say anything.
TAG = re.compile(r"<[a-zA-Z](?:[^>{]|\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}|\{)*>", re.DOTALL)
DJANGO = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
INLINE = {
    "a style": re.compile(r"\sstyle\s*=|^<style", re.IGNORECASE),
    "a handler": re.compile(r"\s(on[a-z]+|hx-on[\w:-]*)\s*=", re.IGNORECASE),
    "a script": re.compile(r"^<script(?![^>]*\ssrc)", re.IGNORECASE),
    "an address that runs": re.compile(r"=\s*[\"']?\s*javascript:", re.IGNORECASE),
    "what htmx would have to run": re.compile(
        r"\shx-[\w:-]+\s*=\s*[\"']\s*js:|\shx-trigger\s*=\s*\"[^\"]*\[", re.IGNORECASE
    ),
    "what comes from elsewhere": re.compile(r"\s(src|srcset|action)\s*=\s*[\"']?(https?:)?//"),
}
# It asks for the token itself, once it has limited what is read.
ASKS_LATER = ["lab-document"]
INCLUDED = re.compile(r'\{% include "([^"]+)"')
FORM = re.compile(r"<form\b.*?</form>", re.DOTALL)
# What the navigation leads to, or a tab beside it; and what stands outside of every list.
HAS_NOTHING_ABOVE = {
    *("home/overview.html", "shell/find.html", "reference/reference.html", "_notice.html"),
    *("account/profile.html", "account/security.html"),
    *("keys/accounts.html", "references/indices.html", "references/pipelines.html"),
    *("join/gone.html", "join/join.html", "join/new_password.html"),
    *("audit/list.html", "clusters/list.html", "endpoints/list.html", "keys/list.html"),
    *("models/list.html", "people/list.html", "teams/list.html"),
}
BASES = ("base.html", "references/base.html")


def test_there_are_templates() -> None:
    assert len(TEMPLATES) > 100


def test_every_page_below_a_list_says_where_it_stands() -> None:
    lost = {
        name
        for name, text in TEMPLATES.items()
        if any(f'{{% extends "{base}" %}}' in text for base in BASES)
        and not name.endswith("base.html")
        and not name.startswith(("session/", "allauth/"))
        and "_crumbs.html" not in text
    }

    assert lost == HAS_NOTHING_ABOVE


@pytest.mark.parametrize("what", INLINE)
def test_no_template_has_what_browsers_are_told_to_refuse(what: str) -> None:
    found = [
        f"{name}: {tag}"
        for name, text in TEMPLATES.items()
        for tag in tags_in(text)
        if INLINE[what].search(tag)
    ]

    assert found == []


@pytest.mark.parametrize(
    ("what", "tag"),
    [
        ("a style", '<p class="{% if a > b %}c{% endif %}" style="color: red">'),
        ("a handler", '<a href="{{ one }}"\n   onclick="go()">'),
        ("a handler", '<a hx-on:click="go()">'),
        ("a script", "<script>"),
        ("an address that runs", '<a href="javascript:go()">'),
        ("what htmx would have to run", "<p hx-vals='js:{a: b}'>"),
        ("what htmx would have to run", '<p hx-trigger="keyup[ctrlKey]">'),
        ("what comes from elsewhere", '<img src="https://example.org/a.png">'),
    ],
)
def test_what_is_refused_would_be_found(what: str, tag: str) -> None:
    assert any(INLINE[what].search(one) for one in tags_in(tag))


def tags_in(text: str) -> list[str]:
    """The tags of a template, without what Django puts there."""
    return [DJANGO.sub("", tag) for tag in TAG.findall(text)]


def test_every_form_that_changes_something_has_its_token() -> None:
    posting = [
        (name, form)
        for name, text in TEMPLATES.items()
        for form in FORM.findall(text)
        if 'method="post"' in TAG.findall(form)[0]
    ]
    assert len(posting) > 60

    assert [name for name, form in posting if "{% csrf_token %}" not in whole(form)] == []


def whole(form: str) -> str:
    """A form with the parts that it includes."""
    return form + "".join(TEMPLATES[part] for part in INCLUDED.findall(form))


def test_no_view_of_a_page_takes_a_form_without_its_token() -> None:
    views = dict(views_below(get_resolver("console.pages.urls")))
    assert len(views) > 100

    exempt = [name for name, view in views.items() if getattr(view, "csrf_exempt", False)]
    assert exempt == ASKS_LATER


def views_below(resolver: URLResolver) -> Iterator[tuple[str, object]]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLPattern):
            yield str(entry.name or entry.pattern), entry.callback
        else:
            yield from views_below(entry)


def test_breadcrumbs_name_the_page_itself_everywhere() -> None:
    drawn = [name for name, text in TEMPLATES.items() if 'class="crumbs"' in text]
    asked = [
        f"{name}: {tag}"
        for name, text in TEMPLATES.items()
        for tag in re.findall(r'\{% include "_crumbs.html".*?%\}', text)
        if not name.endswith("_crumbs.html") and "page=" not in tag
    ]

    assert drawn == ["_crumbs.html"]
    assert asked == []
