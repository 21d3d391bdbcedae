"""From token states to one vector a text."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, RootModel, model_validator

from inference.arrays import FloatArray
from inference.errors import UnsupportedModel
from inference.runner.configs import read_config

SMALLEST_NORM = 1e-12
MODULES_FILE, CHOSEN_FILE = "modules.json", "chosen-pooling.json"


def mean_pool(states: FloatArray) -> FloatArray:
    """Average the states of one text, special tokens included.

    states: (tokens, dim). Returns (dim,), not normalized.
    Source: Reimers & Gurevych 2019, arXiv:1908.10084, section 3.
    """
    pooled: FloatArray = states.mean(axis=0)
    return pooled


def first_pool(states: FloatArray) -> FloatArray:
    """The state of the first token, which stands for the whole text. Shapes as in mean_pool."""
    first: FloatArray = states[0]
    return first


def max_pool(states: FloatArray) -> FloatArray:
    """The largest value of each dimension. Shapes as in mean_pool."""
    pooled: FloatArray = states.max(axis=0)
    return pooled


def normalize(vector: FloatArray) -> FloatArray:
    """Scale to length one; a vector of zeros stays as it is. vector: (dim,)."""
    scaled: FloatArray = vector / max(float(np.linalg.norm(vector)), SMALLEST_NORM)
    return scaled


POOLS: dict[str, Callable[[FloatArray], FloatArray]] = {
    "cls": first_pool,
    "max": max_pool,
    "mean": mean_pool,
}


@dataclass(frozen=True)
class Pooling:
    """mode: one of POOLS."""

    mode: str = "mean"
    is_normalized: bool = True

    def __call__(self, states: FloatArray) -> FloatArray:
        """states: (tokens, dim). Returns (dim,)."""
        vector = POOLS[self.mode](states)
        return normalize(vector) if self.is_normalized else vector


class Module(BaseModel):
    """One step of a sentence-transformers model. path: its folder; type: its class."""

    path: str
    type: str

    @property
    def kind(self) -> str:
        return self.type.rpartition(".")[2]

    @property
    def config_file(self) -> str:
        return f"{self.path}/config.json"


class PoolingConfig(BaseModel):
    pooling_mode: Literal["cls", "max", "mean"] = "mean"
    include_prompt: Literal[True] = True

    @model_validator(mode="before")
    @classmethod
    def modes_were_flags_once(cls, raw: Any) -> Any:
        if not isinstance(raw, dict) or "pooling_mode" in raw:
            return raw
        modes = [mode for flag, mode in FLAGS.items() if raw.get(flag)]
        return raw | {"pooling_mode": modes[0] if len(modes) == 1 else modes} if modes else raw


FLAGS = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}


class ChosenPooling(BaseModel):
    pooling_mode: Literal["cls", "max", "mean"]


def read_pooling(folder: Path, chosen: str | None = None) -> Pooling:
    """How this model makes a vector: as its modules.json says, else the mean, of length one.

    chosen: another mode than its own; what `choose_pooling` noted where nothing is said here.
    Raises UnsupportedModel for steps that are not computed here.
    """
    if chosen is None and (folder / CHOSEN_FILE).exists():
        chosen = read_config(ChosenPooling, folder, CHOSEN_FILE).pooling_mode
    if not (folder / MODULES_FILE).exists():
        return Pooling(chosen or Pooling.mode)
    modules = read_modules(folder)
    kinds = [module.kind for module in modules]
    if kinds not in (["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"]):
        raise UnsupportedModel(
            f"{MODULES_FILE}: the steps are [{', '.join(kinds)}], "
            "where [Transformer, Pooling] or [Transformer, Pooling, Normalize] can be run"
        )
    mode = chosen or read_config(PoolingConfig, folder, modules[1].config_file).pooling_mode
    return Pooling(mode, is_normalized="Normalize" in kinds)


def read_modules(folder: Path) -> list[Module]:
    """The steps of a sentence-transformers model. Raises UnsupportedModel."""
    return read_config(RootModel[list[Module]], folder, MODULES_FILE).root


def choose_pooling(folder: Path, mode: str) -> None:
    """Have the model of a folder pooled in this mode, one of POOLS, from now on."""
    (folder / CHOSEN_FILE).write_text(json.dumps({"pooling_mode": mode}))
