"""What could take the place of an endpoint that is to be deleted."""

from html import unescape

import pytest
from django.test import Client

from endpoints.models import Endpoint, IngestPipeline, Team, TeamRole, User
from endpoints.scanning import scan_cluster
from inference.references.pipelines import referenced_models
from inference.types import TaskType
from tests.console.conftest import member, of_team, text
from tests.console.deleting import DELETE, LOOK
from tests.elastic import Elastic, inferring, semantic
from tests.factories import make_cluster, make_endpoint, make_index, make_remote_endpoint


def remote(inference_id: str, model_id: str = "m", fingerprint: str = "f") -> Endpoint:
    settings = {"api_key": "k", "model_id": model_id, "dimensions": 8}
    made = make_remote_endpoint("openai", TaskType.TEXT_EMBEDDING, settings, inference_id)
    Endpoint.objects.filter(pk=made.pk).update(fingerprint=fingerprint)
    made.refresh_from_db()
    return made


def test_endpoints_with_the_same_vectors_are_offered_first(console: Client) -> None:
    remote("my-endpoint")
    remote("aaa", "other", "another")
    remote("zzz")
    make_endpoint("ranks", model_id=".minilm-rerank-v1")
    make_index("docs", "my-endpoint")

    page = text(console.get(LOOK))

    options = page[page.index("<datalist") : page.index("</datalist>")]
    assert options.index('value="zzz"') < options.index('value="aaa"')
    assert "ranks" not in options
    assert "2 endpoints for text embedding; these make the same vectors" in page
    assert 'href="?look=1&amp;replacement=zzz#replacement"' in page


@pytest.mark.parametrize(
    ("replacement", "words"),
    [
        ("zzz", "Same vectors."),
        ("aaa", "makes other vectors"),
        ("my-endpoint", "An endpoint cannot take its own place"),
        ("ranks", "[ranks] is for [rerank], not for [text_embedding]"),
        ("nothing", "Inference endpoint not found [nothing]"),
    ],
)
def test_what_a_replacement_would_mean_is_told(
    console: Client, replacement: str, words: str
) -> None:
    remote("my-endpoint")
    remote("aaa", "other", "another")
    remote("zzz")
    make_endpoint("ranks", model_id=".minilm-rerank-v1")
    make_index("docs", "my-endpoint")

    assert words in unescape(text(console.get(f"{LOOK}&replacement={replacement}")))


def test_each_use_has_a_request_to_copy(console: Client, elastic: Elastic) -> None:
    remote("my-endpoint")
    remote("new")
    mapping = {
        "properties": {
            "title": {"type": "text"},
            "about": {
                "properties": {
                    "body": {
                        "type": "semantic_text",
                        "inference_id": "my-endpoint",
                        "search_inference_id": "other",
                    }
                }
            },
        }
    }
    make_index("docs", "my-endpoint")
    index = make_index("books", "my-endpoint")
    index.mappings = mapping
    index.save()
    IngestPipeline.objects.create(pipeline_id="embed", config=inferring("my-endpoint"))
    elastic.indexes = {"docs": semantic("my-endpoint")}
    elastic.pipelines = {"remote-pipe": inferring("my-endpoint")}
    scan_cluster(make_cluster(url=elastic.url).pk)

    page = unescape(text(console.get(f"{LOOK}&replacement=new")))

    update = (
        'PUT /books/_mapping { "properties": { "about": { "properties": { "body": '
        '{ "type": "semantic_text", "inference_id": "new", "search_inference_id": "other" } } } } }'
    )
    assert update in page
    assert "PUT /docs/_mapping" in page
    assert 'PUT /_ingest/pipeline/embed { "processors"' in page
    assert '"model_id": "new"' in page
    assert "# In prod: put the name of the field" in page
    assert "PUT /_ingest/pipeline/remote-pipe" in page
    assert page.count("Change this pipeline now") == 1


def test_who_may_not_read_pipelines_is_told_whom_to_ask(search: Team, admin: User) -> None:
    of_team(search, "my-endpoint")
    of_team(search, "new")
    make_index("docs", "my-endpoint")
    IngestPipeline.objects.create(pipeline_id="embed", config=inferring("my-endpoint"))
    manager = member(search, TeamRole.INFERENCE_ADMIN)

    page = text(manager.get(f"{LOOK}&replacement=new"))

    assert "Ask somebody who may read and change ingest pipelines" in page
    assert "Ask somebody who may read and change index mappings" in page
    assert "PUT /" not in page
    assert "Change this pipeline now" not in page
    sent = {"pipeline": "embed", "replacement": "new"}
    assert manager.post(f"{DELETE}/pipeline", sent).status_code == 403
    assert referenced_models(IngestPipeline.objects.get().config) == {"my-endpoint"}


def test_a_pipeline_of_this_installation_is_changed_by_a_button(console: Client) -> None:
    make_endpoint()
    make_endpoint("new")
    config = inferring("my-endpoint") | {"on_failure": inferring("keep-me")["processors"]}
    IngestPipeline.objects.create(pipeline_id="embed", config=config)

    answer = console.post(
        f"{DELETE}/pipeline", {"pipeline": "embed", "replacement": "new"}, follow=True
    )

    assert answer.redirect_chain == [(f"{LOOK}&replacement=new", 302)]
    assert "Pipeline embed names new from now on." in text(answer)
    assert referenced_models(IngestPipeline.objects.get().config) == {"new", "keep-me"}


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"pipeline": "gone", "replacement": "new"}, "pipeline [gone] is missing"),
        ({"pipeline": "embed", "replacement": "ranks"}, "is for [rerank]"),
        ({"pipeline": "embed"}, "The pipeline is as it was"),
    ],
)
def test_a_pipeline_that_cannot_be_changed_stays(
    console: Client, sent: dict[str, str], words: str
) -> None:
    make_endpoint()
    make_endpoint("new")
    make_endpoint("ranks", model_id=".minilm-rerank-v1")
    IngestPipeline.objects.create(pipeline_id="embed", config=inferring("my-endpoint"))

    assert words in text(console.post(f"{DELETE}/pipeline", sent, follow=True))
    assert referenced_models(IngestPipeline.objects.get().config) == {"my-endpoint"}
