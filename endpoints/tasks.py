"""Celery's way in to the background work. Every task may run twice."""

from datetime import datetime, timedelta

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from endpoints import audit, deleted, jobs, model_uploads, precision, scanning, usage
from endpoints.lab import embedding, runs


@shared_task(acks_late=True)
def fetch_artifact(artifact_pk: int) -> None:
    jobs.fetch_artifact(artifact_pk)


@shared_task
def resume_downloads() -> None:
    for artifact_pk in jobs.abandoned_artifacts():
        fetch_artifact.delay(artifact_pk)


@shared_task
def scan_cluster(cluster_pk: int) -> None:
    scanning.scan_cluster(cluster_pk)


@shared_task
def scan_wanted(cluster_pk: int, claimed_at: str) -> None:
    scanning.scan_wanted(cluster_pk, datetime.fromisoformat(claimed_at))


@shared_task
def scan_clusters() -> None:
    for cluster_pk in scanning.connected_clusters():
        scan_cluster.delay(cluster_pk)


@shared_task(acks_late=True)
def try_precisions(model_pk: int) -> None:
    precision.try_model(model_pk)


@shared_task
def resume_trials() -> None:
    for model_pk in precision.untried_models():
        try_precisions.delay(model_pk)


@shared_task
def forget_uploads() -> None:
    model_uploads.forget_old()


@shared_task
def forget_audit() -> None:
    if settings.AUDIT_DAYS:
        audit.forget_before(timezone.now() - timedelta(days=settings.AUDIT_DAYS))


@shared_task
def wipe_deleted() -> None:
    deleted.wipe_over()


@shared_task
def forget_usage() -> None:
    now = timezone.now()
    usage.forget_callers(now - timedelta(days=usage.CALLER_DAYS))
    if settings.USAGE_DAYS:
        usage.forget_hours(now - timedelta(days=settings.USAGE_DAYS))


@shared_task(acks_late=True)
def embed_lab_run(run_pk: int) -> None:
    embedding.embed_run(run_pk)


@shared_task
def resume_lab_runs() -> None:
    for run_pk in embedding.abandoned_runs():
        embed_lab_run.delay(run_pk)


@shared_task
def forget_lab_runs() -> None:
    runs.forget_old_runs()
