"""The precision of deployments that are started by themselves, beyond Elasticsearch."""

import pytest

from endpoints.models import Deployment
from tests.endpoints.api.trained_models.uploading import upload
from tests.endpoints.conftest import Api, refused, told

START = "/_ml/trained_models/.all-minilm-l6-v2/deployment/_start?wait_for=starting"


def test_it_is_kept_and_shown_where_it_was_asked_for(api: Api) -> None:
    api("PUT", "/_ml/trained_models/.all-minilm-l6-v2", {"input": {"field_names": ["text_field"]}})

    asked = told(api("POST", f"{START}&deployment_id=d1&precision=INT8"))["assignment"]
    plain = told(api("POST", f"{START}&deployment_id=d2"))["assignment"]

    assert asked["task_parameters"]["precision"] == "int8"
    assert "precision" not in plain["task_parameters"]
    assert Deployment.objects.get(deployment_id="d1").precision == "int8"


@pytest.mark.parametrize("precision", ["double", "none"])
def test_an_unknown_one_is_refused(api: Api, precision: str) -> None:
    api("PUT", "/_ml/trained_models/.all-minilm-l6-v2", {"input": {"field_names": ["text_field"]}})

    answer = api("POST", f"{START}&precision={precision}")

    assert refused(answer) == (400, "action_request_validation_exception")
    assert not Deployment.objects.exists()


def test_an_upload_runs_as_it_came(api: Api) -> None:
    upload(api, "mine")

    answer = api("POST", "/_ml/trained_models/mine/deployment/_start?precision=int8")

    assert refused(answer) == (400, "action_request_validation_exception")
