from django.http import HttpResponse

from endpoints.api.http import ElasticView, UserRequest
from endpoints.api.openapi import document


class OpenApiView(ElasticView):
    """The document that describes this API, to whoever may call it."""

    def get(self, request: UserRequest) -> HttpResponse:
        self.params(request)
        return self.answer(document())
