"""Names that people could take for each other."""

import pytest
from django.db import IntegrityError

from endpoints import people
from endpoints.models import User
from endpoints.names import looks, usable_name
from inference.errors import Conflict, InvalidArgument
from tests.factories import PASSWORD, make_user


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("bob", "Bob"),
        ("bob", "ｂｏｂ"),  # noqa: RUF001 - each is a letter of its own width
        ("bob", "bоb"),  # noqa: RUF001 - a Cyrillic o is the point
        ("admin", "аdmin"),  # noqa: RUF001 - and an a
        ("elastic", "еlаѕtіс"),  # noqa: RUF001
        ("vik", "νικ"),
        ("strasse", "Straße"),
        ("jose", "josé"),
        ("b0b", "bob"),
        ("a1", "al"),
        ("ﬁona", "fiona"),
    ],
)
def test_these_look_the_same(name: str, other: str) -> None:
    assert looks(name) == looks(other)


@pytest.mark.parametrize(("name", "other"), [("bob", "bop"), ("ann", "anna"), ("a.b", "ab")])
def test_these_do_not(name: str, other: str) -> None:
    assert looks(name) != looks(other)


@pytest.mark.parametrize(
    "name", ["", " ", "bob:", "a b", "_invite", ".", "..", "-x", "a/b", "a\0b", "a\nb", "x" * 151]
)
def test_this_is_no_name(name: str) -> None:
    with pytest.raises(InvalidArgument, match="username"):
        usable_name(name)


def test_a_name_has_one_form() -> None:
    assert usable_name(" ｂｏｂ ") == "bob"  # noqa: RUF001 - wide letters
    assert usable_name("bob@example.org") == "bob@example.org"


@pytest.mark.django_db
def test_a_name_that_looks_like_one_that_is_taken_is_refused_without_saying_whose() -> None:
    make_user("secretary")

    with pytest.raises(Conflict) as refusal:
        people.create_user("Secretаry", PASSWORD, [])  # noqa: RUF001 - a Cyrillic a
    assert "secretary" not in str(refusal.value)
    assert User.objects.count() == 1


@pytest.mark.django_db
def test_the_database_keeps_looks_apart_whoever_writes() -> None:
    User.objects.bulk_create([User(username="bob")])

    with pytest.raises(IntegrityError):
        User.objects.bulk_create([User(username="BOB")])


@pytest.mark.django_db
def test_names_that_looked_alike_before_go_on() -> None:
    make_user("bob")
    User.objects.bulk_create([User(username="other")])
    User.objects.filter(username="other").update(username="Bob", look=None)
    old = User.objects.get(username="Bob")

    old.first_name = "Robert"
    old.save()

    assert User.objects.get(username="Bob").look is None
