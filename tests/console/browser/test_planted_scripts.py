"""Somebody plants a script wherever text is kept, typed or asked for; no page takes it as markup.

The pages' policy would stop most scripts from running. So that it is not the only thing that does,
the planted element must not even become part of a page.
"""

from collections import Counter, deque
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urlencode, urlsplit

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.db import models
from django.urls import resolve, reverse
from django.utils import timezone
from playwright.sync_api import Locator, Page, Response
from pytest_django import Settings

from endpoints import accounts, audit, directory, keys, password_resets, sharing, teams
from endpoints.history import TEXTS
from endpoints.invitations import Wish, invite
from endpoints.models import (
    ApiKey,
    ClusterReference,
    DeploymentEvent,
    Endpoint,
    IngestPipeline,
    ModelUpload,
    ShareLevel,
    Team,
    TeamRole,
    User,
)
from inference.errors import InvalidRequest
from inference.references.cluster import Kind
from inference.types import TaskType
from tests.console.browser.conftest import Visitor
from tests.console.conftest import FakeHosts
from tests.elastic import inferring
from tests.factories import (
    make_added_model,
    make_cluster,
    make_endpoint,
    make_index,
    make_remote_endpoint,
    make_user,
)

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("world")]

PLANT = "'\"><img data-planted src=x onerror=planted=1>"
GREW = "() => [document.querySelectorAll('[data-planted]').length, window.planted ?? 0]"
# Whose records the pages show.
SHOWN = ("account", "endpoints", "mfa", "socialaccount", "usersessions")
# What code decides by and nobody writes, and what has it already or must not have it.
KEPT = {
    "auditentry.verb",
    "cluster.encrypted_api_key",
    "cluster.name",
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
QUERY = (*TEXTS, "before", "error", "model_id", "next", "owner", "page", "show", "state", "task")
ASKED = urlencode(dict.fromkeys((name for name in QUERY if name != "team"), PLANT))
# What ends the session or leads to another host, and what is no page.
LEAVES, FILES = ("sign-out", "sign-in/service"), (".csv", ".json", ".ndjson")
# Of those that one view shows, such as the forms of the providers and the entries of the log.
MOST_PAGES = 2


@pytest.fixture
def world(admin: User, settings: Settings) -> Team:
    """Something of everything. What others refer to by its name has the script in that already."""
    settings.OIDC_ISSUER, settings.OIDC_NAME = "https://sso.example/o", PLANT
    team, other = teams.create_team("search", "They search."), teams.create_team("other")
    ann = make_user(f"{PLANT}ann")
    teams.put_member(team, ann, TeamRole.TEAM_ADMIN)
    teams.put_member(team, admin, TeamRole.INFERENCE_USER)
    make_user(f"{PLANT}gone")
    User.objects.filter(username=f"{PLANT}gone").update(is_active=False)
    furnish(team, other)
    give_keys(admin, team)
    invite(admin, Wish("eve", "eve@example.org", "search", TeamRole.INFERENCE_USER))
    EmailAddress.objects.create(user=admin, email="elastic@example.org", verified=True)
    EmailAddress.objects.create(user=admin, email="new@example.org")
    User.objects.filter(service_team=None).update(email=PLANT)
    directory.link(admin, directory.Identity("https://sso.example/o", PLANT, PLANT))
    return team


def furnish(team: Team, other: Team) -> None:
    local = make_endpoint(f"{PLANT}local", reason="no room")
    assert local.deployment
    DeploymentEvent.objects.create(deployment=local.deployment, phase="failed", reason="no room")
    make_added_model(description=PLANT, languages=(PLANT,))
    ModelUpload.objects.create(model_id="mine", team=team, files=[[PLANT, 5]])
    make_remote_endpoint(
        "openai",
        TaskType.TEXT_EMBEDDING,
        {"api_key": "sk-1", "model_id": PLANT, "organization_id": PLANT},
        f"{PLANT}hosted",
    )
    Endpoint.objects.update(team=team)
    for endpoint in Endpoint.objects.all():
        sharing.share(endpoint, other, ShareLevel.USE)
        for number in range(6):  # more than the endpoint's own page shows
            audit.record(
                f"endpoint.{number}{PLANT}",
                endpoint.inference_id,
                team=team,
                before={PLANT: PLANT},
                after={PLANT: [PLANT]},
                reason=PLANT,
            )
    make_index("books", local.inference_id)
    IngestPipeline.objects.create(pipeline_id="embeds", config=inferring(local.inference_id))
    cluster = make_cluster(team=team, reason="it did not answer")
    for kind in Kind:
        ClusterReference.objects.create(
            cluster=cluster,
            kind=kind,
            name=f"films-{kind}",
            inference_id=local.inference_id,
            seen_at=timezone.now(),
        )


def give_keys(admin: User, team: Team) -> None:
    account = accounts.create_account(admin, "robot", "inference_user", team=team.name)
    account.username = f"{account.service_namespace}/{PLANT}"
    account.save()
    roles = {PLANT: {"cluster": ["all"]}}
    keys.create_api_key(admin, "shop", role_descriptors=roles, metadata={PLANT: PLANT})
    keys.create_api_key(admin, "team", team=team.name)
    old, _ = keys.create_api_key(admin, "robot", account=account.username)
    keys.rotate_api_key(admin, old.key_id)
    ApiKey.objects.filter(name="team").update(endpoints=[f"{PLANT}*"])


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


class Crawler:
    """Opens every page that can be reached by links."""

    def __init__(self, page: Page, root: str) -> None:
        self._page, self._root = page, root

    def pages(self, *starts: str) -> Iterator[str]:
        """Each path, while its page is open."""
        waiting, seen, opened = deque(starts), set(starts), Counter[str]()
        while waiting:
            path = waiting.popleft()
            view = resolve(unquote(path)).view_name
            opened[view] += 1
            if opened[view] > MOST_PAGES:
                continue
            self.open(path)
            links = self._links()
            yield path
            waiting.extend(link for link in links if link not in seen)
            seen.update(links)

    def open(self, path: str) -> None:
        self.check(self._page.goto(path, wait_until="domcontentloaded"), path)

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
        if not parts.path.startswith("/console/") or parts.path.endswith((*LEAVES, *FILES)):
            return None
        return parts.path


def test_what_is_stored_or_asked_for_is_shown_as_text(visitor: Visitor) -> None:
    page = visitor.signed_in(user_agent=PLANT)
    plant_everywhere()
    crawler = Crawler(page, visitor.url)

    opened = []
    for path in crawler.pages("/console/"):
        crawler.open(f"{path}?{ASKED}")
        opened.append(path)

    assert len(opened) > 50


def test_the_name_of_a_passkey_is_shown_as_text(visitor: Visitor, admin: User) -> None:
    crawler = Crawler(visitor.signed_in(), visitor.url)
    passkey = {"name": PLANT, "credential": {}}
    kind = Authenticator.Type.WEBAUTHN
    made = Authenticator.objects.create(user=admin, type=kind, data=passkey)

    crawler.open(reverse("mfa_index"))
    crawler.open(reverse("mfa_edit_webauthn", args=[made.pk]))
    crawler.open(reverse("mfa_remove_webauthn", args=[made.pk]))


def test_what_is_typed_is_shown_as_text(visitor: Visitor, hosts: FakeHosts) -> None:
    """Every form of every page is sent with the script in each of its fields that take text."""
    hosts.raises = InvalidRequest(PLANT)
    page = visitor.signed_in()
    crawler = Crawler(page, visitor.url)

    sent = 0
    for path in crawler.pages("/console/"):
        places = forms_with_text(page)
        for place in places:
            if place != places[0]:
                crawler.open(path)
            crawler.check(send(page.locator(FORMS).nth(place)), path)
        sent += len(places)

    assert sent > 20


def test_what_strangers_type_is_shown_as_text(visitor: Visitor, admin: User) -> None:
    plant_everywhere()
    team = Team.objects.get(memberships__user=admin).name
    _, to_join = invite(admin, Wish(team=team, team_role=TeamRole.INFERENCE_USER))
    _, to_reset = password_resets.offer_reset(admin, User.objects.get(username=f"{PLANT}ann"))
    links = [reverse("join-link", args=[to_join]), reverse("new-password-link", args=[to_reset])]
    page = visitor.window(user_agent=PLANT)
    crawler = Crawler(page, visitor.url)

    sent = 0
    for path in crawler.pages("/console/sign-in", *links):
        crawler.open(f"{path}?{ASKED}")
        for place in forms_with_text(page):
            crawler.open(path)
            crawler.check(send(page.locator(FORMS).nth(place)), path)
            sent += 1

    assert sent > 3


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
