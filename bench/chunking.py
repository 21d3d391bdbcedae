"""How fast each chunking strategy is, on one core, and whether its time grows with the text."""

import time
from typing import Any

from inference.chunking import chunk
from inference.chunking.settings import ChunkingSettings, parse_chunking

# ruff: noqa: RUF001 - letters of other scripts are the point
MIXED = """\
The quick brown fox jumps over the lazy dog. It didn't cost more than 12,000.50 dollars, did it?
Jede Würde ist unantastbar. Für größere Übungen fährt Jürgen am Mittwoch nach Köln zurück.

机器学习是人工智能的一个分支。它让计算机从数据中学习，而不需要明确编程。
東京は日本の首都です。カタカナとひらがなと漢字を混ぜて書きます。
اللغة العربية من أكثر اللغات انتشارا في العالم. يتحدث بها ملايين الناس كل يوم.
Москва является столицей России. Город стоит на реке с тем же именем.
Great work 👍🏽 everyone 🎉! See you soon 👩‍👩‍👧‍👦 on day {number}.

"""
STRATEGIES: dict[str, dict[str, Any]] = {
    "none": {"strategy": "none"},
    "word 250/100": {"strategy": "word", "max_chunk_size": 250, "overlap": 100},
    "sentence 250/1": {"strategy": "sentence", "max_chunk_size": 250, "sentence_overlap": 1},
    "sentence 20/1": {"strategy": "sentence", "max_chunk_size": 20, "sentence_overlap": 1},
    "recursive 250": {"strategy": "recursive", "max_chunk_size": 250},
    "recursive 10": {"strategy": "recursive", "max_chunk_size": 10},
}
SIZES_MB = (1, 5, 20, 50)
MEASURED_MB = 5


def main() -> None:
    text = mixed_text(MEASURED_MB)
    print(f"{'strategy, mixed languages':<28}{'MB/s':>8}{'chunks':>10}")
    for name, raw in STRATEGIES.items():
        settings = parse_chunking(raw)
        seconds, chunks = best_of(3, text, settings)
        print(f"{name:<28}{size_mb(text) / seconds:>8.1f}{chunks:>10}")
    for name, raw in STRATEGIES.items():
        growth(name, parse_chunking(raw))


def growth(name: str, settings: ChunkingSettings) -> None:
    costs = []
    for size in SIZES_MB:
        text = mixed_text(size)
        costs.append(best_of(1, text, settings)[0] / size_mb(text))
    listed = ", ".join(
        f"{size} MB: {cost * 1e3:.0f} ms" for size, cost in zip(SIZES_MB, costs, strict=True)
    )
    print(f"{name}, time per MB at {listed}")


def mixed_text(size: int) -> str:
    """About `size` MB of UTF-8 in six languages and emoji."""
    paragraph_bytes = len(MIXED.format(number=1000).encode())
    return "".join(MIXED.format(number=n) for n in range(size * 1_000_000 // paragraph_bytes))


def size_mb(text: str) -> float:
    return len(text.encode()) / 1e6


def best_of(repeats: int, text: str, settings: ChunkingSettings) -> tuple[float, int]:
    """The least processor time in seconds, and the number of chunks."""
    times, chunks = [], 0
    for _ in range(repeats):
        started = time.process_time()
        chunks = len(chunk(text, settings))
        times.append(time.process_time() - started)
    return min(times), chunks


if __name__ == "__main__":
    main()
