"""The callers that a host is connected with, and how it parts from them without losing one."""

import socket
import threading
from contextlib import suppress

# A caller may have found the socket just before it was given to the successor or taken away.
QUIET_S = 0.5


class Callers:
    """Knows of each open connection how many answers it waits for. Used from any thread."""

    def __init__(self) -> None:
        self._unanswered: dict[socket.socket, int] = {}
        self._is_draining = False
        self._changed = threading.Condition()

    def welcome(self, connection: socket.socket) -> None:
        """Take a caller in; the first request is on its way, and will be answered."""
        with self._changed:
            self._unanswered[connection] = 1
            self._changed.notify_all()

    def asked(self, connection: socket.socket) -> None:
        """One more request came, after the first."""
        with self._changed:
            self._unanswered[connection] += 1

    def answered(self, connection: socket.socket) -> None:
        with self._changed:
            if connection in self._unanswered:
                self._unanswered[connection] -= 1
                self._part_from_idle()

    def left(self, connection: socket.socket) -> None:
        with self._changed:
            self._unanswered.pop(connection, None)
            self._changed.notify_all()

    def drain(self) -> None:
        """Answer what was asked, part from everybody, and return when nobody is left.

        Who asks again on a connection that is parted from sees it closed, and connects anew: to the
        successor, or to nobody where the model is stopped.
        """
        with self._changed:
            self._is_draining = True
            self._part_from_idle()
            while self._changed.wait_for(lambda: bool(self._unanswered), QUIET_S):
                self._changed.wait_for(lambda: not self._unanswered)

    def _part_from_idle(self) -> None:
        if not self._is_draining:
            return
        for connection, count in self._unanswered.items():
            if not count:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
