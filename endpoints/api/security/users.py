"""Who calls, and what they may do."""

from typing import Any

from django.http import HttpResponse
from pydantic import Field

from endpoints.access import holds, require
from endpoints.api.http import ElasticView, UserRequest
from endpoints.api.schemas import Body, parse
from endpoints.api.security.grants import ApplicationGrant, IndexGrant, Name
from endpoints.permissions import Action
from endpoints.privileges import check_cluster_privileges, check_index_privileges
from endpoints.scopes import scope_of
from inference.errors import InvalidAction, InvalidArgument

KEY_REALM = {"name": "_es_api_key", "type": "_es_api_key"}
MAX_ASKED = 10_000


class HasPrivilegesBody(Body):
    cluster: list[Name] = Field(default_factory=list)
    index: list[IndexGrant] = Field(default_factory=list)
    application: list[ApplicationGrant] = Field(default_factory=list)

    def check(self) -> None:
        """Raises InvalidAction for nothing or far too much, InvalidArgument for unknown names."""
        asked = len(self.cluster)
        asked += sum(len(grant.names) * len(grant.privileges) for grant in self.index)
        asked += sum(len(grant.resources) * len(grant.privileges) for grant in self.application)
        if not (self.cluster or self.index or self.application):
            raise InvalidAction(["must specify at least one privilege"])
        if asked > MAX_ASKED:
            raise InvalidAction([f"must specify at most {MAX_ASKED} privileges, not {asked}"])
        check_cluster_privileges(self.cluster)
        for grant in self.index:
            check_index_privileges(grant.privileges)


class AuthenticateView(ElasticView):
    def get(self, request: UserRequest) -> HttpResponse:
        self.params(request)
        user, key = request.user, request.user.acting_key
        name, kind = user.realm
        realm = {"name": name, "type": kind} if key is None else KEY_REALM
        shown: dict[str, Any] = {
            "username": user.username,
            "roles": user.role_names if key is None else [],
            "full_name": user.get_full_name() or None,
            "email": user.email or None,
            "metadata": {"_reserved": True} if user.is_builtin and key is None else {},
            "enabled": user.is_active,
            "authentication_realm": realm,
            "lookup_realm": realm,
            "authentication_type": "realm" if key is None else "api_key",
        }
        if key:
            shown["api_key"] = {
                "id": key.key_id,
                "name": key.name,
                "managed_by": "elasticsearch",
                "internal": False,
            }
        return self.answer(shown)


class HasPrivilegesView(ElasticView):
    def post(self, request: UserRequest, username: str | None = None) -> HttpResponse:
        """Tell for each privilege that is asked for whether the caller has it.

        What is asked does not say of which team: a person is told what they may do everywhere,
        whatever more their roles in teams allow; a key of a team, what it may do there.
        """
        user = request.user
        if username not in (None, user.username):
            require(user, Action.HAS_PRIVILEGES)
            raise InvalidArgument("users may only check the privileges of their own account")
        self.params(request)
        body = parse(HasPrivilegesBody, request)
        body.check()
        key = user.acting_key
        rights = scope_of(user).in_team(key.team_id if key else None)
        cluster = {privilege: holds(rights, privilege) for privilege in body.cluster}
        index: dict[str, dict[str, bool]] = {}
        for asked in body.index:
            for name in asked.names:
                index.setdefault(name, {}).update(
                    {one: holds(rights, one, name) for one in asked.privileges}
                )
        application: dict[str, dict[str, dict[str, bool]]] = {}
        for wish in body.application:
            resources = application.setdefault(wish.application, {})
            for resource in wish.resources:
                resources.setdefault(resource, {}).update(
                    {
                        one: rights.include_in(wish.application, resource, one)
                        for one in wish.privileges
                    }
                )
        held = [
            *cluster.values(),
            *(has for by_name in index.values() for has in by_name.values()),
            *(
                has
                for by_resource in application.values()
                for by_name in by_resource.values()
                for has in by_name.values()
            ),
        ]
        return self.answer(
            {
                "username": user.username,
                "has_all_requested": all(held),
                "cluster": cluster,
                "index": index,
                "application": application,
            }
        )

    get = post
