"""Whatever is stored, the rows of names say what indices and pipelines name, and nothing else."""

from importlib import import_module
from itertools import chain

import pytest
from django.apps import apps

from endpoints import indices, pipelines
from endpoints.models import IndexMapping, IngestPipeline, NameInIndex, NameInPipeline
from endpoints.references import references_to
from endpoints.replacing import point_pipeline
from inference.references.mappings import referenced_ids
from inference.references.pipelines import referenced_models
from tests.elastic import inferring, semantic
from tests.factories import make_admin, make_endpoint, make_index

pytestmark = pytest.mark.django_db


def rows() -> set[tuple[str, str]]:
    stored = chain(
        NameInIndex.objects.values_list("by__name", "inference_id"),
        NameInPipeline.objects.values_list("by__pipeline_id", "inference_id"),
    )
    return set(stored)


def said() -> set[tuple[str, str]]:
    """The same, read from what is stored."""
    by_indices = (
        (index.name, one)
        for index in IndexMapping.objects.all()
        for one in referenced_ids(index.mappings)
    )
    by_pipelines = (
        (pipeline.pipeline_id, one)
        for pipeline in IngestPipeline.objects.all()
        for one in referenced_models(pipeline.config)
    )
    return {*by_indices, *by_pipelines}


def test_an_index_that_is_made_changed_and_removed() -> None:
    boss = make_admin()
    index = indices.create("docs", semantic("first", search_inference_id="second"))
    assert rows() == said() == {("docs", "first"), ("docs", "second")}

    more = {"properties": {"more": {"type": "semantic_text"}}}
    indices.put_mapping(boss, [index], more)
    assert rows() == said()
    assert ("docs", ".elser-2-elasticsearch") in rows()

    other = semantic("third", search_inference_id="first")["mappings"]
    indices.put_mapping(boss, [index], other)
    assert rows() == said()
    assert ("docs", "second") not in rows()

    indices.delete("docs", indices.Options())
    assert rows() == set()


def test_a_pipeline_that_is_put_put_over_pointed_elsewhere_and_removed() -> None:
    pipelines.put("embed", inferring("first"))
    pipelines.put("plain", {"processors": []})
    assert rows() == said() == {("embed", "first")}

    pipelines.put("embed", inferring("old"))
    assert rows() == said() == {("embed", "old")}

    point_pipeline("embed", make_endpoint("old"), make_endpoint("new"))
    assert rows() == said() == {("embed", "new")}

    pipelines.delete("*")
    assert rows() == set()


def test_what_was_stored_before_there_were_such_rows() -> None:
    indices.create("docs", semantic("first", search_inference_id="second"))
    make_index("long", "x" * 300)
    pipelines.put("embed", inferring("first"))
    pipelines.put("plain", {"processors": []})
    before = rows()
    NameInIndex.objects.all().delete()
    NameInPipeline.objects.all().delete()

    import_module("endpoints.migrations.0029_names_in_references").keep_names(apps, None)

    assert rows() == before
    assert len(before) == 3


def test_a_name_that_no_endpoint_can_have_is_no_reference_to_one() -> None:
    make_index("docs", "x" * 300)

    assert not rows()
    assert not references_to(make_admin(), "x" * 300).is_used
