"""Keys as tests make them: over the API, for whoever calls."""

from typing import Any

from endpoints import teams
from endpoints.models import Team, TeamRole
from tests.endpoints.conftest import Api, basic, told
from tests.factories import PASSWORD, make_user

KEYS = "/_security/api_key"
PATH = "/_inference/text_embedding/my-endpoint"


def member(team: Team, role: TeamRole, name: str) -> Api:
    """Somebody new in a team, who calls with a password."""
    teams.put_member(team, make_user(name), role)
    return Api(basic(name, PASSWORD))


def made(api: Api, **body: Any) -> dict[str, Any]:
    response = api("POST", KEYS, {"name": "k"} | body)
    assert response.status_code == 200, response.content
    answer: dict[str, Any] = told(response)
    return answer


def made_here(api: Api, *, roles: Any = None, **console: Any) -> dict[str, Any]:
    """A key with settings of ours."""
    return made(api, role_descriptors=roles, metadata={"console": console})


def using(key: dict[str, Any]) -> Api:
    return Api("ApiKey " + key["encoded"])


def shown(api: Api, key: dict[str, Any]) -> dict[str, Any]:
    """What else than Elasticsearch's is told of a key."""
    answer: dict[str, Any] = told(api("GET", f"/_console/api_keys/{key['id']}"))
    return answer


def call(api: Api) -> int:
    return api("POST", PATH, {"input": "a"}).status_code


def change(api: Api) -> int:
    body = {"service_settings": {"num_allocations": 1}}
    return api("PUT", f"{PATH}/_update", body).status_code
