"""Starts the provider, tells it things, and signs people in at it as a browser does."""

import json
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import httpx

from tests.product.running import PROJECT, free_port, wait_for

PASSWORD = "horse staple battery"
CLIENT_ID, CLIENT_SECRET = "console", "the client's secret"
TOKEN_FIELD = re.compile(r'name="csrfmiddlewaretoken" value="(\w+)"')


@dataclass
class Provider:
    """A running provider."""

    port: int = field(default_factory=free_port)
    folder: tempfile.TemporaryDirectory[str] = field(default_factory=tempfile.TemporaryDirectory)

    def __enter__(self) -> Self:
        own = {"OPENID_PORT": str(self.port), "OPENID_FOLDER": self.folder.name}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.openid.provider"],
            cwd=PROJECT,
            env={k: v for k, v in os.environ.items() if not k.startswith("DJANGO_")} | own,
            stdin=subprocess.PIPE,  # its end is the provider's
        )
        wait_for("the provider to answer", self.answers)
        return self

    def __exit__(self, *exc: object) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait(10)
        self.folder.cleanup()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def issuer(self) -> str:
        return f"{self.origin}/o"

    def answers(self) -> bool:
        try:
            return httpx.get(f"{self.origin}/sign-in").is_success
        except httpx.TransportError:
            assert self.process.poll() is None
            return False

    def tell(self, **told: Any) -> None:
        httpx.post(f"{self.origin}/tell", content=json.dumps(told)).raise_for_status()

    def knows_console_at(self, *origins: str) -> None:
        self.tell(
            client={
                "client_id": CLIENT_ID,
                "client_secret": CLIENT_SECRET,
                "redirect_uris": [f"{one}/console/sign-in/service/callback" for one in origins],
                "after_sign_out": [f"{one}/console/sign-in" for one in origins],
            }
        )

    def knows(self, name: str, **claims: Any) -> None:
        """Somebody who signs in there by this name, and what is said of them."""
        said = {"sub": f"sub-{name}", "preferred_username": name} | claims
        self.tell(people={name: {"password": PASSWORD, "claims": said}})

    def does(self, **orders: Any) -> None:
        """Let it misbehave so; without orders, let it behave."""
        self.tell(orders=orders)

    def send_back(self, address: str, name: str) -> str:
        """Sign in there on the page that the console led to; returns where that leads back to."""
        with httpx.Client(base_url=self.origin) as browser:
            page = browser.get(address, follow_redirects=True)
            token = TOKEN_FIELD.search(page.text)
            assert token, page.text
            form = {"username": name, "password": PASSWORD, "csrfmiddlewaretoken": token[1]}
            answer = browser.post(str(page.url), data=form)
            while answer.headers["location"].startswith("/"):
                answer = browser.get(answer.headers["location"])
            return str(answer.headers["location"])


def query(address: str) -> dict[str, str]:
    """What an address asks, each thing once."""
    return {name: value for name, (value,) in parse_qs(urlsplit(address).query).items()}
