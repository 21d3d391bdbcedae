"""What was found out about a model's precisions on this machine, kept beside the model.

Everything here is light: whoever shows a report needs no array and no engine.
"""

import os
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from functools import cache, lru_cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from math import prod
from pathlib import Path
from typing import Any

import orjson

from inference.runner.layout import graph_in
from inference.types import TaskType

# Raise it with every change to the candidates or the gate: older reports then count no more.
TRIAL_VERSION = 2
CPU_INFO = Path("/proc/cpuinfo")
# What the processor must have to compute in bfloat16: on x86 one of the first two, on ARM the last.
BF16_FLAGS = ("avx512_bf16", "amx_bf16", "bf16")
ENGINES = ("onnxruntime", "openvino")


class Precision(StrEnum):
    """What a deployment may ask for."""

    FP32 = "fp32"
    INT8 = "int8"
    MIXED = "mixed"
    BF16 = "bf16"
    AUTO = "auto"

    @property
    def is_tried(self) -> bool:
        """Whether it takes a trial to know what runs, or if it may."""
        return self != Precision.FP32


class Measure(StrEnum):
    """What of a model's results is compared.

    VECTORS: their cosines. STATES: the cosines of the texts' mean token states, and what the head
    makes of them. WEIGHTS, SCORES: what a trained head gives, where no vector stands behind it.
    """

    VECTORS = "vectors"
    STATES = "states"
    WEIGHTS = "weights"
    SCORES = "scores"


@dataclass(frozen=True)
class Bounds:
    """What a candidate must reach; what its measure does not have is not asked.

    cosine: of every text. low_cosine: of all texts but one in twenty. agreement: in the mean.
    difference: the most that any result may be off.
    """

    cosine: float
    low_cosine: float
    agreement: float
    difference: float


# Who leaves the choice to us must not see a difference; who asks for less precision may. Two
# vectors with a cosine of 0.999 are 4.5 % of their length apart, with one of 0.99 14 %.
CHOSEN_BOUNDS = Bounds(cosine=0.999, low_cosine=0.9995, agreement=0.98, difference=0.05)
ASKED_BOUNDS = Bounds(cosine=0.99, low_cosine=0.995, agreement=0.95, difference=0.15)
# A candidate that is hardly faster is not worth any loss; and of those that are nearly as fast as
# the fastest, the one that loses least is worth most.
WORTHWHILE = 1.1
NEARLY = 0.9


@dataclass(frozen=True)
class Nearness:
    """How near the results of a precision are to those of fp32; None for what does not apply.

    lowest_cosine, low_cosine, mean_cosine: over all texts; one in twenty is below the second.
    agreement: of passages the share of pairs in the same order, of sparse vectors the share of the
    strongest tokens in common, both mean. largest_difference: of trained heads, the largest change
    of a score as a share of the spread of all scores, or of a text's weights as a share of their
    sum.
    """

    lowest_cosine: float | None = None
    low_cosine: float | None = None
    mean_cosine: float | None = None
    agreement: float | None = None
    largest_difference: float | None = None

    @property
    def loss(self) -> float:
        """How far it is from fp32, by all that was compared; 0 for fp32 itself."""
        shares = [1 - share for share in (self.lowest_cosine, self.agreement) if share is not None]
        return sum(shares) + (self.largest_difference or 0.0)

    def shortfalls(self, bounds: Bounds) -> list[str]:
        """What it does not reach, in words."""
        floors = (
            ("lowest cosine to", self.lowest_cosine, bounds.cosine),
            ("cosine of 95 in 100 texts to", self.low_cosine, bounds.low_cosine),
            ("agreement with", self.agreement, bounds.agreement),
        )
        found = [
            f"its {what} fp32 is {value:.4f} instead of at least {least}"
            for what, value, least in floors
            if value is not None and value < least
        ]
        if self.largest_difference is not None and self.largest_difference > bounds.difference:
            found.append(
                f"its largest difference from fp32 is {self.largest_difference:.4f} "
                f"instead of at most {bounds.difference}"
            )
        return found


@dataclass(frozen=True)
class Trial(Nearness):
    """One precision beside fp32, on one thread.

    short_ms: for one text of 8 tokens. tokens_per_s: in full rows. missing: why it cannot run
    here, in words; there are no figures then.
    """

    precision: str = field(kw_only=True)
    short_ms: float = 0.0
    tokens_per_s: float = 0.0
    size_bytes: int = 0
    missing: str = ""

    def reaches(self, bounds: Bounds) -> bool:
        return not self.missing and not self.shortfalls(bounds)

    def speed_over(self, other: "Trial") -> tuple[float, float]:
        """How many times as fast it is: one short text, full rows."""
        return other.short_ms / self.short_ms, self.tokens_per_s / other.tokens_per_s


@dataclass(frozen=True)
class Report:
    """key: of the machine, the versions and the graph that it holds for. trials: fp32 first.

    measure: what was compared, one of Measure. failure: why the trials could not be made, in words;
    empty when they were.
    """

    task_type: str
    key: dict[str, str]
    trials: tuple[Trial, ...] = ()
    measure: str = ""
    failure: str = ""

    def trial(self, precision: str) -> Trial | None:
        return next((trial for trial in self.trials if trial.precision == precision), None)

    @property
    def choice(self) -> Precision:
        """Of the fastest without a visible loss the nearest; fp32 where none is worth it."""
        full = self.trial(Precision.FP32)
        if full is None:
            return Precision.FP32
        gains = {
            trial: prod(trial.speed_over(full)) ** 0.5
            for trial in self.trials
            if trial.precision != Precision.FP32 and trial.reaches(CHOSEN_BOUNDS)
        }
        most = max(gains.values(), default=1.0)
        if most <= WORTHWHILE:
            return Precision.FP32
        fast = [trial for trial, gain in gains.items() if gain >= NEARLY * most]
        return Precision(min(fast, key=lambda trial: trial.loss).precision)

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
    graph = graph_in(folder).stat()
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
