"""The diagnosis of an endpoint. Not of Elasticsearch's API."""

from django.http import HttpResponse
from pydantic import StrictBool

from endpoints.access import get_endpoint, require
from endpoints.api.http import ElasticView, UserRequest
from endpoints.api.schemas import Body, parse_optional
from endpoints.diagnosis import TIMEOUT_S, diagnose, to_response
from endpoints.permissions import Action


class DiagnosisBody(Body):
    """paid_call: whether to call a provider once for real, which it may bill."""

    paid_call: StrictBool = False


class DiagnosisView(ElasticView):
    def post(self, request: UserRequest, inference_id: str) -> HttpResponse:
        require(request.user, Action.DIAGNOSE)
        timeout_s = self.params(request).duration_s("timeout", TIMEOUT_S)
        body = parse_optional(DiagnosisBody, request)
        endpoint = get_endpoint(request.user, inference_id, to=Action.DIAGNOSE)
        steps = diagnose(endpoint, timeout_s, may_cost=body.paid_call)
        return self.answer(to_response(endpoint, steps))
