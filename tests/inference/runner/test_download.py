"""A download over HTTP that meets what networks and servers do."""

import hashlib
import socket
from dataclasses import replace

import pytest

from inference.errors import ModelUnavailable
from inference.runner import download
from inference.runner.catalogue import WeightsFile
from inference.runner.progress import Cancelled
from inference.runner.sources import FetchReport, SourceSettings
from tests.inference.runner.fetching import CONTENTS, PUBLISHED, TOTAL, WEIGHTS, Fetching, address
from tests.inference.runner.hub import Hub

WEIGHTS_PATH = address("model.safetensors")
SIZE = len(CONTENTS["model.safetensors"])
BROKEN_AT = 1_000_000


@pytest.fixture(autouse=True)
def only_the_weights_are_missing(fetching: Fetching) -> None:
    fetching.folder.mkdir(parents=True)
    (fetching.folder / "config.json").write_bytes(CONTENTS["config.json"])


def cut_off_at(size_bytes: int, fetching: Fetching) -> None:
    """Leave a part in the folder, as a cancelled download does."""
    with pytest.raises(Cancelled):
        fetching.run(fetching.cancelled_after(size_bytes))


def test_a_broken_connection_goes_on_where_it_stopped(fetching: Fetching, hub: Hub) -> None:
    hub.drops = [BROKEN_AT]

    fetching.run()

    assert hub.ranges == [None, f"bytes={BROKEN_AT}-"]
    assert fetching.watch.pauses == [0.5]
    assert fetching.is_complete


def test_an_end_that_only_the_length_shows_is_noticed(fetching: Fetching, hub: Hub) -> None:
    hub.drops, hub.hides_length = [BROKEN_AT], True

    fetching.run()

    assert hub.ranges == [None, f"bytes={BROKEN_AT}-"]
    assert fetching.is_complete


def test_after_three_retries_the_part_is_kept_for_later(fetching: Fetching, hub: Hub) -> None:
    hub.drops = [1000] * 4

    with pytest.raises(ModelUnavailable, match=r"no answer from \[127\.0\.0\.1\]"):
        fetching.run()

    assert fetching.watch.pauses == [0.5, 1.0, 2.0]
    assert (fetching.folder / "model.safetensors.part").stat().st_size == 4000
    assert fetching.run() == FetchReport("hub")
    assert hub.ranges[-1] == "bytes=4000-"
    assert fetching.is_complete


def test_a_server_in_trouble_is_asked_again(fetching: Fetching, hub: Hub) -> None:
    hub.errors = [503, 429]

    fetching.run()

    assert fetching.watch.pauses == [0.5, 1.0]
    assert fetching.is_complete


def test_a_refusal_is_not_asked_again(fetching: Fetching, hub: Hub) -> None:
    hub.errors = [403]

    with pytest.raises(ModelUnavailable, match=r"model.safetensors: \[127.0.0.1\] answered 403"):
        fetching.run()

    assert fetching.watch.pauses == []


def test_a_hub_that_is_not_there_is_left_at_once(fetching: Fetching) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        fetching.sources = SourceSettings(
            ("hub",), hub=f"http://127.0.0.1:{closed.getsockname()[1]}"
        )

        with pytest.raises(ModelUnavailable, match=r"no answer from \[127.0.0.1\]: .*refused"):
            fetching.run()

    assert fetching.watch.pauses == []


def test_a_cancelled_download_goes_on_with_the_next_call(fetching: Fetching, hub: Hub) -> None:
    cut_off_at(BROKEN_AT, fetching)
    part = fetching.folder / "model.safetensors.part"
    size = part.stat().st_size
    hub.asked.clear()

    assert BROKEN_AT <= size < SIZE
    assert not (fetching.folder / "model.safetensors").exists()
    fetching.run()

    assert hub.ranges == [f"bytes={size}-"]
    assert fetching.is_complete


def test_what_was_there_already_does_not_count_as_speed(fetching: Fetching) -> None:
    cut_off_at(BROKEN_AT, fetching)
    fetching.watch.step_s = 1.0
    fetching.seen.clear()

    fetching.run()

    assert fetching.seen[0].bytes_done > BROKEN_AT
    assert all(progress.bytes_per_s <= 256 * 1024 for progress in fetching.seen)


def test_a_server_without_ranges_is_read_from_the_start(fetching: Fetching, hub: Hub) -> None:
    hub.drops, hub.has_ranges = [BROKEN_AT], False

    fetching.run()

    assert hub.ranges == [None, f"bytes={BROKEN_AT}-"]
    assert fetching.is_complete


@pytest.mark.parametrize(("honours_if_range", "requests"), [(True, 1), (False, 2)])
def test_a_file_that_changed_meanwhile_is_read_from_the_start(
    fetching: Fetching, hub: Hub, honours_if_range: bool, requests: int
) -> None:
    hub.files[WEIGHTS_PATH], hub.etag = bytes(SIZE), '"old"'
    cut_off_at(BROKEN_AT, fetching)
    hub.files, hub.etag, hub.honours_if_range = dict(PUBLISHED), '"new"', honours_if_range
    hub.asked.clear()

    fetching.run()

    assert len(hub.asked) == requests
    assert fetching.watch.pauses == [0.5] * (requests - 1)  # not first found by a wrong hash
    assert fetching.is_complete


def test_a_part_of_unknown_age_is_dropped_when_the_whole_is_wrong(
    fetching: Fetching, hub: Hub
) -> None:
    hub.files[WEIGHTS_PATH], hub.etag = bytes(SIZE), None
    cut_off_at(BROKEN_AT, fetching)
    hub.files = dict(PUBLISHED)

    fetching.run()

    assert hub.ranges[-1] is None
    assert fetching.is_complete


def test_a_part_from_another_server_is_not_gone_on_with(fetching: Fetching, hub: Hub) -> None:
    cut_off_at(BROKEN_AT, fetching)
    hub.files |= {f"/mirror{path}": content for path, content in PUBLISHED.items()}
    hub.asked.clear()
    fetching.sources = SourceSettings(("mirror",), mirror=f"{hub.url}/mirror")

    fetching.run()

    assert hub.ranges == [None]
    assert fetching.is_complete


def test_a_range_that_the_server_cannot_give_starts_again(fetching: Fetching, hub: Hub) -> None:
    cut_off_at(BROKEN_AT, fetching)
    hub.errors = [416]

    fetching.run()

    assert hub.ranges[-1] is None
    assert fetching.is_complete


def test_a_file_of_another_length_is_not_read(fetching: Fetching, hub: Hub) -> None:
    hub.files[WEIGHTS_PATH] = b"<html>Sign in to this network</html>"

    with pytest.raises(
        ModelUnavailable,
        match=r"model.safetensors is 36 bytes long on \[127.0.0.1\] instead of 3000000",
    ):
        fetching.run()

    assert fetching.names == ["config.json"]


def test_an_answer_without_end_is_cut(fetching: Fetching, hub: Hub) -> None:
    hub.files[WEIGHTS_PATH], hub.hides_length = bytes(SIZE * 2), True

    with pytest.raises(ModelUnavailable, match=r"longer than the expected 3000000 bytes"):
        fetching.run()

    assert fetching.names == ["config.json"]


def test_redirects_are_followed(fetching: Fetching, hub: Hub) -> None:
    hub.redirects = {WEIGHTS_PATH: f"{hub.url}/elsewhere"}
    hub.files["/elsewhere"] = CONTENTS["model.safetensors"]
    hub.drops = [BROKEN_AT]

    fetching.run()

    assert hub.asked[-1] == ("/elsewhere", f"bytes={BROKEN_AT}-")
    assert fetching.is_complete


def test_a_password_in_the_address_is_neither_told_nor_kept(fetching: Fetching, hub: Hub) -> None:
    hub.drops = [1000] * 4
    with_password = hub.url.replace("http://", "http://me:hidden@")
    fetching.sources = SourceSettings(("mirror",), mirror=with_password)

    with pytest.raises(ModelUnavailable) as caught:
        fetching.run()

    origin = (fetching.folder / "model.safetensors.part.origin").read_text()
    assert "hidden" not in str(caught.value) + origin


def test_an_address_that_is_none_is_told(fetching: Fetching) -> None:
    fetching.sources = SourceSettings(("mirror",), mirror="http://here:there")

    with pytest.raises(ModelUnavailable, match=r"mirror: model.safetensors: Invalid port"):
        fetching.run()


def test_connecting_and_reading_have_their_times() -> None:
    assert (download.TIMEOUT.connect, download.TIMEOUT.read) == (10.0, 30.0)


def test_progress_over_a_broken_download_never_passes_the_total(
    fetching: Fetching, hub: Hub
) -> None:
    hub.drops = [BROKEN_AT]

    fetching.run()

    assert max(progress.bytes_done for progress in fetching.seen) == TOTAL


def test_a_nested_file_gets_its_folder(fetching: Fetching, hub: Hub) -> None:
    content = b"{}"
    digest = hashlib.sha256(content).hexdigest()
    pooling = WeightsFile("1_Pooling/config.json", len(content), digest)
    fetching.weights = replace(WEIGHTS, files=(pooling,))
    hub.files[address(pooling.name)] = content

    fetching.run()

    assert (fetching.folder / pooling.name).read_bytes() == content
