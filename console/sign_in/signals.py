"""What follows when somebody's second factors or addresses change, wherever that was done."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.account.signals import email_confirmed
from allauth.mfa.models import Authenticator
from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from endpoints import audit
from endpoints.models import User


@receiver([post_save, post_delete], sender=Authenticator)
@transaction.atomic
def factor_changed(
    instance: Authenticator, created: bool | None = None, raw: bool = False, **kwargs: Any
) -> None:
    """Keep on the account whether it has a second factor, and write down what changed."""
    if created is False:
        return  # it was used
    factors = Authenticator.objects.filter(user_id=instance.user_id)
    has_one = factors.exclude(type=Authenticator.Type.RECOVERY_CODES).exists()
    User.objects.filter(pk=instance.user_id).update(has_second_factor=has_one)
    if raw:
        return  # it came with an archive, which is written down as one
    username, factor = instance.user.username, {"factor": instance.type}
    if created:
        audit.record("factor.add", username, after=factor)
    else:
        audit.record("factor.remove", username, before=factor)


@receiver(email_confirmed)
def address_confirmed(email_address: EmailAddress, **kwargs: Any) -> None:
    user = email_address.user
    after = {"email": email_address.email}
    audit.record("person.update", user.username, after=after, who=audit.of_this(user))
