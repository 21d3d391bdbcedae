"""A way back in for somebody who lost their password: by a link that an administrator makes."""

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from endpoints import audit, people
from endpoints.access import Forbidden
from endpoints.access_to_people import get_person
from endpoints.attempts import attempt
from endpoints.invitations import LinkUnusable
from endpoints.models import LinkState, PasswordReset, User
from endpoints.models.link import link_of
from endpoints.permissions import Action
from inference.errors import Conflict, NotFound


@attempt("person.password.offer", on="person")
@transaction.atomic
def offer_reset(actor: User, person: User) -> tuple[PasswordReset, str]:
    """A link to a new password, in the place of any before; its token is never shown again.

    Until it is used the old password stays. Raises Conflict for somebody who is deactivated, and
    where no password counts.
    """
    if settings.OIDC_ONLY:
        raise Conflict(f"People sign in with {settings.OIDC_NAME}: no password counts here")
    if not person.is_active:
        raise Conflict(f"[{person.username}] is deactivated: activate the account first")
    now = timezone.now()
    open_ones = PasswordReset.objects.filter(user=person, used_at=None, withdrawn_at=None)
    open_ones.update(withdrawn_at=now, updated_at=now)
    reset = PasswordReset(made_by=actor, user=person)
    token = reset.fresh_token()
    reset.save(force_insert=True)
    audit.record("person.password.offer", person.username)
    return reset, token


def find(token_sha256: str) -> PasswordReset:
    """A link that lets somebody back in, as long as who made it could make it now.

    Raises LinkUnusable.
    """
    reset = link_of(PasswordReset, token_sha256)
    if reset is None or not reset.is_open:
        raise LinkUnusable(reset.state if reset else None)
    if not (reset.user.is_active and reset.made_by.is_active):
        raise LinkUnusable(LinkState.WITHDRAWN)
    try:
        get_person(reset.made_by, reset.user.username, to=Action.PERSON_RESET)
    except (Forbidden, NotFound):
        raise LinkUnusable(LinkState.WITHDRAWN) from None
    return reset


@transaction.atomic
def reset_password(token_sha256: str, password: str) -> User:
    """Set a new password. Of two who try at once one does.

    Sessions end with the old password, and the API forgets it: both are bound to its hash.
    Raises LinkUnusable, and InvalidArgument for a password that cannot be used, after which the
    link can be used still.
    """
    found = find(token_sha256)
    PasswordReset.objects.select_for_update().get(pk=found.pk)
    reset = find(token_sha256)
    user = User.objects.select_for_update().get(pk=reset.user_id)
    people.check_password(password, user)
    user.set_password(password)
    user.save(update_fields=["password"])
    reset.used_at = timezone.now()
    reset.save(update_fields=["used_at", "updated_at"])
    audit.record("person.password.reset", user.username, who=audit.of_this(user))
    return user
