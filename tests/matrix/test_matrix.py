"""Everybody at every door: the tables tell who is let in, and no door is without a line."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from django.db import transaction
from django.urls import URLPattern, URLResolver, get_resolver, resolve
from pytest_django.plugin import DjangoDbBlocker

from endpoints import hosting
from tests.console.conftest import HTMX
from tests.endpoints.conftest import FakeHosts
from tests.endpoints.conftest import World as Time
from tests.matrix import api, pages
from tests.matrix.table import (
    FORBIDDEN,
    KEYS,
    MISSING,
    SIGNS,
    UNKNOWN,
    Row,
    grouped,
    rows_of,
)
from tests.matrix.world import SIGNED_IN_LONG_AGO, World, build, is_sign_in, sign_of

pytestmark = pytest.mark.django_db
ROWS = {
    f"{area}: {row}": row
    for tables in (api.TABLES, pages.TABLES)
    for area, table in tables.items()
    for row in rows_of(table)
}
OF_PAGES = {name: row for name, row in ROWS.items() if row.is_of_page}
READ = {name: row for name, row in ROWS.items() if row.method == "GET"}
CONFIRM = "/console/account/confirm"
METHOD_NOT_ALLOWED = 405


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    """Built once; whatever is done in it is undone at once."""
    with pytest.MonkeyPatch.context() as patch, django_db_blocker.unblock(), transaction.atomic():
        hosts = FakeHosts()
        patch.setattr(hosting, "hosts", lambda: hosts)
        patch.setattr(hosting, "sleep", Time(hosts).pause)
        yield build()
        transaction.set_rollback(True)


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_everybody_is_answered_as_the_table_says(world: World, row: Row) -> None:
    found = world.signs_of(row)

    assert found == row.signs, "\n".join(differences(row, found))


def one_of_each(row: Row) -> dict[str, str]:
    """A caller for each sign that there is in the row."""
    return dict(zip(row.signs, row.callers, strict=True))


def differences(row: Row, found: str) -> Iterator[str]:
    yield f"{grouped(found)}  {row}"
    for caller, is_, expected in zip(row.callers, found, row.signs, strict=False):
        if is_ != expected:
            yield f"{caller} {SIGNS[is_]}, and not as expected: {SIGNS[expected]}"


@pytest.mark.parametrize("row", OF_PAGES.values(), ids=OF_PAGES)
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


@pytest.mark.parametrize("row", READ.values(), ids=READ)
def test_the_head_is_for_whoever_may_have_the_whole(world: World, row: Row) -> None:
    for sign, caller in one_of_each(row).items():
        answer = world.answer(replace(row, method="HEAD"), caller)
        assert answer.status_code == METHOD_NOT_ALLOWED or sign_of(row, answer) == sign


@pytest.mark.parametrize("path", pages.DANGEROUS.split())
def test_who_signed_in_long_ago_is_asked_again(world: World, path: str) -> None:
    rows = [row for row in ROWS.values() if row.path == path]
    asked = [world.answer(row, SIGNED_IN_LONG_AGO) for row in rows]

    assert rows
    assert {answer.headers.get("Location", "").partition("?")[0] for answer in asked} == {CONFIRM}


@pytest.mark.parametrize("key", KEYS)
def test_a_key_opens_no_page(world: World, key: str) -> None:
    opened = Row("GET", "/console/", "")
    answer = world.answer(opened, "nobody at all", **world.headers[key])

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
