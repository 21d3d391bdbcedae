"""Somebody plants a script wherever text is kept, typed or asked for; no page takes it as markup.

The pages' policy would stop most scripts from running. So that it is not the only thing that does,
the planted element must not even become part of a page.
"""

from http import HTTPStatus
from typing import Any
from urllib.parse import unquote, urlencode

import pytest
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.db import models
from django.urls import resolve, reverse
from playwright.sync_api import Locator, Page

from endpoints import password_resets
from endpoints.history import TEXTS
from endpoints.invitations import Wish, invite
from endpoints.models import (
    Team,
    TeamRole,
    User,
)
from inference.errors import InvalidRequest
from tests.console.browser.conftest import Visitor
from tests.console.browser.crawling import Crawler
from tests.console.browser.furnished import PLANT
from tests.console.conftest import FakeHosts

pytestmark = pytest.mark.usefixtures("world")

GREW = "() => [document.querySelectorAll('[data-planted]').length, window.planted ?? 0]"
# Whose records the pages show.
SHOWN = ("account", "endpoints", "mfa", "socialaccount", "usersessions")
# What code decides by and nobody writes, and what has it already or must not have it.
KEPT = {
    "auditentry.verb",
    "cluster.encrypted_api_key",
    "cluster.name",
    "deletedendpoint.encrypted_secrets",
    "deletedendpoint.service",
    "endpoint.encrypted_secrets",
    "endpoint.service",
    "modelupload.model_id",
    "trainedmodel.model_id",
    "user.email",
    "user.password",
    "user.username",
}
# What a page may take from its address, whether it does or not; a team that is not there is told
# to be nowhere.
QUERY = (
    *(*TEXTS, "before", "error", "id", "look", "model_id", "next", "owner", "page"),
    *("replacement", "show", "state", "task", "a-strategy", "endpoint", "part", "strategy"),
)
ASKED = urlencode(dict.fromkeys((name for name in QUERY if name != "team"), PLANT))


def plant_everywhere() -> None:
    """Write it into every column of text that a person, a provider or a cluster may fill."""
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if is_free_text(model, field):
                for row in model._default_manager.exclude(**{f"{field.attname}__contains": PLANT}):
                    text = f"{PLANT}{row.pk}"[: field.max_length]
                    model._default_manager.filter(pk=row.pk).update(**{field.attname: text})


def is_free_text(model: type[models.Model], field: "models.Field[Any, Any]") -> bool:
    name = f"{model._meta.model_name}.{field.name}"
    if model._meta.app_label not in SHOWN or name in KEPT or field.primary_key or field.choices:
        return False
    is_text = isinstance(field, models.CharField | models.TextField)
    return is_text and (field.max_length is None or field.max_length > len(PLANT))


class PlantFinder(Crawler):
    """No page it opens, and no answer to a form, takes the plant as markup."""

    def check(self, status: int, path: str) -> None:
        if status != HTTPStatus.NOT_FOUND or "?" not in path:  # nothing is called like the plant
            super().check(status, path)
        assert self.page.evaluate(GREW) == [0, 0], f"{path} takes text as markup"
        self._is_at = path

    def send(self, path: str, place: int) -> None:
        """Fill in and send the form at this place among those of a page."""
        if self._is_at != path:
            self.open(path)
        self.check(send(self.page.locator(FORMS).nth(place)), f"an answer of {path}")


def test_what_is_stored_asked_for_or_typed_is_shown_as_text(
    visitor: Visitor, hosts: FakeHosts
) -> None:
    """Every form of every page is sent with the script in each of its fields that take text."""
    hosts.raises = InvalidRequest(PLANT)
    page = visitor.signed_in(user_agent=PLANT)
    plant_everywhere()
    crawler = PlantFinder(page, visitor.url)

    opened, sent = set[str](), 0
    for path in crawler.pages("/console/"):
        for place in forms_with_text(page):
            crawler.send(path, place)
            sent += 1
        view = resolve(unquote(path)).view_name
        if view not in opened:
            crawler.open(f"{path}?{ASKED}")
            opened.add(view)

    assert len(opened) > 40
    assert sent > 20
    visitor.complaints[:] = [one for one in visitor.complaints if "404" not in one]


def test_the_name_of_a_passkey_is_shown_as_text(visitor: Visitor, admin: User) -> None:
    crawler = PlantFinder(visitor.signed_in(), visitor.url)
    passkey = {"name": PLANT, "credential": {}}
    kind = Authenticator.Type.WEBAUTHN
    made = Authenticator.objects.create(user=admin, type=kind, data=passkey)

    crawler.open(reverse("mfa_index"))
    crawler.open(reverse("mfa_edit_webauthn", args=[made.pk]))
    crawler.open(reverse("mfa_remove_webauthn", args=[made.pk]))


def test_what_strangers_type_is_shown_as_text(visitor: Visitor, admin: User) -> None:
    plant_everywhere()
    team = Team.objects.get(memberships__user=admin).name
    _, to_join = invite(admin, Wish(team=team, team_role=TeamRole.INFERENCE_USER))
    _, to_reset = password_resets.offer_reset(admin, User.objects.get(username=f"{PLANT}ann"))
    links = [reverse("join-link", args=[to_join]), reverse("new-password-link", args=[to_reset])]
    page = visitor.window(user_agent=PLANT)
    crawler = PlantFinder(page, visitor.url)

    sent = 0
    for path in crawler.pages("/console/sign-in", *links):
        for place in forms_with_text(page):
            crawler.send(path, place)
            sent += 1
        crawler.open(f"{path}?{ASKED}")

    assert sent > 3


FORMS = "main form"
TEXT = (
    "textarea:enabled, input:enabled:not([type=checkbox], [type=radio], [type=hidden], "
    "[type=file], [type=number], [type=submit], [type=date], [type=datetime-local])"
)


def forms_with_text(page: Page) -> list[int]:
    """The places among the forms of a page of those that have a field for text."""
    has_text = "(forms, text) => forms.map(form => form.querySelector(text) !== null)"
    return [
        place for place, has in enumerate(page.eval_on_selector_all(FORMS, has_text, TEXT)) if has
    ]


def send(form: Locator) -> int:
    """Fill in the script everywhere and send it, as a browser without scripts would.

    Returns the status of the answer.
    """
    form.locator(TEXT).evaluate_all(
        "(fields, text) => { for (const field of fields) field.value = text }", PLANT
    )
    with form.page.expect_navigation(wait_until="domcontentloaded") as navigation:
        form.evaluate("form => HTMLFormElement.prototype.submit.call(form)")
    return navigation.value.status
