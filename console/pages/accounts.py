"""Service accounts: list, create, change, remove."""

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from console.forms.keys import AccountForm, NewAccountForm
from console.http import HtmxRequest, page
from console.pages.keys import require_keys, team_names
from endpoints.accounts import (
    create_account,
    delete_account,
    get_account,
    update_account,
    visible_accounts,
)
from endpoints.permissions import Action
from inference.errors import InferenceError


@page("GET", "HEAD")
def account_list(request: HtmxRequest) -> HttpResponse:
    require_keys(request, Action.ACCOUNT_GET)
    lasts = Q(api_keys__expires_at=None) | Q(api_keys__expires_at__gt=timezone.now())
    works = Q(api_keys__invalidated_at=None) & lasts
    accounts = visible_accounts(request.user).annotate(key_count=Count("api_keys", filter=works))
    changeable = set(visible_accounts(request.user, Action.ACCOUNT_PUT))
    rows = [(account, account in changeable) for account in accounts]
    return render(request, "keys/accounts.html", {"rows": rows})


@page("GET", "HEAD", "POST")
def account_create(request: HtmxRequest) -> HttpResponse:
    require_keys(request, Action.ACCOUNT_PUT)
    form = NewAccountForm(team_names(request, Action.ACCOUNT_PUT), request.POST or None)
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        try:
            account = create_account(
                request.user,
                told["name"],
                told["role"],
                description=told["description"],
                team=told.get("team"),
            )
        except InferenceError as exc:
            form.note(exc)
        else:
            messages.success(request, f"{account.username} is there. It needs a key to be of use.")
            return redirect("key-accounts")
    return render(request, "keys/account_form.html", {"form": form})


@page("GET", "HEAD", "POST", fresh=True)
def account_edit(request: HtmxRequest, team: str, name: str) -> HttpResponse:
    require_keys(request, Action.ACCOUNT_PUT)
    account = get_account(request.user, f"{team}/{name}", Action.ACCOUNT_PUT)
    form = AccountForm.of(account, request.POST or None)
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        update_account(account, role=told["role"], description=told["description"])
        messages.success(request, f"{account.username} is changed.")
        return redirect("key-accounts")
    return render(request, "keys/account_form.html", {"form": form, "account": account})


@page("GET", "HEAD", "POST", fresh=True)
def account_remove(request: HtmxRequest, team: str, name: str) -> HttpResponse:
    require_keys(request, Action.ACCOUNT_DELETE)
    account = get_account(request.user, f"{team}/{name}", Action.ACCOUNT_DELETE)
    if request.method == "POST":
        delete_account(account)
        messages.success(request, f"{account.username} is removed with its keys.")
        return redirect("key-accounts")
    count = account.api_keys.valid().count()
    return render(request, "keys/account_remove.html", {"account": account, "count": count})
