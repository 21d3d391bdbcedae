"""Reading the JSON files that describe a model; what cannot be built is refused by name."""

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from inference.errors import UnsupportedModel

ConfigT = TypeVar("ConfigT", bound=BaseModel)


def read_config(schema: type[ConfigT], folder: Path, name: str) -> ConfigT:
    """Raises UnsupportedModel, which names the file and the place in it."""
    try:
        return schema.model_validate_json((folder / name).read_bytes())
    except FileNotFoundError:
        raise UnsupportedModel(f"{name} is missing") from None
    except ValidationError as exc:
        raise UnsupportedModel(f"{name}: {_told(exc)}") from exc


def _told(exc: ValidationError) -> str:
    problems = []
    for error in exc.errors():
        place = ".".join(map(str, error["loc"])) or "config"
        found = f", not {error['input']!r}" if error["type"] == "literal_error" else ""
        problems.append(f"{place}: {error['msg']}{found}")
    return "; ".join(problems)
