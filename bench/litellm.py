"""The LiteLLM proxy, installed beside the product to be measured with it."""

import json
import os
import subprocess
import sys
import time

import httpx
import psutil

from bench.infinity import HOME, PeerUnavailable, run
from tests.product.running import free_port

VENV, CONFIG, LOG = HOME / "litellm", HOME / "litellm.yaml", HOME / "litellm.log"
REQUIREMENTS = ("litellm[proxy]==1.106.2",)
INSTALL_S, START_S = 900, 120


def install() -> None:
    """Into an environment of its own, once. Raises PeerUnavailable."""
    stamp, wanted = VENV / ".installed", "\n".join(REQUIREMENTS)
    if stamp.exists() and stamp.read_text() == wanted:
        return
    HOME.mkdir(exist_ok=True)
    print("installing LiteLLM, which takes some minutes", flush=True)
    run([sys.executable, "-m", "venv", str(VENV)], INSTALL_S)
    run([str(VENV / "bin" / "pip"), "install", "--quiet", *REQUIREMENTS], INSTALL_S)
    stamp.write_text(wanted)


class LiteLLM:
    """A running proxy with one worker, without a database, in front of a stub provider."""

    embeddings, chat = "/v1/embeddings", "/v1/chat/completions"

    def __init__(self, provider: str) -> None:
        """provider: the stub's address."""
        self.port = free_port()
        models = [
            {
                "model_name": name,
                "litellm_params": {
                    "model": f"openai/{name}",
                    "api_base": f"{provider}/v1",
                    "api_key": "none",
                },
            }
            for name in ("text-embedding-3-small", "gpt-4o")
        ]
        # JSON is YAML, too.
        CONFIG.write_text(json.dumps({"model_list": models}))
        command = [str(VENV / "bin" / "litellm"), "--config", str(CONFIG), "--port", str(self.port)]
        quiet = {"LITELLM_LOG": "ERROR", "LITELLM_MODE": "PRODUCTION", "DO_NOT_TRACK": "1"}
        local = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "PATH": f"{VENV}/bin:{os.environ['PATH']}"}
        with LOG.open("w") as log:
            self.process = subprocess.Popen(  # noqa: S603 - ours
                [*command, "--host", "127.0.0.1", "--num_workers", "1", "--telemetry", "False"],
                env=os.environ | quiet | local,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def wait(self) -> None:
        """Raises PeerUnavailable when it does not come up."""
        until = time.monotonic() + START_S
        while time.monotonic() < until and self.process.poll() is None:
            try:
                if httpx.get(f"http://127.0.0.1:{self.port}/health/liveliness").is_success:
                    return
            except httpx.TransportError:
                time.sleep(0.2)
        raise PeerUnavailable(f"it did not start, see {LOG}")

    def end(self) -> None:
        if self.process.poll() is None:
            for child in psutil.Process(self.process.pid).children(recursive=True):
                child.terminate()
            self.process.terminate()
        self.process.wait(20)
