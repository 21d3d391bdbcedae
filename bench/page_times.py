"""Measures the pages of an installation that `bench.filling` filled: times, queries, weights."""

import json
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from wsgiref.util import setup_testing_defaults

import django

django.setup()

# ruff: noqa: E402 - they need the apps to be loaded
from django.conf import settings
from django.db import connection
from django.urls import URLPattern, reverse
from django.utils import timezone

from console.pages.urls import urlpatterns
from console.wsgi import application
from endpoints.models import Endpoint, Heartbeat, User
from tests.console.conftest import browser_of

AIM_MS, AIM_BYTES = 100.0, 500_000
WIDTH, MOST_DELETED = 64, 200
LISTS = (
    "q=search",
    "q=model-7",
    "service=openai&service=cohere&status=ready",
    "status=failed",
    "team=team-003&group=model",
    "group=service",
    "group=model",
    "sort=-id",
    "sort=model",
    "sort=status",
    "sort=used",
    "sort=requests",
    "sort=p95&size=200",
    "page=10000",
    "group=model&sort=errors&page=100",
)


def main(repeats: int, only: str) -> None:
    Heartbeat.objects.all().delete()
    for part in ("worker", "runner"):
        Heartbeat.objects.create(part=part, instance=part, seen_at=timezone.now() + timedelta(1))
    cookie = signed_in(User.objects.get(username="elastic"))
    print(f"{'page':<{WIDTH}}{'p50':>10}{'p95':>10}{'work':>10}{'queries':>9}")
    measured, slow = 0, 0
    for address in addresses():
        if only not in address:
            continue
        status, _ = ask(address, cookie)
        assert status < 500, address
        if status != 200:  # it only takes forms, leads on, or is not for this endpoint
            continue
        counter = Counted()
        ask(address, cookie, counter)
        worked = time.thread_time()
        times = sorted(ask(address, cookie)[1] for _ in range(repeats))
        work_ms = (time.thread_time() - worked) * 1000 / repeats
        p95 = statistics.quantiles(times, n=20, method="inclusive")[-1]
        measured, slow = measured + 1, slow + (p95 > AIM_MS)
        figures = (statistics.median(times), p95, work_ms)
        shown = "".join(f"{figure:>7.1f} ms" for figure in figures) + f"{counter.count:>9}"
        print(
            f"{address[: WIDTH - 1]:<{WIDTH}}{shown}{'  over 100 ms' if p95 > AIM_MS else ''}",
            flush=True,
        )
    print(f"{measured} pages, {slow} of them over {AIM_MS:.0f} ms")
    weight = sum(compressed())
    print(f"all files of the pages, compressed: {weight / 1000:.0f} kB (aim: {AIM_BYTES // 1000})")


def addresses() -> Iterator[str]:
    """Every page without an argument, those of one thing of each kind, and many lists."""
    yield from (f"{reverse('endpoint-list')}?{query}" for query in LISTS)
    local = Endpoint.objects.own().exclude(deployment=None).first()
    remote = Endpoint.objects.own().filter(service="openai").first()
    assert local
    assert remote
    values: dict[str, tuple[str, ...]] = {
        "inference_id": (local.inference_id, remote.inference_id),
        "service_name": (local.service, remote.service),
        "model_id": (str(local.service_settings["model_id"]),),
        "name": ("team-003",),
        "username": ("person-003",),
    }
    for pattern in urlpatterns:
        if not isinstance(pattern, URLPattern) or not pattern.name:
            continue
        match list(pattern.pattern.converters):
            case []:
                yield reverse(pattern.name)
            case [name] if name in values:
                yield from (reverse(pattern.name, args=[one]) for one in values[name])
    many = Endpoint.objects.own().values_list("inference_id", flat=True)[:MOST_DELETED]
    yield f"{reverse('endpoint-delete-many')}?{urlencode({'id': list(many)}, doseq=True)}"


def signed_in(user: User) -> str:
    """The cookie of somebody who signed in with their password just now."""
    return browser_of(user).cookies.output(attrs=[], header="", sep=";").strip()


class Counted:
    """Counts the queries while it wraps them."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, execute: Any, *asked: Any) -> Any:
        self.count += 1
        return execute(*asked)


def ask(address: str, cookie: str, counter: Counted | None = None) -> tuple[int, float]:
    """The status of an answer, and how long it took in ms until its last byte."""
    path, _, query = address.partition("?")
    environ: dict[str, Any] = {"PATH_INFO": path, "QUERY_STRING": query, "HTTP_COOKIE": cookie}
    setup_testing_defaults(environ)
    told: list[str] = []
    with connection.execute_wrapper(counter) if counter else nullcontext():
        began = time.perf_counter()
        body = application(environ, lambda status, headers, *more: told.append(status))
        for _ in body:
            pass
        getattr(body, "close", lambda: None)()
        took_ms = (time.perf_counter() - began) * 1000
    return int(told[0][:3]), took_ms


def compressed() -> Iterator[int]:
    """The bytes of each of our files as a browser gets it; pages name none of the libraries'."""
    root, own = Path(settings.STATIC_ROOT), Path(settings.STATICFILES_DIRS[0])
    names = json.loads((root / "staticfiles.json").read_text())["paths"]
    for name in (names[each] for each in names if (own / each).exists()):
        kinds = [root / name, root / f"{name}.gz", root / f"{name}.br"]
        yield min(kind.stat().st_size for kind in kinds if kind.exists())


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
