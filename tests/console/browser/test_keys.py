"""Keys as people make them, as programs use them, and what becomes of those when one ends."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from elasticsearch import AuthenticationException, Elasticsearch
from playwright.sync_api import Page, expect

from endpoints import keys, teams
from endpoints.models import ApiKey, User
from tests.console.browser.conftest import PHONE, Visitor
from tests.console.conftest import FakeHosts, vectors
from tests.factories import make_endpoint

pytestmark = pytest.mark.usefixtures("admin")


def made_on(page: Page) -> str:
    expect(page.get_by_role("heading", name="Copy the key now")).to_be_visible()
    return page.locator("#key-encoded").inner_text()


def test_a_key_is_made_used_and_revoked(visitor: Visitor, hosts: FakeHosts) -> None:
    hosts.says = vectors([0.6, 0.8])
    make_endpoint("products-de")
    make_endpoint("films")
    page = visitor.signed_in(permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("link", name="Keys").click()
    page.get_by_role("link", name="Create key").first.click()
    page.get_by_label("What is it for?").fill("web-shop")
    expect(page.locator("#matches")).to_contain_text("films")
    page.get_by_label("Only these endpoints").fill("products-*")
    expect(page.locator("#matches")).not_to_contain_text("films")
    expect(page.locator("#matches")).to_contain_text("products-de")
    page.get_by_role("button", name="Create key").click()

    encoded = made_on(page)
    page.get_by_role("button", name="Copy the key").click()
    expect(page.locator("#spoken")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == encoded
    expect(page.locator("#code-curl")).to_contain_text("/_inference/text_embedding/products-de")
    with Elasticsearch(visitor.url, api_key=encoded) as client:
        answer = client.inference.text_embedding(inference_id="products-de", input="a")
        assert answer["text_embedding"][0]["embedding"] == [0.6, 0.8]
        found = client.inference.get()["endpoints"]
        assert [one["inference_id"] for one in found] == ["products-de"]

        page.get_by_role("link", name="I have copied it").click()
        page.get_by_role("link", name="Revoke").click()
        expect(page.get_by_role("link", name="Cancel")).to_be_focused()
        page.get_by_role("button", name="Revoke key").click()
        expect(page.get_by_text("web-shop is revoked.")).to_be_visible()

        with pytest.raises(AuthenticationException):
            client.inference.text_embedding(inference_id="products-de", input="a")


def test_a_rotated_key_works_until_its_overlap_is_over(
    visitor: Visitor, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, secret = keys.create_api_key(admin, "web-shop")
    page = visitor.signed_in(java_script_enabled=False)
    page.goto(f"/console/keys/{key.key_id}")
    page.get_by_role("link", name="Rotate").click()
    page.get_by_label("When does the old key end?").select_option("In 1 hour")
    page.get_by_role("button", name="Rotate key").click()
    encoded = made_on(page)

    def who(api_key: str) -> str:
        with Elasticsearch(visitor.url, api_key=api_key) as client:
            return str(client.security.authenticate()["username"])

    old = key.encoded(secret)
    assert who(old) == who(encoded) == "elastic"
    later = timezone.now() + timedelta(minutes=61)
    monkeypatch.setattr(timezone, "now", lambda: later)
    with pytest.raises(AuthenticationException):
        who(old)
    assert who(encoded) == "elastic"


def test_a_service_account_gets_a_key_without_scripts_on_a_phone(visitor: Visitor) -> None:
    teams.create_team("search")
    page = visitor.signed_in(viewport=PHONE, java_script_enabled=False)
    page.goto("/console/keys")
    page.get_by_role("link", name="Service accounts").click()
    page.get_by_role("link", name="Create account").click()
    page.get_by_label("Name").fill("Not a name")
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_text("does not fit")).to_be_visible()
    page.get_by_label("Name").fill("robot")
    page.get_by_role("button", name="Create account").click()

    page.get_by_role("link", name="Create key").click()
    page.get_by_label("What is it for?").fill("k" * 100)
    page.get_by_role("button", name="Create key").click()
    made_on(page)
    assert ApiKey.objects.get().user.username == "search/robot"

    for path in ("keys", "keys?q=none", "keys/_new", "keys/_accounts", "keys/_accounts/_new"):
        page.goto(f"/console/{path}")
        fits(page, path)
    page.goto("/console/keys")
    page.get_by_role("link", name=re.compile("k{100}")).click()
    fits(page, "detail")
    page.get_by_role("link", name="Revoke").click()
    fits(page, "revoke")


def fits(page: Page, path: str) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], path
