"""How much memory a process takes, and how much this machine has left, as Linux tells it.

Sources: proc(5) on smaps_rollup and meminfo; the kernel's guide to control groups (v1 and v2).
"""

import ctypes
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PROC, CGROUP = Path("/proc"), Path("/sys/fs/cgroup")
MB = 1 << 20
# The limit of a control group, its use, and the part of it that can be dropped: by version.
VERSION_1 = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
VERSION_2 = ("memory.max", "memory.current", "inactive_file")


@dataclass(frozen=True)
class MemoryUse:
    """resident: all pages that are in memory. private: those that stand in no file.

    shared: the proportional share, in which a page of n processes counts 1/n. Bytes. Model weights
    are mapped from files and so are no private memory: the system can drop them and read them anew.
    """

    resident: int
    private: int
    shared: int


def memory_of(pid: int | str = "self") -> MemoryUse | None:
    """What a process takes now; None where it is gone or the system does not tell."""
    try:
        lines = (PROC / str(pid) / "smaps_rollup").read_text().splitlines()
    except OSError:
        return None
    sizes = _sizes(lines[1:])
    return MemoryUse(
        resident=sizes["Rss"], private=sizes["Anonymous"] + sizes["Swap"], shared=sizes["Pss"]
    )


def give_back() -> None:
    """Return to the system what was freed; the C library may keep it in case it is needed again.

    Source: malloc_trim(3). Nothing happens where the C library is not glibc.
    """
    with suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def _sizes(lines: list[str]) -> dict[str, int]:
    """Lines such as `Rss:   1024 kB`, in bytes by name."""
    fields = (line.split() for line in lines if line.endswith("kB"))
    return {name.rstrip(":"): int(count) * 1024 for name, count, _ in fields}


@dataclass(frozen=True)
class Ceiling:
    """How large a host's private memory may grow before a fresh one takes its place.

    fixed_bytes: None to judge a host by what it took once it was warm.
    """

    fixed_bytes: int | None = None

    def above(self, warm_bytes: int) -> int:
        """For a host that took so much when it was warm.

        It always leaves some room: a fresh host would else be above it at once, too.
        """
        if self.fixed_bytes is None:
            return 2 * warm_bytes + 256 * MB
        return max(self.fixed_bytes, warm_bytes + 64 * MB)


def oom_kills() -> int | None:
    """How many processes the system has ended for want of memory; None where it does not tell."""
    try:
        lines = (PROC / "vmstat").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), None)


def available_bytes() -> int | None:
    """What processes here can still take: of the machine, and of each control group around us."""
    try:
        machine = _sizes((PROC / "meminfo").read_text().splitlines())["MemAvailable"]
    except (OSError, KeyError):
        return None
    return max(0, min([machine, *_left_in_groups()]))


def _left_in_groups() -> list[int]:
    """What is left below the limit of each control group that has one."""
    try:
        lines = (PROC / "self" / "cgroup").read_text().splitlines()
    except OSError:
        return []
    left = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and "memory" not in controllers.split(","):
            continue
        names = VERSION_1 if controllers else VERSION_2
        folder = CGROUP / "memory" if controllers else CGROUP
        own = folder / path.strip("/")
        # In a container the path may be one of the machine outside; what is there then counts.
        for group in (own, *own.parents):
            if group.is_relative_to(folder) and (room := _left_in(group, *names)) is not None:
                left.append(room)
    return left


def _left_in(group: Path, limit: str, used: str, droppable: str) -> int | None:
    """The room in one group; None where it has no limit. Files that can be dropped are no use."""
    try:
        most = (group / limit).read_text().strip()
        taken = int((group / used).read_text())
        stat = (group / "memory.stat").read_text().splitlines()
    except OSError:
        return None
    if most == "max":
        return None
    files = next((int(line.split()[1]) for line in stat if line.startswith(f"{droppable} ")), 0)
    return int(most) - taken + files
