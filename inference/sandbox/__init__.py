"""Plays the providers, to try forms, retries and failover without a key.

Strict about what the real ones are strict about; what it answers is made up, and always the same.
"""

from inference.sandbox.app import Sandbox
from inference.sandbox.azureaistudio import AzureAiStudioSandbox
from inference.sandbox.azureopenai import AzureOpenAISandbox
from inference.sandbox.deepseek import DeepSeekSandbox
from inference.sandbox.groq import GroqSandbox
from inference.sandbox.hugging_face import HuggingFaceSandbox
from inference.sandbox.llama import LlamaSandbox
from inference.sandbox.mistral import MistralSandbox
from inference.sandbox.openai import OpenAISandbox
from inference.sandbox.provider import Provider

PROVIDERS: tuple[Provider, ...] = (
    AzureAiStudioSandbox(),
    AzureOpenAISandbox(),
    DeepSeekSandbox(),
    GroqSandbox(),
    HuggingFaceSandbox(),
    LlamaSandbox(),
    MistralSandbox(),
    OpenAISandbox(),
)


def make_sandbox() -> Sandbox:
    return Sandbox({provider.name: provider for provider in PROVIDERS})
