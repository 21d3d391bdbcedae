"""Plays the providers, to try forms, retries and failover without a key.

Strict about what the real ones are strict about; what it answers is made up, and always the same.
"""

from inference.sandbox.app import Sandbox
from inference.sandbox.openai import OpenAISandbox
from inference.sandbox.provider import Provider

PROVIDERS: tuple[Provider, ...] = (OpenAISandbox(),)


def make_sandbox() -> Sandbox:
    return Sandbox({provider.name: provider for provider in PROVIDERS})
