"""The same load on the product and on Infinity, in turns, in one run.

All run the same weights on ONNX Runtime, with their defaults beside that: Infinity with 32-bit
floats, the product with them and with the precision that it chooses itself (`auto`). The product
checks a password with every request; Infinity is told to want none.
"""

import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
from tokenizers import Tokenizer

from bench.infinity import Infinity, export, install
from bench.load import Connection, Throughput, drive, request_bytes
from bench.memory import HOST
from bench.peer import PeerUnavailable
from bench.serving import PASSWORD, PATH, SENTENCE, SHORT, create_endpoint, delete_endpoint, report
from bench.with_extra import start_with_openvino
from inference.arrays import FloatArray
from inference.runner.catalogue import ALL_MINILM_L6_V2
from inference.runner.memory import MB
from tests import weights
from tests.product.running import Product, wait_for

WEIGHTS = weights.MIRROR / ALL_MINILM_L6_V2.repository
# Enough different requests that nothing is gained by remembering one.
SHORT_REQUESTS, LONG_REQUESTS = 1000, 16
# The least mean cosine to the vectors of Infinity, by our precision.
PRECISIONS = {"fp32": 0.99999, "auto": 0.999}


@dataclass(frozen=True)
class Case:
    """texts: the texts of request n. figure: what of a round is compared.

    rounds, seconds: how often each side has its turn, and how long. The shorter the turns, the
    more alike is what else the machine does meanwhile; slow requests need long ones.
    aim: for the ratio of `auto`.
    """

    name: str
    texts: Callable[[int], list[str]]
    requests: int
    clients: int
    rounds: int
    seconds: float
    figure: Callable[[Throughput], float]
    unit: str
    aim: str

    def calls(self, server: "Server") -> list[bytes]:
        return [server.request(self.texts(number)) for number in range(self.requests)]


@dataclass(frozen=True)
class Server:
    """One of the sides: where it listens, what a request to it is, what an answer holds."""

    port: int
    request: Callable[[list[str]], bytes]
    vectors: Callable[[bytes], list[list[float]]]


def main() -> None:
    try:
        install()
        export(WEIGHTS)
        peer = Infinity()
        try:
            peer.wait()
            compare(peer)
        finally:
            peer.end()
    except PeerUnavailable as exc:
        print(f"SKIPPED the comparison with Infinity: {exc}", flush=True)


def compare(peer: Infinity) -> None:
    with tempfile.TemporaryDirectory() as folder:
        product = start_with_openvino(Path(folder), PASSWORD)
        try:
            sides = [*(ours(product, precision) for precision in PRECISIONS), theirs(peer)]
            for precision, side in zip(PRECISIONS, sides, strict=False):
                create_endpoint(product, path_of(precision), precision)
                check_same_vectors(precision, side, sides[-1])
            print(f"load of the machine before the first round: {os.getloadavg()[0]:.1f}")
            ratios = (f"{name}: ratio (range)" for name in PRECISIONS)
            report("beside Infinity", *PRECISIONS, "Infinity", *ratios, "aim for auto")
            for case in cases():
                in_turns(case, sides)
            memory(product, peer, sides)
        finally:
            product.end()


def path_of(precision: str) -> str:
    return f"{PATH}-{precision}"


def ours(product: Product, precision: str) -> Server:
    path = path_of(precision)
    return Server(
        product.port,
        lambda texts: request_bytes(product.port, path, {"input": texts}, PASSWORD),
        lambda answer: [row["embedding"] for row in json.loads(answer)["text_embedding"]],
    )


def theirs(peer: Infinity) -> Server:
    return Server(
        peer.port,
        lambda texts: request_bytes(peer.port, peer.path, peer.body(texts)),
        lambda answer: peer.vectors(json.loads(answer)),
    )


def cases() -> list[Case]:
    def p50_ms(load: Throughput) -> float:
        return 1e3 * load.percentile_s(50)

    def rate(load: Throughput) -> float:
        return load.requests_per_s

    of_length = texts_of_length()
    lengths = np.linspace(5, 250, 16).astype(int)

    def short(number: int) -> list[str]:
        return [f"{SHORT[number % len(SHORT)]} {number}"]

    def long(number: int) -> list[str]:
        return [of_length(75, 32 * number + text) for text in range(32)]

    def mixed(number: int) -> list[str]:
        # Long and short ones in turn, as they come.
        order = np.random.default_rng(number).permutation(lengths)
        return [of_length(tokens, 16 * number + text) for text, tokens in enumerate(order)]

    many, few, per_s = SHORT_REQUESTS, LONG_REQUESTS, "requests/s"
    return [
        Case("one short text, one client, p50", short, many, 1, 16, 1, p50_ms, "ms", "<= 0.35"),
        Case("one short text, 16 clients", short, many, 16, 8, 2, rate, per_s, ">= 2"),
        Case("one short text, 32 clients", short, many, 32, 8, 2, rate, per_s, ">= 2"),
        Case("32 texts of 75 tokens, 2 clients", long, few, 2, 4, 10, rate, per_s, ">= 1.9"),
        Case("16 texts of 5-250 tokens, 2 clients", mixed, few, 2, 4, 10, rate, per_s, ">= 4"),
    ]


def texts_of_length() -> Callable[[int, int], str]:
    """A function from a number of tokens, special ones included, and a number to a text."""
    tokenizer = Tokenizer.from_file(str(WEIGHTS / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()

    def text(tokens: int, number: int) -> str:
        whole = f"{number} {SENTENCE * 30}"
        ends = [end for _, end in tokenizer.encode(whole, add_special_tokens=False).offsets]
        return whole[: ends[tokens - 3]]

    return text


def check_same_vectors(precision: str, one: Server, other: Server) -> None:
    """All must do the same work before it means anything who does it sooner."""
    texts = [*SHORT, *(SENTENCE * count for count in range(1, 13))]
    ours, theirs = (ask(server, texts) for server in (one, other))
    cosines = (ours * theirs).sum(axis=1)
    found = f"{cosines.mean():.5f} on average, lowest {cosines.min():.5f}"
    if cosines.mean() < PRECISIONS[precision]:
        raise RuntimeError(f"the vectors differ: cosine of {precision} {found}")
    print(f"cosine of {precision} to Infinity: {found}", flush=True)


def ask(server: Server, texts: list[str]) -> FloatArray:
    """(texts, dim), each of length one."""
    answer = Connection(server.port).call(server.request(texts))
    vectors: FloatArray = np.array(server.vectors(answer), np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def in_turns(case: Case, sides: list[Server]) -> None:
    """All sides in turn, after a round that does not count; the ratios of each round."""
    calls = [(server.port, case.calls(server)) for server in sides]

    def turn() -> list[float]:
        return [
            case.figure(drive(port, requests, case.clients, case.seconds))
            for port, requests in calls
        ]

    rounds = np.array([turn() for _ in range(case.rounds + 1)][1:])
    report(
        case.name,
        *(f"{figure:.2f} {case.unit}" for figure in np.median(rounds, axis=0)),
        *(in_words(ratios) for ratios in (rounds[:, :-1] / rounds[:, -1:]).T),
        case.aim,
    )


def in_words(ratios: FloatArray) -> str:
    return f"{np.median(ratios):.2f} ({ratios.min():.2f}-{ratios.max():.2f})"


def memory(product: Product, peer: Infinity, sides: list[Server]) -> None:
    """Of all processes of a side, after a load; a page shared by n processes counts 1/n.

    Each precision is measured by itself: two hosts would halve what they share.
    """
    case = cases()[-1]
    for precision in PRECISIONS:
        delete_endpoint(product, path_of(precision))
    used = []
    for precision, side in zip(PRECISIONS, sides, strict=False):
        wait_for("the host to end", lambda: product.part(HOST) is None)
        create_endpoint(product, path_of(precision), precision)
        drive(side.port, case.calls(side), case.clients, case.seconds)
        used.append(megabytes(product.processes))
        delete_endpoint(product, path_of(precision))
    used.append(megabytes(peer.processes))
    report(
        "memory, all processes",
        *(f"{size:.0f} MB" for size in used),
        *(f"{size / used[-1]:.2f}" for size in used[:-1]),
        "<= 0.2",
    )


def megabytes(processes: list[psutil.Process]) -> float:
    return float(sum(process.memory_full_info().pss for process in processes) / MB)


if __name__ == "__main__":
    weights.main()
    main()
