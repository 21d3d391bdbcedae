"""The `_console/service_accounts` routes: accounts of programs, which only keys act for."""

from typing import Any

from django.http import HttpResponse
from pydantic import StrictStr

from endpoints.access import require
from endpoints.accounts import (
    create_account,
    delete_account,
    get_account,
    update_account,
    visible_accounts,
)
from endpoints.api.http import ElasticView, UserRequest
from endpoints.api.schemas import Body, parse
from endpoints.api.security.keys import NUL
from endpoints.models import User
from endpoints.permissions import Action
from inference.errors import NotFound


class AccountBody(Body):
    """role: in the team. description: what the account is for; left out, it stays as it is."""

    is_stored = True

    role: StrictStr
    description: StrictStr | None = None


class AccountListView(ElasticView):
    def get(self, request: UserRequest) -> HttpResponse:
        require(request.user, Action.ACCOUNT_GET)
        accounts = visible_accounts(request.user)
        if team := self.params(request, "team").text("team", ""):
            known = NUL not in team
            accounts = accounts.filter(service_team__name=team) if known else accounts.none()
        return self.answer({"service_accounts": [to_response(account) for account in accounts]})


class AccountView(ElasticView):
    def get(self, request: UserRequest, team: str, name: str) -> HttpResponse:
        require(request.user, Action.ACCOUNT_GET)
        self.params(request)
        return self.answer(to_response(get_account(request.user, f"{team}/{name}")))

    def put(self, request: UserRequest, team: str, name: str) -> HttpResponse:
        """Make an account, or change the one there is."""
        require(request.user, Action.ACCOUNT_PUT)
        self.params(request)
        body = parse(AccountBody, request)
        try:
            known = get_account(request.user, f"{team}/{name}", Action.ACCOUNT_PUT)
        except NotFound:
            account = create_account(
                request.user, name, body.role, description=body.description or "", team=team
            )
        else:
            description = known.description if body.description is None else body.description
            account = update_account(known, role=body.role, description=description)
        return self.answer(to_response(account))

    def delete(self, request: UserRequest, team: str, name: str) -> HttpResponse:
        require(request.user, Action.ACCOUNT_DELETE)
        self.params(request)
        delete_account(get_account(request.user, f"{team}/{name}", Action.ACCOUNT_DELETE))
        return self.answer({"acknowledged": True})


def to_response(account: User) -> dict[str, Any]:
    """The name is that of the account for good; the team's may have changed since."""
    return {
        "username": account.username,
        "team": account.service_team and account.service_team.name,
        "role": account.service_role,
        "description": account.description,
        "enabled": account.is_active,
    }
