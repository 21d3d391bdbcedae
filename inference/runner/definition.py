"""The files of an uploaded model, and what kind of network its definition is."""

import zipfile
from enum import StrEnum
from pathlib import Path

from inference.errors import UnsupportedModel

DEFINITION_FILE, VOCABULARY_FILE = "definition", "vocabulary.json"
ZIP_START = b"PK\x03\x04"
# An ONNX file begins with its version of the format, field 1 of the protobuf message, a small
# number; the fields that may come next are named by these bytes.
ONNX_START = 0x08
ONNX_NEXT = frozenset({0x12, 0x1A, 0x22, 0x28, 0x32, 0x3A, 0x42, 0x72})


class DefinitionKind(StrEnum):
    TORCHSCRIPT = "TorchScript"
    ONNX = "ONNX"


def definition_kind(folder: Path) -> DefinitionKind:
    """What the definition in this folder is. Raises UnsupportedModel where it is neither."""
    path = folder / DEFINITION_FILE
    with path.open("rb") as file:
        start = file.read(4)
    if start == ZIP_START and _has_code(path):
        return DefinitionKind.TORCHSCRIPT
    if len(start) == 4 and start[0] == ONNX_START and start[1] < 0x80 and start[2] in ONNX_NEXT:
        return DefinitionKind.ONNX
    raise UnsupportedModel("the definition is neither a TorchScript archive nor an ONNX graph")


def _has_code(path: Path) -> bool:
    """Whether a zip archive holds the code of a traced or scripted network."""
    try:
        with zipfile.ZipFile(path) as archive:
            return any("/code/" in name for name in archive.namelist())
    except zipfile.BadZipFile:
        return False
