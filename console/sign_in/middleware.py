"""What stands around the pages for who is signed in."""

from contextvars import ContextVar
from datetime import timedelta

from allauth.account.middleware import AccountMiddleware
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from console.middleware import GetResponse
from console.sign_in.factors import must_add_one

# How often it is written down that a session is in use.
NOTED_EVERY = timedelta(minutes=5)
NOTED_AT = "noted_at"
# Where a second factor is added, and the way out.
TO_ADD_ONE = ("account/security", "account/confirm", "sign-out")


def accounts(get_response: GetResponse) -> GetResponse:
    """What django-allauth needs around its views.

    It takes /console/ for the root of its own pages and would send whoever finds nothing there to
    one of them. That is a page of ours, whose answer counts.
    """
    answers: ContextVar[HttpResponse] = ContextVar("answers")

    def noted(request: HttpRequest) -> HttpResponse:
        answers.set(answer := get_response(request))
        return answer

    layer = AccountMiddleware(noted)

    def middleware(request: HttpRequest) -> HttpResponse:
        layer(request)
        return answers.get()

    middleware.process_exception = layer.process_exception  # type: ignore[attr-defined]  # Django's
    return middleware


def second_factor_first(get_response: GetResponse) -> GetResponse:
    """Lead whoever must have a second factor, and has none, to where one is added."""
    pages = reverse("overview")
    allowed = tuple(pages + place for place in TO_ADD_ONE)

    def middleware(request: HttpRequest) -> HttpResponse:
        if settings.SECURITY and not request.path.startswith(allowed) and must_add_one(request):
            return redirect("mfa_index")
        return get_response(request)

    return middleware


def last_seen(get_response: GetResponse) -> GetResponse:
    """Note that a session is in use, every few minutes."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if settings.SECURITY and request.user.is_authenticated:
            now = timezone.now().timestamp()
            if now - request.session.get(NOTED_AT, 0) > NOTED_EVERY.total_seconds():
                UserSession.objects.create_from_request(request)
                request.session[NOTED_AT] = now
        return get_response(request)

    return middleware
