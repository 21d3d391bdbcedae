"""The services, listed by hand."""

from inference.errors import InvalidRequest
from inference.services.ai21 import AI21
from inference.services.alibabacloud_ai_search import AlibabaCloudAISearch
from inference.services.amazon_sagemaker import AmazonSageMaker
from inference.services.amazonbedrock import AmazonBedrock
from inference.services.anthropic import Anthropic
from inference.services.azureaistudio import AzureAiStudio
from inference.services.azureopenai import AzureOpenAI
from inference.services.base import EndpointConfig, Service
from inference.services.cohere import Cohere
from inference.services.contextualai import ContextualAI
from inference.services.custom import Custom
from inference.services.deepseek import DeepSeek
from inference.services.elastic import Elastic
from inference.services.elasticsearch import Elasticsearch
from inference.services.elser import Elser
from inference.services.fireworksai import FireworksAI
from inference.services.googleaistudio import GoogleAIStudio
from inference.services.googlevertexai import GoogleVertexAI
from inference.services.groq import Groq
from inference.services.hugging_face import HuggingFace
from inference.services.jinaai import JinaAI
from inference.services.llama import Llama
from inference.services.mistral import Mistral
from inference.services.mixedbread import Mixedbread
from inference.services.nvidia import Nvidia
from inference.services.openai import OpenAI
from inference.services.openshift_ai import OpenShiftAI
from inference.services.voyageai import VoyageAI
from inference.services.watsonxai import WatsonxAI

SERVICES: dict[str, Service] = {
    service.name: service
    for service in (
        AI21(),
        AlibabaCloudAISearch(),
        AmazonBedrock(),
        AmazonSageMaker(),
        Anthropic(),
        AzureAiStudio(),
        AzureOpenAI(),
        Cohere(),
        ContextualAI(),
        Custom(),
        DeepSeek(),
        Elastic(),
        Elasticsearch(),
        Elser(),
        FireworksAI(),
        GoogleAIStudio(),
        GoogleVertexAI(),
        Groq(),
        HuggingFace(),
        JinaAI(),
        Llama(),
        Mistral(),
        Mixedbread(),
        Nvidia(),
        OpenAI(),
        OpenShiftAI(),
        VoyageAI(),
        WatsonxAI(),
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
