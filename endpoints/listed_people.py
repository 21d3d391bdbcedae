"""People as lists and pages show them: as much of each as who looks may know."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet, TextChoices

from endpoints.access_to_people import may_everywhere, visible_memberships
from endpoints.models import Membership, User
from endpoints.models.base import iso
from endpoints.permissions import Action


class PersonState(TextChoices):
    ACTIVE = "active", "active"
    NEVER = "never_signed_in", "never signed in"
    DEACTIVATED = "deactivated", "deactivated"

    @classmethod
    def of(cls, person: User) -> "PersonState":
        if not person.is_active:
            return cls.DEACTIVATED
        return cls.ACTIVE if person.last_login else cls.NEVER


IN_STATE = {
    PersonState.ACTIVE: Q(is_active=True, last_login__isnull=False),
    PersonState.NEVER: Q(is_active=True, last_login=None),
    PersonState.DEACTIVATED: Q(is_active=False),
}


@dataclass(frozen=True)
class Listed:
    """Somebody, for who looks. is_whole: whether they may know everything; else less is told.

    memberships: those that who looks may know of.
    """

    person: User
    memberships: tuple[Membership, ...]
    is_whole: bool

    @property
    def state(self) -> PersonState:
        state = PersonState.of(self.person)
        return state if self.is_whole or not self.person.is_active else PersonState.ACTIVE

    def to_response(self) -> dict[str, Any]:
        person = self.person
        told: dict[str, Any] = {
            "username": person.username,
            "enabled": person.is_active,
            "state": self.state,
            "teams": [
                {"team": membership.team.name, "team_role": membership.role}
                for membership in self.memberships
            ],
        }
        if not self.is_whole:
            return told
        return told | {
            "full_name": person.get_full_name() or None,
            "email": person.email or None,
            "roles": person.role_names,
            "created_at": iso(person.date_joined),
            "last_sign_in": iso(person.last_login) if person.last_login else None,
            "second_factor": person.has_second_factor,
        }


def listed(user: User, people: Iterable[User]) -> Iterator[Listed]:
    """These people, with what the user may know of their teams. Asks the database once for all."""
    people, is_whole = list(people), may_everywhere(user, Action.PERSON_GET)
    by_person: dict[int, list[Membership]] = {}
    for membership in visible_memberships(user).filter(user__in=people):
        by_person.setdefault(membership.user_id, []).append(membership)
    for person in people:
        yield Listed(person, tuple(by_person.get(person.pk, ())), is_whole)


def named_like(user: User, people: QuerySet[User], query: str) -> QuerySet[User]:
    """Those who are called like this. Nobody finds them by what they may not see of them."""
    query = query.replace("\0", "").strip()  # PostgreSQL refuses a NUL
    if not query:
        return people
    by_name = Q(username__icontains=query)
    if may_everywhere(user, Action.PERSON_GET):
        by_name |= Q(email__icontains=query)
        by_name |= Q(first_name__icontains=query) | Q(last_name__icontains=query)
    return people.filter(by_name)
