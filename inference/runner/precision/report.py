"""What was found out about a model's precisions on this machine, kept beside the model.

Everything here is light: whoever shows a report needs no array and no engine.
"""

import os
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import cache, lru_cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import orjson

from inference.types import TaskType

# Raise it with every change to the candidates or the gate: older reports then count no more.
TRIAL_VERSION = 1
CPU_INFO = Path("/proc/cpuinfo")
# What the processor must have to compute in bfloat16: on x86 one of the first two, on ARM the last.
BF16_FLAGS = ("avx512_bf16", "amx_bf16", "bf16")
ENGINES = ("onnxruntime", "openvino")


class Precision(StrEnum):
    """What a deployment may ask for."""

    FP32 = "fp32"
    INT8 = "int8"
    BF16 = "bf16"
    AUTO = "auto"

    @property
    def is_tried(self) -> bool:
        """Whether it takes a trial to know what runs, or if it may."""
        return self != Precision.FP32


@dataclass(frozen=True)
class Bounds:
    """What a candidate must reach: a cosine with every text, an agreement in the mean."""

    cosine: float
    agreement: float


# Who leaves the choice to us must not see a difference; who asks for less precision may.
CHOSEN_BOUNDS = Bounds(cosine=0.999, agreement=0.98)
ASKED_BOUNDS = Bounds(cosine=0.99, agreement=0.95)
# A candidate that is hardly faster is not worth any loss.
WORTHWHILE = 1.1


@dataclass(frozen=True)
class Trial:
    """One precision beside fp32, on one thread.

    lowest_cosine, mean_cosine: of the texts' vectors to those of fp32. agreement: of rerank the
    share of pairs in the same order, of sparse vectors the share of top tokens in common, both
    mean; None for dense vectors. short_ms: for one text of 8 tokens. tokens_per_s: in full rows.
    missing: why it cannot run here, in words; all figures are 0 then.
    """

    precision: str
    lowest_cosine: float = 0.0
    mean_cosine: float = 0.0
    agreement: float | None = None
    short_ms: float = 0.0
    tokens_per_s: float = 0.0
    size_bytes: int = 0
    missing: str = ""

    def reaches(self, bounds: Bounds) -> bool:
        return not self.missing and not self.shortfalls(bounds)

    def shortfalls(self, bounds: Bounds) -> list[str]:
        """What it does not reach, in words."""
        found = (
            ("lowest cosine", self.lowest_cosine, bounds.cosine),
            ("agreement", 1.0 if self.agreement is None else self.agreement, bounds.agreement),
        )
        return [
            f"its {what} to fp32 is {value:.4f} instead of at least {least}"
            for what, value, least in found
            if value < least
        ]

    def speed_over(self, other: "Trial") -> tuple[float, float]:
        """How many times as fast it is: one short text, full rows."""
        return other.short_ms / self.short_ms, self.tokens_per_s / other.tokens_per_s


@dataclass(frozen=True)
class Report:
    """key: of the machine, the versions and the graph that it holds for. trials: fp32 first.

    failure: why the trials could not be made, in words; empty when they were.
    """

    task_type: str
    key: dict[str, str]
    trials: tuple[Trial, ...] = ()
    failure: str = ""

    def trial(self, precision: str) -> Trial | None:
        return next((trial for trial in self.trials if trial.precision == precision), None)

    @property
    def choice(self) -> Precision:
        """The fastest precision without a visible loss; fp32 where no other is worth it."""
        full = self.trial(Precision.FP32)
        if full is None:
            return Precision.FP32
        best, most = Precision.FP32, WORTHWHILE
        for trial in self.trials:
            if trial.precision == Precision.FP32 or not trial.reaches(CHOSEN_BOUNDS):
                continue
            short, rows = trial.speed_over(full)
            if (gain := (short * rows) ** 0.5) > most:
                best, most = Precision(trial.precision), gain
        return best

    def refusal(self, wished: Precision) -> str:
        """Why a deployment cannot run in this precision, in words; empty where it can."""
        if self.failure:
            return f"The precisions of the model could not be compared: {self.failure}"
        if wished in (Precision.AUTO, Precision.FP32):
            return ""
        trial = self.trial(wished)
        if trial is None or trial.missing:
            return f"[{wished}] cannot run here: {trial.missing if trial else 'it was not tried'}"
        problems = trial.shortfalls(ASKED_BOUNDS)
        return f"[{wished}] loses too much: {' and '.join(problems)}" if problems else ""

    def resolved(self, wished: Precision) -> Precision:
        """What a deployment runs in that is not refused."""
        return self.choice if wished == Precision.AUTO else wished


def identity_of(precision: str) -> str:
    """A precision with what it promises of the vectors, which holds whatever is chosen by it."""
    if precision == Precision.FP32:
        return precision
    bounds = CHOSEN_BOUNDS if precision == Precision.AUTO else ASKED_BOUNDS
    return f"{precision}>={bounds.cosine}"


def missing_for(precision: str) -> str:
    """What this machine lacks for a precision, in words; empty where nothing is missing."""
    if precision != Precision.BF16:
        return ""
    lacks = []
    if not cpu_flags().intersection(BF16_FLAGS):
        lacks.append(f"the processor has none of the features {', '.join(BF16_FLAGS)}")
    if find_spec("openvino") is None:
        lacks.append("the optional extra [openvino] is not installed")
    return " and ".join(lacks)


def report_key(folder: Path) -> dict[str, str]:
    """What a report depends on: machine, engines, what is tried, and the graph."""
    graph = (folder / "model.onnx").stat()
    return {
        "processor": processor(),
        "trial_version": str(TRIAL_VERSION),
        "graph": f"{graph.st_size}-{graph.st_mtime_ns}",
        **{engine: _version(engine) for engine in ENGINES},
    }


def read_report(folder: Path, task_type: TaskType) -> Report | None:
    """The report that holds for this machine and these files; None where there is none."""
    path = _path(folder, task_type)
    try:
        stored = path.stat()
        report = _parsed(path, stored.st_ino, stored.st_mtime_ns)
        return report if report.key == report_key(folder) else None
    except (OSError, ValueError, TypeError, KeyError):
        return None


@lru_cache(maxsize=128)
def _parsed(path: Path, _inode: int, _mtime_ns: int) -> Report:
    """What a file says as it stands; runners ask several times a second."""
    raw: dict[str, Any] = orjson.loads(path.read_bytes())
    trials = tuple(Trial(**trial) for trial in raw["trials"])
    return Report(**raw | {"trials": trials})


def write_report(folder: Path, report: Report) -> None:
    target = _path(folder, TaskType(report.task_type))
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    part.write_bytes(orjson.dumps(asdict(report), option=orjson.OPT_INDENT_2))
    os.replace(part, target)


def forget_failure(folder: Path, task_type: TaskType) -> None:
    """Let trials that failed be made again."""
    report = read_report(folder, task_type)
    if report and report.failure:
        _path(folder, task_type).unlink(missing_ok=True)


def failed(folder: Path, task_type: TaskType, reason: str) -> Report:
    return Report(task_type, report_key(folder), failure=reason)


@cache
def cpu_flags() -> frozenset[str]:
    return frozenset(_cpu_line("flags", "Features").split())


@cache
def processor() -> str:
    return _cpu_line("model name", "CPU part") or "unknown"


def _cpu_line(*names: str) -> str:
    try:
        lines = CPU_INFO.read_text().splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(names)), "")


@cache
def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"


def _path(folder: Path, task_type: TaskType) -> Path:
    return folder / f"precision.{task_type}.json"
