"""Fills an installation as `bench.pages` wants it: endpoints of all services, teams and figures."""

import random
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import django

django.setup()

# ruff: noqa: E402 - they need the apps to be loaded
from django.conf import settings
from django.db import connection, models, transaction

from bench.filling_more import fill_changes, fill_deleted, fill_models, fill_references
from console.installation import collect_static, prepare_tables
from endpoints import teams
from endpoints.latencies import bucket_of, to_json
from endpoints.models import (
    Artifact,
    ArtifactState,
    CallerDay,
    Deployment,
    DeploymentState,
    Endpoint,
    EndpointShare,
    LatestUsage,
    Team,
    TeamRole,
    TrainedModel,
    UsageHour,
    User,
)
from inference.runner.catalogue import BUILTIN_MODELS
from inference.services import SERVICES

TEAMS, PEOPLE, BATCH = 200, 1000, 5000
CALLERS_A_DAY = 10_000
DAYS = 10
LATENCIES = to_json({bucket_of(took_ms): count for took_ms, count in ((8, 90), (40, 9), (900, 1))})
chance = random.Random(7)  # noqa: S311 - the same installation in every run
now = datetime.now(UTC)


def main(endpoints: int, hours: int) -> None:
    prepare_tables()
    collect_static()
    if Endpoint.objects.own().exists():
        return
    settings.LOG_DIR.mkdir(exist_ok=True)
    with transaction.atomic():
        fill_people()
        fill_endpoints(endpoints)
        fill_references()
        fill_models()
        named = dict(Team.objects.values_list("pk", "name"))
        fill_deleted(chance, list(named))
        fill_figures(hours)
        fill_changes(insert, chance, list(User.objects.all()), named)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    print(f"{endpoints:,} endpoints, {UsageHour.objects.count():,} hours of figures")


def fill_people() -> None:
    User.objects.create_superuser("elastic")
    made = [teams.create_team(f"team-{number:03}") for number in range(TEAMS)]
    User.objects.bulk_create(User(username=f"person-{number:03}") for number in range(PEOPLE))
    for number, user in enumerate(User.objects.filter(username__startswith="person-")):
        teams.put_member(made[number % TEAMS], user, TeamRole.INFERENCE_ADMIN)


def fill_endpoints(count: int) -> None:
    team_keys = list(Team.objects.values_list("pk", flat=True))
    deployments = fill_deployments(max(1, count // 50))
    made = []
    for number in range(count):
        service = chance.choice(list(SERVICES.values()))
        runs = chance.choice(deployments)
        local = {"model_id": runs.model.model_id, "num_allocations": 1, "num_threads": 1}
        named = {service.model_setting: f"{service.name}-model-{chance.randrange(12)}"}
        made.append(
            Endpoint(
                inference_id=f"{chance.choice(('search', 'chat', 'shop'))}-{number:05}",
                task_type=runs.model.task_type if not service.is_remote else task_of(service),
                service=service.name,
                service_settings=named if service.is_remote else local,
                deployment_id=None if service.is_remote else runs.deployment_id,
                team_id=chance.choice(team_keys),
            )
        )
    Endpoint.objects.bulk_create(made, batch_size=BATCH)
    shared = Endpoint.objects.own().values_list("pk", flat=True)[: count // 20]
    EndpointShare.objects.bulk_create(
        EndpointShare(endpoint_id=key, team_id=chance.choice(team_keys)) for key in shared
    )


def task_of(service: Any) -> str:
    return str(chance.choice(list(service.tasks)))


def fill_deployments(count: int) -> list[Deployment]:
    """Of all built-in models, most of them running."""
    for model_id, model in BUILTIN_MODELS.items():
        artifact = Artifact.objects.get_or_create(
            repository=model.weights.repository, defaults={"state": ArtifactState.READY}
        )[0]
        defaults = {"task_type": model.task_type, "artifact": artifact}
        TrainedModel.objects.get_or_create(model_id=model_id, defaults=defaults)
    known = list(TrainedModel.objects.all())
    states = [*[DeploymentState.STARTED] * 17, *DeploymentState]
    return Deployment.objects.bulk_create(
        Deployment(
            deployment_id=f"runs-{number}",
            model=chance.choice(known),
            state=chance.choice(states),
        )
        for number in range(count)
    )


def fill_figures(hours: int) -> None:
    keys = list(Endpoint.objects.own().values_list("pk", flat=True))
    people = list(User.objects.values_list("pk", flat=True))
    hour = now.replace(minute=0, second=0, microsecond=0)
    insert(
        UsageHour,
        {"requests": 100, "inputs": 100, "errors": 1, "truncated_inputs": 0}
        | {"truncated_tokens": 0, "looked_up_inputs": 0, "cached_inputs": 0}
        | {"failures": {"limit": 1}},
        (
            {"endpoint": key, "hour": hour - timedelta(hours=back), "latencies": LATENCIES}
            for back in range(-(-hours // len(keys)))
            for key in keys
        ),
        hours,
    )
    insert(
        LatestUsage,
        {},
        (
            {
                "endpoint": key,
                "day": (now - timedelta(days=chance.choice((0, 0, 0, 1, 5, 40)))).date(),
                "requests": chance.randrange(5000),
                "errors": chance.choice((0, 0, 0, 3, 40)),
                "latencies": LATENCIES,
                "p95_ms": chance.uniform(3, 3000),
                "called_at": now - timedelta(minutes=chance.randrange(60)),
            }
            for key in keys
            if chance.random() < 0.8
        ),
    )
    insert(
        CallerDay,
        {"key_id": "", "requests": 100},
        (
            {
                "endpoint": keys[number % len(keys)],
                "user": people[number % len(people)],
                "day": (now - timedelta(days=back)).date(),
                "called_at": now - timedelta(days=back),
            }
            for back in range(DAYS)
            for number in range(CALLERS_A_DAY)
        ),
    )


def insert(
    model: type[models.Model],
    same: dict[str, Any],
    rows: Iterator[dict[str, Any]],
    count: int | None = None,
) -> None:
    """As bulk_create would, ten times as fast: a million rows are many for records in Python.

    same: the columns that are alike in all rows.
    """
    if not (first := next(rows, None)):
        return
    known_fields = {each.name: each for each in model._meta.concrete_fields}
    fields = [known_fields[name] for name in (*same, *first)]
    columns = ", ".join(connection.ops.quote_name(str(each.column)) for each in fields)
    table = connection.ops.quote_name(model._meta.db_table)
    marks = ", ".join(["%s"] * len(fields))
    prepare = [each.get_db_prep_save for each in fields]
    alike = [one(value, connection) for one, value in zip(prepare, same.values(), strict=False)]
    own, known = prepare[len(same) :], dict[tuple[int, str], Any]()

    def prepared(place: int, value: Any) -> Any:
        """Few values are different, and each is prepared once."""
        key = (place, repr(value))
        if key not in known:
            if len(known) > BATCH:  # some columns have another value in every row
                known.clear()
            known[key] = own[place](value, connection)
        return known[key]

    every = (
        [*alike, *(prepared(place, value) for place, value in enumerate(row.values()))]
        for row in islice(chain_first(first, rows), count)
    )
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {table} ({columns}) VALUES ({marks})",  # noqa: S608 - ours
            every,  # type: ignore[arg-type]  # SQLite takes them as they come
        )


def chain_first(first: dict[str, Any], rows: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    yield first
    yield from rows


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
