"""Asking a deployed model."""

from django.http import HttpResponse

from endpoints import model_inference
from endpoints.access import require
from endpoints.api.http import ElasticView, UserRequest
from endpoints.api.schemas import parse
from endpoints.api.trained_models.schemas import InferBody
from endpoints.permissions import Action

INFER_TIMEOUT_S = 10.0


class InferView(ElasticView):
    """The path names a deployment or a model."""

    def post(self, request: UserRequest, model_id: str) -> HttpResponse:
        require(request.user, Action.MODEL_INFER)
        timeout_s = self.params(request).duration_s("timeout", INFER_TIMEOUT_S)
        body = parse(InferBody, request)
        results = model_inference.infer(
            request.user, model_id, body.docs, body.inference_config, timeout_s
        )
        return self.answer({"inference_results": results})
