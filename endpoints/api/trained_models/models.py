"""Models: their configs, their uploads, and the lists of them."""

from typing import Any

from django.http import HttpResponse

from endpoints import trained_models, uploads
from endpoints.access import require
from endpoints.api.http import ElasticView, UserRequest
from endpoints.api.params import Params
from endpoints.api.schemas import parse
from endpoints.api.trained_models.schemas import (
    ConfigBody,
    NlpConfigBody,
    PartBody,
    VocabularyBody,
)
from endpoints.api.trained_models.shown import model_config
from endpoints.models.model import PYTORCH
from endpoints.owned import get_model
from endpoints.permissions import Action
from inference.errors import InvalidAction, InvalidArgument, InvalidRequest

ACKNOWLEDGED = {"acknowledged": True}
DEFAULT_PAGE = 100
MAX_PAGE = 1000
INCLUDES = (
    "definition",
    "definition_status",
    "feature_importance_baseline",
    "hyperparameters",
    "total_feature_importance",
)


def page(params: Params) -> slice:
    """Which of the results to show. Raises InvalidArgument."""
    start, size = params.integer("from") or 0, params.integer("size")
    size = DEFAULT_PAGE if size is None else size
    if start < 0:
        raise InvalidArgument(f"Parameter [from] cannot be < 0, was [{start}]")
    if not 0 <= size <= MAX_PAGE:
        raise InvalidArgument(f"Parameter [size] must be from 0 to {MAX_PAGE}, was [{size}]")
    return slice(start, start + size)


def allows_no_match(params: Params) -> bool:
    return params.text("allow_no_match", None) is None or params.flag("allow_no_match")


class ModelListView(ElasticView):
    def get(self, request: UserRequest, ids: str = "") -> HttpResponse:
        require(request.user, Action.MODEL_GET)
        params = self.params(
            request,
            "allow_no_match",
            "from",
            "size",
            "tags",
            "include",
            "exclude_generated",
            "decompress_definition",
        )
        params.flag("decompress_definition")
        options: dict[str, Any] = {
            "is_generated": not params.flag("exclude_generated"),
            "is_human": params.flag("human"),
        }
        included = [name for name in params.text("include", "").split(",") if name]
        if unknown := [name for name in included if name not in INCLUDES]:
            raise InvalidRequest(
                f"unknown [include] parameter {unknown}. Valid options are {list(INCLUDES)}"
            )
        tags = [tag for tag in params.text("tags", "").split(",") if tag]
        window = page(params)
        found = trained_models.find(
            request.user, ids, allow_no_match=allows_no_match(params), tags=tags
        )
        for name in ("definition", "definition_status"):
            if name in included and len(found) > 1:
                raise InvalidAction(
                    [f"[include={name}] is not supported for more than one model: name its id"]
                )
        options["has_status"] = "definition_status" in included
        shown = [model_config(model, **options) for model in found[window]]
        return self.answer({"count": len(found), "trained_model_configs": shown})


class ModelView(ModelListView):
    def put(self, request: UserRequest, ids: str) -> HttpResponse:
        """Store a config; with `wait_for_completion` answer once a built-in model is here."""
        require(request.user, Action.MODEL_PUT)
        params = self.params(
            request, "defer_definition_decompression", "wait_for_completion", "team"
        )
        params.flag("defer_definition_decompression")
        is_waiting = params.flag("wait_for_completion")
        timeout_s = params.duration_s("timeout", float("inf"))
        body = parse(ConfigBody, request)
        if body.model_type == PYTORCH:
            body = parse(NlpConfigBody, request)
        team = params.text("team", None)
        model = trained_models.put_model(request.user, ids, body.given(), team=team)
        if is_waiting:
            model = trained_models.wait_for_files(model, timeout_s)
        return self.answer(model_config(model, is_human=params.flag("human")))

    def delete(self, request: UserRequest, ids: str) -> HttpResponse:
        require(request.user, Action.MODEL_DELETE)
        force = self.params(request, "force").flag("force")
        model = get_model(request.user, ids, to=Action.MODEL_DELETE)
        trained_models.delete_model(request.user, model, force=force)
        return self.answer(ACKNOWLEDGED)


class PartView(ElasticView):
    def put(self, request: UserRequest, model_id: str, part: str) -> HttpResponse:
        require(request.user, Action.MODEL_PART_PUT)
        self.params(request)
        number = part_number(part)
        model = get_model(request.user, model_id, to=Action.MODEL_PART_PUT)
        body = parse(PartBody, request)
        uploads.put_part(
            model,
            number,
            body.content(),
            total_bytes=body.total_definition_length,
            total_parts=body.total_parts,
        )
        return self.answer(ACKNOWLEDGED)


class VocabularyView(ElasticView):
    def put(self, request: UserRequest, model_id: str) -> HttpResponse:
        require(request.user, Action.MODEL_VOCABULARY_PUT)
        self.params(request)
        model = get_model(request.user, model_id, to=Action.MODEL_VOCABULARY_PUT)
        body = parse(VocabularyBody, request)
        uploads.put_vocabulary(request.user, model, body.model_dump(exclude_none=True))
        return self.answer(ACKNOWLEDGED)


def part_number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise InvalidArgument(f"Failed to parse int parameter [part] with value [{text}]") from None
