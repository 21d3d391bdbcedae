"""What the API's views have in common."""

from functools import partial
from typing import Any, cast

from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.views import APIView

from endpoints.addresses import address_of
from endpoints.api.media import JSON, answer_type
from endpoints.api.params import Params
from endpoints.api.shape import Shape
from endpoints.audit import Who, act_as
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
    shape = Shape()
    answer_type = JSON
    # Whether failures are told as OpenAI tells them, which holds for chats.
    is_chat = False

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        self.answer_type = answer_type(request.headers.get("Accept", ""))
        if request.META["QUERY_STRING"]:
            self.shape = Shape.of(request.query_params)
        self.perform_authentication(request)
        act_as(partial(Who.of, cast(User, request.user), address_of(request.META)))

    def options(self, *args: Any, **kwargs: Any) -> HttpResponse:  # type: ignore[override]  # plain
        """What may be asked here; the methods are the whole answer."""
        response = HttpResponse(content_type=self.answer_type)
        response["Allow"] = ", ".join(sorted(self.allowed_methods))
        return response

    def params(self, request: Request, *allowed: str) -> Params:
        return Params(request.query_params, request.path, frozenset(allowed))

    def answer(self, data: Any, status: int = 200) -> HttpResponse:
        return HttpResponse(self.shape.write(data), status=status, content_type=self.answer_type)
