"""The pages of the lab, without a browser."""

import html
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from console.forms.lab import CutForm
from console.pages.lab_shown import SideShown
from console.pages.lab_sizes import sizes_of, sums_of
from endpoints import tasks
from endpoints.lab import cuts, embedding
from endpoints.models import TRIED, Endpoint, LabRun, TeamRole, User
from endpoints.models.team import Team
from inference.chunking import separator
from inference.chunking.cut import Cut, cuts_of_text
from inference.documents import MAX_BYTES
from inference.runner.protocol import HostReply, HostRequest
from inference.types import TaskType
from tests.console.conftest import HTMX, FakeHosts, called_with, member, text
from tests.factories import make_endpoint, make_index, make_remote_endpoint
from tests.inference.documents.making import pdf

LAB, SAVE = "/console/lab", "/console/lab/_save"
CUT = {
    "a-strategy": "word",
    "a-max_chunk_size": "10",
    "a-overlap": "5",
    "b-strategy": "none",
}
LONG = {"a-strategy": "sentence", "a-max_chunk_size": "20", "a-sentence_overlap": "0"}
TEXT = " ".join(f"word{number}" for number in range(40)) + " honey."


def told(page: str) -> str:
    return html.unescape(re.sub(r"<[^>]*>", " ", page))


def honey(request: HostRequest) -> HostReply:
    """Honey points one way, every other text another way; rerank takes them from behind."""
    if request.query is not None:
        return HostReply(scores=[float(place) for place, _ in enumerate(request.texts)])
    rows = [[1, 0] if "honey" in one else [0.1, 1] for one in request.texts]
    return HostReply(vectors=np.array(rows, np.float32))


@pytest.fixture
def at_once(
    monkeypatch: pytest.MonkeyPatch,
    hosts: FakeHosts,
    django_capture_on_commit_callbacks: Callable[..., object],
) -> None:
    """Somebody embeds as soon as it is asked for."""
    hosts.says = honey
    monkeypatch.setattr(tasks.embed_lab_run, "delay_on_commit", embedding.embed_run)


def brought(console: Client, **fields: object) -> LabRun:
    answer = console.post(f"{LAB}/_document", CUT | fields)
    assert answer.status_code == 302, told(text(answer))
    return LabRun.objects.latest("pk")


def test_a_newcomer_sees_the_sample_cut_in_two_ways(console: Client) -> None:
    page = text(console.get(LAB))

    assert "Keeping bees on a city roof" in page
    assert "Sentences, up to 250 words" in page
    assert "Separators, up to 80 words" in page
    assert 'id="a-1"' in page
    assert 'id="b-1"' in page
    assert not LabRun.objects.exists()


def test_both_sides_picture_their_chunks_on_one_scale() -> None:
    short = SideShown("a", CutForm({}), counted=np.array([50, 100], np.int32))
    long = SideShown("b", CutForm({}), counted=np.array([200], np.int32))
    none = SideShown("c", CutForm({}))

    found = sizes_of([short, long, none], window=150)

    assert set(found) == {"a", "b"}
    assert found["a"].longest == 100
    assert found["a"].bars.parts == "M45 100h410v-25h-410zM545 100h410v-50h-410z"
    assert not found["a"].bars.rests
    assert found["b"].bars.parts == "M90 100h820v-75h-820z"
    assert found["b"].bars.rests == "M90 25h820v-25h-820z"


def test_a_bar_of_many_chunks_is_as_high_as_the_longest() -> None:
    counted = np.arange(1, 1001, dtype=np.int32)

    sums = sums_of(counted, None)

    assert [one.whole for one in sums] == list(range(10, 1001, 10))


def test_the_address_tells_how_each_side_is_cut(console: Client) -> None:
    page = text(console.get(LAB, CUT | {"a-max_chunk_size": "60", "a-overlap": "12"}))

    assert "Up to 60 words" in page
    assert "Not cut" in page
    assert re.search(r'<mark class="repeated"[^>]*> the neighbours', page) or "repeated" in page
    assert 'value="12"' in page


def test_a_change_brings_the_chunks_alone_and_its_address(console: Client) -> None:
    answer = console.get(LAB, CUT, headers=HTMX)

    page = text(answer)
    assert "<html" not in page
    assert "Not cut" in page
    address = "endpoint=&" if "endpoint=&" in answer["HX-Replace-Url"] else ""
    assert answer["HX-Replace-Url"] == (
        f"{LAB}?{address}a-strategy=word&a-max_chunk_size=10&a-overlap=5&b-strategy=none"
    )


@pytest.mark.parametrize(
    ("wrong", "field", "reason"),
    [
        ({"a-max_chunk_size": "5"}, "a-max_chunk_size", "greater than or equal to [10.0]"),
        ({"a-max_chunk_size": ""}, "a-max_chunk_size", "required setting [max_chunk_size]"),
        ({"a-overlap": "6"}, "a-overlap", "less than or equal to [5.0]"),
        ({"a-strategy": "dice"}, "a-strategy", "Select a valid choice"),
        (
            {"a-strategy": "recursive", "a-separator_group": "own", "a-separators": "(",
             "a-max_chunk_size": "10"},
            "a-separators",
            "(",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_at_its_field(
    console: Client, wrong: dict[str, str], field: str, reason: str
) -> None:
    whole = console.get(LAB, CUT | wrong).content.decode()
    fragment = console.get(LAB, CUT | wrong, headers=HTMX).content.decode()

    at_field = re.search(rf'id="id_{field}_error">(.*?)</p>', whole, re.DOTALL)
    assert at_field
    assert reason in html.unescape(at_field[1])
    partial = re.search(rf'hx-target="#id_{field}_error"[^>]*>(.*?)</hx-partial>', fragment, re.S)
    assert partial
    assert reason in html.unescape(partial[1])
    assert "cannot be used yet" in whole
    assert "Embed both sides" not in whole


def test_a_pasted_text_becomes_a_page_of_ones_own(console: Client, admin: User) -> None:
    run = brought(console, text=TEXT)

    assert (run.owner, run.name, run.text) == (admin, "Pasted text", TEXT)
    page = text(console.get(f"{LAB}/{run.key}", CUT))
    assert "word39 honey." in page
    assert f'href="{LAB}/{run.key}"' in text(console.get(LAB))


def test_an_upload_tells_what_of_it_is_lost(console: Client) -> None:
    file = SimpleUploadedFile("bees.pdf", pdf("They drink a lot.", ""))

    run = brought(console, file=file)

    page = told(text(console.get(f"{LAB}/{run.key}")))
    assert "bees.pdf" in page
    assert "1 page of 2 without text" in page
    assert "They drink a lot." in page


def test_what_cannot_be_taken_is_refused_at_its_field(console: Client) -> None:
    def refused(**fields: object) -> str:
        answer = console.post(f"{LAB}/_document", CUT | fields)
        assert answer.status_code == 200
        return told(text(answer))

    assert "Paste a text first, or choose a document." in refused(text=" ")
    assert "locked with a password" in refused(
        file=SimpleUploadedFile("a.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
    )
    assert "not both" in refused(text="a", file=SimpleUploadedFile("a.txt", b"a"))
    too_large = SimpleUploadedFile("a.txt", b"a" * (MAX_BYTES + 1))
    assert "larger than 10 MB" in (page := refused(file=too_large))
    assert "Paste a text first" not in page
    assert not LabRun.objects.exists()


def test_a_document_is_taken_from_the_page_alone(admin: User) -> None:
    strange = Client(enforce_csrf_checks=True)
    strange.force_login(admin)

    assert strange.post(f"{LAB}/_document", {"text": TEXT}).status_code == 403
    assert not LabRun.objects.exists()


def test_a_long_document_is_shown_a_part_at_a_time(console: Client) -> None:
    run = brought(console, text="A sentence of a few words stands here again. " * 20_000)

    answer = console.get(f"{LAB}/{run.key}/counted", CUT | LONG | {"part": "3"}, follow=True)

    assert len(answer.content) < 200_000
    page = told(text(answer))
    assert "Part 3 of 150" in page
    assert "No chunk begins here: chunk 1 goes on." in page
    first = told(text(console.get(f"{LAB}/{run.key}", CUT | {"part": "0"})))
    assert "Part 1 of 150" in first
    assert "characters …" in first


def test_the_first_chunks_of_a_long_document_come_before_all_are_counted(console: Client) -> None:
    run = brought(console, text="A sentence of a few words stands here again. " * 20_000)

    first = text(console.get(f"{LAB}/{run.key}", LONG))
    counted = text(console.get(f"{LAB}/{run.key}/counted", LONG | {"part": "1"}, headers=HTMX))

    assert "counting…" in first
    assert f"{LAB}/{run.key}/counted" in first
    assert "once all their chunks are known" in first
    assert "once all their chunks are known" not in counted
    chunks = re.findall(r"(?s)<article.*?</article>", first)
    assert len(chunks) > 50
    assert chunks == re.findall(r"(?s)<article.*?</article>", counted)
    assert "counting…" not in counted
    assert "10,000" in told(counted)  # two sentences in each


def test_a_part_further_on_waits_until_the_document_is_cut(console: Client) -> None:
    run = brought(console, text="A sentence of a few words stands here again. " * 20_000)

    page = text(console.get(f"{LAB}/{run.key}", LONG | {"part": "140"}))

    assert "<article" not in page
    assert "The document is being cut up to here." in page


def test_another_setting_gives_up_what_is_being_counted(
    console: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = brought(console, text="A sentence of a few words stands here again. " * 20_000)
    mine = LONG | {"tab": "mine"}

    def changed_meanwhile(*asked: Any) -> Iterator[Cut]:
        console.get(f"{LAB}/{run.key}", CUT | {"tab": "mine"})
        return cuts_of_text(*asked)

    monkeypatch.setattr(cuts, "cuts_of_text", changed_meanwhile)
    answer = console.get(f"{LAB}/{run.key}/counted", mine, headers=HTMX)

    assert answer.status_code == 204
    assert "counting…" in text(console.get(f"{LAB}/{run.key}", LONG))


def test_a_separator_that_takes_too_long_ends_the_counting(
    console: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = brought(console, text="Words stand here again. " * 10_000 + "x" * 60)
    endless = LONG | {
        "a-strategy": "recursive",
        "a-separator_group": "own",
        "a-separators": "(?:x|xx)+[bc]",
    }
    monkeypatch.setattr(separator, "LEAST_LIMIT_S", 0.1)

    first = text(console.get(f"{LAB}/{run.key}", endless))
    counted = text(console.get(f"{LAB}/{run.key}/counted", endless, headers=HTMX))

    assert "counting…" in first
    assert "counting…" not in counted
    assert f"{LAB}/{run.key}/counted" not in counted
    at_field = re.search(r'hx-target="#id_a-separators_error"[^>]*>(.*?)<', counted)
    assert at_field
    assert "exceeded the time limit" in at_field[1]


@pytest.mark.usefixtures("at_once")
def test_both_sides_are_embedded_searched_and_reranked(console: Client, hosts: FakeHosts) -> None:
    make_endpoint()
    make_endpoint("judge", ".minilm-rerank-v1")
    run = brought(console, text=TEXT)
    here = f"{LAB}/{run.key}"

    answer = console.post(f"{here}/embed", CUT | {"endpoint": "my-endpoint"})

    assert answer.status_code == 302
    assert answer["Location"].endswith("b-strategy=none&endpoint=my-endpoint#search")
    page = told(text(console.get(answer["Location"])))
    assert "Search both" in page
    assert "Embed both sides" not in page
    found = text(console.post(f"{here}/search", CUT | {"query": "honey"}, headers=HTMX))
    assert "<html" not in found
    assert "cosine <strong>1.000</strong>" in found
    assert "<mark>honey</mark>" in found
    best = re.search(r'part=1#a-(\d+)"', found)
    assert best
    chunk = re.search(rf'id="a-{best[1]}".*?</article>', console.get(here).content.decode(), re.S)
    assert chunk
    assert "honey" in chunk[0]
    whole = console.post(f"{here}/search", CUT | {"query": "honey", "reranker": "judge"})
    page = told(text(whole))
    assert "Reranked with judge" in page
    assert "Cut at" in page
    others = text(console.get(here, CUT | {"a-overlap": "1", "endpoint": "my-endpoint"}))
    assert "others than those that were embedded" in others
    assert len(hosts.asked) == 6
    assert called_with() == {TRIED}


@pytest.mark.usefixtures("at_once")
def test_the_sample_is_embedded_as_ones_own_copy(console: Client) -> None:
    make_endpoint()

    answer = console.post(f"{LAB}/sample/embed", CUT | {"endpoint": "my-endpoint"})

    run = LabRun.objects.get()
    assert run.is_done
    assert answer["Location"].startswith(f"{LAB}/{run.key}?")


@pytest.mark.usefixtures("at_once")
def test_what_is_set_as_it_was_embedded_is_not_offered_again(console: Client) -> None:
    make_endpoint()
    run = brought(console, text=TEXT)
    cut = CUT | {"b-strategy": "recursive", "b-max_chunk_size": "80", "endpoint": "my-endpoint"}

    answer = console.post(f"{LAB}/{run.key}/embed", cut)

    assert "Embed both sides" not in text(console.get(answer["Location"]))
    other = text(console.get(f"{LAB}/{run.key}", cut | {"b-max_chunk_size": "81"}))
    assert "The settings above are others than those that were embedded." in other


def test_an_endpoint_that_runs_here_is_chosen_before_one_that_bills(console: Client) -> None:
    make_endpoint("runs-here")
    settings = {"api_key": "sk-key", "model_id": "text-embedding-3-small"}
    make_remote_endpoint("openai", TaskType.TEXT_EMBEDDING, settings, "a-provider")

    page = text(console.get(LAB))

    assert '21 chunks with <strong class="font-monospace">runs-here</strong>' in page


def test_nothing_is_embedded_without_an_endpoint_that_can(console: Client) -> None:
    make_endpoint("judge", ".minilm-rerank-v1")

    for wrong, reason in (
        ("", "Choose an endpoint"),
        ("gone", "not found [gone]"),
        ("judge", "makes no vectors"),
    ):
        answer = console.post(f"{LAB}/sample/embed", CUT | {"endpoint": wrong})
        assert answer.status_code == 200
        assert reason.lower() in told(text(answer)).lower()
    assert not LabRun.objects.filter(state="running").exists()


def test_progress_is_told_can_be_stopped_and_gone_on_with(
    console: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks.embed_lab_run, "delay_on_commit", lambda *args: None)
    make_endpoint()
    run = brought(console, text=TEXT)
    here = f"{LAB}/{run.key}"
    console.post(f"{here}/embed", CUT | {"endpoint": "my-endpoint"})
    LabRun.objects.update(wanted={"a": 9, "b": 1}, embedded={"a": 5, "b": 0})

    page = text(console.get(f"{here}/progress", CUT, headers=HTMX))
    assert "50 %" in page
    assert 'id="poll"' in page
    assert "worker</strong> gives no sign of life" in page
    assert console.get(f"{here}/progress", CUT).status_code == 302

    console.post(f"{here}/stop", CUT)
    page = text(console.get(here, CUT))
    assert "Stopped at 50 %" in page
    assert 'id="poll"' not in page
    console.post(f"{here}/go-on", CUT)
    assert LabRun.objects.get().is_running


def test_a_query_that_cannot_be_asked_says_why(console: Client) -> None:
    run = brought(console, text=TEXT)
    search = f"{LAB}/{run.key}/search"

    assert "Write what is to be found." in text(console.post(search, {"query": ""}, headers=HTMX))
    early = text(console.post(search, {"query": "honey"}, headers=HTMX))
    assert "Both sides must be embedded first" in early


def test_what_was_brought_can_be_taken_out(console: Client) -> None:
    run = brought(console, text=TEXT)

    answer = console.post(f"{LAB}/{run.key}/delete")

    assert answer["Location"] == LAB
    assert console.get(f"{LAB}/{run.key}").status_code == 404


def test_the_page_asks_the_database_as_often_for_many_endpoints(
    console: Client, django_assert_max_num_queries: Callable[..., object]
) -> None:
    for number in range(30):
        make_endpoint(f"e{number}")

    with django_assert_max_num_queries(20):  # type: ignore[attr-defined]  # a context manager
        console.get(LAB)


WINNERS = {"strategy": "word", "max_chunk_size": "80", "overlap": "20"}


def test_saving_shows_what_changes_and_what_it_touches_first(console: Client) -> None:
    make_endpoint()
    make_index("books", "my-endpoint")

    page = text(console.get(SAVE, WINNERS | {"endpoint": "my-endpoint"}))

    assert "<del>sentence</del>" in page
    assert "<ins>word</ins>" in page
    assert "books" in page
    assert "keep their chunks until they are indexed again" in page
    assert kept()["strategy"] == "sentence"


def test_settings_that_an_endpoint_has_are_not_offered_to_be_saved(console: Client) -> None:
    make_endpoint()
    usual = {"strategy": "sentence", "max_chunk_size": "250", "sentence_overlap": "1"}

    page = text(console.get(SAVE, usual | {"endpoint": "my-endpoint"}))

    assert "my-endpoint has these settings already" in page
    assert "Save to my-endpoint" not in page


def kept() -> dict[str, Any]:
    """The chunking settings of the only endpoint."""
    settings: dict[str, Any] = Endpoint.objects.get().chunking_settings or {}
    return settings


def seen(console: Client) -> str:
    page = text(console.get(SAVE, WINNERS | {"endpoint": "my-endpoint"}))
    found = re.search(r'name="seen" value="([^"]+)"', page)
    assert found
    return found[1]


def test_the_winner_is_saved_by_the_same_action_as_the_apis(console: Client) -> None:
    make_endpoint()
    wish = WINNERS | {"endpoint": "my-endpoint", "seen": seen(console)}

    answer = console.post(SAVE, wish)

    assert answer["Location"] == "/console/endpoints/my-endpoint"
    settings = kept()
    assert settings == {"strategy": "word", "max_chunk_size": 80, "overlap": 20}
    again = console.post(SAVE, wish | {"overlap": "10"})
    assert "was changed meanwhile" in text(again)
    assert kept() == settings


def test_what_an_endpoint_cannot_have_is_not_saved(console: Client) -> None:
    make_endpoint()
    wish = {"endpoint": "my-endpoint", "seen": seen(console)}

    large = text(console.post(SAVE, WINNERS | wish | {"max_chunk_size": "301"}))
    small = text(console.post(SAVE, WINNERS | wish | {"max_chunk_size": "1"}))

    assert "less than or equal to [300.0]" in large
    assert "greater than or equal to [10.0]" in small
    assert kept()["max_chunk_size"] == 250


def test_only_what_somebody_may_change_is_offered(
    search: Team, other: Team, endpoint: Endpoint
) -> None:
    stranger = member(other, TeamRole.INFERENCE_ADMIN)

    page = text(stranger.get(SAVE, WINNERS | {"endpoint": "my-endpoint"}))

    assert "no endpoint for embeddings that you may change" in page
    assert "Save to my-endpoint" not in page
