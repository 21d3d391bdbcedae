"""Who changed what, and who was refused what: entries that are only ever added."""

from typing import Any

from django.db import models
from django.db.models.functions import Left, StrIndex
from django.utils import timezone

from endpoints.models.base import iso
from endpoints.models.team import Team
from endpoints.models.user import User


class Outcome(models.TextChoices):
    DONE = "done", "done"
    REFUSED = "refused", "refused"
    FAILED = "failed", "failed"


class AuditEntry(models.Model):
    """One change or one refusal. Names are kept as they were, whatever becomes of their bearers.

    before, after: what was changed, without secrets. times: how often, of refusals and failures
    that came again and again within a minute; at is then the first of them. sha256: over everything
    else of the entry and the sha256 of the one before it, so that none can be changed or taken out
    unnoticed.
    """

    number = models.BigIntegerField(unique=True)
    at = models.DateTimeField(default=timezone.now, db_index=True)
    actor = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    actor_name = models.CharField(max_length=256)
    key_id = models.CharField(max_length=64, blank=True)
    address = models.CharField(max_length=64, blank=True)
    verb = models.CharField(max_length=64)
    # What the verb is about, with its dot, to be found by an index.
    kind = models.GeneratedField(
        expression=Left("verb", StrIndex("verb", models.Value("."))),
        output_field=models.CharField(max_length=64),
        db_persist=True,
    )
    subject = models.CharField(max_length=256)
    team = models.ForeignKey(
        Team, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    team_name = models.CharField(max_length=64, blank=True)
    outcome = models.CharField(max_length=16, choices=Outcome.choices)
    reason = models.TextField(blank=True)
    times = models.PositiveIntegerField(default=1)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    sha256 = models.CharField(max_length=64)

    class Meta:
        ordering = ("-number",)
        # Entries are read by number, the newest first, whatever they are chosen by.
        indexes = (
            models.Index(fields=("actor_name", "number"), name="audit_by_actor"),
            models.Index(fields=("verb", "number"), name="audit_by_verb"),
            models.Index(fields=("kind", "number"), name="audit_by_kind"),
            models.Index(fields=("subject", "number"), name="audit_by_subject"),
            models.Index(fields=("team", "number"), name="audit_by_team"),
            models.Index(fields=("outcome", "number"), name="audit_by_outcome"),
        )

    def __str__(self) -> str:
        return f"{self.number} {self.verb} {self.subject}"

    def to_response(self) -> dict[str, Any]:
        """The entry as it is exported, and as it is hashed."""
        shown: dict[str, Any] = {
            "number": self.number,
            "at": iso(self.at),
            "actor": self.actor_name,
            "key_id": self.key_id,
            "address": self.address,
            "verb": self.verb,
            "subject": self.subject,
            "team": self.team_name,
            "outcome": self.outcome,
            "reason": self.reason,
            "before": self.before,
            "after": self.after,
        }
        return shown if self.times == 1 else shown | {"times": self.times}


class AuditHead(models.Model):
    """The one row that is locked to add an entry: where the chain ends, and where it begins now.

    first_number, first_sha256: of the last entry that was removed because it was old enough; the
    chain goes on from there.
    """

    last_number = models.BigIntegerField(default=0)
    last_sha256 = models.CharField(max_length=64, blank=True)
    first_number = models.BigIntegerField(default=0)
    first_sha256 = models.CharField(max_length=64, blank=True)

    def __str__(self) -> str:
        return f"{self.first_number}-{self.last_number}"
