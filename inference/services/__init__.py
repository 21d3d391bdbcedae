"""The services, listed by hand."""

from inference.errors import InvalidRequest
from inference.services.base import Service
from inference.services.elasticsearch import Elasticsearch
from inference.services.elser import Elser

SERVICES: dict[str, Service] = {service.name: service for service in (Elasticsearch(), Elser())}


def find_service(name: str) -> Service:
    try:
        return SERVICES[name]
    except KeyError:
        raise InvalidRequest(f"Unknown service [{name}]") from None
