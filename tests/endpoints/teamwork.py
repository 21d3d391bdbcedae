"""Two teams, somebody who manages each, and what they ask for."""

import base64
from typing import Any

import pytest
from django.http import HttpResponse

from endpoints import teams
from endpoints.models import ApiKey, Team, TeamRole, TrainedModel, User
from endpoints.privileges import Roles
from tests.endpoints.conftest import SETTINGS, Api, basic, told
from tests.factories import PASSWORD, make_added_model, make_user

BUILTIN = ".all-minilm-l6-v2"
MODELS = "/_ml/trained_models"
PATH = "/_inference/text_embedding/e1"


@pytest.fixture
def search() -> Team:
    return teams.create_team("search")


@pytest.fixture
def other() -> Team:
    return teams.create_team("other")


@pytest.fixture
def manager(search: Team) -> Api:
    return member(search, "manager")


@pytest.fixture
def stranger(other: Team) -> Api:
    return member(other, "stranger")


def member(team: Team, name: str, role: TeamRole = TeamRole.INFERENCE_ADMIN) -> Api:
    user = User.objects.filter(username=name).first() or make_user(name)
    teams.put_member(team, user, role)
    return Api(basic(name, PASSWORD))


def keyed(user: User, limited_by: Roles, team: Team | None = None, **role: Any) -> Api:
    """With a key of somebody: of a team, and narrowed to a role, where those are given."""
    key, secret = ApiKey.issue(
        user,
        "k",
        limited_by=limited_by,
        role_descriptors={"r": {"cluster": [], "indices": []} | role} if role else {},
        metadata={},
        expires_at=None,
    )
    ApiKey.objects.filter(pk=key.pk).update(team=team)
    return Api("ApiKey " + base64.b64encode(f"{key.key_id}:{secret}".encode()).decode())


def reason(answer: HttpResponse) -> str:
    return str(told(answer)["error"]["reason"])


def over(**settings: Any) -> dict[str, Any]:
    return {"service": "elasticsearch", "service_settings": SETTINGS | settings}


def given_to(team: Team | None, model_id: str = "my-model") -> TrainedModel:
    """A model of this team, ready to be deployed."""
    model = make_added_model(model_id)
    model.team = team
    model.save()
    return model
