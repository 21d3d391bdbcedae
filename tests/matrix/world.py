"""Everybody who may call, and one of everything that they may want."""

import base64
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

from django.conf import settings
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from endpoints import sharing, teams
from endpoints.models import (
    ApiKey,
    DeploymentState,
    Endpoint,
    IngestPipeline,
    RegionPolicy,
    ShareLevel,
    Team,
    TeamRole,
    User,
)
from endpoints.people import create_user
from endpoints.preconfigured import ensure_preconfigured
from endpoints.privileges import TEAM_ROLES, Roles, builtin_roles
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


@dataclass
class World:
    """headers, sessions: by caller, for the API and for the pages."""

    headers: dict[str, dict[str, str]]
    sessions: dict[str, str]

    def signs_of(self, row: Row) -> str:
        return "".join(sign_of(row, self.answer(row, caller)) for caller in row.callers)

    def answer(self, row: Row, caller: str) -> HttpResponse:
        """What somebody is answered, who leaves everything as it was."""
        client, headers, kind = Client(), self.headers.get(caller, {}), "application/json"
        if row.is_of_page:
            kind = "application/x-www-form-urlencoded"
            client.cookies[settings.SESSION_COOKIE_NAME] = self.sessions.get(caller, "")
        with transaction.atomic():
            answer = client.generic(
                row.method, row.path, row.body, content_type=kind, headers=headers
            )
            answer.close()
            transaction.set_rollback(True)
        return cast(HttpResponse, answer)


def sign_of(row: Row, answer: HttpResponse) -> str:
    status = answer.status_code
    assert status != 500, f"{row} fails"
    if status == 401 or (status == 302 and is_sign_in(answer["Location"])):
        return UNKNOWN
    return {403: FORBIDDEN, 404: MISSING}.get(status, ALLOWED)


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
    headers = keys(people, made["owners"])
    for caller, user in people.items():
        headers[caller] = authorized(basic(user.username, PASSWORD))
    sessions = {caller: session_of(user) for caller, user in people.items()}
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
    make_model(".rerank-v1")
    model = make_added_model("m1")
    model.team = owners
    model.save()
    make_deployment("d1", model, team=owners, state=DeploymentState.STARTED)
    make_cluster("c1", team=owners)
    make_index("i1", "e9")
    IngestPipeline.objects.create(pipeline_id="p1", config={"processors": []})
    RegionPolicy.objects.create(policy={"allowed_geos": ["eu"]}, created_at=timezone.now())


def keys(people: dict[str, User], owners: Team) -> dict[str, dict[str, str]]:
    everything, now = builtin_roles(["superuser"]), timezone.now()
    reader = {"r": {"cluster": ["monitor_inference"], "indices": []}}
    wanted: dict[str, tuple[str, Roles, Roles, dict[str, Any]]] = {
        "superuser's key": ("superuser", everything, {}, {}),
        "manager's key of the team": (
            "manager",
            {"manager": TEAM_ROLES["inference_admin"]},
            {},
            {"team": owners},
        ),
        "narrowed key": ("superuser", everything, reader, {}),
        "expired": ("superuser", everything, {}, {"expires_at": now - timedelta(hours=1)}),
        "revoked": ("superuser", everything, {}, {"invalidated_at": now}),
    }
    headers = {}
    for caller, (owner, limited_by, roles, columns) in wanted.items():
        key, secret = ApiKey.issue(
            people[owner],
            caller,
            limited_by=limited_by,
            role_descriptors=roles,
            metadata={},
            expires_at=None,
        )
        ApiKey.objects.filter(pk=key.pk).update(updated_at=now, **columns)
        encoded = base64.b64encode(f"{key.key_id}:{secret}".encode()).decode()
        headers[caller] = authorized(f"ApiKey {encoded}")
    return headers


def authorized(value: str) -> dict[str, str]:
    return {"Authorization": value}


def session_of(user: User) -> str:
    client = browser_of(user)
    return client.cookies[settings.SESSION_COOKIE_NAME].value
