"""The names of people: which may be taken, and which could be mistaken for each other."""

import re
import unicodedata

from inference.errors import InvalidArgument

MAX_NAME_LENGTH = 150
# As Django's own validator has it, and beginning so that it is none of the paths beside it.
NAME_PATTERN = re.compile(r"[^\W_][\w.@+-]*")

# Small letters that look like Latin ones, and digits that do. Source: Unicode's confusables.txt,
# of which these are the single letters of the scripts next to the Latin one.
_GREEK = str.maketrans("αγεηικνορτυχωϲϳ", "ayenikvoptuxwcj")
_CYRILLIC = str.maketrans("авгеһікмнорстухѕјԛԝүьпӏ", "abrehikmhopctyxsjqwybnl")
_DIGITS = str.maketrans("01", "ol")
_LOOKALIKES = _GREEK | _CYRILLIC | _DIGITS


def usable_name(text: str) -> str:
    """The name that somebody writes, in its one form. Raises InvalidArgument."""
    name = unicodedata.normalize("NFKC", text.strip())
    if not name:
        raise InvalidArgument("[username] cannot be blank")
    if len(name) > MAX_NAME_LENGTH or not NAME_PATTERN.fullmatch(name):
        raise InvalidArgument(
            "[username] is no valid username: it may hold letters, digits and @ . + - _, must "
            f"begin with a letter or a digit, and has {MAX_NAME_LENGTH} characters at most"
        )
    return name


def looks(name: str) -> str:
    """What a name looks like: two that people could take for each other look the same.

    Case, width, accents, and letters of other scripts that are drawn like Latin ones make no
    difference; neither do 0 and o, 1 and l.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    bare = "".join(
        sign for sign in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(sign)
    )
    return unicodedata.normalize("NFKC", bare.translate(_LOOKALIKES))
