"""Scans of a real server on this machine: what is found, and how each failure is told."""

import gzip
import json
import socket
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from inference.references import connection as connections
from inference.references.cluster import Findings, Kind, Named, scan
from inference.references.connection import Connection, ScanFailed
from tests.elastic import (
    API_KEY,
    MAPPINGS,
    PIPELINES,
    Elastic,
    inferring,
    make_authority,
    refusal,
    running_elastic,
    semantic,
)

KEY = SecretStr(API_KEY)


def look(elastic: Elastic, timeout_s: float = 10) -> Findings:
    return scan(Connection(elastic.url, KEY), timeout_s)


def why(elastic: Elastic, timeout_s: float = 10) -> str:
    with pytest.raises(ScanFailed) as failed:
        look(elastic, timeout_s)
    return str(failed.value)


def names(findings: Findings) -> list[tuple[str, str, str]]:
    return sorted((one.kind.value, one.name, one.inference_id) for one in findings.named)


def test_indexes_and_pipelines_that_name_endpoints_are_found(elastic: Elastic) -> None:
    elastic.indexes = {
        "docs": semantic("e1", search_inference_id="e2"),
        "logs": {"mappings": {}},
    }
    elastic.pipelines = {"embed": inferring("e1"), "plain": {"processors": [{"set": {}}]}}

    findings = look(elastic)

    assert names(findings) == [
        ("index", "docs", "e1"),
        ("index", "docs", "e2"),
        ("pipeline", "embed", "e1"),
    ]
    assert (findings.indexes, findings.pipelines) == (2, 2)


def test_hidden_and_closed_indexes_are_asked_for(elastic: Elastic) -> None:
    look(elastic)

    assert [path for path, _ in elastic.asked] == ["/_mapping?expand_wildcards=all", PIPELINES]
    assert elastic.hosts == [elastic.url.removeprefix("http://")] * 2


def test_a_path_before_the_routes_stays(elastic: Elastic) -> None:
    elastic.says = {f"/es{MAPPINGS}": (200, b"{}"), f"/es{PIPELINES}": (200, b"{}")}

    findings = scan(Connection(f"{elastic.url}/es/", KEY), 10)

    assert findings == Findings((), 0, 0)


def test_a_cluster_without_pipelines_says_404_and_is_believed(elastic: Elastic) -> None:
    elastic.pipelines = {}

    assert look(elastic).pipelines == 0


def test_fields_keep_the_settings_of_their_models(elastic: Elastic) -> None:
    settings = {"service": "x", "task_type": "text_embedding", "dimensions": 1024, "odd": ["\0"]}
    fields = {
        "a": {"type": "semantic_text", "inference_id": "e1", "model_settings": settings},
        "b": {"type": "semantic_text", "inference_id": "e1", "model_settings": settings},
        "c": {"type": "semantic_text", "inference_id": "e1"},
    }
    elastic.indexes = {"docs": {"mappings": {"properties": fields}}}

    (named,) = look(elastic).named

    assert named.model_settings == ({"task_type": "text_embedding", "dimensions": 1024},)


def test_a_field_that_names_nothing_names_the_default(elastic: Elastic) -> None:
    field = {"type": "semantic_text"}
    elastic.indexes = {"docs": {"mappings": {"properties": {"body": field}}}}

    assert look(elastic).named == (Named(Kind.INDEX, "docs", ".elser-2-elasticsearch"),)


def test_only_what_names_an_endpoint_by_its_id_counts_in_opensearch(elastic: Elastic) -> None:
    elastic.indexes = {
        "docs": {"mappings": {"properties": {"body": {"type": "semantic", "model_id": "e1"}}}}
    }
    elastic.pipelines = {"embed": {"processors": [{"text_embedding": {"model_id": "e1"}}]}}

    assert look(elastic) == Findings((), 1, 1)


def nested(levels: int) -> dict[str, Any]:
    node: dict[str, Any] = {"type": "semantic_text", "inference_id": "deep"}
    for _ in range(levels):
        node = {"properties": {"a": node}}
    return {"mappings": {"properties": {"a": node}}}


ODD_MAPPINGS: list[Any] = [
    {"properties": []},
    {"properties": {"a": None, "b": 7, "c": [1]}},
    {"properties": {"a": {"type": ["semantic_text"], "fields": "x"}}},
    {"properties": {"a": {"type": "semantic_text", "inference_id": {"x": 1}}}},
    {"properties": {"a": {"type": "semantic_text", "inference_id": ""}}},
    {"properties": {"a": {"type": "semantic_text", "inference_id": "x" * 257}}},
    {"properties": {"a": {"type": "semantic_text", "inference_id": "x\0"}}},
]
ODD_PIPELINES: list[Any] = [
    {},
    {"processors": {"inference": {"model_id": "e1"}}},
    {"processors": [None, 3, [], {}, {"inference": None}, {"inference": {"model_id": 5}}]},
    {"processors": [{"foreach": {}}, {"foreach": {"processor": [{}]}}]},
    {"processors": [{"set": {"on_failure": "x"}}], "on_failure": 5},
]


def test_odd_content_is_passed_over(elastic: Elastic) -> None:
    elastic.indexes = {str(n): {"mappings": odd} for n, odd in enumerate(ODD_MAPPINGS)}
    elastic.pipelines = {str(n): odd for n, odd in enumerate(ODD_PIPELINES)}

    findings = look(elastic)

    assert findings == Findings((), len(ODD_MAPPINGS), len(ODD_PIPELINES))


def test_deep_mappings_are_searched_to_their_end(elastic: Elastic) -> None:
    elastic.indexes = {"deep": nested(300)}

    assert names(look(elastic)) == [("index", "deep", "deep")]


def test_names_that_no_database_takes_are_mended(elastic: Elastic) -> None:
    elastic.indexes = {"a\0b": semantic("e1"), "x" * 600: semantic("e1")}

    assert {one.name for one in look(elastic).named} == {"a\N{REPLACEMENT CHARACTER}b", "x" * 512}


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        (API_KEY, f"ApiKey {API_KEY}"),
        ("id:secret", f"ApiKey {API_KEY}"),
        ("Basic dTpw", "Basic dTpw"),
        (None, None),
    ],
)
def test_the_key_is_sent_in_the_form_that_it_needs(
    elastic: Elastic, given: str | None, sent: str | None
) -> None:
    elastic.says = {MAPPINGS: (200, b"{}"), PIPELINES: (200, b"{}")}

    scan(Connection(elastic.url, SecretStr(given) if given else None), 10)

    assert {authorization for _, authorization in elastic.asked} == {sent}


def test_a_connection_does_not_tell_its_key() -> None:
    assert API_KEY not in repr(Connection("http://a", KEY))


@pytest.mark.parametrize(
    ("route", "answer", "words"),
    [
        (MAPPINGS, refusal(401, "no"), "refuses the API key (401)"),
        (MAPPINGS, refusal(403, "no"), "view_index_metadata on all indexes"),
        (PIPELINES, refusal(403, "no"), "the cluster privilege read_pipeline"),
        (MAPPINGS, (500, b"{}"), "with status 500"),
        (MAPPINGS, (404, b"{}"), "with status 404"),
        (PIPELINES, (404, b'{"error": "x"}'), "with status 404"),
        (MAPPINGS, (200, b"<html>hello</html>"), "is this the address of Elasticsearch"),
        (MAPPINGS, (200, b""), "is this the address of Elasticsearch"),
        (MAPPINGS, (200, b"[]"), "is this the address of Elasticsearch"),
        (MAPPINGS, (200, b"[" * 5000), "is this the address of Elasticsearch"),
        (MAPPINGS, (200, b'{"a": 1}'), "neither Elasticsearch nor OpenSearch"),
        (MAPPINGS, (200, b'{"status": {}}'), "neither Elasticsearch nor OpenSearch"),
        (PIPELINES, (200, b'{"a": []}'), "neither Elasticsearch nor OpenSearch"),
    ],
)
def test_an_answer_of_no_use_is_told_in_words(
    elastic: Elastic, route: str, answer: tuple[int, bytes], words: str
) -> None:
    elastic.says = {route: answer}

    reason = why(elastic)

    assert words in reason
    assert elastic.url.removeprefix("http://") in reason
    assert API_KEY not in reason


def test_no_redirect_is_followed(elastic: Elastic) -> None:
    with running_elastic() as other:
        elastic.says = {MAPPINGS: (302, b"")}
        elastic.headers = {"Location": f"{other.url}/_mapping"}

        assert "give the address that it leads to" in why(elastic)
        assert other.asked == []


def test_a_silent_cluster_is_too_slow(elastic: Elastic) -> None:
    elastic.gate.clear()

    assert "did not answer within 0.1 s" in why(elastic, timeout_s=0.1)


def test_an_answer_that_drips_is_too_slow(elastic: Elastic) -> None:
    elastic.says, elastic.drips = {MAPPINGS: (200, b"{}")}, True

    assert "did not answer within 0.3 s" in why(elastic, timeout_s=0.3)


def test_an_answer_beyond_the_limit_is_too_large(
    elastic: Elastic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "MAX_REPLY_BYTES", 1024 * 1024)
    packed = gzip.compress(json.dumps({"a": "x" * 2_000_000}).encode())
    elastic.says, elastic.headers = {MAPPINGS: (200, packed)}, {"Content-Encoding": "gzip"}

    assert "answered with more than 1 MiB" in why(elastic)


def test_what_cannot_be_unpacked_is_told(elastic: Elastic) -> None:
    elastic.says, elastic.headers = {MAPPINGS: (200, b"not packed")}, {"Content-Encoding": "gzip"}

    assert "cannot be unpacked" in why(elastic)


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    with pytest.raises(ScanFailed, match=rf"\[127.0.0.1:{port}\] refuses the connection"):
        scan(Connection(f"http://127.0.0.1:{port}"), 10)


def resolve_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Let the name that the tests use have these addresses."""
    resolve = socket.getaddrinfo

    def fake(host: Any, *args: Any, **kwargs: Any) -> Any:
        if host in (b"es.example.org", b"other.example.org"):
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 1)) for one in addresses]
        return resolve(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", fake)


def test_a_name_without_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)

    with pytest.raises(ScanFailed, match=r"the name \[es.example.org\] cannot be resolved"):
        scan(Connection("http://es.example.org:9200"), 10)


@pytest.mark.parametrize("address", ["169.254.169.254", "fe80::1%eth0", "::ffff:169.254.169.254"])
def test_link_local_addresses_are_never_asked(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    resolve_to(monkeypatch, "10.0.0.1", address)

    with pytest.raises(ScanFailed, match="link-local"):
        scan(Connection("http://es.example.org:9200"), 10)


def test_the_next_address_is_asked_where_one_is_dead(
    elastic: Elastic, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = elastic.url.rpartition(":")[2]
    resolve_to(monkeypatch, "::1", "127.0.0.1")

    scan(Connection(f"http://es.example.org:{port}", KEY), 10)

    assert elastic.hosts == [f"es.example.org:{port}"] * 2


def test_an_own_ca_is_trusted_for_the_name_that_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = make_authority(tmp_path, "es.example.org")
    with running_elastic(authority.server) as elastic:
        elastic.indexes = {"docs": semantic("e1")}
        port = elastic.url.rpartition(":")[2]
        resolve_to(monkeypatch, "127.0.0.1")

        def ask(host: str, certificate: str) -> Findings:
            return scan(Connection(f"https://{host}:{port}", KEY, certificate), 10)

        assert names(ask("es.example.org", authority.certificate)) == [("index", "docs", "e1")]
        with pytest.raises(ScanFailed, match=r"is not trusted \(.*mismatch"):
            ask("other.example.org", authority.certificate)
        with pytest.raises(ScanFailed, match="give the certificate of the CA that signed it"):
            ask("es.example.org", "")
    assert len(elastic.asked) == 2


def test_tls_where_there_is_none(elastic: Elastic) -> None:
    url = elastic.url.replace("http:", "https:")

    with pytest.raises(ScanFailed, match="is it http:// instead of https://"):
        scan(Connection(url, KEY), 10)


def test_no_tls_where_there_is_some(tmp_path: Path) -> None:
    authority = make_authority(tmp_path, "127.0.0.1")
    with running_elastic(authority.server) as elastic:
        url = elastic.url.replace("https:", "http:")

        with pytest.raises(ScanFailed, match="is it https:// instead of http://"):
            scan(Connection(url, KEY), 10)
