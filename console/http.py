"""What every page has in common: who may open it, and how a refusal is told."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeAlias
from urllib.parse import urlencode, urlsplit, urlunsplit

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render, resolve_url
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from django.views.decorators.vary import vary_on_headers
from django_htmx.http import HttpResponseClientRedirect, HttpResponseClientRefresh
from django_htmx.middleware import HtmxDetails

from console.sign_in.freshness import is_fresh, to_confirmation
from endpoints import attempts
from endpoints.access import Forbidden
from endpoints.models import User
from endpoints.refusals import missing
from inference.errors import NotFound

Args = ParamSpec("Args")
NOT_SENT = "Nothing is changed yet. Confirm that it is you, then send the form once more."


class HtmxRequest(HttpRequest):
    """A request of somebody who is signed in; htmx may have sent it."""

    user: User
    htmx: HtmxDetails


PageView: TypeAlias = Callable[Concatenate[HtmxRequest, Args], HttpResponseBase]


def text_in(query: QueryDict, name: str = "q") -> str:
    """What is written in the address, by default what somebody looks for."""
    return query.get(name, "").replace("\0", "").strip()  # PostgreSQL refuses a NUL


class NotFresh(Exception):
    """Something dangerous is asked by who did not prove lately that it is still them.

    back_to: where to go on from; empty for the page that was asked for.
    """

    def __init__(self, back_to: str = "") -> None:
        super().__init__(back_to)
        self.back_to = back_to


def require_fresh(request: HtmxRequest, back_to: str = "") -> None:
    """Let pass who signed in or confirmed it lately. Raises NotFresh; pages then ask.

    back_to: the page that has the form, where the address that takes it shows none.
    """
    if not is_fresh(request):
        raise NotFresh(back_to)


def page(*methods: str, fresh: bool = False) -> Callable[[PageView[Args]], PageView[Args]]:
    """Make a view a page: it takes these methods, from people who are signed in.

    fresh: they must have proved lately that it is still them, else they are asked and come back.
    Forbidden and NotFound become the pages that say so. A fragment cannot show those pages, so
    there the browser is told to load the whole page again.
    """

    def decorate(view: PageView[Args]) -> PageView[Args]:
        @require_http_methods(methods)
        @vary_on_headers("HX-Request")
        @never_cache
        @wraps(view)
        def guarded(
            request: HtmxRequest, /, *args: Args.args, **kwargs: Args.kwargs
        ) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return _to_sign_in(request)
            try:
                if fresh:
                    require_fresh(request)
                return view(request, *args, **kwargs)
            except NotFresh as exc:
                if request.method == "POST":
                    messages.warning(request, NOT_SENT)
                back_to = exc.back_to or _here(request)
                return led(request, to_confirmation(request, back_to))
            except (Forbidden, NotFound) as exc:
                attempts.note_refusal(exc, kwargs, request.path)
                if request.htmx:
                    return HttpResponseClientRefresh()
                if isinstance(exc, NotFound):
                    raise Http404(str(exc)) from exc
                context = {"missing": missing(request.user, exc), "reason": f"{exc}."}
                return render(request, "403.html", context, status=403)

        return guarded

    return decorate


def security(request: HttpRequest) -> dict[str, object]:
    """What every template knows."""
    return {
        "security_is_off": not settings.SECURITY,
        "sign_in_service": settings.OIDC_NAME if settings.OIDC_ISSUER else "",
        "is_service_only": settings.OIDC_ONLY,
    }


def wants_fragment(request: HtmxRequest) -> bool:
    """Whether htmx asks for a part of the page; going back in history asks for the whole."""
    return bool(request.htmx) and not request.htmx.history_restore_request


def _to_sign_in(request: HtmxRequest) -> HttpResponse:
    """Ask who it is, then go on to the page that was open; what was sent is not sent again."""
    is_open = request.htmx or request.method == "GET"
    here = _here(request) if is_open else _page_of_form(request)
    target = resolve_url("sign-in") + (f"?{urlencode({'next': here})}" if here else "")
    return led(request, redirect(target))


def _here(request: HtmxRequest) -> str:
    """The page that is open."""
    if request.htmx:
        return request.htmx.current_url_abs_path or ""
    return request.get_full_path()


def _page_of_form(request: HtmxRequest) -> str:
    """The page whose form was sent, as the browser tells it; empty for none of ours."""
    told = urlsplit(request.headers.get("Referer", ""))
    is_ours = told.netloc == request.get_host() and told.path.startswith(reverse("overview"))
    return urlunsplit(("", "", told.path, told.query, "")) if is_ours else ""


def led(request: HtmxRequest, response: HttpResponse) -> HttpResponse:
    """A redirect that htmx follows with the whole page."""
    return HttpResponseClientRedirect(response["Location"]) if request.htmx else response
