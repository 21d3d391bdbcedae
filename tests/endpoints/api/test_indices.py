from typing import Any

import pytest

from endpoints.api.indices import EXPANDABLE
from endpoints.models import IndexMapping, User
from endpoints.references import incompatible_indexes, references_to
from tests.endpoints.conftest import PASSWORD, SETTINGS, Api, basic, refused, told

DENSE = {
    "task_type": "text_embedding",
    "dimensions": 384,
    "similarity": "cosine",
    "element_type": "float",
}


def semantic(inference_id: str, **more: Any) -> dict[str, Any]:
    return {"type": "semantic_text", "inference_id": inference_id, **more}


def mapped(**properties: Any) -> dict[str, Any]:
    return {"mappings": {"properties": properties}}


@pytest.fixture
def two_indices(api: Api) -> None:
    for name, endpoint in (("zebras", "z"), ("apes", "a")):
        body = mapped(text=semantic(endpoint)) | {"aliases": {f"{name}-alias": {}}}
        assert api("PUT", f"/{name}", body).status_code == 200


def names(api: Api, path: str) -> list[str]:
    return sorted(told(api("GET", path)))


def test_a_new_index_is_acknowledged(api: Api) -> None:
    response = api("PUT", "/books?wait_for_active_shards=all&timeout=1s&master_timeout=1s")

    assert response.status_code == 200
    assert told(response) == {"acknowledged": True, "shards_acknowledged": True, "index": "books"}


def test_an_index_shows_what_it_was_given(api: Api) -> None:
    settings = {"index": {"number_of_replicas": 0}, "index.mapping.total_fields.limit": 5}
    body = mapped(title={"type": "text"}) | {"settings": settings, "aliases": {"b": None}}
    api("PUT", "/books", body)

    shown = told(api("GET", "/books"))["books"]

    stored = IndexMapping.objects.get(name="books")
    assert shown == {
        "aliases": {"b": {}},
        "mappings": {"properties": {"title": {"type": "text"}}},
        "settings": {
            "index": {
                "number_of_shards": "1",
                "number_of_replicas": "0",
                "mapping": {"total_fields": {"limit": "5"}},
                "uuid": stored.uuid,
                "creation_date": str(int(stored.created_at.timestamp() * 1000)),
                "provided_name": "books",
                "version": {"created": "9000000"},
            }
        },
    }
    assert len(stored.uuid) == 22


def test_whether_an_index_is_there_is_told_without_a_body(api: Api, two_indices: None) -> None:
    for path, status in (("/apes", 200), ("/apes,zebras", 200), ("/nobody", 404)):
        response = api("HEAD", path)
        assert (response.status_code, response.content) == (status, b"")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/apes", ["apes"]),
        ("/apes,zebras", ["apes", "zebras"]),
        ("/a*", ["apes"]),
        ("/_all", ["apes", "zebras"]),
        ("/*", ["apes", "zebras"]),
        ("/zebras-alias", ["zebras"]),
        ("/nothing*", []),
        ("/*?expand_wildcards=none", []),
        ("/apes,nobody?ignore_unavailable=true", ["apes"]),
    ],
)
def test_indices_are_found_by_names_wildcards_and_aliases(
    api: Api, two_indices: None, path: str, expected: list[str]
) -> None:
    assert names(api, path) == expected
    route, _, query = path.partition("?")
    assert names(api, f"{route}/_mapping?{query}") == expected


def test_a_missing_index_is_told_with_its_name(api: Api) -> None:
    for method, path in (
        ("GET", "/nobody"),
        ("GET", "/nobody/_mapping"),
        ("PUT", "/nobody/_mapping"),
        ("DELETE", "/nobody"),
    ):
        response = api(method, path, {} if method == "PUT" else None)
        assert refused(response) == (404, "index_not_found_exception")
        error = told(response)["error"]
        expected = {
            "type": "index_not_found_exception",
            "reason": "no such index [nobody]",
            "resource.type": "index_or_alias",
            "resource.id": "nobody",
            "index_uuid": "_na_",
            "index": "nobody",
        }
        assert error == expected | {"root_cause": [expected]}


def test_nothing_found_can_be_a_failure(api: Api, two_indices: None) -> None:
    expected = (404, "index_not_found_exception")
    assert refused(api("GET", "/x*?allow_no_indices=false")) == expected
    assert refused(api("PUT", "/x*/_mapping", {})) == expected


def test_an_index_is_made_once(api: Api, two_indices: None) -> None:
    response = api("PUT", "/apes")

    uuid = IndexMapping.objects.get(name="apes").uuid
    assert refused(response) == (400, "resource_already_exists_exception")
    error = told(response)["error"]
    assert error["reason"] == f"index [apes/{uuid}] already exists"
    assert (error["index"], error["index_uuid"]) == ("apes", uuid)


@pytest.mark.parametrize(
    "name",
    [
        *("Books", ".", "..", "-a", "+a", "_a", "a%3Ab", "a%23b", "a%2Cb", "a*", "a%20b", "a%3Fb"),
        *("a%22b", "a%5Cb", "a%3Cb", "a%7Cb", "a%00b", "a" * 256, "%C3%A4" * 128),
    ],
)
def test_a_name_that_cannot_be_is_refused(api: Api, name: str) -> None:
    response = api("PUT", f"/{name}")

    assert refused(response) == (400, "invalid_index_name_exception")
    error = told(response)["error"]
    assert error["reason"].startswith("Invalid index name [")
    assert error["index_uuid"] == "_na_"
    assert error["index"] in error["reason"]
    assert not IndexMapping.objects.exists()


def test_the_longest_name_and_other_letters_are_fine(api: Api) -> None:
    for name in ("a" * 255, "%C3%A4.b-c_d"):
        assert api("PUT", f"/{name}").status_code == 200


def test_routes_with_an_underscore_stay_those_of_the_api(api: Api) -> None:
    response = api("GET", "/_cat")

    assert response.status_code == 400
    assert told(response)["error"].startswith("no handler found")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (mapped(f={"type": "poem"}), "mapper_parsing_exception"),
        (mapped(f=semantic("")), "mapper_parsing_exception"),
        ({"mappings": []}, "mapper_parsing_exception"),
        ({"colour": 1}, "parse_exception"),
        ({"settings": 1}, "parse_exception"),
        ({"settings": {"number_of_shards": 0}}, "illegal_argument_exception"),
        ({"settings": {"uuid": "mine"}}, "illegal_argument_exception"),
        ({"settings": {"a": 1, "a.b": 2}}, "illegal_argument_exception"),
        ({"aliases": []}, "parse_exception"),
        ({"aliases": {"A": {}}}, "invalid_index_name_exception"),
        ([], "parse_exception"),
        (mapped(f={"type": "text", "x": "\0"}), "illegal_argument_exception"),
    ],
)
def test_a_body_that_cannot_be_makes_no_index(api: Api, body: Any, kind: str) -> None:
    assert refused(api("PUT", "/books", body)) == (400, kind)
    assert not IndexMapping.objects.exists()


def test_a_body_may_not_be_nested_without_end(api: Api) -> None:
    body = b'{"mappings":{"_meta":' + b'{"a":' * 300 + b"1" + b"}" * 302

    assert refused(api("PUT", "/books", body)) == (400, "illegal_argument_exception")


def test_a_bad_mapping_is_told_with_its_cause(api: Api) -> None:
    error = told(api("PUT", "/books", mapped(f={"type": "poem"})))["error"]

    cause = "The mapper type [poem] declared on field [f] does not exist."
    assert error["reason"].startswith(f"Failed to parse mapping: {cause}")
    assert error["caused_by"]["reason"].startswith(cause)
    assert "caused_by" not in error["root_cause"][0]


def test_a_mapping_grows(api: Api, two_indices: None) -> None:
    for method in ("PUT", "POST"):
        update = {"properties": {method.lower(): {"type": "keyword"}}}
        assert told(api(method, "/apes/_mapping", update)) == {"acknowledged": True}

    assert told(api("GET", "/apes/_mapping")) == {
        "apes": {
            "mappings": {
                "properties": {
                    "text": semantic("a"),
                    "put": {"type": "keyword"},
                    "post": {"type": "keyword"},
                }
            }
        }
    }


def test_all_mappings_are_told_at_once(api: Api, two_indices: None) -> None:
    assert names(api, "/_mapping") == ["apes", "zebras"]


def test_an_update_of_several_indices_is_done_to_all_or_none(api: Api, two_indices: None) -> None:
    api("PUT", "/apes/_mapping", {"properties": {"x": {"type": "keyword"}}})

    response = api("PUT", "/_all/_mapping", {"properties": {"x": {"type": "text"}}})

    assert refused(response) == (400, "illegal_argument_exception")
    assert "x" not in told(api("GET", "/zebras"))["zebras"]["mappings"]["properties"]
    api("PUT", "/apes,zebras/_mapping", {"properties": {"y": {"type": "text"}}})
    assert "y" in told(api("GET", "/zebras"))["zebras"]["mappings"]["properties"]


def test_an_update_needs_a_body(api: Api, two_indices: None) -> None:
    assert refused(api("PUT", "/apes/_mapping")) == (400, "parse_exception")


def test_a_field_moves_only_to_an_endpoint_whose_model_fits(api: Api) -> None:
    body = {"service": "elasticsearch", "service_settings": SETTINGS}
    api("PUT", "/_inference/text_embedding/mine", body)
    for name, dimensions in (("fits", 384), ("other", 3)):
        settings = DENSE | {"dimensions": dimensions}
        api("PUT", f"/{name}", mapped(text=semantic("old", model_settings=settings)))
    update = {"properties": {"text": semantic("mine")}}

    assert api("PUT", "/fits/_mapping", update).status_code == 200
    response = api("PUT", "/other/_mapping", update)

    assert refused(response) == (400, "illegal_argument_exception")
    assert (
        "Cannot update parameter [inference_id] from [old] to [mine]"
        in (told(response)["error"]["reason"])
    )


def test_an_index_is_deleted_by_its_name_only(api: Api, two_indices: None) -> None:
    for path in ("/_all", "/*", "/a*", "/apes-alias"):
        assert refused(api("DELETE", path)) == (400, "illegal_argument_exception")
    assert refused(api("DELETE", "/apes,nobody"))[0] == 404
    assert IndexMapping.objects.count() == 2

    assert told(api("DELETE", "/apes")) == {"acknowledged": True}
    assert told(api("DELETE", "/zebras,nobody?ignore_unavailable")) == {"acknowledged": True}
    assert not IndexMapping.objects.exists()


def test_an_alias_and_an_index_do_not_share_a_name(api: Api, two_indices: None) -> None:
    expected = (400, "invalid_index_name_exception")
    assert refused(api("PUT", "/apes-alias")) == expected
    assert refused(api("PUT", "/books", {"aliases": {"apes": {}}})) == expected


def test_parameters_are_checked(api: Api, two_indices: None) -> None:
    for path in ("/apes?colour=red", "/apes?expand_wildcards=far", "/apes?ignore_unavailable=x"):
        assert refused(api("GET", path)) == (400, "illegal_argument_exception")
    for state in EXPANDABLE:
        assert api("GET", f"/apes?expand_wildcards={state}").status_code == 200
    expected = (400, "illegal_argument_exception")
    assert refused(api("PUT", "/x?wait_for_active_shards=some")) == expected


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/apes"),
        ("GET", "/nobody"),
        ("GET", "/_mapping"),
        ("GET", "/apes/_mapping"),
        ("PUT", "/Bad"),
        ("PUT", "/_bad"),
        ("PUT", "/apes/_mapping"),
        ("POST", "/apes/_mapping"),
        ("DELETE", "/apes"),
        ("HEAD", "/apes"),
    ],
)
def test_without_the_right_nothing_else_is_looked_at(
    api: Api, two_indices: None, method: str, path: str
) -> None:
    User.objects.create_user("nobody", password=PASSWORD)

    assert Api(basic("nobody", PASSWORD))(method, path).status_code == 403
    assert Api("")(method, path).status_code == 401
    assert IndexMapping.objects.count() == 2


def test_the_references_of_an_endpoint_are_told_sorted(
    api: Api, admin: User, two_indices: None
) -> None:
    api("PUT", "/bees", mapped(text=semantic("b", search_inference_id="z")))
    api("PUT", "/plain", mapped(text={"type": "text"}))
    for name in ("two", "one"):
        api("PUT", f"/_ingest/pipeline/{name}", {"processors": [{"inference": {"model_id": "z"}}]})

    found = references_to(admin, "z")

    assert (found.pipelines, found.indexes) == (("one", "two"), ("bees", "zebras"))
    assert found.message == (
        "Inference endpoint z is referenced by pipelines: [one, two]. Ensure that no pipelines are "
        "using this inference endpoint before deleting it, or use force to ignore this warning and "
        "delete the inference endpoint. Inference endpoint z is being used in the mapping for "
        "indexes: [bees, zebras]. Ensure that no index mappings are using this inference endpoint "
        "before deleting it, or use force to ignore this warning and delete the inference endpoint."
    )
    assert (bool(found), bool(references_to(admin, "nobody"))) == (True, False)
    assert references_to(admin, "nobody").message == ""


def test_indexes_tell_which_models_do_not_fit_them(api: Api, admin: User) -> None:
    for name, dimensions in (("new", None), ("fits", 384), ("small", 3), ("tiny", 2)):
        known = {"model_settings": DENSE | {"dimensions": dimensions}} if dimensions else {}
        api("PUT", f"/{name}", mapped(text=semantic("mine", **known)))

    assert incompatible_indexes(admin, "mine", DENSE) == ("small", "tiny")
    assert incompatible_indexes(admin, "other", DENSE) == ()
    assert incompatible_indexes(admin, "mine", {"task_type": "rerank"}) == ("fits", "small", "tiny")
