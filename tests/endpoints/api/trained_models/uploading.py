"""Putting a model as eland does."""

import base64
import io
import zipfile
from typing import Any

from tests.endpoints.conftest import Api

CONFIG: dict[str, Any] = {
    "description": "Model A/B for task type 'text_embedding'",
    "model_type": "pytorch",
    "inference_config": {
        "text_embedding": {
            "tokenization": {"bert": {"do_lower_case": True, "max_sequence_length": 512}},
            "embedding_size": 384,
        }
    },
    "input": {"field_names": ["text_field"]},
    "metadata": {
        "per_deployment_memory_bytes": 132_565_504,
        "per_allocation_memory_bytes": 402_653_184,
    },
    "prefix_strings": {"ingest": "passage: ", "search": "query: "},
}
VOCABULARY = {"vocabulary": ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "b"]}


def path(model_id: str, rest: str = "") -> str:
    return f"/_ml/trained_models/{model_id}{rest}"


def torchscript() -> bytes:
    """The smallest archive that looks like TorchScript."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("model/code/__torch__.py", "class Model(Module): pass")
    return file.getvalue()


def part_body(content: bytes, total_bytes: int, total_parts: int) -> dict[str, Any]:
    return {
        "definition": base64.b64encode(content).decode(),
        "total_definition_length": total_bytes,
        "total_parts": total_parts,
    }


def split(content: bytes, count: int) -> list[bytes]:
    size = -(-len(content) // count)
    return [content[start : start + size] for start in range(0, len(content), size)]


def upload(
    api: Api,
    model_id: str = "my-model",
    content: bytes | None = None,
    parts: int = 3,
    vocabulary: dict[str, Any] | None = None,
    **config: Any,
) -> None:
    """Put config, parts and vocabulary."""
    content = content or torchscript()
    assert api("PUT", path(model_id), CONFIG | config).status_code == 200
    pieces = split(content, parts)
    for number, piece in enumerate(pieces):
        body = part_body(piece, len(content), len(pieces))
        assert api("PUT", path(model_id, f"/definition/{number}"), body).status_code == 200
    assert api("PUT", path(model_id, "/vocabulary"), vocabulary or VOCABULARY).status_code == 200
