"""Privileges and roles: their names, which of them include which, and what a set of them allows.

Sources: Elasticsearch's ClusterPrivilegeResolver, IndexPrivilege and ReservedRolesStore, of which
this holds every name, and the relations between those that something here asks for.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from inference.errors import InvalidArgument

# A role as the API writes it: cluster, indices, applications, run_as and so on.
Role: TypeAlias = Mapping[str, Any]
Roles: TypeAlias = Mapping[str, Role]
Lattice: TypeAlias = Mapping[str, frozenset[str]]

ALL, MANAGE = "all", "manage"


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


# `manage` is everything but these.
SECURITY_PRIVILEGES = _names(
    "delegate_pki grant_api_key manage_api_key manage_oidc manage_own_api_key manage_saml "
    "manage_security manage_service_account manage_token manage_user_profile "
    "read_security"
)
CLUSTER_PRIVILEGES = SECURITY_PRIVILEGES | _names(
    "all none cancel_task create_snapshot cross_cluster_replication cross_cluster_search manage "
    "manage_autoscaling manage_behavioral_analytics manage_ccr manage_data_frame_transforms "
    "manage_data_stream_global_retention manage_enrich manage_esql manage_ilm "
    "manage_index_templates manage_inference manage_ingest_pipelines manage_logstash_pipelines "
    "manage_ml manage_pipeline manage_project_routing manage_reindex manage_rollup "
    "manage_search_application manage_search_query_rules manage_search_synonyms manage_slm "
    "manage_transform manage_watcher monitor monitor_data_frame_transforms "
    "monitor_data_stream_global_retention monitor_enrich monitor_esql monitor_inference "
    "monitor_ml monitor_reindex monitor_rollup monitor_snapshot monitor_stats "
    "monitor_text_structure monitor_transform monitor_watcher post_behavioral_analytics_event "
    "read_ccr read_connector_secrets read_fleet_secrets read_ilm read_pipeline "
    "read_project_routing read_slm transport_client write_connector_secrets "
    "write_fleet_secrets"
)
INDEX_PRIVILEGES = _names(
    "all none auto_configure create create_doc create_index cross_cluster_replication "
    "cross_cluster_replication_internal delete delete_index index maintenance manage "
    "manage_data_stream_lifecycle manage_failure_store manage_follow_index manage_ilm "
    "manage_leader_index monitor read read_cross_cluster read_failure_store "
    "view_index_metadata write"
)
CLUSTER_ACTIONS = ("cluster:", "indices:admin/template/", "indices:admin/index_template/")
INDEX_ACTIONS = ("indices:",)


def closed(includes: Mapping[str, Iterable[str]]) -> Lattice:
    """Everything that each privilege includes, itself and what is included by way of others."""

    def reach(name: str, seen: frozenset[str]) -> frozenset[str]:
        for next_name in frozenset(includes.get(name, ())) - seen:
            seen = reach(next_name, seen | {next_name})
        return seen

    return {name: reach(name, frozenset({name})) for name in includes}


CLUSTER_LATTICE = closed(
    {
        ALL: CLUSTER_PRIVILEGES,
        MANAGE: CLUSTER_PRIVILEGES - SECURITY_PRIVILEGES - {ALL},
        "monitor": [
            "monitor_data_frame_transforms",
            "monitor_data_stream_global_retention",
            "monitor_esql",
            "monitor_inference",
            "monitor_ml",
            "monitor_rollup",
            "monitor_stats",
            "monitor_text_structure",
            "monitor_transform",
            "monitor_watcher",
            "transport_client",
        ],
        "manage_api_key": ["manage_own_api_key", "grant_api_key"],
        "manage_enrich": ["monitor_enrich"],
        "manage_inference": ["monitor_inference"],
        "manage_ingest_pipelines": ["manage_pipeline", "read_pipeline"],
        "manage_ml": ["monitor_ml"],
        "manage_pipeline": ["manage_ingest_pipelines", "read_pipeline"],
        "manage_rollup": ["monitor_rollup"],
        "manage_security": SECURITY_PRIVILEGES - {"delegate_pki"},
        "manage_transform": ["monitor_transform"],
        "manage_watcher": ["monitor_watcher"],
    }
)
INDEX_LATTICE = closed(
    {
        ALL: INDEX_PRIVILEGES,
        MANAGE: [
            "create_index",
            "delete_index",
            "maintenance",
            "manage_data_stream_lifecycle",
            "manage_follow_index",
            "manage_ilm",
            "manage_leader_index",
            "monitor",
            "view_index_metadata",
        ],
        "write": ["index", "delete"],
        "index": ["create"],
        "create": ["create_doc"],
    }
)


def _role(cluster: list[str], indices: list[Role], applications: list[Role]) -> Role:
    return {
        "cluster": cluster,
        "indices": indices,
        "applications": applications,
        "run_as": [],
        "metadata": {"_reserved": True},
        "transient_metadata": {"enabled": True},
    }


def _on(names: list[str], *privileges: str, restricted: bool = False) -> Role:
    return {
        "names": names,
        "privileges": list(privileges),
        "allow_restricted_indices": restricted,
    }


def _in_kibana(privilege: str) -> Role:
    return {"application": "kibana-*", "privileges": [privilege], "resources": ["*"]}


SUPERUSER = "superuser"
BUILTIN_ROLES: Roles = {
    SUPERUSER: {
        **_role(
            [ALL],
            [
                _on(["*"], ALL),
                _on(
                    ["*"],
                    "monitor",
                    "read",
                    "view_index_metadata",
                    "read_cross_cluster",
                    restricted=True,
                ),
            ],
            [{"application": "*", "privileges": ["*"], "resources": ["*"]}],
        ),
        "run_as": ["*"],
    },
    "inference_admin": _role(["manage_inference"], [], []),
    "inference_user": _role(["monitor_inference"], [], []),
    "machine_learning_admin": _role(
        ["manage_ml"],
        [
            _on(
                [
                    ".ml-anomalies*",
                    ".ml-notifications*",
                    ".ml-state*",
                    ".ml-meta*",
                    ".ml-stats-*",
                ],
                "view_index_metadata",
                "read",
            ),
            _on([".ml-annotations*"], "view_index_metadata", "read", "write"),
        ],
        [_in_kibana("reserved_ml_admin")],
    ),
    "machine_learning_user": _role(
        ["monitor_ml"],
        [
            _on([".ml-anomalies*", ".ml-notifications*"], "view_index_metadata", "read"),
            _on([".ml-annotations*"], "view_index_metadata", "read", "write"),
        ],
        [_in_kibana("reserved_ml_user")],
    ),
}


# What a role in a team allows with what belongs to the team. Keys are made for oneself, and by
# administrators of the team revoked for others.
_MEMBER = ["monitor_inference", "monitor_ml", "manage_own_api_key", "cluster:monitor/console/*"]
_MANAGER = [*_MEMBER, "manage_inference", "manage_ml", "cluster:*/console/clusters/*"]
TEAM_ROLES: Roles = {
    "inference_user": _role(_MEMBER, [], []),
    "inference_admin": _role(_MANAGER, [], []),
    "team_admin": _role([*_MANAGER, "manage_api_key", "cluster:*/console/team/*"], [], []),
}


def granted(*cluster: str) -> Role:
    """A role with these privileges alone, as the API writes one that somebody described."""
    return {**_role(list(cluster), [], []), "metadata": {}}


# All that a key can do which works for some endpoints only: nothing that reaches past them.
ON_ENDPOINTS: Roles = {
    "narrowed": _role(
        [
            "cluster:admin/xpack/inference/put",
            "cluster:admin/xpack/inference/update",
            "cluster:admin/xpack/inference/delete",
            "cluster:admin/xpack/inference/deleted/*",
            "cluster:admin/xpack/inference/restore",
            "cluster:admin/xpack/inference/diagnose",
            "cluster:admin/xpack/inference/cache/*",
            "cluster:monitor/xpack/inference/*",
        ],
        [],
        [],
    )
}


def builtin_roles(names: Iterable[str]) -> Roles:
    """The roles of these names. A name that no role has grants nothing."""
    return {name: BUILTIN_ROLES[name] for name in names if name in BUILTIN_ROLES}


def is_empty(role: Role) -> bool:
    """Whether a role allows nothing at all."""
    return not any(role.get(kind) for kind in ("cluster", "indices", "applications", "run_as"))


def check_cluster_privileges(names: Iterable[str]) -> None:
    """Raises InvalidArgument for a name that is neither a cluster privilege nor an action."""
    _check(names, "cluster", CLUSTER_PRIVILEGES, CLUSTER_ACTIONS)


def check_index_privileges(names: Iterable[str]) -> None:
    """Raises InvalidArgument for a name that is neither an index privilege nor an action."""
    _check(names, "index", INDEX_PRIVILEGES, INDEX_ACTIONS)


def _check(
    names: Iterable[str], kind: str, known: frozenset[str], actions: tuple[str, ...]
) -> None:
    for name in names:
        if name not in known and not name.startswith(actions):
            raise InvalidArgument(
                f"unknown {kind} privilege [{name}]. a privilege must be either one of the "
                f"predefined {kind} privilege names [{','.join(sorted(known))}] or a pattern over "
                f"one of the available {kind} actions"
            )


@dataclass(frozen=True)
class Rights:
    """What somebody may do: that which every one of the layers allows.

    A person has one layer, their roles. A key has what its owner had when it was made and, where
    it was given less, that as well.
    """

    layers: tuple[Roles, ...]
    # A page asks the same of every row, and to compare patterns takes long.
    _told: dict[tuple[str | tuple[str, ...], ...], bool] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def allow(self, action: str, granted_by: tuple[str, ...]) -> bool:
        """Whether one of these cluster privileges is held, or the action itself."""
        asked = (action, granted_by)
        if asked not in self._told:
            self._told[asked] = self._allow(action, granted_by)
        return self._told[asked]

    def _allow(self, action: str, granted_by: tuple[str, ...]) -> bool:
        return all(
            any(
                held in granted_by or covers(held, action)
                for role in _usable(layer)
                for held in role.get("cluster", ())
            )
            for layer in self.layers
        )

    def allow_on(self, index: str, action: str, granted_by: tuple[str, ...]) -> bool:
        """The same for a privilege on all indices of a name, which may be a pattern."""
        asked = (index, action, granted_by)
        if asked not in self._told:
            self._told[asked] = self._allow_on(index, action, granted_by)
        return self._told[asked]

    def _allow_on(self, index: str, action: str, granted_by: tuple[str, ...]) -> bool:
        return all(
            any(
                held in granted_by or covers(held, action)
                for held in _held_on(layer, "indices", "names", index)
            )
            for layer in self.layers
        )

    def include(self, privilege: str) -> bool:
        return all(
            any(
                includes(CLUSTER_LATTICE, held, privilege)
                for role in _usable(layer)
                for held in role.get("cluster", ())
            )
            for layer in self.layers
        )

    def include_on(self, index: str, privilege: str) -> bool:
        return all(
            any(
                includes(INDEX_LATTICE, held, privilege)
                for held in _held_on(layer, "indices", "names", index)
            )
            for layer in self.layers
        )

    def include_in(self, application: str, resource: str, privilege: str) -> bool:
        return all(
            any(
                covers(held, privilege)
                for role in _usable(layer)
                for grant in role.get("applications", ())
                if covers(grant["application"], application)
                and any(covers(pattern, resource) for pattern in grant["resources"])
                for held in grant["privileges"]
            )
            for layer in self.layers
        )


def _usable(layer: Roles) -> Iterable[Role]:
    """The roles of a layer, less those that are only for workflows: none of these is here."""
    return (role for role in layer.values() if not role.get("restriction"))


def _held_on(layer: Roles, kind: str, names: str, asked: str) -> Iterable[str]:
    for role in _usable(layer):
        for grant in role.get(kind, ()):
            if any(covers(pattern, asked) for pattern in grant[names]):
                yield from grant["privileges"]


def includes(lattice: Lattice, held: str, privilege: str) -> bool:
    """Whether who holds one privilege has the other, too."""
    return held == ALL or privilege in lattice.get(held, ()) or covers(held, privilege)


def covers(held: str, asked: str) -> bool:
    """Whether every name that the asked pattern fits is fitted by the held one.

    `*` stands for any characters, `?` for one. Takes time in proportion to the product of the
    lengths at most, whatever the patterns are.
    """
    at_held = at_asked = 0
    star, after_star = -1, 0
    while at_asked < len(asked):
        sign = held[at_held] if at_held < len(held) else ""
        if sign == "*":
            star, after_star = at_held, at_asked
            at_held += 1
        elif sign == asked[at_asked] or (sign == "?" and asked[at_asked] != "*"):
            at_held += 1
            at_asked += 1
        elif star >= 0:
            after_star += 1
            at_held, at_asked = star + 1, after_star
        else:
            return False
    return not held[at_held:].strip("*")
