"""The product in an environment of its own that has the optional extra [openvino]."""

from pathlib import Path

from bench.peer import HOME, INSTALL_S, PeerUnavailable, run
from tests.product.running import PROJECT, Product, start_and_wait

VENV = HOME / "product"
OPENVINO = "openvino==2026.4.1"


def start_with_openvino(folder: Path, password: str) -> Product:
    """A running product; without the extra, and saying so, where that cannot be had here."""
    try:
        install()
    except PeerUnavailable as exc:
        print(f"the product runs without OpenVINO: {exc}", flush=True)
        return start_and_wait(folder, CONSOLE_ADMIN_PASSWORD=password)
    return start_and_wait(folder, make=(f"VENV={VENV}",), CONSOLE_ADMIN_PASSWORD=password)


def install() -> None:
    """What `make serve` installs, and the extra. Raises PeerUnavailable."""
    HOME.mkdir(exist_ok=True)
    run(["make", "--directory", str(PROJECT), f"VENV={VENV}", f"{VENV}/.runtime"], INSTALL_S)
    run([str(VENV / "bin" / "pip"), "install", "--quiet", OPENVINO], INSTALL_S)
