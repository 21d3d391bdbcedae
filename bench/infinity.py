"""Infinity, a server of embedding models, installed beside the product to be measured with it."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import httpx
import psutil

from tests.product.running import free_port

HOME = Path(__file__).resolve().parent.parent / ".venv-bench"
VENV, MODEL, LOG = HOME / "infinity", HOME / "infinity-model", HOME / "infinity.log"
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
INSTALL_S, EXPORT_S, START_S = 1200, 300, 120
SOURCE_FILES = ("config.json", "tokenizer.json", "model.safetensors")


class PeerUnavailable(Exception):
    """It cannot be installed or started here, for a reason in words."""


def install() -> None:
    """Into an environment of its own, once. Raises PeerUnavailable."""
    stamp = VENV / ".installed"
    wanted = "\n".join(REQUIREMENTS)
    if stamp.exists() and stamp.read_text() == wanted:
        return
    HOME.mkdir(exist_ok=True)
    if shutil.disk_usage(HOME).free < NEEDED_BYTES:
        raise PeerUnavailable(f"needs {NEEDED_BYTES / 1e9:.0f} GB of free disk")
    print("installing Infinity, which takes some minutes", flush=True)
    run([sys.executable, "-m", "venv", str(VENV)], INSTALL_S)
    run([str(VENV / "bin" / "pip"), "install", "--quiet", *REQUIREMENTS], INSTALL_S)
    stamp.write_text(wanted)


def export(weights: Path) -> None:
    """The weights of a folder in the hub's layout as the kind of ONNX that Infinity reads."""
    if (MODEL / "model.onnx").exists():
        return
    source, making = HOME / "infinity-source", HOME / "infinity-export"
    source.mkdir(exist_ok=True)
    for name in SOURCE_FILES:
        shutil.copyfile(weights / name, source / name)
    tool = str(VENV / "bin" / "optimum-cli")
    task = ("--task", "feature-extraction", "--library", "transformers")
    run([tool, "export", "onnx", "--model", str(source), *task, str(making)], EXPORT_S)
    making.rename(MODEL)


def run(command: list[str], timeout_s: float) -> None:
    try:
        done = subprocess.run(  # noqa: S603 - ours
            command, env=offline(), capture_output=True, text=True, timeout=timeout_s, check=False
        )
    except subprocess.TimeoutExpired as exc:
        raise PeerUnavailable(f"{Path(command[0]).name} took over {timeout_s:.0f} s") from exc
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["it says nothing"]
        raise PeerUnavailable(f"{Path(command[0]).name} failed: {lines[-1]}")


def offline() -> dict[str, str]:
    """The environment in which nothing is asked of the hub or sent to anybody."""
    quiet = {"HF_HUB_OFFLINE": "1", "INFINITY_ANONYMOUS_USAGE_STATS": "0", "DO_NOT_TRACK": "1"}
    return os.environ | quiet | {"HF_HOME": str(HOME / "infinity-hub")}


class Infinity:
    """A running server, on ONNX Runtime with 32-bit floats and without a cache of vectors."""

    path = "/embeddings"

    def __init__(self) -> None:
        self.port = free_port()
        options = {
            "--model-id": ".",  # it finds ONNX files in the current folder only
            "--served-model-name": NAME,
            "--engine": "optimum",
            "--device": "cpu",
            "--dtype": "float32",
            "--pooling-method": "mean",
            "--host": "127.0.0.1",
            "--port": str(self.port),
            "--log-level": "warning",
        }
        words = [word for option in options.items() for word in option]
        command = [str(VENV / "bin" / "infinity_emb"), "v2", *words, "--no-vector-disk-cache"]
        with LOG.open("w") as log:
            self.process = subprocess.Popen(  # noqa: S603 - ours
                command, cwd=MODEL, env=offline(), stdout=log, stderr=subprocess.STDOUT
            )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def processes(self) -> list[psutil.Process]:
        top = psutil.Process(self.process.pid)
        return [top, *top.children(recursive=True)]

    def wait(self) -> None:
        """Raises PeerUnavailable when it does not come up."""
        until = time.monotonic() + START_S
        while time.monotonic() < until and self.process.poll() is None:
            try:
                if httpx.get(f"{self.url}/health").status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.2)
        raise PeerUnavailable(f"it did not start, see {LOG}")

    @staticmethod
    def body(texts: list[str]) -> dict[str, object]:
        return {"model": NAME, "input": texts}

    @staticmethod
    def vectors(answer: dict[str, list[dict[str, list[float]]]]) -> list[list[float]]:
        return [row["embedding"] for row in answer["data"]]

    def end(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
