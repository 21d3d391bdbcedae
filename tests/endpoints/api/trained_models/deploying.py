"""Calls to the routes of deployments."""

from typing import Any

from tests.endpoints.api.trained_models.uploading import path
from tests.endpoints.conftest import Api

BUILTIN = ".all-minilm-l6-v2"


def start(api: Api, query: str = "", body: Any = None, model_id: str = BUILTIN) -> Any:
    return api("POST", path(model_id, f"/deployment/_start{query}"), body)


def stop(api: Api, deployment_id: str, query: str = "", body: Any = None) -> Any:
    return api("POST", path(deployment_id, f"/deployment/_stop{query}"), body)


def update(api: Api, deployment_id: str, body: Any = None, query: str = "") -> Any:
    return api("POST", path(deployment_id, f"/deployment/_update{query}"), body)
