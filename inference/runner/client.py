"""The callers' side of a model host's socket."""

import socket
import time
from collections import defaultdict, deque
from contextlib import suppress
from pathlib import Path

from inference.errors import InferenceError, InvalidRequest, QueueFull, TimedOut
from inference.runner.protocol import (
    HostReply,
    HostRequest,
    receive_reply,
    send_end,
    send_request,
    socket_path,
)


class HostUnreachable(Exception):
    """No host listens there now, or it went away in the middle; asking again is safe."""


class HostFailed(InferenceError):
    """The model itself failed on this input."""


class HostClient:
    """Calls model hosts over kept connections; may be shared by any number of threads."""

    def __init__(self, sockets: Path) -> None:
        self.sockets = sockets
        self._idle: defaultdict[str, deque[socket.socket]] = defaultdict(deque)

    def call(self, deployment_id: str, request: HostRequest) -> HostReply:
        """Raises HostUnreachable, TimedOut after request.budget_s, QueueFull or HostFailed,
        and InvalidRequest for a text that the model cannot take.
        """
        deadline = time.monotonic() + request.budget_s
        idle = self._idle[deployment_id]
        while True:
            try:
                connection, is_kept = idle.pop(), True
            except IndexError:
                connection, is_kept = self._connect(deployment_id), False
            try:
                reply = self._exchange(connection, request, deadline)
            except TimeoutError as exc:
                connection.close()
                raise TimedOut(
                    f"Deployment [{deployment_id}] gave no answer within {request.budget_s:g}s"
                ) from exc
            except OSError as exc:
                connection.close()
                if is_kept:
                    continue  # left over from a host that is gone; a new one may listen already
                raise HostUnreachable(deployment_id) from exc
            idle.append(connection)
            return _checked(reply, deployment_id)

    def end(self, deployment_id: str) -> None:
        """Have a host end at once, whoever it still works for; there need not be one."""
        with suppress(HostUnreachable, OSError), self._connect(deployment_id) as connection:
            send_end(connection)

    def close(self) -> None:
        for idle in list(self._idle.values()):
            _close_all(idle)

    def _connect(self, deployment_id: str) -> socket.socket:
        self._part_from_gone()
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.connect(str(socket_path(self.sockets, deployment_id)))
        except OSError as exc:
            connection.close()
            raise HostUnreachable(deployment_id) from exc
        return connection

    def _part_from_gone(self) -> None:
        """Close what is kept for deployments that were stopped: nobody may ever call them again."""
        for deployment_id, idle in list(self._idle.items()):
            if idle and not socket_path(self.sockets, deployment_id).exists():
                _close_all(idle)

    @staticmethod
    def _exchange(connection: socket.socket, request: HostRequest, deadline: float) -> HostReply:
        connection.settimeout(max(deadline - time.monotonic(), 0.001))
        send_request(connection, request)
        return receive_reply(connection)


def _close_all(idle: deque[socket.socket]) -> None:
    with suppress(IndexError):  # another thread may take one at any time
        while True:
            idle.pop().close()


def _checked(reply: HostReply, deployment_id: str) -> HostReply:
    match reply.error_kind:
        case "":
            return reply
        case "queue_full":
            raise QueueFull(f"The queue of deployment [{deployment_id}] is full: {reply.error}")
        case "too_late":
            raise TimedOut(f"Deployment [{deployment_id}]: {reply.error}")
        case "refused":
            raise InvalidRequest(f"Deployment [{deployment_id}]: {reply.error}")
        case _:
            raise HostFailed(f"Deployment [{deployment_id}] failed: {reply.error}")
