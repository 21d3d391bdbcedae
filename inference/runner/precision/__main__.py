"""The trials of one model: `python -m inference.runner.precision FOLDER TASK_TYPE WINDOW`.

A process of its own, because it takes several times the model's size of memory. It always leaves
a report, be it one of a failure.
"""

import logging
import sys
from pathlib import Path

from inference.runner.precision.report import failed, write_report
from inference.runner.precision.trials import try_precisions
from inference.types import TaskType

logger = logging.getLogger("precision-trials")


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(levelname)-7s %(name)s: %(message)s")
    folder, task_type, window = Path(sys.argv[1]), TaskType(sys.argv[2]), int(sys.argv[3])
    try:
        report = try_precisions(folder, task_type, window)
    except Exception as exc:
        logger.exception("[%s] could not be tried", folder)
        write_report(folder, failed(folder, task_type, f"{type(exc).__name__}: {exc}"))
    else:
        logger.info("[%s] %s: the best precision is %s", folder, task_type, report.choice)


if __name__ == "__main__":
    main()
