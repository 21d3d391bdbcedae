"""Files whose hashes the catalogue does not know: they stay what came first."""

import hashlib
import re
from dataclasses import replace
from pathlib import Path

import pytest

from inference.errors import ModelUnavailable
from inference.runner.catalogue import WeightsFile
from inference.runner.progress import Cancelled
from inference.runner.sources import FetchReport, SourceSettings
from tests.inference.runner.fetching import CONTENTS, REPOSITORY, WEIGHTS, Fetching, address
from tests.inference.runner.hub import Hub

WEIGHTS_PATH = address("model.safetensors")
SIZE = len(CONTENTS["model.safetensors"])
OTHER = CONTENTS["model.safetensors"][::-1]


@pytest.fixture(autouse=True)
def nothing_is_known(fetching: Fetching) -> None:
    """Of the files, but for a guess at their size."""
    guesses = [WeightsFile(file.name, file.size_bytes * 2) for file in WEIGHTS.files]
    fetching.weights = replace(WEIGHTS, files=tuple(guesses))


def in_place(fetching: Fetching) -> dict[str, bytes]:
    return {
        name: (fetching.folder / name).read_bytes()
        for name in fetching.names
        if not name.endswith(".first-seen")
    }


def test_what_comes_first_is_taken_and_noted(fetching: Fetching, hub: Hub) -> None:
    assert fetching.run() == FetchReport("hub")

    assert in_place(fetching) == CONTENTS
    hub.asked.clear()
    assert fetching.run() == FetchReport("")
    assert hub.asked == []


def test_the_same_file_may_come_again(fetching: Fetching) -> None:
    fetching.run()
    (fetching.folder / "model.safetensors").unlink()

    assert fetching.run() == FetchReport("hub")
    assert in_place(fetching) == CONTENTS


def test_another_file_is_refused_from_then_on(fetching: Fetching, hub: Hub) -> None:
    fetching.run()
    (fetching.folder / "model.safetensors").unlink()
    hub.files[WEIGHTS_PATH] = OTHER

    with pytest.raises(ModelUnavailable) as caught:
        fetching.run()

    first, found = (hashlib.sha256(c).hexdigest() for c in (CONTENTS["model.safetensors"], OTHER))
    noted = fetching.folder / "model.safetensors.first-seen"
    assert (
        f"model.safetensors has SHA-256 {found} instead of {first}, which came first; "
        f"delete {noted} to accept another file"
    ) in str(caught.value)
    assert list(in_place(fetching)) == ["config.json"]

    noted.unlink()  # as the reason says
    assert fetching.run() == FetchReport("hub")
    assert in_place(fetching)["model.safetensors"] == OTHER


def test_a_file_that_was_changed_in_its_place_is_fetched_again(fetching: Fetching) -> None:
    fetching.run()
    (fetching.folder / "model.safetensors").write_bytes(OTHER)

    assert fetching.run() == FetchReport("hub")
    assert in_place(fetching) == CONTENTS


def test_a_file_that_nobody_noted_is_not_trusted(fetching: Fetching) -> None:
    fetching.folder.mkdir(parents=True)
    (fetching.folder / "model.safetensors").write_bytes(OTHER)

    fetching.run()

    assert in_place(fetching) == CONTENTS


def test_another_source_is_held_to_what_came_from_the_first(
    fetching: Fetching, tmp_path: Path
) -> None:
    fetching.run()
    (fetching.folder / "model.safetensors").unlink()
    mirror = tmp_path / "mirror"
    (mirror / REPOSITORY).mkdir(parents=True)
    (mirror / REPOSITORY / "model.safetensors").write_bytes(OTHER)
    fetching.sources = SourceSettings(("mirror", "hub"), str(mirror), fetching.sources.hub)

    report = fetching.run()

    assert report.source == "hub"
    assert "which came first" in report.failures[0].reason


def test_a_broken_download_goes_on_where_it_stopped(fetching: Fetching, hub: Hub) -> None:
    hub.drops = [len(CONTENTS["config.json"]), 1_000_000]

    fetching.run()

    assert hub.ranges == [None, None, "bytes=1000000-"]
    assert in_place(fetching) == CONTENTS


def test_a_part_that_the_server_cannot_vouch_for_is_not_gone_on_with(
    fetching: Fetching, hub: Hub
) -> None:
    hub.etag = None
    with pytest.raises(Cancelled):
        fetching.run(fetching.cancelled_after(1_000_000))
    hub.asked.clear()

    fetching.run()

    assert set(hub.ranges) == {None}
    assert in_place(fetching) == CONTENTS


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (bytes(SIZE // 2 - 1), f"has {SIZE // 2 - 1} bytes instead of about {2 * SIZE}"),
        (bytes(8 * SIZE + 1), f"is longer than the expected {8 * SIZE} bytes"),
    ],
)
def test_what_cannot_be_the_file_is_neither_kept_nor_noted(
    fetching: Fetching, hub: Hub, content: bytes, reason: str
) -> None:
    hub.files[WEIGHTS_PATH] = content

    with pytest.raises(ModelUnavailable, match=re.escape(f"model.safetensors {reason}")):
        fetching.run()

    assert fetching.names == ["config.json", "config.json.first-seen"]


def test_a_web_page_is_never_the_file(fetching: Fetching, hub: Hub) -> None:
    hub.content_type = "text/html; charset=utf-8"

    with pytest.raises(ModelUnavailable, match=r"config.json: .* answered with a web page"):
        fetching.run()

    assert fetching.names == []
