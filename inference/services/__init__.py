"""The services, listed by hand."""

from inference.errors import InvalidRequest
from inference.services.azureaistudio import AzureAiStudio
from inference.services.azureopenai import AzureOpenAI
from inference.services.base import EndpointConfig, Service
from inference.services.deepseek import DeepSeek
from inference.services.elasticsearch import Elasticsearch
from inference.services.elser import Elser
from inference.services.groq import Groq
from inference.services.hugging_face import HuggingFace
from inference.services.llama import Llama
from inference.services.mistral import Mistral
from inference.services.openai import OpenAI

SERVICES: dict[str, Service] = {
    service.name: service
    for service in (
        AzureAiStudio(),
        AzureOpenAI(),
        DeepSeek(),
        Elasticsearch(),
        Elser(),
        Groq(),
        HuggingFace(),
        Llama(),
        Mistral(),
        OpenAI(),
    )
}


def find_service(name: str) -> Service:
    try:
        return SERVICES[name]
    except KeyError:
        raise InvalidRequest(f"Unknown service [{name}]") from None


def fingerprint_of(config: EndpointConfig) -> str:
    """The fingerprint of a configuration, by the service that it is stored under."""
    return find_service(config.service).fingerprint(config)
