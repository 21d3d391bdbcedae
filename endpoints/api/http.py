"""What the API's views have in common."""

from typing import Any

from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.views import APIView

from endpoints.api.media import JSON, answer_type, write_json
from endpoints.api.params import Params
from endpoints.models import User


class UserRequest(Request):
    """A request of somebody who proved who it is."""

    user: User


class ElasticView(APIView):
    """Authenticates, reads the query parameters that a method allows, and answers in JSON.

    What the framework offers beside that (versions, throttles, renderers to choose from) is left
    out of the way of a call, which would feel it.
    """

    default_response_headers: dict[str, str] = {}  # noqa: RUF012 - nobody changes it
    is_pretty = False
    answer_type = JSON

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        self.answer_type = answer_type(request.headers.get("Accept", ""))
        self.perform_authentication(request)

    def params(self, request: Request, *allowed: str) -> Params:
        params = Params(request.query_params, request.path, frozenset(allowed))
        self.is_pretty = params.flag("pretty")
        return params

    def answer(self, data: Any, status: int = 200) -> HttpResponse:
        body = write_json(data, is_pretty=self.is_pretty)
        return HttpResponse(body, status=status, content_type=self.answer_type)
