"""The services, listed by hand."""

from inference.errors import InvalidRequest
from inference.services.base import EndpointConfig, Service
from inference.services.elasticsearch import Elasticsearch
from inference.services.elser import Elser
from inference.services.openai import OpenAI

SERVICES: dict[str, Service] = {
    service.name: service for service in (Elasticsearch(), Elser(), OpenAI())
}


def find_service(name: str) -> Service:
    try:
        return SERVICES[name]
    except KeyError:
        raise InvalidRequest(f"Unknown service [{name}]") from None


def fingerprint_of(config: EndpointConfig) -> str:
    """The fingerprint of a configuration, by the service that it is stored under."""
    return find_service(config.service).fingerprint(config)
