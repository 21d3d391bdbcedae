"""What the description of the API says is what the started product does."""

import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.product.hooks import MODELS
from tests.product.running import PROJECT, Product

CONFIG = Path(__file__).with_name("schemathesis.toml")
MOST_S = 1200


@pytest.fixture
def described(product: Product) -> int:
    """One endpoint of each task, to call. Returns how many operations there are to try."""
    auth = ("elastic", product.password)
    for task, model_id in MODELS.items():
        settings = {"model_id": model_id, "num_allocations": 1, "num_threads": 1}
        body = {"service": "elasticsearch", "service_settings": settings}
        made = httpx.put(
            f"{product.url}/_inference/{task}/my-{task}", json=body, auth=auth, timeout=60
        )
        assert made.status_code == 200, made.text
    document = httpx.get(f"{product.url}/_console/openapi.json", auth=auth).json()
    others = [path for path in document["paths"] if path != "/_console/openapi.json"]
    return sum(len(document["paths"][path]) for path in others)


def test_no_call_fails_or_is_answered_in_a_way_that_is_not_described(
    product: Product, described: int, tmp_path: Path
) -> None:
    run = subprocess.run(  # noqa: S603 - the tool of this environment
        [
            Path(sys.executable).with_name("schemathesis"),
            "--no-color",
            f"--config-file={CONFIG}",
            "run",
            f"{product.url}/_console/openapi.json",
            f"--auth=elastic:{product.password}",
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(PROJECT), "NO_PROXY": "*"},
        capture_output=True,
        text=True,
        timeout=MOST_S,
    )

    assert run.returncode == 0, run.stdout + run.stderr
    assert f"Tested: {described}" in run.stdout
