"""The provider's routes: its own, a page to sign in, and one by which the tests tell it things."""

import json
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt
from oauth2_provider.models import Application

from tests.openid.provider import claims, misbehaving

PAGE = """<!doctype html><html lang="en"><title>Provider</title>
<link rel="icon" href="data:,"><h1>The provider</h1>
<form method="post">{% csrf_token %}{{ form }}<button>Go on</button></form></html>"""


class SignIn(LoginView):
    def render_to_response(self, context: dict[str, Any], **options: Any) -> HttpResponse:
        page = engines["django"].from_string(PAGE)
        return HttpResponse(page.render(context, self.request))


@csrf_exempt
def tell(request: HttpRequest) -> HttpResponse:
    """Takes any of `client`, `people` and `orders`; what is not given stays."""
    told = json.loads(request.body)
    if client := told.get("client"):
        Application.objects.update_or_create(
            client_id=client["client_id"],
            defaults={
                "client_secret": client["client_secret"],
                "redirect_uris": " ".join(client["redirect_uris"]),
                "post_logout_redirect_uris": " ".join(client["after_sign_out"]),
                "client_type": "confidential",
                "authorization_grant_type": "authorization-code",
                "algorithm": "RS256",
                "skip_authorization": True,
            },
        )
    for name, person in told.get("people", {}).items():
        people = get_user_model().objects
        if not people.filter(username=name).exists():  # a new password would sign them out
            people.create_user(name, password=person["password"])
        claims.PEOPLE[name] = person["claims"]
    if "orders" in told:
        misbehaving.orders.__init__(**told["orders"])  # type: ignore[misc] # begins anew
    return HttpResponse(status=204)


urlpatterns = [
    path("o/", include("oauth2_provider.urls", namespace="oauth2_provider")),
    path("sign-in", SignIn.as_view()),
    path("tell", tell),
]
