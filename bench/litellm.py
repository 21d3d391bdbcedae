"""The LiteLLM proxy, installed beside the product to be measured with it."""

import json
import os

from bench import peer
from bench.peer import HOME, Peer
from tests.product.running import free_port

CONFIG, LOG = HOME / "litellm.yaml", HOME / "litellm.log"
REQUIREMENTS = ("litellm[proxy]==1.106.2",)
NEEDED_BYTES = 2_000_000_000
# It wants to be told that nobody has to prove who they are, which is less work for it.
OPEN = "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY"
QUIET = {
    "LITELLM_LOG": "ERROR",
    "LITELLM_MODE": "PRODUCTION",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "DO_NOT_TRACK": "1",
}


class LiteLLM(Peer):
    """A running proxy with one worker, without a database, in front of a stub provider."""

    def __init__(self, provider: str, models: tuple[str, ...]) -> None:
        """provider: the stub's address. Raises PeerUnavailable."""
        programs, port = peer.install("litellm", REQUIREMENTS, NEEDED_BYTES), free_port()
        reached = {"api_base": f"{provider}/v1", "api_key": "none"}
        listed = [
            {"model_name": name, "litellm_params": {"model": f"openai/{name}"} | reached}
            for name in models
        ]
        # JSON is YAML, too.
        CONFIG.write_text(json.dumps({"model_list": listed}))
        options = {
            "--config": str(CONFIG),
            "--host": "127.0.0.1",
            "--port": str(port),
            "--num_workers": "1",
            "--telemetry": "False",
        }
        words = [word for option in options.items() for word in option]
        env = os.environ | QUIET | {OPEN: "true", "PATH": f"{programs}:{os.environ['PATH']}"}
        super().__init__([str(programs / "litellm"), *words], port, "/health/liveliness", LOG, env)
