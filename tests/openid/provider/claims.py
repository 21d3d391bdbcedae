"""What the provider says of its people."""

from typing import Any

from oauth2_provider.oauth2_validators import OAuth2Validator

# By the name that somebody signs in with; the tests say what.
PEOPLE: dict[str, dict[str, Any]] = {}


class Validator(OAuth2Validator):  # type: ignore[misc]  # it carries no types
    oidc_claim_scope = None  # every claim goes with every scope

    def get_additional_claims(self, request: Any) -> dict[str, Any]:
        return PEOPLE[request.user.username]
