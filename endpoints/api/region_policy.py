"""The region policy: read it, set it, remove it."""

from typing import Any

from django.http import HttpResponse
from pydantic import StrictStr

from endpoints.access import require
from endpoints.api.http import ElasticView, UserRequest
from endpoints.api.schemas import Body, parse
from endpoints.models import RegionPolicy
from endpoints.permissions import Action
from endpoints.region_policy import remove_region_policy, set_region_policy
from inference.errors import InvalidAction, NotFound


class Region(Body):
    csp: StrictStr
    region: StrictStr


class Policy(Body):
    """What is allowed: whole areas, or single regions of cloud providers."""

    allowed_geos: list[StrictStr] | None = None
    allowed_regions: list[Region] | None = None
    fallback_region: StrictStr | None = None


class PolicyBody(Body):
    is_stored = True

    region_policy: Policy

    def checked(self) -> dict[str, Any]:
        """The policy to store. Raises InvalidAction unless it names exactly one kind of place."""
        lists = {
            "allowed_geos": self.region_policy.allowed_geos,
            "allowed_regions": self.region_policy.allowed_regions,
        }
        given = [name for name, places in lists.items() if places is not None]
        if len(given) != 1:
            raise InvalidAction(
                ["[region_policy] must have exactly one of [allowed_geos, allowed_regions]"]
            )
        if not lists[given[0]]:
            raise InvalidAction([f"[{given[0]}] must not be empty"])
        return self.region_policy.model_dump(exclude_none=True)


class RegionPolicyView(ElasticView):
    def get(self, request: UserRequest) -> HttpResponse:
        require(request.user, Action.REGION_POLICY_GET)
        self.params(request)
        return self.answer(current_policy().to_response())

    def put(self, request: UserRequest) -> HttpResponse:
        """Set the policy. No endpoint of this installation runs in a region, so none is denied."""
        require(request.user, Action.REGION_POLICY_PUT)
        self.params(request, "force").flag("force")
        policy = parse(PolicyBody, request).checked()
        return self.answer(set_region_policy(request.user, policy).to_response())

    def delete(self, request: UserRequest) -> HttpResponse:
        require(request.user, Action.REGION_POLICY_DELETE)
        self.params(request)
        remove_region_policy()
        return self.answer({"acknowledged": True})


def current_policy() -> RegionPolicy:
    """Raises NotFound where there is none."""
    policy = RegionPolicy.objects.select_related("created_by", "updated_by").first()
    if policy is None:
        raise NotFound("No region policy is configured for this installation")
    return policy
