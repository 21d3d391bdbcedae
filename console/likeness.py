"""What somebody may have meant who mistyped."""

from itertools import pairwise

# Of shorter words almost everything is like them.
LEAST_LETTERS, LETTERS_FOR_TWO = 4, 8


def faults_allowed(word: str) -> int:
    if len(word) < LEAST_LETTERS:
        return 0
    return 1 if len(word) < LETTERS_FOR_TWO else 2


def is_like(word: str, text: str) -> bool:
    """Whether a word stands in a text but for a fault or two. Both in small letters."""
    return word in text or faults_in(word, text) <= faults_allowed(word)


def faults_in(word: str, text: str) -> int:
    """Letters missing, too many, wrong or swapped, where the text is most like the word.

    Source: Sellers 1980, "The theory and computation of evolutionary distances"; a swap counts as
    one fault, as in Damerau 1964.
    """
    two_above: list[int] = []
    above = [0] * (len(text) + 1)  # the word may begin anywhere
    for at, letter in enumerate(word):
        row = [at + 1]
        for place, other in enumerate(text):
            faults = min(above[place + 1] + 1, row[place] + 1, above[place] + (letter != other))
            if at and place and letter == text[place - 1] and other == word[at - 1]:
                faults = min(faults, two_above[place - 1] + 1)
            row.append(faults)
        two_above, above = above, row
    return min(above)


def pieces(word: str) -> set[str]:
    """What to look for in a database: a text that is like a word has one of these as it stands.

    It need not have where two faults spoil them all, one of them a swap between two parts.
    """
    count = faults_allowed(word) + 1
    cuts = [len(word) * number // count for number in range(count + 1)]
    parts = {word[start:end] for start, end in pairwise(cuts)}
    return parts | {
        f"{word[: at - 1]}{word[at]}{word[at - 1]}{word[at + 1 :]}" for at in cuts[1:-1]
    }
