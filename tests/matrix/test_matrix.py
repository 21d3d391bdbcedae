"""Everybody at every door: the tables tell who is let in, and no door is without a line."""

from collections.abc import Iterator

import pytest
from django.urls import URLPattern, URLResolver, get_resolver, resolve

from tests.matrix.rows import ROWS
from tests.matrix.table import KEYS, SIGNS, UNKNOWN, Row, grouped
from tests.matrix.world import World, sign_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_everybody_is_answered_as_the_table_says(world: World, row: Row) -> None:
    found = world.signs_of(row)

    assert found == row.signs, "\n".join(differences(row, found))


def differences(row: Row, found: str) -> Iterator[str]:
    yield f"{grouped(found)}  {row}"
    for caller, is_, expected in zip(row.callers, found, row.signs, strict=False):
        if is_ != expected:
            yield f"{caller} {SIGNS[is_]}, and not as expected: {SIGNS[expected]}"


@pytest.mark.parametrize("key", KEYS)
def test_a_key_opens_no_page(world: World, key: str) -> None:
    opened = Row("GET", "/console/", "")
    answer = world.answer(opened, "anonymous", **world.headers[key])

    assert sign_of(opened, answer) == UNKNOWN


def test_every_route_has_a_row(world: World) -> None:
    """Who adds a route says in a table who may use it."""
    known = {route_of(row) for row in ROWS.values()}

    assert [route for route in every_route(get_resolver()) if route not in known] == []


def test_every_method_has_a_row(world: World) -> None:
    known = {(route_of(row), row.method) for row in ROWS.values()}

    missing = {
        f"{method} {row.path}"
        for row in ROWS.values()
        for method in methods_at(world, row)
        if (route_of(row), method) not in known
    }

    assert sorted(missing) == []


def route_of(row: Row) -> str:
    return resolve(row.path.partition("?")[0]).route


def every_route(resolver: URLResolver, prefix: str = "") -> Iterator[str]:
    for pattern in resolver.url_patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield route
        else:
            yield from every_route(pattern, route)


def methods_at(world: World, row: Row) -> set[str]:
    """What may be asked there, as it says itself; HEAD is as GET."""
    answer = world.answer(Row("OPTIONS", row.path, ""), "superuser")
    return set(answer.get("Allow", row.method).split(", ")) - {"HEAD", "OPTIONS"}
