"""The forms for endpoints of a provider, as somebody fills them in."""

import re
from typing import Any

from django.test import Client

from endpoints.models import Endpoint

NEW = "/console/endpoints/_new/openai"
EMBEDDING = {
    "inference_id": "my-endpoint",
    "service_settings.api_key": "sk-planted",
    "service_settings.model_id": "text-embedding-3-small",
}


def create(console: Client, task: str = "text_embedding", **fields: Any) -> Endpoint:
    console.post(f"{NEW}?task={task}", EMBEDDING | fields)
    return Endpoint.objects.with_status().get()


def problem_at(page: str, name: str) -> str:
    """What stands below a field; nothing where nothing is wrong with it."""
    found = re.search(f'<p class="problem" id="id_{re.escape(name)}_error">(.*?)</p>', page)
    return found.group(1).strip() if found else ""
