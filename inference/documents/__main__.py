"""Reads one document: `python -m inference.documents KIND < FILE`, an answer as JSON.

Whatever it meets, it ends: by its answer, or where it reaches one of its limits.
"""

import json
import resource
import sys

from inference.documents.document import DocumentRefused
from inference.documents.docx import read_docx
from inference.documents.html import read_html
from inference.documents.pdf import read_pdf

MAX_MEMORY_BYTES = 1 << 30
CPU_S = 25
READERS = {"html": read_html, "docx": read_docx, "pdf": read_pdf}


def main() -> None:
    content = sys.stdin.buffer.read()
    limit()
    try:
        text, losses = READERS[sys.argv[1]](content)
    except DocumentRefused as exc:
        told: dict[str, object] = {"refused": str(exc)}
    else:
        told = {"text": text, "losses": losses}
    sys.stdout.write(json.dumps(told))


def limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main()
