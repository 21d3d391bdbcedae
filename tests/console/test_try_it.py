import html
import json
import re

import numpy as np
import pytest
from django.test import Client

from inference.errors import QueueFull, TimedOut
from inference.runner.protocol import HostReply
from inference.types import Truncation
from tests.console.conftest import HTMX, FakeHosts, text, vectors
from tests.factories import make_endpoint

TRY = "/console/endpoints/my-endpoint/try"


def shown_json(page: str) -> object:
    found = re.search(r'<code id="answer-json"[^>]*>(.*?)</code>', page, re.DOTALL)
    assert found
    return json.loads(html.unescape(found.group(1)))


def test_one_text_becomes_a_picture_of_its_vector(console: Client, hosts: FakeHosts) -> None:
    make_endpoint()
    hosts.says = vectors([0.5, -0.25, 0.0])

    answer = console.post(TRY, {"input": ["  hello  ", ""]}, headers=HTMX)

    page = text(answer)
    assert hosts.asked[0].texts == ("hello",)
    assert 0 < hosts.asked[0].budget_s <= 30
    assert "<strong>3</strong> dimensions" in page
    assert 'd="M0.5 20V1.0M2.5 20V20.0"' in page
    assert 'd="M1.5 20V29.5"' in page
    assert "[0.5000, -0.2500, 0.0000, …]" in page
    assert 'data-copy="[0.5, -0.25, 0.0]"' in page
    assert "cosine" not in page
    assert shown_json(answer.content.decode()) == {
        "text_embedding": [{"embedding": [0.5, -0.25, 0.0]}]
    }


def test_two_texts_are_compared_in_numbers_and_words(console: Client, hosts: FakeHosts) -> None:
    make_endpoint()
    hosts.says = vectors([1.0, 0.0], [0.8, 0.6])

    page = text(console.post(TRY, {"input": ["a", "b"]}, headers=HTMX))

    assert hosts.asked[0].texts == ("a", "b")
    assert "0.800" in page
    assert "Close in meaning" in page
    assert 'class="bar-part" width="80.00"' in page


def test_what_counts_as_close_depends_on_the_model(console: Client, hosts: FakeHosts) -> None:
    make_endpoint(model_id=".multilingual-e5-small")  # even unrelated texts have a cosine of 0.7
    hosts.says = vectors([1.0, 0.0], [0.8, 0.6])

    page = text(console.post(TRY, {"input": ["a", "b"]}, headers=HTMX))

    assert "0.800" in page
    assert "Loosely related" in page
    assert 'class="bar-part" width="33.33"' in page


def test_documents_come_back_in_order_with_their_old_places(
    console: Client, hosts: FakeHosts
) -> None:
    make_endpoint(model_id=".minilm-rerank-v1")
    hosts.says = lambda request: HostReply(scores=[0.2, 0.1, 0.8])

    page = text(console.post(TRY, {"query": "q", "documents": "one\n\n two \nthree"}, headers=HTMX))

    assert (hosts.asked[0].query, hosts.asked[0].texts) == ("q", ("one", "two", "three"))
    assert re.findall(r'rank-text">(\w+)<', page) == ["three", "one", "two"]
    assert re.findall(r"line (\d)", page) == ["3", "1", "2"]
    assert re.findall(r'bar-part" width="([\d.]+)"', page) == ["100.00", "25.00", "12.50"]
    assert "0.8000" in page


def test_weighted_words_are_heaviest_first_and_added_ones_marked(
    console: Client, hosts: FakeHosts
) -> None:
    make_endpoint(model_id=".minilm-sparse-v1")
    weights = {"bike": 0.5, "tyre": 2.0, "##s": 0.1}
    hosts.says = lambda request: HostReply(weights=[weights])

    page = text(console.post(TRY, {"input": "Tyres"}, headers=HTMX))

    rows = re.findall(r'<th scope="row" class="font-monospace">(\S+)</th>.*?<td> (\w+) </td>', page)
    assert rows == [("tyre", "text"), ("bike", "model"), ("##s", "text")]
    assert re.findall(r'<li class="chip chip-(\d) is-added"> (\S+?)<', page) == [("2", "bike")]
    assert '<mark class="shade word-5" title="2.00">Tyres</mark>' in page
    assert "<strong>3</strong> weighted words" in page
    assert "did not count" not in page


def test_a_word_inside_another_counts_as_added(console: Client, hosts: FakeHosts) -> None:
    make_endpoint(model_id=".minilm-sparse-v1")
    weights = {"flat": 1.0, "cafe": 0.8, "at": 0.1}
    hosts.says = lambda request: HostReply(weights=[weights])

    page = text(console.post(TRY, {"input": "Flat, Café"}, headers=HTMX))

    added = re.findall(r'is-added"> (\S+?)<', page)
    assert added == ["at"]


def test_a_text_that_was_cut_is_told(console: Client, hosts: FakeHosts) -> None:
    make_endpoint(model_id=".minilm-sparse-v1")
    hosts.says = lambda request: HostReply(weights=[{}], truncated={0: Truncation(256, 1)})

    page = text(console.post(TRY, {"input": "long"}, headers=HTMX))

    assert "The text is longer than the 256 tokens that the model reads: 1 token at" in page


def test_a_text_that_was_cut_for_its_vector_is_told(console: Client, hosts: FakeHosts) -> None:
    make_endpoint()
    both = np.array([[1.0], [1.0]], np.float32)
    hosts.says = lambda request: HostReply(vectors=both, truncated={1: Truncation(256, 44)})

    page = text(console.post(TRY, {"input": ["short", "long"]}, headers=HTMX))

    assert "Text 2 is longer than the 256 tokens that the model reads: 44 tokens at its" in page
    assert "Text 1 is longer" not in page


def test_a_document_and_a_query_that_were_cut_are_told(console: Client, hosts: FakeHosts) -> None:
    make_endpoint(model_id=".minilm-rerank-v1")
    cuts = {0: Truncation(256, 2), 2: Truncation(256, 3900, is_exact=False)}
    hosts.says = lambda request: HostReply(scores=[0.1, 0.2], truncated=cuts)

    page = text(console.post(TRY, {"query": "q", "documents": "one\ntwo"}, headers=HTMX))

    assert "The query is longer" in page
    assert "Document 2 is longer" in page
    assert "at least 3900 tokens at its end did not count" in page
    assert "Document 1" not in page


def test_the_code_follows_what_was_tried(console: Client, hosts: FakeHosts) -> None:
    make_endpoint()
    hosts.says = vectors([1.0])

    fragment = text(console.post(TRY, {"input": "it's me"}, headers=HTMX))

    assert '<hx-partial hx-target="#samples"' in fragment
    assert "it&#x27;s me" in fragment[fragment.index("hx-partial") :]


@pytest.mark.parametrize(
    "failure", [TimedOut("no answer within 30s"), QueueFull("the queue is full")]
)
def test_a_failure_is_told_in_place(console: Client, hosts: FakeHosts, failure: Exception) -> None:
    make_endpoint()
    hosts.raises = failure

    answer = console.post(TRY, {"input": "hello"}, headers=HTMX)

    assert answer.status_code == 200  # htmx shows nothing that comes with an error's status
    assert f"<span>{failure}</span>" in text(answer)


def test_an_empty_text_is_refused_without_a_call(console: Client, hosts: FakeHosts) -> None:
    make_endpoint()

    page = text(console.post(TRY, {"input": " "}, headers=HTMX))

    assert "Write a text first." in page
    assert not hosts.asked


def test_without_htmx_the_whole_page_comes_back_with_the_inputs(
    console: Client, hosts: FakeHosts
) -> None:
    make_endpoint()
    hosts.says = vectors([0.5, 0.5])

    page = text(console.post(TRY, {"input": "my own text"}))

    assert "<html" in page
    assert "<strong>2</strong> dimensions" in page
    assert "my own text</textarea>" in page
    assert "&quot;my own text&quot;" in page


def test_without_htmx_a_failure_keeps_the_inputs(console: Client, hosts: FakeHosts) -> None:
    make_endpoint(model_id=".minilm-rerank-v1")
    hosts.raises = QueueFull("the queue is full")

    page = text(console.post(TRY, {"query": "my query", "documents": "one\ntwo"}))

    assert "the queue is full" in page
    assert 'value="my query"' in page
    assert "one two</textarea>" in page


def test_a_vector_of_zeros_can_be_shown(console: Client, hosts: FakeHosts) -> None:
    make_endpoint()
    hosts.says = lambda request: HostReply(vectors=np.zeros((2, 4), np.float32))

    page = text(console.post(TRY, {"input": ["a", "b"]}, headers=HTMX))

    assert "0.000" in page
    assert "Hardly related" in page
