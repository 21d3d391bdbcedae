"""How those are refused whom the tables do not let in: who learns nothing by asking otherwise."""

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from django.http import HttpResponse

from tests.console.conftest import HTMX
from tests.matrix.pages import DANGEROUS
from tests.matrix.rows import ROWS
from tests.matrix.table import ALLOWED, FORBIDDEN, MISSING, UNKNOWN, Row
from tests.matrix.world import SIGNED_IN_LONG_AGO, World, is_sign_in, sign_of

pytestmark = pytest.mark.django_db
CONFIRM = "/console/account/confirm"
METHOD_NOT_ALLOWED = 405
# Of a form, another with each page.
TOKEN = re.compile(r"\b[A-Za-z0-9]{64}\b")
# What is there, as it stands in paths, and in its place something as long that is not.
NOTHINGS = {
    **{f"/{thing}1": f"/{thing}0" for thing in "cdem"},
    "/e2": "/e0",
    "/remote": "/remot0",
    "teams/owners": "teams/owner0",
    "accounts/owners": "accounts/owner0",
    **{f"people/{name}": f"people/{name[:-1]}0" for name in ("user", "nobody", "deactivated")},
    **{f"keys/{name}": f"keys/{name[:-1]}0" for name in ("superuser", "manager", "account")},
    "/toteam": "/totea0",
    "/tosite": "/tosit0",
    "/1000001": "/1000008",
    "/1000002": "/1000009",
}
NOT_MEMBERS = ("other user", "nobody")
NOT_ALL_SEEING = ("superuser", "user", "team administrator", "other team administrator")


def outsiders_of(row: Row) -> Iterator[str]:
    """Some for whom the thing in the path of a row is not there, or is refused unseen."""
    if '"others"' in row.body:  # there it is the other team that is hidden
        return
    for caller, sign in zip(row.callers, row.signs, strict=True):
        if (sign == FORBIDDEN and caller in NOT_MEMBERS) or (
            sign == MISSING and caller in NOT_ALL_SEEING
        ):
            yield caller


def selected(rows: Iterator[tuple[str, Row]]) -> pytest.MarkDecorator:
    by_name = dict(rows)
    return pytest.mark.parametrize("row", by_name.values(), ids=by_name)


@selected(
    (name, row)
    for name, row in ROWS.items()
    if any(thing in row.path for thing in NOTHINGS) and any(outsiders_of(row))
)
def test_what_is_hidden_is_answered_as_what_is_not_there(world: World, row: Row) -> None:
    thing, nothing = next(pair for pair in NOTHINGS.items() if pair[0] in row.path)
    unknown = replace(row, path=row.path.replace(thing, nothing))
    for caller in outsiders_of(row):
        hidden, absent = world.answer(row, caller), world.answer(unknown, caller)

        assert absent.status_code == hidden.status_code, caller
        assert told(absent).replace(last(nothing), last(thing)) == told(hidden), caller


def told(answer: HttpResponse) -> str:
    return TOKEN.sub("", answer.content.decode())


def last(path: str) -> str:
    return path.rpartition("/")[2]


@selected((name, row) for name, row in ROWS.items() if row.is_of_page)
def test_a_fragment_tells_no_more_than_its_page(world: World, row: Row) -> None:
    """htmx is told to load the whole page, which then says what is wrong."""
    for sign, caller in one_of_each(row).items():
        answer = world.answer(row, caller, **HTMX)
        if "HX-Refresh" in answer:
            assert sign in (FORBIDDEN, MISSING)
            assert answer.content == b""
        elif "HX-Redirect" in answer:
            assert (sign == UNKNOWN) == is_sign_in(answer["HX-Redirect"])
        else:
            assert sign_of(row, answer) == sign


@selected((name, row) for name, row in ROWS.items() if row.method == "GET")
def test_who_may_not_have_the_whole_has_no_head_of_it(world: World, row: Row) -> None:
    refused = {sign: caller for sign, caller in one_of_each(row).items() if sign != ALLOWED}
    for sign, caller in refused.items():
        answer = world.answer(replace(row, method="HEAD"), caller)
        assert answer.status_code == METHOD_NOT_ALLOWED or sign_of(row, answer) == sign


def one_of_each(row: Row) -> dict[str, str]:
    """A caller for each sign that there is in the row."""
    return dict(zip(row.signs, row.callers, strict=True))


@pytest.mark.parametrize("path", DANGEROUS.split())
def test_who_signed_in_long_ago_is_asked_again(world: World, path: str) -> None:
    rows = [row for row in ROWS.values() if row.path == path]
    asked = [world.answer(row, SIGNED_IN_LONG_AGO) for row in rows]

    assert rows
    assert {answer.headers.get("Location", "").partition("?")[0] for answer in asked} == {CONFIRM}
