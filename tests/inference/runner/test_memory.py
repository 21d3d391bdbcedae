import platform
from pathlib import Path

import pytest

from inference.runner import memory
from inference.runner.memory import MB, Ceiling, available_bytes, give_back, memory_of, oom_kills


def test_private_memory_grows_with_what_is_filled() -> None:
    before = memory_of()
    filled = bytearray(b"x" * (50 * MB))
    after = memory_of()

    assert before is not None
    assert after is not None
    assert 45 * MB < after.private - before.private < 60 * MB
    assert len(filled) == 50 * MB


def test_a_process_that_is_gone_has_no_memory() -> None:
    assert memory_of(2**22 + 1) is None


@pytest.mark.parametrize(
    ("ceiling_mb", "warm_mb", "above_mb"), [(None, 100, 456), (500, 100, 500), (500, 480, 544)]
)
def test_a_ceiling_leaves_a_warm_host_some_room(
    ceiling_mb: int | None, warm_mb: int, above_mb: int
) -> None:
    ceiling = Ceiling(None if ceiling_mb is None else ceiling_mb * MB)

    assert ceiling.above(warm_mb * MB) == above_mb * MB


def test_the_systems_kills_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "PROC", tmp_path)
    assert oom_kills() is None

    (tmp_path / "vmstat").write_text("pgfault 12\noom_kill 3\nnuma_hit 4\n")
    assert oom_kills() == 3


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with 8000 MB available, whose control groups a test makes."""
    monkeypatch.setattr(memory, "PROC", tmp_path / "proc")
    monkeypatch.setattr(memory, "CGROUP", tmp_path / "cgroup")
    put(
        tmp_path / "proc", meminfo=f"MemTotal: 9 kB\nMemAvailable: {8000 * 1024} kB\nHugePages: 0\n"
    )
    return tmp_path


def put(folder: Path, **files: object) -> None:
    """A double underscore stands for the dot in a name."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(f"{text}")


def in_group(system: Path, line: str) -> None:
    put(system / "proc" / "self", cgroup=f"{line}\n")


def test_without_limits_the_machine_decides(system: Path) -> None:
    assert available_bytes() == 8000 * MB


def test_a_system_that_does_not_tell_has_no_number(system: Path) -> None:
    (system / "proc" / "meminfo").unlink()

    assert available_bytes() is None


def test_the_limit_of_a_container_counts_without_files_that_can_be_dropped(system: Path) -> None:
    in_group(system, "0::/box")
    put(
        system / "cgroup" / "box",
        memory__max=1000 * MB,
        memory__current=700 * MB,
        memory__stat=f"anon 5\ninactive_file {300 * MB}\n",
    )

    assert available_bytes() == 600 * MB


def test_the_tightest_group_around_us_counts(system: Path) -> None:
    in_group(system, "0::/outer/inner")
    inner = system / "cgroup" / "outer" / "inner"
    put(inner, memory__max="max", memory__current=0, memory__stat="")
    put(inner.parent, memory__max=100 * MB, memory__current=40 * MB, memory__stat="")

    assert available_bytes() == 60 * MB


def test_groups_of_the_first_version_count_too(system: Path) -> None:
    in_group(system, "4:memory:/box")
    put(
        system / "cgroup" / "memory" / "box",
        memory__limit_in_bytes=500 * MB,
        memory__usage_in_bytes=600 * MB,
        memory__stat=f"total_inactive_file {50 * MB}\n",
    )

    assert available_bytes() == 0


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="needs glibc")
def test_what_was_freed_goes_back_to_the_system() -> None:
    pieces = [b"x" * (2000 + number % 7) for number in range(20_000)]
    del pieces[:-1]  # the last one keeps the heap as long as it is
    before = private()

    give_back()

    assert before - private() > 20 * MB
    assert pieces


def private() -> int:
    used = memory_of()
    assert used
    return used.private
