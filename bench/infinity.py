"""Infinity, a server of embedding models, installed beside the product to be measured with it."""

import os
import shutil
from pathlib import Path

from bench import peer
from bench.peer import HOME, Peer
from tests.product.running import free_port

MODEL, LOG = HOME / "infinity-model", HOME / "infinity.log"
NAME = "bench"
# Versions that were seen to work together; what they need in turn is left to the installer.
REQUIREMENTS = (
    "infinity-emb[server,optimum]==0.0.78",
    "onnxruntime==1.31.1",
    "optimum==2.1.0",
    "optimum-onnx==0.1.0",
    "torch==2.13.0",
    "transformers==4.57.6",
)
NEEDED_BYTES = 10_000_000_000
EXPORT_S = 300
SOURCE_FILES = ("config.json", "tokenizer.json", "model.safetensors")


def install() -> Path:
    """The folder of its programs. Raises PeerUnavailable."""
    return peer.install("infinity", REQUIREMENTS, NEEDED_BYTES)


def export(weights: Path) -> None:
    """The weights of a folder in the hub's layout as the kind of ONNX that Infinity reads."""
    if (MODEL / "model.onnx").exists():
        return
    source, making = HOME / "infinity-source", HOME / "infinity-export"
    source.mkdir(exist_ok=True)
    for name in SOURCE_FILES:
        shutil.copyfile(weights / name, source / name)
    tool = str(install() / "optimum-cli")
    task = ("--task", "feature-extraction", "--library", "transformers")
    words = [tool, "export", "onnx", "--model", str(source), *task, str(making)]
    peer.run(words, EXPORT_S, offline())
    making.rename(MODEL)


def offline() -> dict[str, str]:
    """The environment in which nothing is asked of the hub or sent to anybody."""
    quiet = {"HF_HUB_OFFLINE": "1", "INFINITY_ANONYMOUS_USAGE_STATS": "0", "DO_NOT_TRACK": "1"}
    return os.environ | quiet | {"HF_HOME": str(HOME / "infinity-hub")}


class Infinity(Peer):
    """A running server, on ONNX Runtime with 32-bit floats and without a cache of vectors."""

    path = "/embeddings"

    def __init__(self) -> None:
        port = free_port()
        options = {
            "--model-id": ".",  # it finds ONNX files in the current folder only
            "--served-model-name": NAME,
            "--engine": "optimum",
            "--device": "cpu",
            "--dtype": "float32",
            "--pooling-method": "mean",
            "--host": "127.0.0.1",
            "--port": str(port),
            "--log-level": "warning",
        }
        words = [word for option in options.items() for word in option]
        command = [str(install() / "infinity_emb"), "v2", *words, "--no-vector-disk-cache"]
        super().__init__(command, port, "/health", LOG, offline(), MODEL)

    @staticmethod
    def body(texts: list[str]) -> dict[str, object]:
        return {"model": NAME, "input": texts}

    @staticmethod
    def vectors(answer: dict[str, list[dict[str, list[float]]]]) -> list[list[float]]:
        return [row["embedding"] for row in answer["data"]]
