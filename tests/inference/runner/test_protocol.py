import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from inference.runner import protocol
from inference.runner.protocol import ConnectionClosed, HostReply, HostRequest
from inference.types import Truncation


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


Ends = tuple[socket.socket, socket.socket]


@pytest.mark.parametrize(
    "request_",
    [
        HostRequest(("a", "", "naïve 😀\0"), None, 1.5),
        HostRequest((), "query", 0.0),
    ],
)
def test_a_request_arrives_as_it_was_sent(ends: Ends, request_: HostRequest) -> None:
    protocol.send_request(ends[0], request_)

    assert protocol.receive_request(ends[1]) == request_


def test_vectors_arrive_bit_by_bit(ends: Ends) -> None:
    vectors = np.random.default_rng(0).normal(size=(3, 5)).astype(np.float32)

    protocol.send_reply(ends[0], HostReply(vectors=vectors))

    received = protocol.receive_reply(ends[1]).vectors
    assert received is not None
    np.testing.assert_array_equal(received, vectors)


@pytest.mark.parametrize(
    "reply",
    [
        HostReply(scores=[0.5, 0.0]),
        HostReply(weights=[{"sky": 1.5}, {}], truncated={1: Truncation(256, 44)}),
        HostReply(scores=[0.5], truncated={0: Truncation(256, 3900, is_exact=False)}),
        HostReply(error="no room", error_kind="queue_full"),
    ],
)
def test_other_replies_arrive_whole(ends: Ends, reply: HostReply) -> None:
    protocol.send_reply(ends[0], reply)

    assert protocol.receive_reply(ends[1]) == reply


def test_a_large_frame_comes_in_many_pieces(ends: Ends) -> None:
    vectors = np.ones((2000, 384), np.float32)
    sender = threading.Thread(
        target=protocol.send_reply, args=(ends[0], HostReply(vectors=vectors))
    )
    sender.start()

    received = protocol.receive_reply(ends[1]).vectors

    sender.join()
    assert received is not None
    assert received.shape == (2000, 384)


def test_an_end_in_the_middle_of_a_frame_is_noticed(ends: Ends) -> None:
    ends[0].sendall(protocol.LENGTHS.pack(100, 0) + b"{")
    ends[0].close()

    with pytest.raises(ConnectionClosed):
        protocol.receive_request(ends[1])


def test_sockets_lie_in_the_data_folder_unless_its_path_is_too_long(tmp_path: Path) -> None:
    assert protocol.socket_folder(Path("/srv/console")) == Path("/srv/console/run")

    deep = tmp_path / ("d" * 90)
    folder = protocol.socket_folder(deep)
    assert len(str(protocol.socket_path(folder, "x"))) < 108
    assert protocol.socket_folder(tmp_path / ("e" * 90)) != folder
