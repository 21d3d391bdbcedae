"""A part that was started by the supervisor ends when the supervisor is gone, however it went."""

import os
import signal
import threading

VARIABLE = "CONSOLE_LIFELINE_FD"


def watch() -> None:
    """End this process and those it started once the supervisor's end of the pipe closes.

    Does nothing for a part that was started alone.
    """
    if handle := os.environ.pop(VARIABLE, ""):
        threading.Thread(target=_end_with, args=(int(handle),), daemon=True).start()


def _end_with(handle: int) -> None:
    os.read(handle, 1)
    os.killpg(os.getpgrp(), signal.SIGKILL)
