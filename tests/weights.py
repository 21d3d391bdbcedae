"""Fetch the weights that the product tests run: `python -m tests.weights`.

`make test` does this once while it sets up, so that the tests themselves need no network.
"""

import sys
from pathlib import Path

from inference.runner.catalogue import ALL_MINILM_L6_V2
from inference.runner.progress import Progress
from inference.runner.sources import SourceSettings, fetch

MIRROR = Path(__file__).resolve().parent.parent / ".venv" / "weights"


def show(progress: Progress) -> None:
    done, total = progress.bytes_done >> 20, progress.bytes_total >> 20
    sys.stderr.write(f"\rweights for the tests: {done} of {total} MB")


def main() -> None:
    folder = MIRROR / ALL_MINILM_L6_V2.repository
    report = fetch(ALL_MINILM_L6_V2, folder, SourceSettings(), show, lambda: False)
    sys.stderr.write(f"\nweights for the tests are in place ({report.source or 'kept'})\n")


if __name__ == "__main__":
    main()
