"""Plays the providers, to try forms, retries and failover without a key.

Strict about what the real ones are strict about; what it answers is made up, and always the same.
"""

from inference.sandbox.ai21 import AI21Sandbox
from inference.sandbox.alibabacloud_ai_search import AlibabaCloudSandbox
from inference.sandbox.amazon_sagemaker import AmazonSageMakerSandbox
from inference.sandbox.amazonbedrock import AmazonBedrockSandbox
from inference.sandbox.anthropic import AnthropicSandbox
from inference.sandbox.app import Sandbox
from inference.sandbox.azureaistudio import AzureAiStudioSandbox
from inference.sandbox.azureopenai import AzureOpenAISandbox
from inference.sandbox.cohere import CohereSandbox
from inference.sandbox.contextualai import ContextualSandbox
from inference.sandbox.custom import CustomSandbox
from inference.sandbox.deepseek import DeepSeekSandbox
from inference.sandbox.fireworksai import FireworksSandbox
from inference.sandbox.googleaistudio import GoogleAIStudioSandbox
from inference.sandbox.googlevertexai import GoogleVertexAISandbox
from inference.sandbox.groq import GroqSandbox
from inference.sandbox.hugging_face import HuggingFaceSandbox
from inference.sandbox.jinaai import JinaSandbox
from inference.sandbox.llama import LlamaSandbox
from inference.sandbox.mistral import MistralSandbox
from inference.sandbox.mixedbread import MixedbreadSandbox
from inference.sandbox.nvidia import NvidiaSandbox
from inference.sandbox.openai import OpenAISandbox
from inference.sandbox.openshift_ai import OpenShiftAISandbox
from inference.sandbox.provider import Provider
from inference.sandbox.voyageai import VoyageSandbox
from inference.sandbox.watsonxai import WatsonxAISandbox

PROVIDERS: tuple[Provider, ...] = (
    AI21Sandbox(),
    AlibabaCloudSandbox(),
    AmazonBedrockSandbox(),
    AmazonSageMakerSandbox(),
    AnthropicSandbox(),
    AzureAiStudioSandbox(),
    AzureOpenAISandbox(),
    CohereSandbox(),
    ContextualSandbox(),
    CustomSandbox(),
    DeepSeekSandbox(),
    FireworksSandbox(),
    GoogleAIStudioSandbox(),
    GoogleVertexAISandbox(),
    GroqSandbox(),
    HuggingFaceSandbox(),
    JinaSandbox(),
    LlamaSandbox(),
    MistralSandbox(),
    MixedbreadSandbox(),
    NvidiaSandbox(),
    OpenAISandbox(),
    OpenShiftAISandbox(),
    VoyageSandbox(),
    WatsonxAISandbox(),
)


def make_sandbox() -> Sandbox:
    return Sandbox({provider.name: provider for provider in PROVIDERS})
