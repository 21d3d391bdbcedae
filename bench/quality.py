"""How well the built-in heads find the text behind a heading, beside BM25.

    python -m bench.quality --model-dir DIR

DIR is the folder of a downloaded all-MiniLM-L6-v2: config.json, tokenizer.json, model.safetensors.
Every heading is asked of all texts of its package; see bench/retrieval_pairs.py for the task.
"""

import argparse
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from rank_bm25 import BM25Okapi

from bench.retrieval_pairs import STANDARD_LIBRARY, Pair, heading_text_pairs
from inference.arrays import FloatArray
from inference.runner.encoded import EncodedText
from inference.runner.graph import build_graph
from inference.runner.heads import WORD_EMBEDDINGS
from inference.runner.late_interaction import LateInteraction
from inference.runner.layout import GRAPH_FILE, WEIGHTS_FILE
from inference.runner.packing import pack
from inference.runner.pooling import mean_pool, normalize
from inference.runner.rarity import token_rarity
from inference.runner.session import EncoderSession
from inference.runner.sparse import SparseExpansion
from inference.runner.tensors import mapped_tensor
from inference.runner.tokenizer import TextTokenizer

WINDOW = 256
# The constants of the heads were chosen on scipy, networkx and SQLAlchemy, none of these.
PACKAGES = ("numpy", "django", STANDARD_LIBRARY)
CUTOFF = 10
STOP_LIST = """
    a an and are as at be but by for if in into is it no not of on or such that the their then there
    these they this to was will with
"""
STOP_WORDS = frozenset(STOP_LIST.split())
ENDINGS = {"ations": "", "ation": "", "ings": "", "ing": "", "edly": "", "ed": "", "ies": "y"}
ENDINGS |= {"es": "", "s": "", "e": ""}

Encode = Callable[[Sequence[str]], list[EncodedText]]
Ranker = Callable[[Sequence[Pair], Sequence[EncodedText], Sequence[EncodedText]], FloatArray]


def encoder(graph: Path, tokenizer: TextTokenizer, threads: int) -> Encode:
    """A function from texts to their token states, one text at a time."""
    session = EncoderSession(graph, threads)

    def encode(texts: Sequence[str]) -> list[EncodedText]:
        encoded = []
        for text in tokenizer.tokenize(tuple(texts)):
            states = session.run(pack([text]))[0]
            encoded.append(EncodedText(text.ids, states, text.truncation))
        return encoded

    return encode


def rankers(folder: Path, tokenizer: TextTokenizer) -> dict[str, Ranker]:
    """Each gives (headings, texts), the score of every text for every heading."""
    vocabulary = tokenizer.vocabulary
    rarity = token_rarity(vocabulary)
    interaction = LateInteraction(rarity)
    expansion = SparseExpansion(
        vocabulary, mapped_tensor(folder / WEIGHTS_FILE, WORD_EMBEDDINGS), rarity
    )

    def bags(texts: Sequence[EncodedText]) -> FloatArray:
        """(texts, vocab)."""
        ids = {token: i for i, token in enumerate(vocabulary)}
        rows = np.zeros((len(texts), len(vocabulary)), np.float32)
        for row, text in zip(rows, texts, strict=True):
            for token, weight in expansion.weights(text).items():
                row[ids[token]] = weight
        return rows

    return {
        "bm25": lambda pairs, _headings, _texts: bm25_scores(pairs, words),
        "stemmed": lambda pairs, _headings, _texts: bm25_scores(pairs, stems),
        "dense": lambda _pairs, headings, texts: vectors(headings) @ vectors(texts).T,
        "rerank": lambda _pairs, headings, texts: np.stack(
            [interaction.score(heading, texts) for heading in headings]
        ),
        "sparse": lambda _pairs, headings, texts: bags(headings) @ bags(texts).T,
    }


def bm25_scores(pairs: Sequence[Pair], analyze: Callable[[str], list[str]]) -> FloatArray:
    """BM25 over the whole texts: it has no window."""
    index = BM25Okapi([analyze(pair.text) for pair in pairs])
    rows = [index.get_scores(analyze(pair.heading)) for pair in pairs]
    return np.array(rows, np.float32)


def words(text: str) -> list[str]:
    """As a search engine does it by default: lower-cased, nothing else."""
    return re.findall(r"\w+", text.lower())


def stems(text: str) -> list[str]:
    """As it does with an analyzer for English, roughly: no stop words, common endings cut off."""
    return [stem(word) for word in re.findall(r"[a-z0-9]+", text.lower()) if word not in STOP_WORDS]


def stem(word: str) -> str:
    for ending, instead in ENDINGS.items():
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word.removesuffix(ending) + instead
    return word


def vectors(texts: Sequence[EncodedText]) -> FloatArray:
    """(texts, dim), each of length one."""
    rows: FloatArray = np.stack([normalize(mean_pool(text.states)) for text in texts])
    return rows


def ranks_of_answers(scores: FloatArray) -> FloatArray:
    """The rank of text i for heading i, from 0. A tie counts as the middle of its places.

    scores: (headings, texts). Returns (headings,).
    """
    answers = np.diag(scores)[:, None]
    better = (scores > answers).sum(axis=1)
    tied = (scores == answers).sum(axis=1) - 1
    ranks: FloatArray = (better + tied / 2).astype(np.float32)
    return ranks


def ndcg(ranks: FloatArray) -> float:
    """Mean nDCG@10 with one right answer each.

    Source: Jarvelin & Kekalainen 2002, "Cumulated gain-based evaluation of IR techniques".
    """
    return float(np.where(ranks < CUTOFF, 1 / np.log2(ranks + 2), 0).mean())


def mrr(ranks: FloatArray) -> float:
    return float((1 / (ranks + 1)).mean())


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model-dir", type=Path, required=True)
    parser.add_argument("--packages", nargs="+", default=PACKAGES, metavar="NAME")
    parser.add_argument("--limit", type=int, default=400, help="pairs of each package")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args(arguments)

    folder: Path = options.model_dir
    graph = folder / GRAPH_FILE
    tokenizer = TextTokenizer(folder, WINDOW)
    encode = encoder(graph if graph.exists() else build_graph(folder), tokenizer, options.threads)
    ranking = rankers(folder, tokenizer)

    columns = "".join(f"{name:>9}" for name in ranking)
    ratios = "  rerank/bm25  rerank/dense  sparse/bm25"  # the first bm25, without stems
    print(f"{'package':<10} {'pairs':>5}  {'':<7}{columns}{ratios}")
    for package in options.packages:
        pairs = heading_text_pairs(package, options.limit)
        headings = encode([pair.heading for pair in pairs])
        texts = encode([pair.text for pair in pairs])
        ranks = {
            name: ranks_of_answers(ranker(pairs, headings, texts))
            for name, ranker in ranking.items()
        }
        for label, measure in (("nDCG@10", ndcg), ("MRR", mrr)):
            value = {name: measure(of_answers) for name, of_answers in ranks.items()}
            figures = "".join(f"{value[name]:>9.3f}" for name in ranking)
            print(
                f"{package:<10} {len(pairs):>5}  {label:<7}{figures}"
                f"{value['rerank'] / value['bm25']:>13.2f}"
                f"{value['rerank'] / value['dense']:>14.2f}"
                f"{value['sparse'] / value['bm25']:>13.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
