"""How long each page of the console takes on a full installation, and how soon it is seen.

    python -m bench.pages --endpoints 10000 --hours 1000000

Every page is asked of the WSGI application by somebody who is signed in, without a network. What
is called work is the processor's time for a page: it tells what other programs do not disturb.
Then a browser opens some of them over the network of this machine.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HOME = Path(__file__).resolve().parent.parent


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--endpoints", type=int, default=10_000)
    parser.add_argument("--hours", type=int, default=1_000_000, help="rows of hourly figures")
    parser.add_argument("--repeats", type=int, default=30, help="of each page")
    parser.add_argument("--only", default="", help="pages with this in their address")
    parser.add_argument("--folder", type=Path, help="where the data are kept for the next time")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        env = os.environ | {
            "CONSOLE_DATA_DIR": str(folder),
            "DATABASE_URL": "",
            "DJANGO_SETTINGS_MODULE": "console.settings",
        }
        sizes = [str(options.endpoints), str(options.hours)]
        repeats = [str(options.repeats), options.only]
        parts = [("bench.filling", sizes), ("bench.page_times", repeats)]
        if not options.only:
            parts.append(("bench.paint", ["5"]))
        for module, given in parts:
            command = [sys.executable, "-m", module, *given]
            # A process of its own: the settings are read once, and name the folder.
            subprocess.run(command, cwd=HOME, env=env, check=True)  # noqa: S603 - ours


if __name__ == "__main__":
    main()
