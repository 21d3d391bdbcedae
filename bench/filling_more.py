"""What `bench.filling` fills beside endpoints and their figures: what long lists are made of."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, TypeAlias

from django.db import models

from endpoints.models import (
    AuditEntry,
    AuditHead,
    DeletedEndpoint,
    Endpoint,
    IndexMapping,
    IngestPipeline,
    NameInIndex,
    NameInPipeline,
    TrainedModel,
    User,
)
from endpoints.permissions import Action
from inference.services import SERVICES

Insert: TypeAlias = Callable[[type[models.Model], dict[str, Any], Iterator[dict[str, Any]]], None]
INDICES, PIPELINES = 2500, 2500
MODELS, DELETED, CHANGES = 500, 5000, 1_000_000
now = datetime.now(UTC)


def fill_references() -> None:
    """Each names one endpoint; most of the endpoints are named by none."""
    used = list(Endpoint.objects.own().values_list("inference_id", flat=True)[:INDICES])
    indices = IndexMapping.objects.bulk_create(
        IndexMapping(
            name=f"index-{number}",
            uuid=f"uuid-{number}",
            mappings={
                "properties": {
                    "title": {"type": "text", "fields": {"raw": {"type": "keyword"}}},
                    "body": {"type": "semantic_text", "inference_id": used[number % len(used)]},
                }
            },
        )
        for number in range(INDICES)
    )
    pipelines = IngestPipeline.objects.bulk_create(
        IngestPipeline(
            pipeline_id=f"pipeline-{number}",
            config={"processors": [{"inference": {"model_id": used[-number % len(used)]}}]},
        )
        for number in range(PIPELINES)
    )
    NameInIndex.objects.bulk_create(
        NameInIndex(by=one, inference_id=name) for one in indices for name in one.referenced
    )
    NameInPipeline.objects.bulk_create(
        NameInPipeline(by=one, inference_id=name) for one in pipelines for name in one.referenced
    )


def fill_models() -> None:
    TrainedModel.objects.bulk_create(
        TrainedModel(
            model_id=f"own-model-{number:03}",
            task_type="text_embedding",
            config={"inference_config": {"text_embedding": {}}},
        )
        for number in range(MODELS)
    )


def fill_deleted(chance: Random, teams: list[int]) -> None:
    services = list(SERVICES.values())
    made = []
    for number in range(DELETED):
        service = chance.choice(services)
        made.append(
            DeletedEndpoint(
                inference_id=f"gone-{number:05}",
                team_id=chance.choice(teams),
                task_type="text_embedding",
                service=service.name,
                created_at=now - timedelta(days=9),
                deleted_at=now - timedelta(minutes=number),
            )
        )
    DeletedEndpoint.objects.bulk_create(made, batch_size=1000)


def fill_changes(insert: Insert, chance: Random, people: list[User], teams: dict[int, str]) -> None:
    """The audit log. Nobody checks here that its entries make a chain."""
    verbs = [action.verb for action in Action if action.is_change]
    names = [f"search-{number:05}" for number in range(10_000)]
    team_keys = list(teams)
    known = AuditHead.objects.get(pk=1).last_number

    def entries() -> Iterator[dict[str, Any]]:
        for number in range(known + 1, CHANGES + 1):
            actor, team = chance.choice(people), chance.choice(team_keys)
            yield {
                "number": number,
                "at": now - timedelta(minutes=(CHANGES - number) // 10),
                "actor": actor.pk,
                "actor_name": actor.username,
                "verb": chance.choice(verbs),
                "subject": chance.choice(names),
                "team": team,
                "team_name": teams[team],
                "outcome": chance.choice(("done",) * 18 + ("refused", "failed")),
            }

    same = {"key_id": "", "address": "192.0.2.7", "reason": "", "times": 1, "sha256": "0" * 64}
    insert(AuditEntry, same, entries())
    AuditHead.objects.update_or_create(pk=1, defaults={"last_number": CHANGES})
