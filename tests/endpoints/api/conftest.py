from pathlib import Path
from typing import Any

import pytest

from endpoints import jobs
from endpoints.models import DeploymentState
from inference.runner.convert import ensure_graph
from tests.endpoints.api.rows import mapping, processors
from tests.endpoints.conftest import Api, World
from tests.factories import make_deployment, make_endpoint
from tests.inference.runner.published import REPOSITORY, write_published


@pytest.fixture
def furnished(api: Api, world: World) -> Api:
    """An installation with endpoints, a deployment of its own, an index and a pipeline."""
    make_endpoint("vectors")
    make_endpoint("ranks", ".minilm-rerank-v1")
    make_endpoint("failed", state=DeploymentState.FAILED, reason="the file is cut short")
    make_deployment("lone")
    model = {
        "task_type": "text_embedding",
        "dimensions": 384,
        "similarity": "cosine",
        "element_type": "float",
    }
    fields: dict[str, dict[str, Any]] = {
        "title": {"type": "text"},
        "known": {"type": "semantic_text", "inference_id": "vectors", "model_settings": model},
    }
    assert api("PUT", "/books", mapping(**fields)).status_code == 200
    pipeline = processors({"inference": {"model_id": "vectors"}})
    assert api("PUT", "/_ingest/pipeline/kept", pipeline).status_code == 200
    return api


@pytest.fixture
def at_work(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path) -> None:
    """The worker is this test: it fetches when it is told to, and converts in this process."""
    settings.MODEL_DIR = tmp_path / "models"
    settings.MODEL_FOLDERS = (tmp_path / "published",)
    settings.MODEL_SOURCES, settings.MODEL_MIRROR = ("mirror",), str(tmp_path / "published")
    monkeypatch.setattr(jobs, "SIGN_OF_LIFE_S", 3600)
    monkeypatch.setattr(jobs, "convert", ensure_graph)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_published(tmp_path / "published" / REPOSITORY)
