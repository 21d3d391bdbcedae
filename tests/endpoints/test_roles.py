"""What is said of the roles is what their privileges allow."""

from collections import Counter

import pytest

from endpoints.models import TeamRole
from endpoints.permissions import Action
from endpoints.privileges import BUILTIN_ROLES, TEAM_ROLES, Rights
from endpoints.roles import (
    ABILITIES,
    Ability,
    allows,
    in_teams,
    on_the_site,
    site_roles,
    team_roles,
)

CREATES = (
    "create endpoints, change, delete and restore them, empty their caches, and find out why "
    "one fails"
)
SEES = "see endpoints, call them, and try how texts are cut"
SAYS_WHO = "invite into a team, say who is in it with which role, and describe it"
SHARES = "share endpoints of a team with others, and give them to another team"
MAKES_TEAMS = "create and delete teams"


def test_every_action_is_told_once() -> None:
    """Put a new action into one of ABILITIES in endpoints/roles.py, or write a new one."""
    told = Counter(action for ability in ABILITIES for action in ability.actions)

    assert set(told) == set(Action)
    assert set(told.values()) == {1}


@pytest.mark.parametrize("ability", ABILITIES, ids=lambda ability: ability.words)
def test_an_ability_is_had_whole_or_not_at_all(ability: Ability) -> None:
    """Take apart an ability of which a role has only some actions."""
    for name, role in [*BUILTIN_ROLES.items(), *TEAM_ROLES.items()]:
        rights = Rights(({name: role},))
        assert len({allows(rights, action) for action in ability.actions}) == 1, name
    assert len({action.is_of_teams for action in ability.actions}) == 1


def test_every_role_is_explained() -> None:
    assert [role.name for role in team_roles()] == list(TeamRole)
    assert {role.name for role in site_roles()} == set(BUILTIN_ROLES)


def test_what_the_roles_can_do_is_all_there_is() -> None:
    everything = [one.words for one in ABILITIES]
    of_teams = [one.words for one in ABILITIES if all(a.is_of_teams for a in one.actions)]

    assert on_the_site() == everything
    assert in_teams() == of_teams
    assert all(set(role.can) <= set(everything) for role in site_roles())
    assert all(set(role.can) <= set(of_teams) for role in team_roles())


def test_a_role_in_a_team_can_do_what_those_before_it_can() -> None:
    user, manager, admin = (set(role.can) for role in team_roles())

    assert user < manager < admin
    assert SEES in user
    assert CREATES in manager - user
    assert {SAYS_WHO, SHARES} <= admin - manager
    assert all(MAKES_TEAMS not in role.can for role in team_roles())


def test_the_site_s_administrator_can_do_everything_and_others_let_nobody_in() -> None:
    first, *others = site_roles()

    assert list(first.can) == on_the_site()
    for role in others:
        assert {SAYS_WHO, SHARES, MAKES_TEAMS}.isdisjoint(role.can)
