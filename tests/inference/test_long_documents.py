"""Documents longer than the window: cut into chunks, of which the best one counts."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from inference.execute import run_hosted
from inference.long_documents import chunk_documents, chunk_words
from inference.runner.protocol import HostReply, HostRequest
from inference.types import InferenceRequest, Ranking, TaskType, Truncation

SENTENCE = "The port is quiet at night. "
LONG = SENTENCE * 200  # 1,200 words, where a chunk beside a short query has 381 at most


@dataclass
class Hosts:
    """Gives a text the score that stands for the words in it, and cuts what the test names."""

    worth: dict[str, float]
    cut: Sequence[str] = ()
    asked: list[HostRequest] = field(default_factory=list)

    def call(self, deployment_id: str, request: HostRequest) -> HostReply:
        self.asked.append(request)
        scores = [
            max((score for word, score in self.worth.items() if word in text), default=-9.0)
            for text in request.texts
        ]
        cut = {
            number: Truncation(512, 3)
            for number, text in enumerate(request.texts, start=1)
            if any(word in text for word in self.cut)
        }
        return HostReply(scores=scores, truncated=cut)


def rerank(hosts: Hosts, *documents: str, most: int | None = None) -> Ranking:
    request = InferenceRequest(
        documents, "quiet port", return_documents=True, reads_chunks=True, max_chunks_per_doc=most
    )
    result = run_hosted(hosts, "d1", TaskType.RERANK, request, budget_s=9)
    assert isinstance(result, Ranking)
    return result


@pytest.mark.parametrize(
    ("words", "size"),
    [
        (0, 381),  # floor(0.75 * (512 - 3))
        (1, 380),  # a word takes two tokens
        (30, 351),
        (189, 192),
        (1000, 192),  # floor(0.75 * 256): a long query leaves the document half of the window
    ],
)
def test_a_chunk_is_as_long_as_the_query_leaves_room(words: int, size: int) -> None:
    assert chunk_words("word " * words) == size


def test_chunks_overlap_by_a_sentence_and_hold_the_whole_document() -> None:
    chunks = chunk_documents("quiet port", [LONG], None)

    assert chunks.counts == (4,)
    assert sum(map(len, chunks.texts)) == len(LONG) + 3 * len(SENTENCE)
    assert all(len(text.split()) <= chunk_words("quiet port") for text in chunks.texts)


def test_a_document_is_worth_its_best_chunk_and_shown_whole() -> None:
    far_in = LONG + "The lighthouse keeper sleeps."
    hosts = Hosts({"lighthouse": 4.5, "quiet": -1.0})

    ranking = rerank(hosts, "All is quiet.", far_in, "Something else.")

    assert [(row.index, row.relevance_score) for row in ranking.documents] == [
        (1, 4.5),
        (0, -1.0),
        (2, -9.0),
    ]
    assert ranking.documents[0].text == far_in
    assert len(hosts.asked[0].texts) == 6
    assert not ranking.truncated


def test_only_the_first_chunks_are_read_where_their_number_is_limited() -> None:
    hosts = Hosts({"lighthouse": 4.5, "quiet": -1.0})

    ranking = rerank(hosts, LONG + "The lighthouse keeper sleeps.", "quiet", most=2)

    assert [row.relevance_score for row in ranking.documents] == [-1.0, -1.0]
    assert len(hosts.asked[0].texts) == 3
    assert ranking.truncated == {"0": Truncation(512, 1, is_exact=False)}  # its end was not read


def test_a_document_one_of_whose_chunks_was_cut_is_told() -> None:
    hosts = Hosts({}, cut=("lighthouse",))

    ranking = rerank(hosts, "quiet", LONG + "The lighthouse keeper sleeps.")

    assert ranking.truncated == {"1": Truncation(512, 3)}


def test_an_empty_document_has_a_score_too() -> None:
    assert len(rerank(Hosts({}), "", "quiet").documents) == 2


def test_without_chunks_documents_are_sent_whole() -> None:
    hosts = Hosts({"quiet": 1.0})

    run_hosted(hosts, "d1", TaskType.RERANK, InferenceRequest((LONG,), "port"), budget_s=9)

    assert hosts.asked[0].texts == (LONG,)
