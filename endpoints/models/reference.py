"""What refers to endpoints by their ids: index mappings and ingest pipelines."""

from typing import Any

from django.db import models

from endpoints.models.base import Record, iso

INDEX_VERSION = "9000000"


class IndexMapping(Record):
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


class IngestPipeline(Record):
    """config: the pipeline as it was put."""

    pipeline_id = models.CharField(max_length=256, unique=True)
    config = models.JSONField(default=dict)
    version = models.BigIntegerField(null=True)

    class Meta:
        ordering = ("pipeline_id",)

    def __str__(self) -> str:
        return self.pipeline_id

    def to_response(self, *, is_human: bool = False) -> dict[str, Any]:
        """The pipeline as the API shows it; for people with dates that they can read."""
        shown = dict(self.config)
        for name, at in (("created_date", self.created_at), ("modified_date", self.updated_at)):
            if is_human:
                shown[name] = iso(at)
            shown[f"{name}_millis"] = int(at.timestamp() * 1000)
        return shown
