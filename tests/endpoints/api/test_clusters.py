"""Connected clusters: the routes, and what they mean for an endpoint that is to be deleted."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from endpoints.models import Cluster, Endpoint
from endpoints.models.cluster import MISSED_SCANS
from tests.elastic import (
    API_KEY,
    MAPPINGS,
    Elastic,
    inferring,
    make_authority,
    running_elastic,
    semantic,
)
from tests.endpoints.conftest import PASSWORD, SETTINGS, Api, basic, refused, told
from tests.factories import make_cluster, make_endpoint, make_user

CLUSTERS, PROD = "/_console/clusters", "/_console/clusters/prod"
ENDPOINT = "/_inference/text_embedding/e1"


def connect(api: Api, elastic: Elastic, **more: Any) -> Any:
    return told(api("PUT", PROD, {"url": elastic.url, "api_key": API_KEY, **more}))


def scan(api: Api, name: str = "prod") -> Any:
    return told(api("POST", f"{CLUSTERS}/{name}/_scan"))


def test_a_cluster_is_connected_and_shown_without_its_key(api: Api, elastic: Elastic) -> None:
    stored = connect(api, elastic)

    assert stored == {
        "name": "prod",
        "url": elastic.url,
        "team": "default",
        "has_api_key": True,
        "state": "waiting",
        "reason": "it has not been scanned yet",
        "since": stored["since"],
    }
    assert told(api("GET", PROD)) == {**stored, "references": []}
    assert told(api("GET", CLUSTERS)) == {"clusters": [stored]}
    for path in (PROD, CLUSTERS):
        assert API_KEY not in api("GET", path).content.decode()
    assert API_KEY not in Cluster.objects.get().encrypted_api_key
    assert Cluster.objects.get().created_by


def test_a_scan_on_demand_answers_what_it_found(api: Api, elastic: Elastic) -> None:
    connect(api, elastic)
    elastic.indexes, elastic.pipelines = {"docs": semantic("e1")}, {"embed": inferring("e2")}

    answer = scan(api)

    assert (answer["state"], answer["indexes"], answer["pipelines"]) == ("scanned", 1, 1)
    at = answer["scanned_at"]
    assert answer["references"] == [
        {"kind": "index", "name": "docs", "inference_id": "e1", "seen_at": at},
        {"kind": "pipeline", "name": "embed", "inference_id": "e2", "seen_at": at},
    ]
    assert told(api("GET", PROD)) == answer


def test_a_scan_that_fails_answers_why(api: Api, elastic: Elastic) -> None:
    connect(api, elastic, api_key="d3Jvbmc=")

    answer = scan(api)

    assert answer["state"] == "failed"
    assert "refuses the API key (401)" in answer["reason"]


def test_a_scan_of_a_cluster_that_is_silent_ends_in_time(api: Api, elastic: Elastic) -> None:
    connect(api, elastic)
    elastic.gate.clear()

    answer = told(api("POST", f"{PROD}/_scan?timeout=100ms"))

    assert "did not answer within 0.1 s" in answer["reason"]


def test_a_scan_while_another_runs_is_refused(api: Api) -> None:
    make_cluster(scan_started_at=timezone.now())

    assert refused(api("POST", f"{PROD}/_scan")) == (409, "status_exception")


def test_a_private_ca_goes_with_the_cluster(api: Api, tmp_path: Any) -> None:
    authority = make_authority(tmp_path, "127.0.0.1")
    with running_elastic(authority.server) as elastic:
        stored = connect(api, elastic, ca_certificate=authority.certificate)

        assert stored["ca_certificate"] == authority.certificate
        assert scan(api)["state"] == "scanned"


def test_a_change_keeps_the_key_that_it_does_not_name(api: Api, elastic: Elastic) -> None:
    connect(api, elastic)

    changed = told(api("PUT", PROD, {"url": f"{elastic.url}/"}))

    assert changed["has_api_key"]
    assert scan(api)["state"] == "scanned"


def test_a_change_can_take_the_key_away(api: Api, elastic: Elastic) -> None:
    connect(api, elastic)

    assert not told(api("PUT", PROD, {"url": elastic.url, "api_key": None}))["has_api_key"]
    assert scan(api)["state"] == "failed"


def test_a_stored_key_goes_to_no_other_address(api: Api, elastic: Elastic) -> None:
    connect(api, elastic)

    response = api("PUT", PROD, {"url": "http://127.0.0.1:1"})

    assert refused(response) == (400, "validation_exception")
    assert "[api_key] must be given again" in told(response)["error"]["reason"]
    assert Cluster.objects.get().url == elastic.url


def test_another_address_is_in_doubt_until_it_was_scanned(api: Api, elastic: Elastic) -> None:
    elastic.indexes = {"docs": semantic("e1")}
    connect(api, elastic)
    scan(api)

    connect(api, elastic, url=f"{elastic.url}/es")

    answer = told(api("GET", PROD))
    assert answer["state"] == "waiting"
    assert [one["name"] for one in answer["references"]] == ["docs"]


def test_a_removed_cluster_is_gone_with_what_was_seen(api: Api, elastic: Elastic) -> None:
    elastic.indexes = {"docs": semantic("e1")}
    connect(api, elastic)
    scan(api)
    make_endpoint("e1")

    assert told(api("DELETE", PROD)) == {"acknowledged": True}

    assert told(api("GET", CLUSTERS)) == {"clusters": []}
    assert api("DELETE", ENDPOINT).status_code == 200


@pytest.mark.parametrize(("method", "tail"), [("GET", ""), ("DELETE", ""), ("POST", "/_scan")])
def test_a_cluster_that_is_not_connected_is_not_found(api: Api, method: str, tail: str) -> None:
    assert refused(api(method, PROD + tail)) == (404, "resource_not_found_exception")


PARSE, VALIDATION = "x_content_parse_exception", "validation_exception"


@pytest.mark.parametrize(
    ("name", "body", "kind"),
    [
        ("prod", b"", "parse_exception"),
        ("prod", {}, PARSE),
        ("prod", {"url": 5}, PARSE),
        ("prod", {"url": "https://es", "password": "x"}, PARSE),
        ("prod", {"url": "https://es", "api_key": 5}, PARSE),
        ("prod", {"url": "https://es", "api_key": ""}, VALIDATION),
        ("prod", {"url": "es:9200"}, VALIDATION),
        ("prod", {"url": "http://169.254.169.254"}, VALIDATION),
        ("prod", {"url": "https://es", "ca_certificate": "x"}, VALIDATION),
        ("Prod", {"url": "https://es"}, VALIDATION),
        ("_prod", {"url": "https://es"}, VALIDATION),
        ("p:d", {"url": "https://es"}, VALIDATION),
        ("p" * 65, {"url": "https://es"}, VALIDATION),
    ],
)
def test_a_bad_cluster_is_refused(api: Api, name: str, body: Any, kind: str) -> None:
    assert refused(api("PUT", f"{CLUSTERS}/{name}", body)) == (400, kind)
    assert not Cluster.objects.exists()


def test_a_refused_change_changes_nothing(api: Api, elastic: Elastic) -> None:
    before = connect(api, elastic)

    assert api("PUT", PROD, {"url": "ftp://es", "api_key": "b3RoZXI="}).status_code == 400

    assert told(api("GET", CLUSTERS)) == {"clusters": [before]}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", CLUSTERS, None),
        ("GET", PROD, None),
        ("PUT", PROD, {"url": "https://es"}),
        ("DELETE", PROD, None),
        ("POST", f"{PROD}/_scan", None),
    ],
)
def test_only_who_may_manage_deals_with_clusters(
    api: Api, method: str, path: str, body: Any
) -> None:
    cluster, person = make_cluster(), make_user("ada")
    person.roles = ["inference_admin"]
    person.save()

    assert refused(Api(basic("ada", PASSWORD))(method, path, body)) == (403, "security_exception")
    cluster.refresh_from_db()
    assert cluster.url == "http://127.0.0.1:1"


@pytest.fixture
def used(api: Api, elastic: Elastic) -> None:
    """An endpoint that an index and a pipeline of a scanned cluster name."""
    make_endpoint("e1")
    elastic.indexes = {"docs": semantic("e1"), "other": semantic("e2")}
    elastic.pipelines = {"embed": inferring("e1")}
    connect(api, elastic)
    scan(api)


def dry_run(api: Api) -> Any:
    return told(api("DELETE", f"{ENDPOINT}?dry_run"))


def test_a_dry_run_names_what_clusters_hold_and_when_it_was_seen(api: Api, used: None) -> None:
    api("PUT", "/docs", {"mappings": semantic("e1")["mappings"]})

    answer = dry_run(api)

    assert (answer["pipelines"], answer["indexes"]) == (["prod:embed"], ["docs", "prod:docs"])
    seen_at = f"{Cluster.objects.get().scanned_at:%Y-%m-%d %H:%M:%S} UTC"
    assert f"Cluster [prod] was seen to do so at {seen_at}." in answer["error_message"]
    assert "force" in answer["error_message"]


def test_a_delete_is_refused_with_the_same_words_until_it_is_forced(api: Api, used: None) -> None:
    words = dry_run(api)["error_message"]

    response = api("DELETE", ENDPOINT)
    assert refused(response) == (409, "status_exception")
    assert told(response)["error"]["reason"] == words
    assert Endpoint.objects.exists()

    forced = told(api("DELETE", f"{ENDPOINT}?force"))
    assert forced == {"acknowledged": True, "pipelines": [], "indexes": []}
    assert not Endpoint.objects.exists()


def test_what_no_cluster_names_any_more_can_go(api: Api, elastic: Elastic, used: None) -> None:
    elastic.indexes = elastic.pipelines = {}
    scan(api)

    assert dry_run(api)["error_message"] == ""
    assert api("DELETE", ENDPOINT).status_code == 200


def test_a_cluster_that_was_never_scanned_makes_a_delete_ask_for_force(api: Api) -> None:
    make_endpoint("e1")
    make_cluster()

    answer = dry_run(api)
    response = api("DELETE", ENDPOINT)

    assert (answer["pipelines"], answer["indexes"]) == ([], [])
    assert refused(response) == (409, "status_exception")
    reason = told(response)["error"]["reason"]
    assert reason == answer["error_message"]
    for words in ("cluster [prod]", "has not been scanned yet", " UTC: ", "use force"):
        assert words in reason
    assert api("DELETE", f"{ENDPOINT}?force").status_code == 200


def test_a_cluster_that_fails_is_not_taken_for_one_without_use(
    api: Api, elastic: Elastic, used: None
) -> None:
    elastic.indexes = elastic.pipelines = {}
    scan(api)
    elastic.says = {MAPPINGS: (503, b"")}
    scan(api)

    response = api("DELETE", ENDPOINT)

    assert refused(response) == (409, "status_exception")
    assert "with status 503" in told(response)["error"]["reason"]


def test_a_cluster_that_cannot_be_reached_still_counts_with_what_it_held(
    api: Api, elastic: Elastic, used: None
) -> None:
    elastic.says = {MAPPINGS: (503, b"")}
    scan(api)

    answer = dry_run(api)

    assert answer["indexes"] == ["prod:docs"]
    assert "was seen to do so" in answer["error_message"]
    assert "with status 503" in answer["error_message"]


def test_what_was_seen_too_long_ago_is_in_doubt(api: Api, used: None, settings: Any) -> None:
    make_endpoint("unused")
    age = timedelta(seconds=MISSED_SCANS * settings.CLUSTER_SCAN_S + 1)
    Cluster.objects.update(scanned_at=timezone.now() - age)

    response = api("DELETE", "/_inference/unused")

    assert refused(response) == (409, "status_exception")
    assert "it was not scanned again" in told(response)["error"]["reason"]


def test_an_id_that_a_cluster_uses_for_other_vectors_is_refused(api: Api, elastic: Elastic) -> None:
    wider = {
        "task_type": "text_embedding",
        "dimensions": 1024,
        "similarity": "cosine",
        "element_type": "float",
    }
    elastic.indexes = {"docs": semantic("e1", model_settings=wider), "fits": semantic("e1")}
    connect(api, elastic)
    scan(api)

    response = api("PUT", ENDPOINT, {"service": "elasticsearch", "service_settings": SETTINGS})

    assert refused(response) == (400, "status_exception")
    assert "[prod:docs]" in told(response)["error"]["reason"]
    assert not Endpoint.objects.exists()
