"""The broker of files."""

import threading
from pathlib import Path
from queue import Empty

import pytest
from kombu.connection import Connection

from console import celery


@pytest.fixture
def connection(tmp_path: Path) -> Connection:
    options = {
        name: str(tmp_path) for name in ("data_folder_in", "data_folder_out", "control_folder")
    }
    assert celery.app
    return Connection("filesystem://localhost", transport_options=options)


def test_a_message_comes_back_whole(connection: Connection, tmp_path: Path) -> None:
    with connection.SimpleQueue("work") as queue:
        queue.put({"a": 1})
        (path,) = tmp_path.glob("*.msg")
        assert path.read_bytes().startswith(b"{")
        assert not list(tmp_path.glob("*.draft"))
        message = queue.get(timeout=5)
        message.ack()

    assert message.payload == {"a": 1}


def test_no_reader_finds_a_message_that_is_still_written(connection: Connection) -> None:
    """With kombu's own transport some of these reads fail on an empty file."""
    count, taken = 300, list[int]()
    with connection, connection.clone() as other:
        channel, reader = connection.channel(), other.channel()

        def write() -> None:
            for number in range(count):
                channel._put("work", {"number": number})

        writer = threading.Thread(target=write)
        writer.start()
        while len(taken) < count:
            try:
                taken.append(reader._get("work")["number"])
            except Empty:
                continue
        writer.join()

    assert sorted(taken) == list(range(count))
