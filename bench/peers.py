"""The same load on the product and on Infinity, in turns, in one run.

Both run the same weights with 32-bit floats on ONNX Runtime, both with their defaults beside that.
The product checks a password with every request; Infinity is told to want none.
"""

import json
import os
import statistics
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
from tokenizers import Tokenizer

from bench.infinity import Infinity, PeerUnavailable, export, install
from bench.load import Connection, Throughput, drive, request_bytes
from bench.serving import PASSWORD, PATH, SENTENCE, SHORT, create_endpoint, report
from inference.arrays import FloatArray
from inference.runner.catalogue import ALL_MINILM_L6_V2
from tests import weights
from tests.product.running import Product, start_and_wait

WEIGHTS = weights.MIRROR / ALL_MINILM_L6_V2.repository
# Enough different requests that nothing is gained by remembering one.
SHORT_REQUESTS, LONG_REQUESTS = 1000, 16


@dataclass(frozen=True)
class Case:
    """texts: the texts of request n. figure: what of a round is compared.

    rounds, seconds: how often each side has its turn, and how long. The shorter the turns, the
    more alike is what else the machine does meanwhile; slow requests need long ones.
    """

    name: str
    texts: Callable[[int], list[str]]
    requests: int
    clients: int
    rounds: int
    seconds: float
    figure: Callable[[Throughput], float]
    unit: str

    def calls(self, server: "Server") -> list[bytes]:
        return [server.request(self.texts(number)) for number in range(self.requests)]


@dataclass(frozen=True)
class Server:
    """One of the two: where it listens, what a request to it is, what an answer holds."""

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
        product = start_and_wait(Path(folder), CONSOLE_ADMIN_PASSWORD=PASSWORD)
        try:
            create_endpoint(product)
            both = ours(product), theirs(peer)
            check_same_vectors(*both)
            print(f"load of the machine before the first round: {os.getloadavg()[0]:.1f}")
            report("beside Infinity", "Inference Console", "Infinity", "ratio (lowest-highest)")
            for case in cases():
                in_turns(case, *both)
            memory(product.processes, peer.processes)
        finally:
            product.end()


def ours(product: Product) -> Server:
    return Server(
        product.port,
        lambda texts: request_bytes(product.port, PATH, {"input": texts}, PASSWORD),
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
        Case("one short text, one client, p50", short, many, 1, 16, 1, p50_ms, "ms"),
        Case("one short text, 16 clients", short, many, 16, 8, 2, rate, per_s),
        Case("one short text, 32 clients", short, many, 32, 8, 2, rate, per_s),
        Case("32 texts of 75 tokens, 2 clients", long, few, 2, 4, 10, rate, per_s),
        Case("16 texts of 5-250 tokens, 2 clients", mixed, few, 2, 4, 10, rate, per_s),
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


def check_same_vectors(one: Server, other: Server) -> None:
    """Both must do the same work before it means anything who does it sooner."""
    texts = [*SHORT, SENTENCE * 8]
    ours, theirs = (ask(server, texts) for server in (one, other))
    cosines = (ours * theirs).sum(axis=1)
    if cosines.min() < 0.9999:
        raise RuntimeError(f"the vectors differ: lowest cosine {cosines.min():.5f}")


def ask(server: Server, texts: list[str]) -> FloatArray:
    """(texts, dim), each of length one."""
    answer = Connection(server.port).call(server.request(texts))
    vectors: FloatArray = np.array(server.vectors(answer), np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def in_turns(case: Case, one: Server, other: Server) -> None:
    """Both sides in turn, after a round that does not count; the ratio of each pair of rounds."""
    sides = [(server.port, case.calls(server)) for server in (one, other)]

    def turn() -> tuple[float, ...]:
        loads = (drive(port, calls, case.clients, case.seconds) for port, calls in sides)
        return tuple(map(case.figure, loads))

    figures = [turn() for _ in range(case.rounds + 1)][1:]
    ours, theirs = (statistics.median(side) for side in zip(*figures, strict=True))
    ratios = sorted(mine / their for mine, their in figures)
    report(
        case.name,
        f"{ours:.2f} {case.unit}",
        f"{theirs:.2f} {case.unit}",
        f"{statistics.median(ratios):.2f} ({ratios[0]:.2f}-{ratios[-1]:.2f})",
    )


def memory(ours: list[psutil.Process], theirs: list[psutil.Process]) -> None:
    """Of all processes of a side, after the load; a page shared by n processes counts 1/n."""
    mine, their = (
        sum(process.memory_full_info().pss for process in side) >> 20 for side in (ours, theirs)
    )
    report("memory, all processes", f"{mine} MB", f"{their} MB", f"{mine / their:.2f}")


if __name__ == "__main__":
    weights.main()
    main()
