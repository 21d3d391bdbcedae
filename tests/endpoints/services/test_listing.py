"""Every provider that lists its models does so before an endpoint is there."""

import pytest

from endpoints import trials
from inference.errors import InvalidRequest
from inference.sandbox.app import Sandbox
from inference.services import SERVICES
from inference.services.base import EndpointConfig
from inference.services.remote import RemoteService
from inference.upstream.errors import UpstreamError
from tests.endpoints.services.cases import Case, cases_of
from tests.factories import make_admin

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("door")]

LISTING = [
    name for name, one in SERVICES.items() if isinstance(one, RemoteService) and one.lists_models
]


def config_of(case: Case) -> EndpointConfig:
    given = {"service_settings": case.service_settings, "task_settings": case.task_settings}
    return SERVICES[case.service].parse(case.task_type, given)


@pytest.mark.parametrize("name", LISTING)
def test_its_models_are_named_in_order(name: str) -> None:
    adapter = SERVICES[name]
    assert isinstance(adapter, RemoteService)
    configs = map(config_of, cases_of(name))
    # One with an address of its own may list none.
    config = next(one for one in configs if adapter.listing_request(one.service_settings))

    names = trials.model_names(make_admin(), "", config, 5.0)

    assert names
    assert names == sorted(names)


def test_one_that_lists_none_says_so() -> None:
    case = cases_of("hugging_face")[0]

    with pytest.raises(InvalidRequest, match="Hugging Face lists no models"):
        trials.model_names(make_admin(), "", config_of(case), 5.0)


def test_what_a_provider_refuses_is_told_under_the_wished_id(sandbox: Sandbox) -> None:
    case = cases_of("mistral")[0]
    settings = case.service_settings | {"api_key": "sk-wrong"}
    config = SERVICES["mistral"].parse(case.task_type, {"service_settings": settings})

    with pytest.raises(UpstreamError, match=r"\[wished\] status \[401\]"):
        trials.model_names(make_admin(), "wished", config, 5.0)
