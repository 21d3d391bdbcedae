"""What refers to endpoints by their ids: index mappings and ingest pipelines."""

from typing import Any

from django.db import models, transaction

from endpoints.models.base import Record, iso
from inference.references.cluster import MAX_ID_LENGTH, can_be_id
from inference.references.mappings import referenced_ids
from inference.references.pipelines import referenced_models

INDEX_VERSION = "9000000"


class Referring(Record):
    """Names endpoints somewhere in its JSON.

    names: the same ids in rows of their own, which are found without reading everything. An id
    that no endpoint can have is not among them.
    """

    # The manager of the other side, as far as it is asked here.
    names: "models.QuerySet[Any]"

    class Meta:
        abstract = True

    @property
    def referenced(self) -> frozenset[str]:
        """The ids that are named."""
        raise NotImplementedError

    def save_base(self, *args: Any, **options: Any) -> None:
        # Every way to write one record comes by here; what an archive holds does not come by save.
        with transaction.atomic():
            super().save_base(*args, **options)
            self._keep_names()

    def _keep_names(self) -> None:
        named = sorted(filter(can_be_id, self.referenced))
        self.names.exclude(inference_id__in=named).delete()
        rows = [self.names.model(by=self, inference_id=one) for one in named]
        self.names.bulk_create(rows, ignore_conflicts=True)


class IndexMapping(Referring):
    """An index without documents. settings: dotted names without `index.`, values as strings."""

    name = models.CharField(max_length=255, unique=True)
    uuid = models.CharField(max_length=22, unique=True)
    mappings = models.JSONField(default=dict)
    settings = models.JSONField(default=dict)
    aliases = models.JSONField(default=dict)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    @property
    def referenced(self) -> frozenset[str]:
        return referenced_ids(self.mappings)

    def to_response(self, *, is_human: bool = False) -> dict[str, Any]:
        """The index as the API shows it; for people with a date that they can read."""
        shown: dict[str, Any] = {}
        for name, value in sorted(self.settings.items()):
            *parents, last = name.split(".")
            node = shown
            for parent in parents:
                node = node.setdefault(parent, {})
            node[last] = value
        own = {
            "uuid": self.uuid,
            **({"creation_date_string": iso(self.created_at)} if is_human else {}),
            "creation_date": str(int(self.created_at.timestamp() * 1000)),
            "provided_name": self.name,
            "version": {"created": INDEX_VERSION},
        }
        return {
            "aliases": self.aliases,
            "mappings": self.mappings,
            "settings": {"index": shown | own},
        }


class IngestPipeline(Referring):
    """config: the pipeline as it was put."""

    pipeline_id = models.CharField(max_length=256, unique=True)
    config = models.JSONField(default=dict)
    version = models.BigIntegerField(null=True)

    class Meta:
        ordering = ("pipeline_id",)

    def __str__(self) -> str:
        return self.pipeline_id

    @property
    def referenced(self) -> frozenset[str]:
        """Models and deployments may be among them."""
        return referenced_models(self.config)

    def to_response(self, *, is_human: bool = False) -> dict[str, Any]:
        """The pipeline as the API shows it; for people with dates that they can read."""
        shown = dict(self.config)
        for name, at in (("created_date", self.created_at), ("modified_date", self.updated_at)):
            if is_human:
                shown[name] = iso(at)
            shown[f"{name}_millis"] = int(at.timestamp() * 1000)
        return shown


class NameIn(models.Model):
    """That something of this installation names an id, whether anything has it or not."""

    inference_id = models.CharField(max_length=MAX_ID_LENGTH, db_index=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.inference_id


class NameInIndex(NameIn):
    by = models.ForeignKey(IndexMapping, on_delete=models.CASCADE, related_name="names")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("by", "inference_id"), name="once_in_an_index"),
        )


class NameInPipeline(NameIn):
    by = models.ForeignKey(IngestPipeline, on_delete=models.CASCADE, related_name="names")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("by", "inference_id"), name="once_in_a_pipeline"),
        )
