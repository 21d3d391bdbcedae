"""Somebody plants a script wherever text is kept, typed or asked for; no page takes it as markup.

The pages' policy would stop most scripts from running. So that it is not the only thing that does,
the planted element must not even become part of a page.
"""

from collections import deque
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from django.apps import apps
from django.db import models
from django.utils import timezone
from playwright.sync_api import Locator, Page, Response

from endpoints import audit
from endpoints.models import ClusterReference, Endpoint, Team
from inference.errors import InvalidRequest
from inference.types import TaskType
from tests.console.browser.conftest import Visitor
from tests.console.conftest import FakeHosts
from tests.factories import make_cluster, make_endpoint, make_index, make_remote_endpoint

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("admin", "world")]

PLANT = "'\"><img data-planted src=x onerror=planted=1>"
GREW = "() => [document.querySelectorAll('[data-planted]').length, window.planted ?? 0]"
# What code decides by and nobody writes, and names whose pattern such a text never fits.
KEPT = {
    "apikey.key_id",
    "apikey.secret_sha256",
    "artifact.source",
    "cluster.encrypted_api_key",
    "cluster.name",
    "deployment.cache_size",
    "deployment.precision",
    "deployment.priority",
    "endpoint.cache_generation",
    "endpoint.encrypted_secrets",
    "endpoint.fingerprint",
    "endpoint.service",
    "endpoint.task_type",
    "heartbeat.instance",
    "heartbeat.part",
    "tombstone.service",
    "tombstone.task_type",
    "trainedmodel.task_type",
    "user.password",
    "user.username",
}
# Everything that a page may take from its address, whether it does or not.
QUERY = ("q", "page", "next", "team", "who", "verb", "from", "to", "before", "tab", "task", "id")
LEAVES = ("sign-out",)


@pytest.fixture
def world(transactional_db: None) -> None:
    endpoint = make_endpoint("local", reason="no room")
    make_remote_endpoint(
        "openai",
        TaskType.TEXT_EMBEDDING,
        {"api_key": "sk-1", "model_id": "text-embedding-3-small"},
        "hosted",
    )
    make_index("books", "local")
    team = Team.objects.create(name="search", description="They search.")
    Endpoint.objects.update(team=team)
    cluster = make_cluster(team=team, reason="it did not answer")
    ClusterReference.objects.create(
        cluster=cluster, kind="index", name="films", inference_id="local", seen_at=timezone.now()
    )
    audit.record(
        "endpoint.update", endpoint.inference_id, before={"a": PLANT}, after={"a": [PLANT]}
    )


def plant_everywhere() -> None:
    """Write it into every column of text that a person, a provider or a cluster may fill."""
    for model in apps.get_app_config("endpoints").get_models():
        for field in model._meta.concrete_fields:
            if is_free_text(model, field):
                for row in model._default_manager.all():
                    text = f"{PLANT}{row.pk}"[: field.max_length]
                    model._default_manager.filter(pk=row.pk).update(**{field.attname: text})


def is_free_text(model: type[models.Model], field: "models.Field[Any, Any]") -> bool:
    name = f"{model._meta.model_name}.{field.name}"
    is_text = isinstance(field, models.CharField | models.TextField) and not field.choices
    return is_text and not field.primary_key and name not in KEPT


class Crawler:
    """Opens every page that can be reached by links."""

    def __init__(self, page: Page, root: str) -> None:
        self._page, self._root = page, root

    def pages(self) -> Iterator[str]:
        """Each path, while its page is open."""
        waiting, seen = deque(["/console/"]), {"/console/"}
        while waiting:
            path = waiting.popleft()
            if not self._is_page(path):
                continue
            self.open(path)
            links = self._links()
            yield path
            waiting.extend(link for link in links if link not in seen)
            seen.update(links)

    def open(self, path: str) -> None:
        self.check(self._page.goto(path, wait_until="domcontentloaded"), path)

    def _is_page(self, path: str) -> bool:
        """Or a file to load down."""
        return "html" in self._page.request.head(path).headers.get("content-type", "")

    def check(self, answer: Response | None, path: str) -> None:
        status = answer.status if answer else 0
        assert 0 < status < 400, f"{path} answers with {status}"
        assert self._page.evaluate(GREW) == [0, 0], f"{path} takes text as markup"

    def _links(self) -> list[str]:
        found = self._page.eval_on_selector_all("a[href]", "all => all.map(a => a.href)")
        return list(dict.fromkeys(link for link in map(self._path_of, found) if link))

    def _path_of(self, link: str) -> str | None:
        parts = urlsplit(link)
        if f"{parts.scheme}://{parts.netloc}" != self._root:
            return None
        if not parts.path.startswith("/console/") or parts.path.endswith(LEAVES):
            return None
        return parts.path


def test_what_is_stored_is_shown_as_text(visitor: Visitor) -> None:
    page = visitor.signed_in()
    plant_everywhere()

    opened = list(Crawler(page, visitor.url).pages())

    assert len(opened) > 10


def test_what_an_address_asks_for_is_shown_as_text(visitor: Visitor) -> None:
    page = visitor.signed_in()
    crawler = Crawler(page, visitor.url)
    asked = urlencode(dict.fromkeys(QUERY, PLANT))

    for path in crawler.pages():
        crawler.open(f"{path}?{asked}")


def test_what_is_typed_is_shown_as_text(visitor: Visitor, hosts: FakeHosts) -> None:
    """Every form of every page is sent with the script in each of its fields that take text."""
    hosts.raises = InvalidRequest(PLANT)
    page = visitor.signed_in()
    crawler = Crawler(page, visitor.url)
    forms = [(path, place) for path in crawler.pages() for place in forms_with_text(page)]

    for path, place in forms:
        crawler.open(path)
        crawler.check(send(page.locator(FORMS).nth(place)), path)

    assert len(forms) > 5


FORMS = "main form"
TEXT = (
    "textarea:enabled, input:enabled:not([type=checkbox], [type=radio], [type=hidden], "
    "[type=file], [type=number], [type=submit], [type=date], [type=datetime-local])"
)


def forms_with_text(page: Page) -> list[int]:
    """The places among the forms of a page of those that have a field for text."""
    forms = page.locator(FORMS).all()
    return [place for place, form in enumerate(forms) if form.locator(TEXT).count()]


def send(form: Locator) -> Response | None:
    """Fill in the script everywhere and send it, as a browser without scripts would."""
    form.locator(TEXT).evaluate_all(
        "(fields, text) => { for (const field of fields) field.value = text }", PLANT
    )
    with form.page.expect_navigation(wait_until="domcontentloaded") as navigation:
        form.evaluate("form => HTMLFormElement.prototype.submit.call(form)")
    return navigation.value
