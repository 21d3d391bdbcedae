"""The web server: `python -m console.webserver HOST PORT WORKERS THREADS`.

Granian keeps one process that only watches its workers. `manage.py web` turns into this program,
so that the watching process does not carry Django.
"""

import sys

from granian import Granian
from granian.constants import HTTPModes, Interfaces, RuntimeModes
from granian.log import LogLevels

from console import lifeline


def main() -> None:
    host, port, workers, threads = sys.argv[1:]
    lifeline.watch()
    Granian(
        "console.wsgi:application",
        address=host,
        port=int(port),
        interface=Interfaces.WSGI,
        workers=int(workers),
        blocking_threads=int(threads),
        websockets=False,
        runtime_mode=RuntimeModes.st,
        http=HTTPModes.http1,
        respawn_failed_workers=True,
        workers_kill_timeout=2,
        log_level=LogLevels.error,
    ).serve()


if __name__ == "__main__":
    main()
