"""What refusals tell of what somebody does not see: that it is there, and no name of it."""

from typing import Any

import pytest
from django.http import HttpResponse
from django.utils import timezone

from endpoints.models import (
    Cluster,
    ClusterReference,
    DeploymentState,
    Endpoint,
    Heartbeat,
    ScanState,
    Team,
    TrainedModel,
    User,
)
from endpoints.privileges import builtin_roles
from inference.references.cluster import Kind
from tests.console.conftest import browser_of
from tests.endpoints.conftest import SETTINGS, Api, refused, told
from tests.endpoints.teamwork import (
    MODELS,
    PATH,
    given_to,
    keyed,
    manager,
    other,
    over,
    reason,
    search,
    stranger,
)
from tests.factories import make_cluster, make_deployment

__all__ = ["manager", "other", "search", "stranger"]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("world")]


def seen_in(cluster: Cluster, kind: Kind, *names: str, settings: Any = ()) -> None:
    """What a scan of the cluster found to name [e1]."""
    now = timezone.now()
    Cluster.objects.filter(pk=cluster.pk).update(scan_state=ScanState.SCANNED, scanned_at=now)
    for name in names:
        ClusterReference.objects.create(
            cluster=cluster,
            kind=kind,
            name=name,
            inference_id="e1",
            seen_at=now,
            model_settings=list(settings),
        )


def test_use_in_a_cluster_of_another_team_stops_a_delete_without_its_names(
    manager: Api, other: Team, search: Team
) -> None:
    assert manager("PUT", PATH, over()).status_code == 200
    seen_in(make_cluster("secret", team=other), Kind.INDEX, "payroll")
    seen_in(make_cluster("ours", team=search), Kind.INDEX, "docs")
    seen_in(make_cluster("more", team=other), Kind.PIPELINE, "one", "two")

    dry = told(manager("DELETE", f"{PATH}?dry_run"))
    answer = manager("DELETE", PATH)

    assert dry["indexes"] == ["ours:docs", "1 index of another team's cluster"]
    assert dry["pipelines"] == ["2 pipelines of other teams' clusters"]
    assert refused(answer) == (409, "status_exception")
    assert reason(answer) == dry["error_message"]
    for word in ("secret", "payroll", "more", "one,"):
        assert word not in answer.content.decode()
    assert "Cluster [ours] was seen to do so" in reason(answer)
    assert manager("DELETE", f"{PATH}?force").status_code == 200


def test_doubt_about_clusters_of_other_teams_is_told_without_anything_of_them(
    manager: Api, other: Team
) -> None:
    assert manager("PUT", PATH, over()).status_code == 200
    make_cluster("secret", team=other, reason="no route to 10.1.2.3")

    answer = manager("DELETE", PATH)

    assert refused(answer) == (409, "status_exception")
    assert reason(answer) == (
        "Whether clusters of other teams use inference endpoint e1 cannot be told now. Use force "
        "to ignore this warning and delete the inference endpoint."
    )


def test_the_page_that_asks_before_a_delete_counts_what_it_may_not_name(
    manager: Api, other: Team
) -> None:
    assert manager("PUT", PATH, over()).status_code == 200
    seen_in(make_cluster("secret", team=other), Kind.INDEX, "payroll")
    make_cluster("hush", team=other)
    browser = browser_of(User.objects.get(username="manager"))

    asked = browser.get("/console/endpoints/e1/delete?look=1").content.decode()
    shown = browser.get("/console/endpoints/e1/references").content.decode()

    for page in (asked, shown):
        assert "1 index of another team&#x27;s cluster" in page
        assert "whether clusters of other teams use it" in page
        assert not any(word in page for word in ("secret", "payroll", "hush"))
    assert "Delete all the same" in asked


def test_an_id_that_another_team_s_cluster_uses_for_other_vectors_is_refused_without_its_names(
    manager: Api, other: Team
) -> None:
    known = {"task_type": "text_embedding", "dimensions": 7, "similarity": "cosine"}
    seen_in(make_cluster("secret", team=other), Kind.INDEX, "payroll", settings=[known])

    answer = manager("PUT", PATH, over())

    assert refused(answer) == (400, "status_exception")
    assert "for indices: [1 index of another team's cluster]" in reason(answer)
    assert "payroll" not in answer.content.decode()


def test_what_another_team_deleted_is_not_told_to_who_takes_over_its_id(
    manager: Api, stranger: Api, api: Api
) -> None:
    rerank = {"service": "elasticsearch", "service_settings": SETTINGS | {"model_id": ".rerank-v1"}}
    assert manager("PUT", PATH, over()).status_code == 200
    pipeline = {"processors": [{"inference": {"model_id": "e1"}}]}
    assert api("PUT", "/_ingest/pipeline/p1", pipeline).status_code == 200
    assert manager("DELETE", f"{PATH}?force").status_code == 200

    theirs = reason(manager("PUT", "/_inference/rerank/e1", rerank))
    answer = stranger("PUT", "/_inference/rerank/e1", rerank)

    assert "it had model [.all-minilm-l6-v2] of [elasticsearch] for [text_embedding]" in theirs
    assert refused(answer) == (400, "status_exception")
    assert "it had another model when it was deleted" in reason(answer)
    assert "minilm" not in answer.content.decode()
    assert stranger("PUT", "/_inference/rerank/e1?force", rerank).status_code == 200


def test_who_deletes_a_model_is_told_that_others_use_it_but_not_who(
    manager: Api, search: Team, other: Team, api: Api
) -> None:
    """An administrator of the site made endpoints of another team over it."""
    given_to(search)
    assert api("PUT", f"{PATH}?team=other", over(model_id="my-model")).status_code == 200
    path = f"{MODELS}/my-model"

    answer = manager("DELETE", path)

    assert refused(answer) == (409, "status_exception")
    assert "used by the inference endpoints [an endpoint of another team];" in reason(answer)
    Endpoint.objects.update(team=search)
    assert "used by the inference endpoints [e1];" in reason(manager("DELETE", path))


def test_who_stops_a_deployment_is_told_that_others_use_it_but_not_who(
    manager: Api, search: Team, other: Team, api: Api
) -> None:
    make_deployment("d1", given_to(search), team=search, state=DeploymentState.STARTED)
    attached = {"service": "elasticsearch", "service_settings": {"deployment_id": "d1"}}
    for name in ("e1", "e2"):
        path = f"/_inference/text_embedding/{name}?team=other"
        assert api("PUT", path, attached).status_code == 200

    answer = manager("POST", f"{MODELS}/d1/deployment/_stop")

    assert refused(answer) == (409, "status_exception")
    assert "endpoint [2 endpoints of other teams]." in reason(answer)


def test_what_would_fit_names_no_model_that_a_team_added(
    manager: Api, search: Team, other: Team
) -> None:
    given_to(other, "secret-model")
    model = given_to(search)
    TrainedModel.objects.filter(pk=model.pk).update(task_type="text_embedding")
    Heartbeat.objects.create(
        part="runner", instance="r@here", seen_at=timezone.now(), available_bytes=1
    )

    answer = manager("PUT", PATH, over(model_id="my-model"))

    assert answer.status_code == 400
    assert "MB are missing" in reason(answer)
    assert "secret" not in answer.content.decode()


EVERYTHING = builtin_roles(["superuser"])


def test_a_mapping_does_not_tell_what_an_endpoint_is_that_one_does_not_see(
    manager: Api, api: Api, admin: User
) -> None:
    """A field of vectors may go over to an endpoint that makes such vectors: one can try."""
    fits = {
        "task_type": "text_embedding",
        "dimensions": 384,
        "similarity": "cosine",
        "element_type": "float",
    }
    field = {"type": "semantic_text", "inference_id": "e0", "model_settings": fits}
    assert api("PUT", "/docs", {"mappings": {"properties": {"text": field}}}).status_code == 200
    assert manager("PUT", PATH, over()).status_code == 200
    on_indices = keyed(admin, EVERYTHING, indices=[{"names": ["*"], "privileges": ["manage"]}])

    def go_over(caller: Api, inference_id: str) -> HttpResponse:
        changed = {"properties": {"text": field | {"inference_id": inference_id}}}
        return caller("PUT", "/docs/_mapping", changed)

    hidden, absent = go_over(on_indices, "e1"), go_over(on_indices, "e2")

    assert refused(hidden) == refused(absent) == (400, "illegal_argument_exception")
    assert reason(hidden).replace("e1", "e2") == reason(absent)
    assert go_over(api, "e1").status_code == 200


@pytest.mark.parametrize("kind", ["endpoint", "model"])
def test_a_simulated_pipeline_runs_nothing_that_one_does_not_see(
    manager: Api, search: Team, admin: User, kind: str
) -> None:
    if kind == "endpoint":
        assert manager("PUT", PATH, over()).status_code == 200
    else:
        make_deployment("e1", given_to(search), team=search)
    reader = keyed(admin, EVERYTHING, cluster=["read_pipeline"])

    def simulated(model_id: str) -> Any:
        fields = {"input_field": "a", "output_field": "b"}
        processor = {"inference": {"model_id": model_id, "input_output": [fields]}}
        body = {
            "pipeline": {"processors": [processor]},
            "docs": [{"_source": {"a": "x"}}],
        }
        (answer,) = told(reader("POST", "/_ingest/pipeline/_simulate", body))["docs"]
        return str(answer).replace(model_id, "ID")

    assert "error" in simulated("e1")
    assert simulated("e1") == simulated("e2")
