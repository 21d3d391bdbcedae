"""The pages about indices and pipelines: what names endpoints, and how that is written."""

import html
import json
import re
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from endpoints import indices, pipelines
from endpoints.models import TRIED, AuditEntry, IndexMapping, IngestPipeline, Team, TeamRole
from inference.types import TaskType
from tests.console.conftest import HTMX, FakeHosts, called_with, member, text, vectors
from tests.factories import make_endpoint, make_index, make_remote_endpoint

REFERENCES = "/console/references"
NEW_INDEX, NEW_PIPELINE = f"{REFERENCES}/_new/index", f"{REFERENCES}/_new/pipeline"
PIPELINES, DOCS = f"{REFERENCES}/pipelines", f"{REFERENCES}/indices/docs"
EMBED = f"{PIPELINES}/embed"
QUERIES = 5
DASH = "\N{EN DASH}"


def semantic(**fields: dict[str, Any]) -> dict[str, Any]:
    typed = {name: {"type": "semantic_text"} | field for name, field in fields.items()}
    return {"properties": typed}


def inferring(*models: str, **options: Any) -> dict[str, Any]:
    fields = {"input_field": "content", "output_field": "vector"}
    return {
        "processors": [
            {"inference": {"model_id": model, "input_output": fields, **options}}
            for model in models
        ]
    }


def setting(value: str) -> dict[str, Any]:
    return {"processors": [{"set": {"field": "kind", "value": value}}]}


def written(config: Any, **more: str) -> dict[str, str]:
    """What the form of a pipeline sends."""
    return {"pipeline": json.dumps(config), **more}


def mark_in(page: str) -> str:
    """What the form on a page knows of what was there when it was opened."""
    (mark,) = re.findall(r'name="seen" value="([^"]*)"', page)
    return html.unescape(mark)


def problems_in(page: str) -> list[str]:
    found = re.findall(r'<p class="problem" id="\w+_error"[^>]*>([^<]*)</p>', page)
    return [html.unescape(problem) for problem in found]


# Lists -----------------------------------------------------------------------------------------


def test_an_empty_list_says_what_registering_is_for_and_shows_the_request(console: Client) -> None:
    of_indices, of_pipelines = text(console.get(REFERENCES)), text(console.get(PIPELINES))

    assert "No indices yet" in of_indices
    assert "/my-index" in of_indices
    assert "client.indices.create(" in of_indices
    assert "No pipelines yet" in of_pipelines
    assert "/_ingest/pipeline/my-pipeline" in of_pipelines
    assert "client.ingest.put_pipeline(" in of_pipelines


def test_the_example_names_an_endpoint_that_is_there(console: Client) -> None:
    make_endpoint("mine")

    assert "&quot;mine&quot;" in text(console.get(NEW_INDEX))


def test_a_list_shows_what_each_names_and_marks_what_is_missing(console: Client) -> None:
    make_endpoint("here")
    indices.create("docs", {"mappings": semantic(a={"inference_id": "here"})})
    indices.create("dangling", {"mappings": semantic(a={"inference_id": "gone"})})

    page = text(console.get(REFERENCES))

    assert 'href="/console/endpoints/here"' in page
    assert page.count("No such endpoint") == 1
    assert "2 indices" in page


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("q=doc", {"docs"}),
        ("q=GONE", {"dangling"}),
        ("show=missing", {"dangling"}),
        ("q=doc&show=missing", set()),
    ],
)
def test_a_list_is_searched_by_name_and_endpoint_and_by_what_is_missing(
    console: Client, asked: str, found: set[str]
) -> None:
    make_endpoint("here")
    for name, inference_id in (("docs", "here"), ("dangling", "gone")):
        make_index(name, inference_id)
        pipelines.put(name, inferring(inference_id))

    for address, thing in ((REFERENCES, "indices"), (PIPELINES, "pipelines")):
        fragment = text(console.get(f"{address}?{asked}", headers=HTMX))
        assert set(re.findall(rf'/console/references/{thing}/(\w+)"', fragment)) == found
        assert "<html" not in fragment
        assert ("No such" in fragment.replace("No such endpoint", "")) == (not found)


def test_a_pipeline_may_name_a_model(console: Client) -> None:
    endpoint = make_endpoint("mine")
    assert endpoint.deployment
    pipelines.put("embed", inferring(endpoint.deployment.model.model_id))

    assert "No such endpoint" not in text(console.get(PIPELINES))


def test_lists_come_in_pages_with_as_many_queries_however_many_there_are(
    console: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(60):
        make_index(f"docs-{number:02}", f"e{number}")
        pipelines_row(f"embed-{number:02}", f"e{number}")

    for address in (REFERENCES, f"{REFERENCES}?show=missing", PIPELINES, f"{PIPELINES}?q=e"):
        page = text(console.get(address, headers=HTMX))
        assert ("-49<" in page, "-50<" in page) == (True, False)
        assert "-50<" in text(console.get(f"{address}{'&' if '?' in address else '?'}page=2"))
    with django_assert_num_queries(QUERIES):
        console.get(REFERENCES, headers=HTMX)
    IndexMapping.objects.filter(name__gte="docs-02").delete()
    with django_assert_num_queries(QUERIES):
        console.get(REFERENCES, headers=HTMX)


def pipelines_row(pipeline_id: str, model_id: str) -> None:
    """Past the limit of processors that may run."""
    IngestPipeline.objects.create(pipeline_id=pipeline_id, config=inferring(model_id))


def test_who_may_see_no_index_is_led_to_the_clusters(search: Team) -> None:
    manager = member(search, TeamRole.INFERENCE_ADMIN)

    assert manager.get(REFERENCES)["Location"] == "/console/clusters"
    assert "/console/references/pipelines" not in text(manager.get("/console/clusters"))


# Indices ---------------------------------------------------------------------------------------


def test_an_index_shows_each_field_with_its_endpoints_and_whether_they_fit(console: Client) -> None:
    make_endpoint("here")
    settings = {"api_key": "k", "model_id": "m"}
    make_remote_endpoint("openai", TaskType.COMPLETION, settings, "writer")
    model = {"task_type": "text_embedding", "dimensions": 3, "similarity": "cosine"}
    fields = semantic(
        fits={"inference_id": "here"},
        other={"inference_id": "here", "model_settings": model | {"element_type": "float"}},
        writes={"inference_id": "here", "search_inference_id": "writer"},
        gone={"inference_id": "nowhere"},
    )
    indices.create("docs", {"mappings": {"properties": {"in": fields}}})

    page = text(console.get(DOCS))

    for words in (
        "in.fits",
        "The vectors that are stored there come from another model",
        "3 dimensions, cosine",
        "Its task is completion: a semantic_text field needs",
        "No such endpoint",
        "&quot;provided_name&quot;: &quot;docs&quot;",
    ):
        assert words in page
    assert page.count("No such endpoint") == 1


def test_an_index_is_registered_and_the_log_says_so(console: Client) -> None:
    sent = {"name": "docs", "definition": json.dumps({"mappings": semantic(a={})})}

    answer = console.post(NEW_INDEX, sent)

    assert answer["Location"] == DOCS
    assert IndexMapping.objects.get().mappings["properties"]["a"]["type"] == "semantic_text"
    assert AuditEntry.objects.filter(verb="index.create", subject="docs").exists()


@pytest.mark.parametrize(
    ("sent", "problem"),
    [
        ({"name": ""}, "Give the index a name."),
        ({"name": "Docs"}, "Invalid index name [Docs], must be lowercase."),
        ({"name": "taken"}, "already exists"),
        ({"definition": ""}, "Write the definition as JSON."),
        ({"definition": "[]"}, "Write a JSON object, in braces."),
        ({"definition": '{\n  "mappings" {}\n}'}, "Line 2, column 14: "),
        ({"definition": '{\r\n  "mappings": {},\r\n}'}, "Line 2, column 17: trailing comma"),
        ({"definition": '{"a": 1, "a": 2}'}, "Duplicate field [a]."),
        ({"definition": '{"mapping": {}}'}, "Unknown key [mapping] for create index."),
        (
            {"definition": '{"mappings": {"properties": {"f": {"type": "semantic"}}}}'},
            "The mapper type [semantic] declared on field [f] does not exist.",
        ),
    ],
)
def test_what_is_wrong_with_an_index_is_told_at_its_field(
    console: Client, sent: dict[str, str], problem: str
) -> None:
    make_index("taken", "e")

    page = text(console.post(NEW_INDEX, {"name": "docs", "definition": "{}"} | sent))

    (told,) = problems_in(page)
    assert problem in told
    assert IndexMapping.objects.count() == 1
    for value in sent.values():  # what was written is still there
        assert " ".join(html.escape(value).split()) in page


def test_a_mapping_is_changed_and_what_was_left_out_is_told_to_stay(console: Client) -> None:
    indices.create("docs", {"mappings": semantic(a={"inference_id": "one"}, b={})})
    mark = mark_in(text(console.get(f"{DOCS}/edit")))
    mapping = {"_meta": {"v": 1}} | semantic(a={"inference_id": "two"})

    answer = console.post(f"{DOCS}/edit", {"mapping": json.dumps(mapping), "seen": mark})

    assert answer["Location"] == DOCS
    stored = IndexMapping.objects.get().mappings
    assert stored["properties"]["a"]["inference_id"] == "two"
    assert "b" in stored["properties"]
    assert "this stays as it was: b." in text(console.get(DOCS))


def test_a_change_that_the_api_refuses_is_told_and_changes_nothing(console: Client) -> None:
    indices.create("docs", {"mappings": semantic(a={})})
    mark = mark_in(text(console.get(f"{DOCS}/edit")))
    mapping = {"properties": {"a": {"type": "keyword"}}}

    page = text(console.post(f"{DOCS}/edit", {"mapping": json.dumps(mapping), "seen": mark}))

    assert problems_in(page) == [
        "Mapper [a] cannot be changed from type [semantic_text] to [keyword]."
    ]
    assert IndexMapping.objects.get().mappings["properties"]["a"]["type"] == "semantic_text"


def test_who_writes_over_what_they_did_not_see_is_told_and_loses_nothing(console: Client) -> None:
    index = indices.create("docs", {"mappings": semantic(a={"inference_id": "one"})})
    mark = mark_in(text(console.get(f"{DOCS}/edit")))
    index.mappings = semantic(a={"inference_id": "theirs"})
    index.save()
    sent = {"mapping": json.dumps(semantic(a={"inference_id": "mine"}), indent=2)}

    page = text(console.post(f"{DOCS}/edit", sent | {"seen": mark}))

    assert "Somebody changed docs while you wrote" in page
    assert re.search(r"<del>[^<]*theirs", page)
    assert re.search(r"<ins>[^<]*mine", page)
    assert " ".join(html.escape(sent["mapping"]).split()) in page
    assert "theirs" in str(IndexMapping.objects.get().mappings)
    again = console.post(f"{DOCS}/edit", sent | {"seen": mark_in(page)})
    assert again["Location"] == DOCS
    assert "mine" in str(IndexMapping.objects.get().mappings)


def test_an_index_that_was_deleted_while_somebody_wrote_can_be_registered_anew(
    console: Client,
) -> None:
    indices.create("docs", {})
    mark = mark_in(text(console.get(f"{DOCS}/edit")))
    indices.delete("docs", indices.Options())
    sent = {"mapping": json.dumps(semantic(mine={})), "seen": mark}

    page = text(console.post(f"{DOCS}/edit", sent))

    assert "Somebody deleted this index while you wrote" in page
    assert f'action="{NEW_INDEX}"' in page
    assert "&quot;mine&quot;" in page


def test_an_index_is_deleted_after_a_question(console: Client) -> None:
    make_index("docs", "here")

    asked = text(console.get(f"{DOCS}/delete"))
    answer = console.post(f"{DOCS}/delete")

    assert "here" in asked
    assert answer["Location"] == REFERENCES
    assert not IndexMapping.objects.exists()


# Pipelines -------------------------------------------------------------------------------------


def test_a_pipeline_tells_its_processors_in_words_with_their_endpoints(console: Client) -> None:
    make_endpoint("here")
    config = {
        "description": "For the shop",
        "processors": [
            *inferring("here", tag="t", ignore_failure=True)["processors"],
            {"inference": {"model_id": "gone", "target_field": "ml.x"}},
            {"foreach": {"field": "tags", "processor": {"remove": {"field": "a"}}}},
            {"rename": {"field": "a", "target_field": "b"}},
            {"set": {"field": "c", "copy_from": "b", "if": "ctx.b != null"}},
            {"grok": {"field": "message", "patterns": ["x"]}},
        ],
        "on_failure": [{"set": {"field": "error", "value": "yes"}}],
    }
    pipelines.put("embed", config)

    page = " ".join(re.sub(r"<[^>]*>", " ", text(console.get(EMBED))).split())

    for words in (
        "For the shop",
        "Turn content into vector with here Text embedding A failure is ignored",
        "Read text_field and write what the model says into ml.x with gone No such endpoint",
        "For each value of tags",
        "Remove a",
        "Rename a to b",
        "Copy b to c Only if “ctx.b != null”",
        "Grok message Runs only in Elasticsearch",
        "Set error to “yes” Only after a failure",
    ):
        assert words in page


def test_a_pipeline_is_registered_once(console: Client) -> None:
    sent = written(setting("one"), pipeline_id="embed")

    answer = console.post(NEW_PIPELINE, sent)
    again = text(console.post(NEW_PIPELINE, written(setting("two"), pipeline_id="embed")))

    assert answer["Location"] == EMBED
    assert problems_in(again) == ["There is a pipeline [embed] already."]
    assert IngestPipeline.objects.get().config == setting("one")


@pytest.mark.parametrize(
    ("sent", "problem"),
    [
        ({"pipeline_id": ""}, "Give the pipeline an id."),
        ({"pipeline_id": "a*"}, "must not contain '*' or ','."),
        ({"pipeline_id": "a/b"}, "An id must not contain a slash"),
        ({"pipeline": '{"processors": [}'}, "Line 1, column 17: "),
        ({"pipeline": "7"}, "A pipeline must be an object."),
        ({"pipeline": "{}"}, "[processors] required property is missing."),
        (
            {"pipeline": '{"processors": [{"inferense": {}}]}'},
            "No processor type exists with name [inferense].",
        ),
        (
            {"pipeline": json.dumps(inferring(*(f"m{number}" for number in range(51))))},
            "Max number of inference processors reached",
        ),
    ],
)
def test_what_is_wrong_with_a_pipeline_is_told_at_its_field(
    console: Client, sent: dict[str, str], problem: str
) -> None:
    page = text(console.post(NEW_PIPELINE, written(setting("a"), pipeline_id="embed") | sent))

    (told,) = problems_in(page)
    assert problem in told
    assert not IngestPipeline.objects.exists()


def test_the_place_of_a_mistake_is_left_for_the_script_to_mark(console: Client) -> None:
    sent = {"pipeline_id": "embed", "pipeline": '{\n"processors": [],\n}'}

    assert 'data-line="2" data-column="17"' in text(console.post(NEW_PIPELINE, sent))


def test_who_edits_a_pipeline_that_somebody_else_changed_loses_nothing(console: Client) -> None:
    pipelines.put("embed", setting("old"))
    mark = mark_in(text(console.get(f"{EMBED}/edit")))
    pipelines.put("embed", setting("theirs"))

    page = text(console.post(f"{EMBED}/edit", written(setting("mine"), seen=mark)))

    assert "Somebody changed embed while you wrote" in page
    assert "theirs" in page
    assert html.escape(json.dumps(setting("mine"))) in page
    assert IngestPipeline.objects.get().config == setting("theirs")
    console.post(f"{EMBED}/edit", written(setting("mine"), seen=mark_in(page)))
    assert IngestPipeline.objects.get().config == setting("mine")


def test_a_pipeline_that_was_deleted_while_somebody_wrote_can_be_saved_anew(
    console: Client,
) -> None:
    pipelines.put("embed", setting("old"))
    mark = mark_in(text(console.get(f"{EMBED}/edit")))
    pipelines.delete("embed")

    page = text(console.post(f"{EMBED}/edit", written(setting("mine"), seen=mark)))

    assert "Somebody deleted this pipeline while you wrote" in page
    assert not IngestPipeline.objects.exists()
    console.post(f"{EMBED}/edit", written(setting("mine"), seen=mark_in(page)))
    assert IngestPipeline.objects.get().config == setting("mine")


def test_a_pipeline_is_deleted_after_a_question(console: Client) -> None:
    pipelines.put("embed", inferring("here"))

    assert "here" in text(console.get(f"{EMBED}/delete"))
    assert console.post(f"{EMBED}/delete")["Location"] == PIPELINES
    assert not IngestPipeline.objects.exists()
    assert console.get(EMBED).status_code == 404


# Simulation ------------------------------------------------------------------------------------


def test_a_simulation_shows_what_changed_by_document_and_processor(console: Client) -> None:
    config = {
        "processors": [
            {"set": {"field": "kind", "value": "shop", "tag": "first"}},
            {"rename": {"field": "name", "target_field": "title"}},
        ]
    }
    pipelines.put("embed", config)
    docs = [{"name": "Shoes"}, {"_source": {"kind": "old"}}]

    fragment = text(console.post(f"{EMBED}/simulate", {"docs": json.dumps(docs)}, headers=HTMX))

    assert "<html" not in fragment
    assert re.search(r"2 documents in [\d.]+ m?s", fragment)
    assert "1 failed" in fragment
    told = " ".join(re.sub(r"<[^>]*>", " ", html.unescape(fragment)).split())
    told = told.replace(DASH, ".")
    assert 'Document 1 Field Before After kind . "shop" title . "Shoes" name "Shoes" .' in told
    assert 'set first done Field Before After kind "old" "shop"' in told
    assert "Document 2 fails field [name] doesn't exist Check how the field is written" in told


def test_an_endpoint_that_is_not_there_fails_the_document_with_what_to_do(console: Client) -> None:
    pipelines.put("embed", inferring("gone"))

    page = text(console.post(f"{EMBED}/simulate", {"docs": '{"content": "a"}'}))

    assert "<html" in page
    assert "Inference endpoint not found [gone]" in page
    assert "Create an endpoint with this id" in page


@pytest.mark.parametrize(
    ("docs", "problem"),
    [
        ("", "Paste a document, or a list of them."),
        ("[1]", "A document is a JSON object, in braces."),
        ("[]", "Must specify at least one document in [docs]."),
        ('{"a": 1', "Line 1, column 8: unexpected end of data."),
        (json.dumps([{}] * 21), "Paste 20 documents at most."),
    ],
)
def test_what_is_wrong_with_the_documents_is_told_at_their_field(
    console: Client, docs: str, problem: str
) -> None:
    pipelines.put("embed", setting("a"))

    page = text(console.post(f"{EMBED}/simulate", {"docs": docs}))
    fragment = text(console.post(f"{EMBED}/simulate", {"docs": docs}, headers=HTMX))

    assert problem in problems_in(page)
    assert problem in html.unescape(fragment)


def test_a_pipeline_is_tried_as_it_is_written_and_nothing_is_stored(console: Client) -> None:
    pipelines.put("embed", setting("stored"))
    sent = written(setting("tried"), do="simulate", docs='[{"a": 1}]', seen="then")

    for address in (f"{EMBED}/edit", NEW_PIPELINE):
        page = text(console.post(address, sent))
        assert "<ins>&quot;tried&quot;</ins>" in page
        assert problems_in(page) == []
    assert mark_in(text(console.post(f"{EMBED}/edit", sent))) == "then"
    wrong = sent | {"pipeline": "{"}
    fragment = text(console.post(f"{EMBED}/edit", wrong, headers=HTMX))
    assert "The pipeline: Line 1, column 2" in fragment
    assert IngestPipeline.objects.get().config == setting("stored")


def test_long_vectors_are_told_by_their_first_numbers(console: Client, hosts: FakeHosts) -> None:
    make_endpoint("here")
    pipelines.put("embed", inferring("here"))
    hosts.says = vectors([0.25] * 384)

    page = text(console.post(f"{EMBED}/simulate", {"docs": '{"content": "a text"}'}))

    assert [request.texts for request in hosts.asked] == [("a text",)]
    assert "<ins>[0.25, 0.25, 0.25, 0.25, …] 384 numbers</ins>" in page
    assert called_with() == {TRIED}
