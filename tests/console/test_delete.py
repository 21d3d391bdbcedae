"""The pages that delete: what a delete would come to, what could take its place, and doing it."""

from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from endpoints import actions
from endpoints.models import (
    ApiKey,
    Artifact,
    CallerDay,
    DeletedEndpoint,
    Deployment,
    Endpoint,
    IngestPipeline,
    LatestUsage,
    ScanState,
    Team,
    TeamRole,
    User,
)
from endpoints.privileges import BUILTIN_ROLES
from endpoints.scanning import scan_cluster
from inference.errors import Conflict
from inference.references.pipelines import referenced_models
from inference.types import TaskType
from tests.console.conftest import HTMX, browser_of, member, of_team, text
from tests.elastic import Elastic, inferring, semantic
from tests.factories import (
    make_cluster,
    make_endpoint,
    make_index,
    make_remote_endpoint,
    make_user,
)

DELETE = "/console/endpoints/my-endpoint/delete"
LOOK = f"{DELETE}?look=1"
MANY = "/console/endpoints/_delete"
DELETED = "/console/endpoints/_deleted"


def called(
    endpoint: Endpoint, by: User, ago: timedelta, key_id: str = "", requests: int = 3
) -> None:
    at = timezone.now() - ago
    LatestUsage.objects.update_or_create(
        endpoint=endpoint, defaults={"day": at.date(), "requests": requests, "called_at": at}
    )
    CallerDay.objects.create(
        endpoint=endpoint,
        user=by,
        key_id=key_id,
        day=at.date(),
        requests=requests,
        called_at=at,
    )


def remote(inference_id: str, model_id: str = "m", fingerprint: str = "f") -> Endpoint:
    settings = {"api_key": "k", "model_id": model_id, "dimensions": 8}
    made = make_remote_endpoint("openai", TaskType.TEXT_EMBEDDING, settings, inference_id)
    Endpoint.objects.filter(pk=made.pk).update(fingerprint=fingerprint)
    made.refresh_from_db()
    return made


@pytest.fixture
def used(db: None, elastic: Elastic) -> None:
    """An endpoint that an index here, and one of a cluster, name."""
    make_endpoint()
    make_index("docs", "my-endpoint")
    elastic.indexes = {"docs": semantic("my-endpoint")}
    scan_cluster(make_cluster(url=elastic.url).pk)


# The dry run


def test_the_page_comes_at_once_and_asks_for_the_findings(
    console: Client, used: None, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(13):
        page = text(console.get(DELETE))

    assert "Looking for what uses it…" in page
    assert f'hx-get="{DELETE}?look=1" hx-trigger="load"' in page
    assert '<meta http-equiv="refresh" content="0; url=?look=1">' in page
    assert "docs" not in page
    assert 'type="submit" disabled' in page
    assert 'href="/console/endpoints/my-endpoint" autofocus>Cancel</a>' in page


def test_the_findings_come_as_a_fragment_and_as_a_page(console: Client, used: None) -> None:
    fragment, page = text(console.get(LOOK, headers=HTMX)), text(console.get(LOOK))

    assert "<html" not in fragment
    assert "<html" in page
    for told in (fragment, page):
        assert "It is used by 2 indices" in told
        assert 'href="/console/references/indices/docs">docs</a>' in told
        assert '<span class="font-monospace">prod:docs</span>' in told
        assert "registered here" in told
        assert "just now" in told
        assert 'name="inference_id"' in told
        assert "Asked because something names it." in told


def test_what_nothing_uses_is_told_to_be_free(console: Client) -> None:
    make_endpoint()

    page = text(console.get(LOOK))

    assert "verdict-free" in page
    assert "Nothing uses it" in page
    assert "It was never called." in page
    assert 'name="inference_id"' not in page
    assert "Point them to another endpoint" not in page


def test_the_question_says_what_stops_and_what_stays(console: Client, settings: Any) -> None:
    make_endpoint()

    page = text(console.get(LOOK))
    assert "Programs that call this id get an error from now on." in page
    assert "The model that runs for it stops" in page
    assert "stay, so creating it again is quick" in page
    assert "For 7 days it can be restored" in page

    settings.RESTORE_DAYS = 0
    assert "It cannot be restored." in text(console.get(LOOK))


def test_who_called_it_is_told_with_their_keys(console: Client, admin: User) -> None:
    endpoint, bob = make_endpoint(), make_user("bob")
    key, _ = ApiKey.issue(
        bob, "crawler", limited_by={}, role_descriptors={}, metadata={}, expires_at=None
    )
    called(endpoint, admin, timedelta(days=3), requests=2)
    called(endpoint, admin, timedelta(days=2), requests=1500)
    called(endpoint, bob, timedelta(hours=1), key.key_id, requests=7)
    called(endpoint, make_user("old"), timedelta(days=40))
    LatestUsage.objects.update(called_at=timezone.now() - timedelta(hours=1))

    page = text(console.get(LOOK))
    page = page[page.index("verdict-title") :]

    assert "It is still called" in page
    assert "2 callers in the last 7 days" in page
    assert page.index("<strong>bob</strong>") < page.index("<strong>elastic</strong>")
    assert "crawler" in page
    assert "1,502 calls" in page
    assert "<strong>old</strong>" not in page
    assert "it was called in the last 7 days." in page
    assert 'name="inference_id"' in page


def test_an_endpoint_that_went_quiet_is_told_so(console: Client, admin: User) -> None:
    called(make_endpoint(), admin, timedelta(days=12, hours=1))

    page = text(console.get(LOOK))

    assert "Quiet for 12 days" in page
    assert 'name="inference_id"' not in page
    assert "<strong>elastic</strong>" in page


def test_a_cluster_that_cannot_be_judged_is_shown_with_the_reason(console: Client) -> None:
    make_endpoint()
    make_cluster(scan_state=ScanState.FAILED, reason="it refuses the key")

    page = text(console.get(LOOK))

    assert "It may be in use" in page
    assert "Nobody knows now whether it uses this endpoint: it refuses the key." in page
    assert "Last scanned never" in page
    assert f'action="{DELETE}/scan/prod"' in page
    assert "nobody can say now whether a cluster uses it" in page


def test_a_scan_now_leads_back_to_what_is_found(console: Client, elastic: Elastic) -> None:
    make_endpoint()
    elastic.indexes = {"docs": semantic("my-endpoint")}
    make_cluster(url=elastic.url)

    answer = console.post(f"{DELETE}/scan/prod", follow=True)

    assert answer.redirect_chain == [(LOOK, 302)]
    assert "prod is scanned." in text(answer)
    assert "prod:docs" in text(answer)


def test_a_scan_that_fails_is_told(console: Client) -> None:
    make_endpoint()
    make_cluster(url="http://127.0.0.1:1")

    assert "The scan of prod failed" in text(console.post(f"{DELETE}/scan/prod", follow=True))


def test_a_long_list_is_paged_and_searched(console: Client) -> None:
    make_endpoint()
    for number in range(23):
        make_index(f"docs-{number:02}", "my-endpoint")

    first = text(console.get(LOOK))
    assert "docs-19<" in first
    assert "docs-20<" not in first
    assert "docs-20<" in text(console.get(f"{LOOK}&page=2"))
    found = text(console.get(f"{LOOK}&q=S-07"))
    assert "docs-07<" in found
    assert "docs-08<" not in found
    assert "It is used by 23 indices" in found
    assert "Nothing with “zzz” names it." in text(console.get(f"{LOOK}&q=zzz"))


def test_the_dry_run_asks_as_often_for_many_as_for_one(
    console: Client, admin: User, django_assert_max_num_queries: Any
) -> None:
    endpoint = make_endpoint()
    for number in range(30):
        make_index(f"docs-{number}", "my-endpoint")
        make_cluster(f"c{number}", scan_state=ScanState.SCANNED, scanned_at=timezone.now())
        called(endpoint, make_user(f"u{number}"), timedelta(days=1))

    with django_assert_max_num_queries(26):
        console.get(LOOK, headers=HTMX)


# The replacement


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


# Deleting one, and undoing it


def test_a_post_deletes_and_says_so_on_the_list(console: Client) -> None:
    make_endpoint()

    answer = console.post(DELETE)

    assert answer["Location"] == "/console/endpoints"
    assert not Endpoint.objects.exists()
    assert not Deployment.objects.exists()
    assert Artifact.objects.exists()
    assert "my-endpoint is deleted." in text(console.get("/console/endpoints"))
    assert "is deleted" not in text(console.get("/console/endpoints"))


def test_the_message_offers_the_way_back(console: Client) -> None:
    make_endpoint()
    page = text(console.post(DELETE, follow=True))
    undo = f'action="{DELETED}/{DeletedEndpoint.objects.get().pk}/restore"'
    assert undo in page

    answer = console.post(undo.split('"')[1])

    assert answer["Location"] == "/console/endpoints/my-endpoint"
    assert "my-endpoint is restored." in text(console.get("/console/endpoints/my-endpoint"))
    assert Deployment.objects.get().deployment_id == "my-endpoint"


def test_without_a_way_back_none_is_offered(console: Client, settings: Any) -> None:
    settings.RESTORE_DAYS = 0
    make_endpoint()

    page = text(console.post(DELETE, follow=True))

    assert "my-endpoint is deleted." in page
    assert "Undo" not in page


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({}, "Write the id, or leave the endpoint as it is."),
        ({"inference_id": ""}, "Write the id, or leave the endpoint as it is."),
        ({"inference_id": "My-Endpoint"}, "This is not its id. Nothing was deleted."),
    ],
)
def test_what_is_used_stays_without_its_id(
    console: Client, used: None, sent: dict[str, str], words: str
) -> None:
    answer = console.post(DELETE, sent)

    assert answer.status_code == 200
    assert words in text(answer)
    assert "It is used by" in text(answer)
    assert Endpoint.objects.exists()


def test_what_was_called_lately_stays_without_its_id(console: Client, admin: User) -> None:
    called(make_endpoint(), admin, timedelta(days=6))

    assert "Write the id" in text(console.post(DELETE))
    assert Endpoint.objects.exists()
    assert console.post(DELETE, {"inference_id": "my-endpoint"}).status_code == 302
    assert not Endpoint.objects.exists()


def test_who_writes_the_id_deletes_it_all_the_same(console: Client, used: None) -> None:
    answer = console.post(DELETE, {"inference_id": "my-endpoint"})

    assert answer["Location"] == "/console/endpoints"
    assert not Endpoint.objects.exists()


def test_who_may_not_delete_is_not_told_what_uses_it(client: Client, used: None) -> None:
    reader = make_user()
    reader.roles = ["inference_user"]
    reader.save()
    client.force_login(reader)

    page = text(client.get("/console/endpoints/my-endpoint"))

    assert "my-endpoint" in page
    assert "prod" not in page


# What was deleted


def test_an_empty_list_says_what_would_be_in_it(console: Client, settings: Any) -> None:
    assert "What is deleted stays here for 7 days" in text(console.get(DELETED))

    settings.RESTORE_DAYS = 0
    assert "<code>CONSOLE_RESTORE_DAYS</code> is 0" in text(console.get(DELETED))


def test_the_list_tells_who_when_what_used_it_and_how_long(console: Client, used: None) -> None:
    console.post(DELETE, {"inference_id": "my-endpoint"})
    at = timezone.now() - timedelta(days=4, hours=1)
    DeletedEndpoint.objects.update(deleted_at=at)

    page = text(console.get(DELETED))

    assert "1 deleted endpoint" in page
    assert "4 days ago" in page
    assert "by elastic." in page
    assert "3 days left." in page
    assert "Used by 2 indices then" in page
    assert "prod:docs" in page
    assert "Nothing found for" in text(console.get(f"{DELETED}?q=nope"))


def test_the_list_asks_as_often_for_many_as_for_one(
    console: Client, admin: User, django_assert_max_num_queries: Any
) -> None:
    make_endpoint()
    console.post(DELETE)
    one = DeletedEndpoint.objects.get()
    for number in range(60):
        one.pk, one.inference_id = None, f"e{number}"
        one.save(force_insert=True)

    with django_assert_max_num_queries(12):
        page = text(console.get(DELETED))
    assert "Page 1 of 2" in page
    assert page.count('aria-label="Restore ') == page.count(' for good"') == 50


def test_what_cannot_be_restored_is_told_and_stays(console: Client) -> None:
    make_endpoint()
    console.post(DELETE)
    make_endpoint()
    kept = DeletedEndpoint.objects.get()

    assert "Another endpoint has its id now" in text(console.get(DELETED))
    page = text(console.post(f"{DELETED}/{kept.pk}/restore", follow=True))

    assert "cannot be restored: another endpoint has its id by now" in page
    assert DeletedEndpoint.objects.exists()


def test_deleting_for_good_asks_first(console: Client) -> None:
    make_endpoint()
    console.post(DELETE)
    forget = f"{DELETED}/{DeletedEndpoint.objects.get().pk}/forget"

    assert "Nobody can restore it any more." in text(console.get(forget))
    assert DeletedEndpoint.objects.exists()
    assert "my-endpoint is deleted for good." in text(console.post(forget, follow=True))
    assert not DeletedEndpoint.objects.exists()
    assert console.post(forget).status_code == 404


def test_of_another_teams_deleted_endpoints_nothing_is_told(
    search: Team, other: Team, boss: Client
) -> None:
    of_team(search, "my-endpoint")
    boss.post(DELETE)
    restore = f"{DELETED}/{DeletedEndpoint.objects.get().pk}/restore"
    stranger = member(other, TeamRole.TEAM_ADMIN)

    assert "Nothing to restore" in text(stranger.get(DELETED))
    assert stranger.post(restore).status_code == 404
    assert boss.post(restore).status_code == 302


# Several at once


def ids(*names: str) -> str:
    return f"{MANY}?" + "&".join(f"id={name}" for name in names)


def test_one_page_tells_what_each_delete_would_come_to(
    console: Client, used: None, admin: User
) -> None:
    make_endpoint("free")
    called(make_endpoint("busy"), admin, timedelta(hours=2))
    make_endpoint(".rerank-v1-elasticsearch", model_id=".minilm-rerank-v1")

    page = text(console.get(ids("free", "my-endpoint", "busy", ".rerank-v1-elasticsearch", "no")))

    assert "Delete 5 endpoints?" in page
    assert "2 of 5 may be in use" in page
    assert 'value="free" checked' in page
    assert 'value="my-endpoint" aria' in page
    assert 'value="busy" aria' in page
    assert "Used by 2 indices." in page
    assert "2 hours ago" in page
    assert "It is always there and cannot be deleted" in page
    assert "There is no such endpoint." in page
    assert 'name="count"' in page


def test_what_nothing_uses_is_deleted_without_a_word(console: Client) -> None:
    make_endpoint("a")
    make_endpoint("b")
    make_endpoint("c")
    assert 'name="count"' not in text(console.get(ids("a", "b", "c")))

    page = text(console.post(MANY, {"id": ["a", "b", "c"], "agreed": ["a", "c"]}))

    assert "2 endpoints deleted" in page
    assert page.count("Undo the delete of") == 2
    assert [one.inference_id for one in Endpoint.objects.all()] == ["b"]


@pytest.mark.parametrize(
    ("count", "words"),
    [
        ("", "Write how many endpoints you delete. Nothing was deleted."),
        ("two", "Write a whole number. Nothing was deleted."),
        ("3", "You chose 2, not 3. Nothing was deleted."),
    ],
)
def test_what_is_used_needs_how_many_to_be_written(
    console: Client, used: None, count: str, words: str
) -> None:
    make_endpoint("free")
    names = ["my-endpoint", "free"]
    sent = {"id": names, "agreed": names, "risky": ["my-endpoint"]}

    page = text(console.post(MANY, sent | {"count": count}))

    assert words in page
    assert page.count(" checked") == 2
    assert Endpoint.objects.count() == 2
    assert "2 endpoints deleted" in text(console.post(MANY, sent | {"count": "2"}))
    assert not Endpoint.objects.exists()


def test_what_came_into_use_meanwhile_is_asked_for_again(console: Client, used: None) -> None:
    page = text(console.post(MANY, {"id": "my-endpoint", "agreed": "my-endpoint", "count": "1"}))

    assert "Something uses my-endpoint by now. Nothing was deleted: look again." in page
    assert Endpoint.objects.exists()


def test_nothing_chosen_deletes_nothing(console: Client) -> None:
    make_endpoint("a")

    assert "Choose at least one endpoint." in text(console.post(MANY, {"id": "a"}))
    assert "Choose at least one endpoint." in text(console.post(MANY, {"id": "a", "agreed": "b"}))
    assert "Tick the endpoints to delete" in text(console.get(MANY))
    assert Endpoint.objects.exists()


def test_what_fails_is_told_and_the_rest_deleted(
    console: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_endpoint("a")
    make_endpoint("b")
    delete = actions.delete_endpoint

    def refusing(actor: User, endpoint: Endpoint, **more: Any) -> None:
        if endpoint.inference_id == "a":
            raise Conflict("somebody holds it")
        delete(actor, endpoint, **more)

    monkeypatch.setattr(actions, "delete_endpoint", refusing)
    page = text(console.post(MANY, {"id": ["a", "b"], "agreed": ["a", "b"]}))

    assert "1 deleted, 1 not" in page
    assert "somebody holds it" in page
    assert [one.inference_id for one in Endpoint.objects.all()] == ["a"]


def test_of_others_endpoints_the_page_says_whose_they_are_or_nothing(
    search: Team, other: Team, boss: Client
) -> None:
    of_team(search, "mine")
    of_team(other, "hidden")
    shared = of_team(other, "shared")
    shared.shares.create(team=search, level="manage")

    page = text(boss.get(ids("mine", "hidden", "shared")))
    assert "It belongs to team other, and only who manages that may delete it." in page
    assert "There is no such endpoint." in page
    names = ["mine", "hidden", "shared"]
    assert "1 endpoint deleted" in text(boss.post(MANY, {"id": names, "agreed": names}))
    assert {one.inference_id for one in Endpoint.objects.all()} == {"hidden", "shared"}


def test_many_cost_as_many_queries_as_one(
    console: Client, admin: User, django_assert_max_num_queries: Any
) -> None:
    names = [f"e{number}" for number in range(205)]
    Endpoint.objects.bulk_create(
        Endpoint(inference_id=name, task_type="completion", service="openai") for name in names
    )
    make_index("docs", "e1")

    with django_assert_max_num_queries(21):
        page = text(console.get(ids(*names)))
    assert "Delete 200 endpoints?" in page
    assert "200 at once at most: 5 more stay as they are." in page


def test_roles_that_may_only_delete_are_offered_no_undo(db: None) -> None:
    make_endpoint()
    cleaner = make_user("cleaner")
    cleaner.roles = ["cleaner"]
    cleaner.save()
    role = {
        "cluster": ["monitor_inference", "cluster:admin/xpack/inference/delete"],
        "indices": [],
    }

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(BUILTIN_ROLES, "cleaner", role)
        page = text(browser_of(cleaner).post(DELETE, follow=True))

    assert "my-endpoint is deleted." in page
    assert "Undo" not in page
