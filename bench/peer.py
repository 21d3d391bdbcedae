"""What every server that the product is measured with needs: an environment, a start, an end."""

import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import httpx
import psutil

HOME = Path(__file__).resolve().parent.parent / ".venv-bench"
INSTALL_S, START_S, END_S = 1200, 120, 20


class PeerUnavailable(Exception):
    """It cannot be installed or started here, for a reason in words."""


def install(name: str, requirements: tuple[str, ...], needed_bytes: int) -> Path:
    """The folder of its programs, in an environment of its own, made once.

    Raises PeerUnavailable.
    """
    venv = HOME / name
    stamp, wanted = venv / ".installed", "\n".join(requirements)
    if not stamp.exists() or stamp.read_text() != wanted:
        HOME.mkdir(exist_ok=True)
        if shutil.disk_usage(HOME).free < needed_bytes:
            raise PeerUnavailable(f"needs {needed_bytes / 1e9:.0f} GB of free disk")
        print(f"installing {name}, which takes some minutes", flush=True)
        run([sys.executable, "-m", "venv", str(venv)], INSTALL_S)
        run([str(venv / "bin" / "pip"), "install", "--quiet", *requirements], INSTALL_S)
        stamp.write_text(wanted)
    return venv / "bin"


def run(command: list[str], timeout_s: float, env: Mapping[str, str] | None = None) -> None:
    """Raises PeerUnavailable, with the last thing that it said."""
    try:
        done = subprocess.run(  # noqa: S603 - ours
            command, env=env, capture_output=True, text=True, timeout=timeout_s, check=False
        )
    except subprocess.TimeoutExpired as exc:
        raise PeerUnavailable(f"{Path(command[0]).name} took over {timeout_s:.0f} s") from exc
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["it says nothing"]
        raise PeerUnavailable(f"{Path(command[0]).name} failed: {lines[-1]}")


class Peer:
    """A running server on a port of this machine."""

    def __init__(
        self,
        command: list[str],
        port: int,
        health: str,
        log: Path,
        env: Mapping[str, str],
        folder: Path | None = None,
    ) -> None:
        """health: the path that answers once it is up. folder: where it runs."""
        self.port, self._health, self._log = port, health, log
        with log.open("w") as file:
            self.process = subprocess.Popen(  # noqa: S603 - ours
                command, cwd=folder, env=env, stdout=file, stderr=subprocess.STDOUT
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
                if httpx.get(f"{self.url}{self._health}").is_success:
                    return
            except httpx.TransportError:
                time.sleep(0.2)
        raise PeerUnavailable(f"it did not start, see {self._log}")

    def end(self) -> None:
        """With its children, whether or not it ends them itself."""
        if self.process.poll() is None:
            processes = self.processes
            for process in processes:
                with suppress(psutil.NoSuchProcess):
                    process.terminate()
            for process in psutil.wait_procs(processes, END_S)[1]:
                process.kill()
        self.process.wait()
