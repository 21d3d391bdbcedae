"""What each role can do, in plain words: read off the privileges, so that it cannot be wrong."""

from dataclasses import dataclass, replace

from endpoints.access import holds
from endpoints.models import TeamRole
from endpoints.permissions import Action
from endpoints.privileges import BUILTIN_ROLES, SUPERUSER, TEAM_ROLES, Rights, Role


@dataclass(frozen=True)
class Ability:
    """Actions that go together, in the words of a sentence that begins with "can"."""

    words: str
    actions: frozenset[Action]


def _ability(words: str, *actions: Action) -> Ability:
    return Ability(words, frozenset(actions))


# Every action is in one of these, and a role allows all of one or nothing of it.
ABILITIES = (
    _ability(
        "see endpoints, call them, and try how texts are cut",
        Action.GET,
        Action.INFER,
        Action.SERVICES,
        Action.CHUNK,
        Action.CACHE_GET,
        Action.REGION_POLICY_GET,
    ),
    _ability(
        "create endpoints, change, delete and restore them, empty their caches, and find out why "
        "one fails",
        Action.PUT,
        Action.UPDATE,
        Action.DELETE,
        Action.RESTORE,
        Action.DELETED_GET,
        Action.DELETED_FORGET,
        Action.DIAGNOSE,
        Action.CACHE_PUT,
        Action.CACHE_PURGE,
    ),
    _ability(
        "call deployed models, and see what their deployments went through",
        Action.MODEL_INFER,
        Action.DEPLOYMENT_EVENTS,
    ),
    _ability("see models and their statistics", Action.MODEL_GET, Action.MODEL_STATS),
    _ability(
        "add, upload and delete models, and start and stop their deployments",
        Action.MODEL_PUT,
        Action.MODEL_DELETE,
        Action.MODEL_PART_PUT,
        Action.MODEL_VOCABULARY_PUT,
        Action.DEPLOYMENT_START,
        Action.DEPLOYMENT_UPDATE,
        Action.DEPLOYMENT_STOP,
    ),
    _ability(
        "make API keys, rotate and revoke their own",
        Action.API_KEY_CREATE,
        Action.API_KEY_GET,
        Action.API_KEY_ROTATE,
        Action.API_KEY_INVALIDATE,
    ),
    _ability("see connected clusters and what in them uses endpoints", Action.CLUSTER_GET),
    _ability(
        "connect clusters, scan and remove them",
        Action.CLUSTER_PUT,
        Action.CLUSTER_DELETE,
        Action.CLUSTER_SCAN,
    ),
    _ability(
        "see who is in a team, and with whom its endpoints are shared",
        Action.TEAM_GET,
        Action.SHARE_GET,
        Action.ACCOUNT_GET,
    ),
    _ability(
        "invite into a team, say who is in it with which role, and describe it",
        Action.TEAM_UPDATE,
        Action.MEMBER_PUT,
        Action.MEMBER_REMOVE,
        Action.TEAM_PEOPLE,
    ),
    _ability(
        "make and delete service accounts, and keys for them",
        Action.ACCOUNT_PUT,
        Action.ACCOUNT_DELETE,
    ),
    _ability(
        "share endpoints of a team with others, and give them to another team",
        Action.SHARE_PUT,
        Action.SHARE_DELETE,
        Action.ENDPOINT_MOVE,
    ),
    _ability("create and delete teams", Action.TEAM_CREATE, Action.TEAM_DELETE),
    _ability(
        "say in which regions providers may run",
        Action.REGION_POLICY_PUT,
        Action.REGION_POLICY_DELETE,
    ),
    _ability(
        "register ingest pipelines, simulate and remove them",
        Action.PIPELINE_GET,
        Action.PIPELINE_SIMULATE,
        Action.PIPELINE_PUT,
        Action.PIPELINE_DELETE,
    ),
    _ability(
        "register the mappings of indices, and remove them",
        Action.INDEX_CREATE,
        Action.INDEX_MAPPING_PUT,
        Action.INDEX_GET,
        Action.INDEX_DELETE,
    ),
    _ability("see who changed what of a team, in the audit log", Action.AUDIT_GET),
    _ability("see all people and their roles", Action.PERSON_GET),
    _ability(
        "invite people, give them roles, help them back in, and deactivate them",
        Action.PERSON_INVITE,
        Action.PERSON_ROLES,
        Action.PERSON_RESET,
        Action.PERSON_FACTORS,
        Action.PERSON_SESSIONS,
        Action.PERSON_DEACTIVATE,
    ),
    _ability("ask which privileges they have", Action.HAS_PRIVILEGES),
)


@dataclass(frozen=True)
class RoleExplained:
    """name: as the API writes it. gist: whom the role is for. can: the words of its abilities.

    also: of what a team's role can, what the role before it in a team cannot.
    """

    name: str
    label: str
    gist: str
    can: tuple[str, ...]
    also: tuple[str, ...] = ()


IN_A_TEAM = {
    TeamRole.INFERENCE_USER: "For people and programs that use what the team has.",
    TeamRole.INFERENCE_ADMIN: "For those who set up what the team uses.",
    TeamRole.TEAM_ADMIN: "For those who answer for the team.",
}
ON_THE_SITE = {
    SUPERUSER: ("site administrator", "For those who run this installation."),
    "inference_admin": ("inference administrator", "For those who set up endpoints for all teams."),
    "inference_user": ("inference user", "For those who use the endpoints of all teams."),
    "machine_learning_admin": (
        "machine learning administrator",
        "For those who bring models, for example with eland.",
    ),
    "machine_learning_user": ("machine learning user", "For those who call models by themselves."),
}


def in_teams() -> list[str]:
    """What a role in a team can allow at all."""
    return [one.words for one in of_teams()]


def on_the_site() -> list[str]:
    """What a role of the site can allow: what one in a team can, and more."""
    return [one.words for one in ABILITIES]


def words_of(action: Action) -> str:
    """What somebody can do who may do this."""
    return next(one.words for one in ABILITIES if action in one.actions)


def roles_that_allow(action: Action) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What the roles are called that allow this: those in a team, the least first, and the site's.

    No role in a team allows what concerns the whole site.
    """
    in_a_team = TEAM_ROLES if action.is_of_teams else {}
    return (
        tuple(TeamRole(name).label for name, role in in_a_team.items() if gives(role, action)),
        tuple(
            label for name, (label, _) in ON_THE_SITE.items() if gives(BUILTIN_ROLES[name], action)
        ),
    )


def gives(role: Role, action: Action) -> bool:
    return allows(Rights(({"role": role},)), action)


def of_teams() -> list[Ability]:
    return [one for one in ABILITIES if all(action.is_of_teams for action in one.actions)]


def team_roles() -> list[RoleExplained]:
    """The roles in a team, each of which includes those before it."""
    found: list[RoleExplained] = []
    for role, gist in IN_A_TEAM.items():
        one = explained(role, role.label, gist, TEAM_ROLES[role], of_teams())
        before = found[-1].can if found else ()
        found.append(replace(one, also=tuple(words for words in one.can if words not in before)))
    return found


def site_roles() -> list[RoleExplained]:
    """The roles that hold everywhere, in every team, too."""
    return [
        explained(name, label, gist, BUILTIN_ROLES[name], list(ABILITIES))
        for name, (label, gist) in ON_THE_SITE.items()
    ]


def explained(
    name: str, label: str, gist: str, role: Role, abilities: list[Ability]
) -> RoleExplained:
    rights = Rights(({name: role},))
    can = tuple(one.words for one in abilities if allows(rights, *one.actions))
    return RoleExplained(str(name), label, gist, can)


def allows(rights: Rights, *actions: Action) -> bool:
    """Whether all of this is allowed, on all indices where it is done to indices."""
    return all(holds(rights, one, "*" if one.is_on_indices else None) for one in actions)
