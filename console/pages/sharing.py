"""Whose an endpoint is and who else may use it, as its page tells."""

from dataclasses import dataclass

from console.forms.teams import ShareForm
from endpoints import sharing
from endpoints.access import may_with
from endpoints.models import Endpoint, EndpointShare, User
from endpoints.permissions import Action


@dataclass(frozen=True)
class SharingCard:
    shares: list[EndpointShare]
    may_share: bool
    may_take_back: bool
    may_move: bool
    form: ShareForm


def sharing_card(
    user: User, endpoint: Endpoint, form: ShareForm | None = None
) -> SharingCard | None:
    """None where it is everybody's, or for whom it is only shared with. form: what was refused."""
    if endpoint.team is None or not may_with(user, Action.SHARE_GET, endpoint):
        return None
    return SharingCard(
        sharing.shares_of(endpoint),
        may_with(user, Action.SHARE_PUT, endpoint),
        may_with(user, Action.SHARE_DELETE, endpoint),
        may_with(user, Action.ENDPOINT_MOVE, endpoint),
        form or ShareForm(),
    )
