"""Everybody who may call, and one of everything that they may want."""

import re
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any, cast

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.core.handlers.base import BaseHandler
from django.db import transaction
from django.http import HttpResponse
from django.test import RequestFactory
from django.utils import timezone

from console.sign_in.freshness import SEND_S
from endpoints import accounts, actions, invitations, password_resets, sharing, teams
from endpoints.invitations import Wish
from endpoints.models import (
    ApiKey,
    AuditEntry,
    DeletedEndpoint,
    DeploymentState,
    Endpoint,
    IngestPipeline,
    Invitation,
    LabRun,
    ModelUpload,
    PasswordReset,
    RegionPolicy,
    ShareLevel,
    Team,
    TeamRole,
    User,
)
from endpoints.models.link import digest
from endpoints.people import create_user
from endpoints.preconfigured import ensure_preconfigured
from endpoints.privileges import TEAM_ROLES, builtin_roles
from inference.types import TaskType
from tests.console.conftest import browser_of
from tests.endpoints.conftest import basic
from tests.factories import (
    PASSWORD,
    make_added_model,
    make_cluster,
    make_deployment,
    make_endpoint,
    make_index,
    make_model,
    make_remote_endpoint,
    make_user,
)
from tests.matrix.table import ALLOWED, FORBIDDEN, MISSING, PEOPLE, UNKNOWN, Row

SITE_ROLES = PEOPLE[2:6]
TEAMS = {
    "owners": {
        "user": TeamRole.INFERENCE_USER,
        "manager": TeamRole.INFERENCE_ADMIN,
        "team administrator": TeamRole.TEAM_ADMIN,
    },
    "others": {
        "other user": TeamRole.INFERENCE_USER,
        "other manager": TeamRole.INFERENCE_ADMIN,
        "other team administrator": TeamRole.TEAM_ADMIN,
    },
    "guests": {"manager it is shared with to use": TeamRole.INFERENCE_ADMIN},
    "partners": {"manager it is shared with to manage": TeamRole.INFERENCE_ADMIN},
}
SIGN_IN = "/console/sign-in"
SIGNED_IN_LONG_AGO = "superuser who signed in long ago"


@dataclass
class World:
    """headers, sessions: by caller, for the API and for the pages."""

    headers: dict[str, dict[str, str]]
    sessions: dict[str, str]

    def signs_of(self, row: Row) -> str:
        return "".join(sign_of(row, self.answer(row, caller)) for caller in row.callers)

    def answer(self, row: Row, caller: str, **more: str) -> HttpResponse:
        """What somebody is answered, who leaves everything as it was. more: headers.

        Not asked by Django's test client, which takes longer than most of the answers.
        """
        headers, kind = more, "application/json"
        if row.is_of_page:
            kind = "application/x-www-form-urlencoded"
        else:
            headers = self.headers.get(caller, {}) | more
        request = RequestFactory().generic(
            row.method, row.path, row.body, content_type=kind, headers=headers
        )
        if row.is_of_page:
            request.COOKIES[settings.SESSION_COOKIE_NAME] = self.sessions.get(caller, "")
        request._dont_enforce_csrf_checks = True  # type: ignore[attr-defined]  # as test clients do
        with transaction.atomic():
            answer = handler().get_response(request)
            answer.close()
            transaction.set_rollback(True)
        return cast(HttpResponse, answer)


@cache
def handler() -> BaseHandler:
    handler = BaseHandler()
    handler.load_middleware()
    return handler


def sign_of(row: Row, answer: HttpResponse) -> str:
    status = answer.status_code
    assert status != 500, f"{row} fails"
    if status == 401 or (status == 302 and is_sign_in(answer["Location"])):
        return UNKNOWN
    return {403: FORBIDDEN, 404: MISSING, 410: MISSING}.get(status, ALLOWED)


def is_sign_in(address: str) -> bool:
    return re.split(r"[?#]", address)[0] == SIGN_IN


def build() -> World:
    people = {"superuser": create_user("superuser", PASSWORD, ["superuser"])}
    for role in SITE_ROLES:
        people[role] = create_user(role, PASSWORD, [role])
    made: dict[str, Team] = {}
    for name, members in TEAMS.items():
        made[name] = teams.create_team(name)
        for caller, team_role in members.items():
            people[caller] = make_user(caller.replace(" ", "-"))
            teams.put_member(made[name], people[caller], team_role)
    people |= {caller: make_user(caller) for caller in ("nobody", "deactivated")}
    things(made)
    LabRun.objects.create(key="run", owner=people["superuser"], name="Notes", text="", characters=0)
    ways_in(people)
    entries()
    bot = accounts.create_account(people["superuser"], "bot", "inference_user", team="owners")
    headers = keys(people, bot)
    for caller, user in people.items():
        headers[caller] = authorized(basic(user.username, PASSWORD))
    sessions = {caller: session_of(user) for caller, user in people.items()}
    sessions[SIGNED_IN_LONG_AGO] = session_of(people["superuser"], SEND_S + 1)
    User.objects.filter(pk=people["deactivated"].pk).update(is_active=False)
    return World(headers, sessions)


def things(made: dict[str, Team]) -> None:
    """One of everything, which the team [owners] has where it can."""
    owners = made["owners"]
    ensure_preconfigured()
    make_endpoint("e1")
    chat = {"api_key": "k", "model_id": "m"}
    make_remote_endpoint("openai", TaskType.COMPLETION, chat, "remote")
    Endpoint.objects.own().update(team=owners)
    for shared in Endpoint.objects.own():
        sharing.share(shared, made["guests"], ShareLevel.USE)
        sharing.share(shared, made["partners"], ShareLevel.MANAGE)
    once_there(owners)
    make_model(".rerank-v1")
    model = make_added_model("m1")
    model.team = owners
    model.save()
    ModelUpload.objects.create(model_id="u1", team=owners, files=[["config.json", 5]])
    make_deployment("d1", model, team=owners, state=DeploymentState.STARTED)
    make_cluster("c1", team=owners)
    make_index("i1", "e9")
    IngestPipeline.objects.create(pipeline_id="p1", config={"processors": []})
    RegionPolicy.objects.create(policy={"allowed_geos": ["eu"]}, created_at=timezone.now())


def once_there(owners: Team) -> None:
    """The endpoint [e2], which was deleted; in the list of those it is number 1000001."""
    chat = {"api_key": "k", "model_id": "m"}
    made = make_remote_endpoint("openai", TaskType.COMPLETION, chat, "e2")
    Endpoint.objects.filter(pk=made.pk).update(team=owners)
    actions.delete_endpoint(User.objects.get(username="superuser"), made, force=True)
    DeletedEndpoint.objects.update(id=1000001)


def ways_in(people: dict[str, User]) -> None:
    """Invitations [toteam] and [tosite], a reset, and the passkey 1000001 of somebody else.

    The token of [toteam] is `in`, as is that of the reset.
    """
    administrator = people["superuser"]
    for link_id, token, wish in (
        ("toteam", "in", Wish("newcomer", team="owners", team_role=TeamRole.INFERENCE_USER)),
        ("tosite", "other", Wish("boss", roles=["inference_admin"])),
    ):
        invitation, _ = invitations.invite(administrator, wish)
        Invitation.objects.filter(pk=invitation.pk).update(
            link_id=link_id, token_sha256=digest(token)
        )
    reset, _ = password_resets.offer_reset(administrator, people["user"])
    PasswordReset.objects.filter(pk=reset.pk).update(token_sha256=digest("in"))
    Authenticator.objects.create(
        pk=1000001, user=make_user("keeper"), type=Authenticator.Type.WEBAUTHN, data={}
    )


def entries() -> None:
    """Of the audit log, that of the site is the entry 1000001, that of the owners 1000002."""
    for number, of in ((1000001, {"team": None}), (1000002, {"team__name": "owners"})):
        entry = AuditEntry.objects.filter(**of)[0]
        AuditEntry.objects.filter(pk=entry.pk).update(number=number)


def keys(people: dict[str, User], bot: User) -> dict[str, dict[str, str]]:
    """The headers by caller. Three keys are known by whose they are, for the tables."""
    superuser, manager, now = people["superuser"], people["manager"], timezone.now()
    reader = {"r": {"cluster": ["monitor_inference"], "indices": []}}
    issued: dict[str, tuple[User, dict[str, Any]]] = {
        "superuser's key": (superuser, {"key_id": "superuser"}),
        "manager's key of the team": (manager, {"key_id": "manager", "team": bot.service_team}),
        "superuser's key to call endpoints": (superuser, {"role_descriptors": reader}),
        "superuser's key to endpoints like e*": (superuser, {"endpoints": ["e*"]}),
        "service account's key": (bot, {"key_id": "account", "team": bot.service_team}),
        "expired": (superuser, {"expires_at": now - timedelta(hours=1)}),
        "revoked": (superuser, {"invalidated_at": now}),
    }
    limits = {
        superuser: builtin_roles(["superuser"]),
        manager: {"manager": TEAM_ROLES["inference_admin"]},
        bot: {"user": TEAM_ROLES["inference_user"]},
    }
    headers = {}
    for caller, (owner, columns) in issued.items():
        key, secret = ApiKey.issue(
            owner,
            caller,
            limited_by=limits[owner],
            role_descriptors={},
            metadata={},
            expires_at=None,
        )
        ApiKey.objects.filter(pk=key.pk).update(updated_at=now, **columns)
        key.refresh_from_db()
        headers[caller] = authorized(f"ApiKey {key.encoded(secret)}")
    return headers


def authorized(value: str) -> dict[str, str]:
    return {"Authorization": value}


def session_of(user: User, signed_in_ago_s: float = 0.0) -> str:
    client = browser_of(user, signed_in_ago_s)
    return client.cookies[settings.SESSION_COOKIE_NAME].value
