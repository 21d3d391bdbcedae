"""Several texts at once, settings of one call, and two endpoints side by side."""

import html
import json
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from console.pages.usage import NONE
from endpoints.models import Endpoint, Team, TeamRole
from inference.errors import QueueFull
from inference.runner.protocol import HostReply, HostRequest
from inference.sandbox.app import Sandbox
from inference.types import TaskType
from tests.console.conftest import HTMX, FakeHosts, browser_of, member, of_team, text, vectors
from tests.factories import make_endpoint, make_remote_endpoint, make_user

PAGE = "/console/endpoints/my-endpoint"
TRY = f"{PAGE}/try"
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 100


def request_in(page: str) -> dict[str, object]:
    """What the page says that the API would be sent."""
    found = re.search(r'<code id="request-json">(.*?)</code>', page, re.DOTALL)
    assert found
    body: dict[str, object] = json.loads(html.unescape(found.group(1)))
    return body


def test_three_texts_have_a_matrix_and_their_nearest_pair_first(
    console: Client, hosts: FakeHosts
) -> None:
    make_endpoint()
    hosts.says = vectors([1.0, 0.0], [0.8, 0.6], [0.0, 1.0])

    page = text(console.post(TRY, {"input": ["one", "two", "three"]}, headers=HTMX))

    cells = re.findall(r'<td class="shade shade-(\d)">(\S+)</td>', page)
    assert [value for _, value in cells] == [
        "1.00", "0.80", "0.00", "0.80", "1.00", "0.60", "0.00", "0.60", "1.00",
    ]  # fmt: skip
    assert dict(cells)["8"] == "1.00"
    assert re.findall(r'pair-number">(\S+)<', page) == ["0.800", "0.600", "0.000"]
    assert "1 · one" in page
    assert "length 1.000" in page


def test_more_texts_than_there_may_be_are_refused_at_their_field(
    console: Client, hosts: FakeHosts
) -> None:
    make_endpoint()

    page = text(console.post(TRY, {"input": ["text"] * 21}, headers=HTMX))

    assert "There can be 20 texts at most, not 21." in page
    assert not hosts.asked


def test_what_the_texts_are_for_can_be_said_where_the_model_makes_a_difference(
    console: Client, hosts: FakeHosts
) -> None:
    make_endpoint(model_id=".multilingual-e5-small")
    hosts.says = vectors([1.0])
    form = text(console.get(PAGE))

    page = console.post(TRY, {"input": "a", "input_type": "search"}, headers=HTMX)

    assert re.findall(r'<option value="(\w+)">', form) == ["search", "ingest"]
    assert hosts.asked[0].input_type == "search"
    assert request_in(page.content.decode()) == {"input": ["a"], "input_type": "search"}
    make_endpoint("plain")
    assert 'name="input_type"' not in text(console.get("/console/endpoints/plain"))


def test_only_so_many_documents_come_back_and_the_others_are_named(
    console: Client, hosts: FakeHosts
) -> None:
    make_endpoint(model_id=".minilm-rerank-v1")
    hosts.says = lambda request: HostReply(scores=[0.1, 0.2, 0.8])
    wish = {"query": "q", "documents": "one\ntwo\nthree", "top_n": "1", "return_documents": "false"}

    page = console.post(TRY, wish, headers=HTMX)

    shown = text(page)
    assert re.findall(r'rank-text">(\w+)<', shown) == ["three"]
    assert "without their texts" in shown
    assert "2 did not come back: line 1, line 2." in shown
    assert request_in(page.content.decode()) == {
        "query": "q",
        "input": ["one", "two", "three"],
        "top_n": 1,
        "return_documents": False,
    }


def test_a_wrong_setting_is_told_at_its_field_and_nothing_is_called(
    console: Client, hosts: FakeHosts
) -> None:
    make_endpoint(model_id=".minilm-rerank-v1")

    wish = {"query": "q", "documents": "one", "top_n": "0"}
    page = text(console.post(TRY, wish, headers=HTMX))

    assert 'id="id_top_n_error">Ensure this value is greater than or equal to 1.' in page
    assert '<details class="more" open>' in page
    assert not hosts.asked


def test_a_link_to_a_trial_carries_nothing_that_may_be_a_secret(console: Client) -> None:
    settings = {"model_id": "m", "api_key": "sk-1"}
    make_remote_endpoint("cohere", TaskType.TEXT_EMBEDDING, settings, "a")
    make_remote_endpoint("openai", TaskType.COMPLETION, settings, "b")
    make_remote_endpoint("openai", TaskType.CHAT_COMPLETION, settings, "c")

    pages = [text(console.get(f"/console/endpoints/{name}")) for name in "abc"]

    linked = [set(re.findall(r'data-linked="([^"]*)"', page)[0].split()) for page in pages]
    assert linked[0] == {"input", "input_type", "beside", "task_settings.truncate"}
    assert linked[1] == {"prompt", "beside"}  # its settings are a name and headers
    assert linked[2] >= {"prompt", "system", "tools", "temperature"}
    assert not linked[2] & {"history", "history_beside", "result", "result_beside"}


def test_two_texts_share_words_and_their_score(console: Client, hosts: FakeHosts) -> None:
    make_endpoint(model_id=".minilm-sparse-v1")
    one, other = {"bike": 2.0, "tyre": 1.0, "sea": 3.0}, {"bike": 0.5, "tyre": 3.0}
    hosts.says = lambda request: HostReply(weights=[one, other])

    page = text(console.post(TRY, {"input": ["a bike", "the tyre"]}, headers=HTMX))

    shared = page[page.index("What they share") : page.index("</table>")]
    assert '<span class="closeness-number">4.00</span>' in page
    assert "<strong>2 shared words</strong>" in page
    assert re.findall(r"font-monospace\">(\w+)</th>", shared) == ["tyre", "bike"]
    assert "<td>3.000</td>" in shared


def test_a_failure_shows_what_the_api_would_answer(console: Client, hosts: FakeHosts) -> None:
    make_endpoint()
    hosts.raises = QueueFull("the queue is full")

    page = text(console.post(TRY, {"input": "one"}, headers=HTMX))

    assert '<span class="raw-status is-refused">429</span>' in page
    assert html.escape('"reason": "the queue is full"') in page
    assert "POST /_inference/text_embedding/my-endpoint" in page


# ------------------------------------------------------------------ side by side


def test_two_endpoints_are_asked_the_same_and_their_differences_told(
    console: Client, hosts: FakeHosts
) -> None:
    make_endpoint()
    make_endpoint("other")
    replies = {
        "my-endpoint": vectors([1.0, 0.0], [0.8, 0.6]),
        "other": vectors([1.0, 0.0, 0.0], [0.0, 1.0, 0.0]),
    }
    called = []

    def call(deployment_id: str, request: HostRequest) -> HostReply:
        called.append((deployment_id, request.texts))
        return replies[deployment_id](request)

    hosts.call = call  # type: ignore[method-assign]

    page = text(console.post(TRY, {"input": ["a", "b"], "beside": "other"}, headers=HTMX))

    assert sorted(called) == [("my-endpoint", ("a", "b")), ("other", ("a", "b"))]
    assert "<strong>2</strong> dimensions" in page
    assert "<strong>3</strong> dimensions" in page
    assert '<td>0.800</td> <td>0.000</td> <td class="is-apart">-0.800</td>' in page


def test_two_models_weigh_the_same_words_otherwise(console: Client, hosts: FakeHosts) -> None:
    make_endpoint(model_id=".minilm-sparse-v1")
    make_endpoint("other", model_id=".minilm-sparse-v1")
    weights = {
        "my-endpoint": {"bike": 2.0, "tyre": 1.0, "shop": 0.5},
        "other": {"bike": 1.0, "tyre": 0.25, "wheel": 1.0},
    }

    def call(deployment_id: str, request: HostRequest) -> HostReply:
        return HostReply(weights=[weights[deployment_id]])

    hosts.call = call  # type: ignore[method-assign]

    page = text(console.post(TRY, {"input": "a flat tyre", "beside": "other"}, headers=HTMX))
    compared = page[page.index('class="compared"') : page.index("</section>")]

    rows = re.findall(r'font-monospace">(\w+)</th> <td>(\S+)</td> <td>(\S+)</td>', compared)
    # Each is measured by the heaviest of its endpoint, so both weigh the bike alike.
    assert rows == [("wheel", NONE, "1.00"), ("tyre", "1.00", "0.25"), ("shop", "0.50", NONE)]
    assert "<strong>2</strong> shared words" in compared
    assert compared.count("<strong>1</strong> only at") == 2

    weights["other"] = weights["my-endpoint"]
    page = text(console.post(TRY, {"input": "a flat tyre", "beside": "other"}, headers=HTMX))
    assert "Both weigh the same 3 words alike." in page


def test_two_orders_are_put_beside_each_other(console: Client, hosts: FakeHosts) -> None:
    make_endpoint(model_id=".minilm-rerank-v1")
    make_endpoint("other", model_id=".minilm-rerank-v1")
    scores = {"my-endpoint": [0.1, 0.9, 0.2], "other": [0.9, 0.8, 0.1]}
    hosts.call = (  # type: ignore[method-assign]
        lambda deployment_id, request: HostReply(scores=scores[deployment_id])
    )
    wish = {"query": "q", "documents": "one\ntwo\nthree", "beside": "other"}

    page = text(console.post(TRY, wish, headers=HTMX))

    assert "They put different documents first; 3 of 3 stand at different places." in page
    places = re.findall(r'compared-text">(\w+)</th> <td>(\d)</td> <td[^>]*>(\d)</td>', page)
    assert places == [("two", "1", "2"), ("three", "2", "3"), ("one", "3", "1")]


def test_the_failure_of_one_leaves_the_answer_of_the_other(
    console: Client, hosts: FakeHosts
) -> None:
    make_endpoint()
    make_endpoint("other")

    def call(deployment_id: str, request: HostRequest) -> HostReply:
        if deployment_id == "other":
            raise QueueFull("the queue is full")
        return vectors([1.0, 0.0])(request)

    hosts.call = call  # type: ignore[method-assign]

    page = text(console.post(TRY, {"input": "a", "beside": "other"}, headers=HTMX))

    assert "<strong>2</strong> dimensions" in page
    assert "<span>the queue is full</span>" in page
    assert "Where they differ" not in page


@pytest.mark.parametrize(
    ("beside", "problem"),
    [
        ("nobody", "Inference endpoint not found [nobody]."),
        ("my-endpoint", "That is this endpoint. Choose another one."),
        ("rerank", "the requested type [text_embedding] does not match"),
    ],
)
def test_what_cannot_stand_beside_is_told_at_its_field(
    console: Client, hosts: FakeHosts, beside: str, problem: str
) -> None:
    make_endpoint()
    make_endpoint("rerank", model_id=".minilm-rerank-v1")

    page = text(console.post(TRY, {"input": "a", "beside": beside}, headers=HTMX))

    assert problem in page[page.index('id="id_beside_error"') :]
    assert not hosts.asked


def test_what_somebody_may_not_see_is_neither_offered_nor_asked(
    search: Team, other: Team, hosts: FakeHosts
) -> None:
    of_team(search, "my-endpoint")
    of_team(search, "ours")
    of_team(other, "theirs")
    browser = member(search, TeamRole.INFERENCE_USER)

    offered = text(browser.get(f"{PAGE}/besides"))
    page = text(browser.post(TRY, {"input": "a", "beside": "theirs"}, headers=HTMX))

    assert re.findall(r'value="([\w-]+)"', offered) == ["ours"]
    assert "Inference endpoint not found [theirs]." in page
    assert not hosts.asked


def test_others_of_the_same_task_are_found_by_a_part_of_their_names(console: Client) -> None:
    for name in ("my-endpoint", "for-shoes", "for-books"):
        make_endpoint(name)
    make_endpoint("shoes-in-order", model_id=".minilm-rerank-v1")

    everything = text(console.get(f"{PAGE}/besides"))
    found = text(console.get(f"{PAGE}/besides", {"beside": "shoe"}))

    assert re.findall(r'value="([\w-]+)"', everything) == ["for-books", "for-shoes"]
    assert re.findall(r'value="([\w-]+)"', found) == ["for-shoes"]


def test_who_may_call_nothing_is_offered_nothing(endpoint: Endpoint) -> None:
    assert browser_of(make_user("nobody")).get(f"{PAGE}/besides").status_code == 403


# ------------------------------------------------------------------------ images


@pytest.fixture
def pictures(db: None, door: object) -> Endpoint:
    settings = {"api_key": "sk-1", "model_id": "jina-v4"}
    return make_remote_endpoint("jinaai", TaskType.EMBEDDING, settings)


@pytest.mark.usefixtures("pictures")
def test_images_are_put_beside_the_texts_and_shown(console: Client, sandbox: Sandbox) -> None:
    images = [SimpleUploadedFile(f"{name}.png", PNG, "image/png") for name in ("cat", "dog")]

    page = console.post(TRY, {"input": ["a cat", "a dog"], "image": images}, headers=HTMX)

    sent = json.loads(sandbox.seen["jinaai"][-1].content)["input"]
    assert sent[0] == {"text": "a cat"}
    assert [one["image"][:27] for one in sent[2:]] == ["data:image/png;base64,iVBOR"] * 2
    assert "Image 4" in text(page)
    assert page.content.count(b'src="data:image/png;base64,iVBOR') == 2
    told = request_in(page.content.decode())["input"]
    assert isinstance(told, list)
    assert told[2]["content"]["value"].endswith("…")  # nobody reads the data of an image


@pytest.mark.usefixtures("pictures")
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("cat.png", b"<svg onload=alert(1)>"),
        ("cat.webp", b"RIFF\x24\x00\x00\x00WAVEfmt "),  # a sound in the wrapping of a WebP
    ],
    ids=["markup", "sound"],
)
def test_a_file_that_is_no_image_is_refused_at_its_field(
    console: Client, sandbox: Sandbox, name: str, content: bytes
) -> None:
    file = SimpleUploadedFile(name, content, f"image/{name.partition('.')[2]}")

    page = text(console.post(TRY, {"input": "a cat", "image": file}, headers=HTMX))

    assert f"{name} is no PNG, JPEG, GIF or WebP." in page
    assert not sandbox.seen["jinaai"]


@pytest.mark.usefixtures("pictures")
def test_more_images_than_can_be_told_apart_are_refused(console: Client, sandbox: Sandbox) -> None:
    images = [SimpleUploadedFile("cat.png", PNG, "image/png") for _ in range(7)]

    page = text(console.post(TRY, {"input": "a cat", "image": images}, headers=HTMX))

    assert "There can be 6 images at most, not 7." in page
    assert not sandbox.seen["jinaai"]
