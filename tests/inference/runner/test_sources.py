"""Which source is used, what is kept, and what is told when none will do."""

import hashlib
import shutil
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from inference.errors import ModelUnavailable, StorageUnusable
from inference.runner import files
from inference.runner.progress import Cancelled, Clock, Progress
from inference.runner.sources import FetchReport, SourceFailure, SourceSettings, fetch
from tests.inference.runner.fetching import (
    CONTENTS,
    PUBLISHED,
    REPOSITORY,
    REVISION,
    TOTAL,
    WEIGHTS,
    Fetching,
    address,
)
from tests.inference.runner.hub import Hub


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    folder = tmp_path / "mirror"
    (folder / REPOSITORY).mkdir(parents=True)
    for name, content in CONTENTS.items():
        (folder / REPOSITORY / name).write_bytes(content)
    return folder


def test_files_are_fetched_from_the_hub(fetching: Fetching) -> None:
    report = fetching.run()

    assert report == FetchReport("hub")
    assert fetching.is_complete


def test_progress_is_told_at_the_end_and_not_too_often(fetching: Fetching) -> None:
    fetching.run()

    done = [progress.bytes_done for progress in fetching.seen]
    assert fetching.seen[-1].bytes_done == fetching.seen[-1].bytes_total == TOTAL
    assert done == sorted(done)
    assert 3 <= len(done) <= fetching.watch.time_s / 0.2 + 2


def test_files_with_the_right_hash_are_not_fetched_again(fetching: Fetching, hub: Hub) -> None:
    fetching.run()
    (fetching.folder / "config.json").write_bytes(CONTENTS["config.json"][::-1])
    hub.asked.clear()

    report = fetching.run()

    assert [path for path, _ in hub.asked] == [address("config.json")]
    assert report == FetchReport("hub")
    assert fetching.is_complete


def test_nothing_is_asked_for_when_everything_is_there(fetching: Fetching, hub: Hub) -> None:
    fetching.run()
    hub.asked.clear()
    fetching.seen.clear()

    assert fetching.run() == FetchReport("")
    assert hub.asked == []
    assert fetching.seen == [Progress("", TOTAL, TOTAL, 0.0)]


@pytest.mark.parametrize("layout", ["", f"resolve/{REVISION}"])
def test_a_mirror_can_be_a_folder(fetching: Fetching, mirror: Path, layout: str) -> None:
    if layout:
        (mirror / REPOSITORY / layout).mkdir(parents=True)
        for name in CONTENTS:
            source = mirror / REPOSITORY / name
            source.rename(mirror / REPOSITORY / layout / name)
    fetching.sources = SourceSettings(("mirror",), mirror=str(mirror))

    assert fetching.run() == FetchReport("mirror")
    assert fetching.is_complete


def test_a_mirror_can_be_a_server(fetching: Fetching, hub: Hub) -> None:
    fetching.sources = SourceSettings(("mirror",), mirror=f"{hub.url}/inside/")
    hub.files = {f"/inside{path}": content for path, content in PUBLISHED.items()}

    assert fetching.run() == FetchReport("mirror")
    assert fetching.is_complete


def test_wrong_content_is_deleted_and_the_next_source_is_tried(
    fetching: Fetching, mirror: Path
) -> None:
    wrong = bytes(len(CONTENTS["model.safetensors"]))
    (mirror / REPOSITORY / "model.safetensors").write_bytes(wrong)
    fetching.sources = SourceSettings(("mirror", "hub"), str(mirror), fetching.sources.hub)

    report = fetching.run()

    (failure,) = report.failures
    assert (report.source, failure.source) == ("hub", "mirror")
    assert failure.reason == (
        f"model.safetensors has SHA-256 {hashlib.sha256(wrong).hexdigest()} "
        f"instead of {WEIGHTS.files[1].sha256}"
    )
    assert fetching.is_complete


def test_wrong_content_never_gets_the_final_name(fetching: Fetching, hub: Hub) -> None:
    hub.files[address("model.safetensors")] = bytes(len(CONTENTS["model.safetensors"]))

    with pytest.raises(ModelUnavailable, match=r"has SHA-256 [0-9a-f]{64} instead of"):
        fetching.run()

    assert fetching.names == ["config.json"]


def test_a_longer_file_in_a_mirror_is_refused(fetching: Fetching, mirror: Path) -> None:
    (mirror / REPOSITORY / "config.json").write_bytes(b"x" * 100)
    fetching.sources = SourceSettings(("mirror",), str(mirror))

    with pytest.raises(ModelUnavailable, match=r"config.json is longer than the expected 22 bytes"):
        fetching.run()

    assert fetching.names == []


def test_every_source_and_its_reason_is_told_when_all_fail(fetching: Fetching, hub: Hub) -> None:
    hub.files.clear()
    fetching.sources = SourceSettings(("mirror", "hub"), None, hub.url)

    with pytest.raises(ModelUnavailable) as caught:
        fetching.run()

    assert str(caught.value) == (
        "The weights of [someone/tiny] cannot be had: mirror: none is configured; "
        "hub: config.json: [127.0.0.1] answered 404"
    )


def test_a_missing_mirror_folder_is_named(fetching: Fetching, tmp_path: Path) -> None:
    fetching.sources = SourceSettings(("mirror",), str(tmp_path / "nowhere"))

    with pytest.raises(ModelUnavailable, match=r"nowhere/someone/tiny/config.json does not exist"):
        fetching.run()


def test_an_unknown_source_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"\[attic\] is no source of models"):
        SourceSettings(("hub", "attic"))


def test_too_little_room_is_told_before_anything_is_fetched(
    fetching: Fetching, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = SimpleNamespace(free=100_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)

    with pytest.raises(StorageUnusable, match=r"140 MB are needed, 100 MB are free") as caught:
        fetching.run()

    assert str(fetching.folder) in str(caught.value)
    assert hub.asked == []


def test_a_folder_that_cannot_be_made_is_named(fetching: Fetching, tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file where the folder should be")

    with pytest.raises(StorageUnusable, match=r"models/tiny cannot be used"):
        fetching.run()


def test_a_second_fetch_waits_for_the_first_and_finds_the_files(
    fetching: Fetching, hub: Hub
) -> None:
    hub.gate.clear()  # the first stands still in its first request
    reports = []
    first = threading.Thread(target=lambda: reports.append(fetching.run()))
    waits = []

    def pause(seconds: float) -> None:
        waits.append(seconds)
        hub.gate.set()
        first.join(timeout=10)

    first.start()
    assert hub.arrived.wait(timeout=10)
    second = Fetching(fetching.folder, fetching.sources)
    report = fetch(
        WEIGHTS,
        second.folder,
        second.sources,
        second.seen.append,
        lambda: False,
        Clock(pause=pause),
    )

    assert waits
    assert reports == [FetchReport("hub")]
    assert report == FetchReport("")
    assert len(hub.asked) == len(CONTENTS)


def test_a_fetch_that_waits_can_be_cancelled(fetching: Fetching, hub: Hub) -> None:
    never = Clock(pause=lambda _: pytest.fail("waited although cancelled"))
    fetching.folder.mkdir(parents=True)

    with files.only_one(fetching.folder, lambda: False, Clock()), pytest.raises(Cancelled):
        fetch(WEIGHTS, fetching.folder, fetching.sources, lambda _: None, lambda: True, never)

    assert hub.asked == []


def test_failures_before_the_good_source_are_reported(fetching: Fetching) -> None:
    fetching.sources = SourceSettings(("mirror", "hub"), None, fetching.sources.hub)

    report = fetching.run()

    assert report == FetchReport("hub", (SourceFailure("mirror", "none is configured"),))
