"""Signing in as people do it: with an app, a recovery code, a passkey, and in two browsers."""

import re
import time
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.console.browser.conftest import Visitor
from tests.console.proving import code_of

pytestmark = pytest.mark.usefixtures("admin")


def sign_out(page: Page) -> None:
    page.get_by_text("Account of elastic").or_(page.locator("summary")).first.click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in")


def enter(page: Page, code: str) -> None:
    page.wait_for_url("**/sign-in/code")
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/console/")


def test_an_app_is_set_up_and_used_and_a_recovery_code_in_its_place(visitor: Visitor) -> None:
    page = visitor.signed_in()
    page.goto("/console/account/security")
    page.get_by_role("link", name="Set up").click()
    expect(page.get_by_alt_text("QR code for the app")).to_be_visible()
    secret = page.locator("#app-key").inner_text()
    page.get_by_label("Code").fill(code_of(secret))
    page.get_by_role("button", name="Switch it on").click()

    codes = page.locator("#codes li")
    expect(codes).to_have_count(10)
    first = codes.first.inner_text()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert first in Path(download.value.path()).read_text()
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_text("10 are left")).to_be_visible()

    sign_out(page)
    visitor.sign_in(page)
    enter(page, code_of(secret, time.time() + 30))
    sign_out(page)
    visitor.sign_in(page)
    enter(page, first)
    page.goto("/console/account/security")
    expect(page.get_by_text("9 are left")).to_be_visible()


def test_a_passkey_signs_in_alone_and_after_a_password(visitor: Visitor) -> None:
    page = visitor.signed_in()
    device = page.context.new_cdp_session(page)
    device.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    device.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    page.goto("/console/account/security")
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("Name").fill("Laptop")
    page.get_by_label("Sign in with it alone").check()
    page.get_by_role("button", name="Go on in the browser").click()
    expect(page.locator("#codes li")).to_have_count(10)
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_role("link", name="Rename Laptop")).to_be_visible()

    sign_out(page)
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url("**/console/")

    sign_out(page)
    visitor.sign_in(page)
    page.wait_for_url("**/sign-in/code")
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url("**/console/")


def test_a_session_is_ended_from_another_browser(visitor: Visitor) -> None:
    lost = visitor.signed_in()
    here = visitor.signed_in(user_agent="Mozilla/5.0 (Windows NT 10.0) Firefox/140.0")
    here.goto("/console/account/sessions")
    expect(here.get_by_text("Firefox on Windows")).to_be_visible()

    here.get_by_role("button", name=re.compile("^End Chrome on Linux")).click()

    expect(here.get_by_text("1 session is ended.")).to_be_visible()
    lost.goto("/console/account")
    expect(lost).to_have_url(re.compile(r"/console/sign-in\?next="))
