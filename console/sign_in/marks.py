"""Keeps on the account whether it has a second factor, however that comes or goes."""

from typing import Any

from allauth.mfa.models import Authenticator
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from endpoints.models import User


@receiver([post_save, post_delete], sender=Authenticator)
def mark(instance: Authenticator, **kwargs: Any) -> None:
    factors = Authenticator.objects.filter(user_id=instance.user_id)
    has_one = factors.exclude(type=Authenticator.Type.RECOVERY_CODES).exists()
    User.objects.filter(pk=instance.user_id).update(has_second_factor=has_one)
