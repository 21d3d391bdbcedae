"""API keys: list, create, look at, rotate, revoke. Keys act for programs, never on a page."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from console.forms.keys import KeyForm, Owner, RotateForm
from console.http import HtmxRequest, page, require_fresh, text_in, wants_fragment
from console.pages.key_words import KeyRow
from console.pages.samples import base_url, key_samples
from console.working import working
from endpoints.access import allowed_teams, require, teams_whose_keys
from endpoints.accounts import visible_accounts
from endpoints.keys import (
    check_can_rotate,
    check_may_rotate,
    create_api_key,
    endpoints_within,
    get_key,
    invalidate_api_keys,
    may_rotate,
    narrowing_of,
    rotate_api_key,
    visible_keys,
)
from endpoints.models import ApiKey, Team
from endpoints.permissions import Action
from inference.errors import Conflict, InferenceError, NotFound

PAGE_SIZE = 50
MOST_MATCHES = 8


def require_keys(request: HtmxRequest, action: Action) -> None:
    """Raises NotFound while security is off, when there is nobody whom a key could stand for."""
    if not settings.SECURITY:
        raise NotFound("There are no keys while security is off")
    require(request.user, action)


@page("GET", "HEAD")
def key_list(request: HtmxRequest) -> HttpResponse:
    require_keys(request, Action.API_KEY_GET)
    asked = {name: text_in(request.GET, name) for name in ("q", "team")}
    seen = visible_keys(request.user)
    keys = seen.select_related("user", "team").order_by("-created_at", "-pk")
    if query := asked["q"]:
        keys = keys.filter(
            Q(name__icontains=query) | Q(user__username__icontains=query) | Q(key_id=query)
        )
    if asked["team"]:
        keys = keys.in_team(asked["team"])
    if is_mine := request.GET.get("whose") == "mine":
        keys = keys.filter(user=request.user)
    shows_all = request.GET.get("show") == "all"
    if not shows_all:
        keys = keys.valid()
    shown = Paginator(keys, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "query": query,
        "team": asked["team"],
        "is_mine": is_mine,
        "shows_all": shows_all,
        "is_narrowed": bool(query or asked["team"] or is_mine),
        "shown": shown,
        "rows": [KeyRow.of(key) for key in shown.object_list],
        "teams": Team.objects.filter(api_keys__in=seen).distinct(),
        "sees_others": teams_whose_keys(request.user, Action.API_KEY_GET) != [],
    }
    template = "keys/_rows.html" if wants_fragment(request) else "keys/list.html"
    return render(request, template, context)


@page("GET", "HEAD", "POST")
def key_create(request: HtmxRequest) -> HttpResponse:
    require_keys(request, Action.API_KEY_CREATE)
    owners = owners_for(request)
    if wants_fragment(request):
        return render(request, "keys/_matches.html", matches(request, KeyForm(owners, request.GET)))
    chosen = working(request).chosen
    start = {
        "owner": request.GET.get("owner") or Owner(team=chosen.name if chosen else None).value,
        "endpoints": request.GET.get("endpoints", ""),
    }
    form = KeyForm(owners, request.POST or None, initial=start)
    # Who may choose such an owner is asked before anything is written.
    if any(map(reaches_far, owners if request.method != "POST" else [form.chosen_owner])):
        require_fresh(request)
    if request.method == "POST" and form.is_valid():
        owner, lifetime = form.chosen_owner, form.lifetime
        try:
            key, secret = create_api_key(
                request.user,
                form.cleaned_data["name"],
                role_descriptors=form.roles,
                expires_at=timezone.now() + lifetime if lifetime else None,
                team=owner.team,
                account=owner.account,
                narrowing=form.narrowing,
            )
        except InferenceError as exc:
            form.note(exc)
        else:
            return render(request, "keys/made.html", made(request, key, secret))
    return render(request, "keys/create.html", {"form": form, **matches(request, form)})


def reaches_far(owner: Owner) -> bool:
    """Whether a key would act for more than one's own work in one team."""
    return bool(owner.account) or not owner.team


def owners_for(request: HtmxRequest) -> list[Owner]:
    """Whose a key may be that somebody makes: one's own in each place, and service accounts'."""
    action = Action.API_KEY_CREATE
    owners = [Owner()] if allowed_teams(request.user, action) is None else []
    owners += [Owner(team=name) for name in team_names(request, action)]
    administered = teams_whose_keys(request.user, action)
    accounts = visible_accounts(request.user)
    if administered is not None:
        accounts = accounts.filter(service_team__in=administered)
    return owners + [Owner(account=account.username) for account in accounts]


def team_names(request: HtmxRequest, action: Action) -> list[str]:
    """The teams in which somebody may do this."""
    allowed = allowed_teams(request.user, action)
    teams = Team.objects.all() if allowed is None else Team.objects.filter(pk__in=allowed)
    return list(teams.values_list("name", flat=True))


def matches(request: HtmxRequest, form: KeyForm) -> dict[str, Any]:
    """The endpoints that the key would work for, by what is written now."""
    owner = form.chosen_owner
    team = owner.team
    if owner.account:
        account = visible_accounts(request.user).filter(username=owner.account).first()
        team = account.service_team.name if account and account.service_team else None
    found, count = endpoints_within(request.user, team, form.narrowing, MOST_MATCHES)
    return {"matches": found, "more_matches": count - len(found)}


def made(
    request: HtmxRequest, key: ApiKey, secret: str, old: ApiKey | None = None
) -> dict[str, Any]:
    """What is shown this once: the key, and code that uses it."""
    team = key.team.name if key.team else None
    within, _ = endpoints_within(request.user, team, narrowing_of(key), most=1)
    told = key.encoded(secret)
    return {
        "key": key,
        "old": old,
        "encoded": told,
        "samples": key_samples(base_url(request), told, within[0] if within else None),
    }


@page("GET", "HEAD")
def key_detail(request: HtmxRequest, key_id: str) -> HttpResponse:
    require_keys(request, Action.API_KEY_GET)
    key = get_key(request.user, key_id)
    context = {
        "row": KeyRow.of(key),
        "key": key,
        "successor": ApiKey.objects.filter(replaces=key).first(),
        "can_rotate": key.is_valid and may_rotate(request.user, key),
        "can_revoke": not key.invalidated_at,
    }
    return render(request, "keys/detail.html", context)


def require_fresh_for_others(request: HtmxRequest, key: ApiKey) -> None:
    """What is done to the keys of others takes something from them."""
    if key.user_id != request.user.pk:
        require_fresh(request)


@page("GET", "HEAD", "POST")
def key_rotate(request: HtmxRequest, key_id: str) -> HttpResponse:
    require_keys(request, Action.API_KEY_ROTATE)
    key = get_key(request.user, key_id, Action.API_KEY_ROTATE)
    check_may_rotate(request.user, key)
    require_fresh_for_others(request, key)
    form = RotateForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            new, secret, old = rotate_api_key(request.user, key_id, form.duration)
        except Conflict as exc:
            form.note(exc)
        else:
            return render(request, "keys/made.html", made(request, new, secret, old))
    elif request.method != "POST":
        try:
            check_can_rotate(key)
        except Conflict as exc:
            messages.warning(request, f"{exc}.")
            return redirect("key-detail", key_id)
    return render(request, "keys/rotate.html", {"key": key, "form": form})


@page("GET", "HEAD", "POST")
def key_revoke(request: HtmxRequest, key_id: str) -> HttpResponse:
    require_keys(request, Action.API_KEY_INVALIDATE)
    key = get_key(request.user, key_id, Action.API_KEY_INVALIDATE)
    require_fresh_for_others(request, key)
    if request.method == "POST":
        mine = visible_keys(request.user, Action.API_KEY_INVALIDATE)
        invalidate_api_keys(mine.filter(pk=key.pk))
        messages.success(request, f"{key.name} is revoked. Who uses it is refused from now on.")
        return redirect("key-list")
    return render(request, "keys/revoke.html", {"key": key, "row": KeyRow.of(key)})
