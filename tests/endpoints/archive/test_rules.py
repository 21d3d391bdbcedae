"""What the API would not take, an archive does not bring in either."""

from collections.abc import Callable
from typing import Any

import pytest

from endpoints.archive.restoring import Refused
from endpoints.models import Endpoint, User
from tests.endpoints.archive.conftest import Installed, Shelf, everything, wipe

Record = dict[str, Any]
LONG = "x" * 300


@pytest.fixture
def open_archive(installed: Installed, shelf: Shelf) -> Shelf:
    """One that anybody may write, for nothing in it is sealed."""
    shelf.write("")
    wipe()
    return shelf


def of(index: int, **changes: Any) -> Callable[[list[Record]], object]:
    """A record with other values; dotted names lead into it."""

    def change(records: list[Record]) -> None:
        for name, value in changes.items():
            place = records[index]
            *parents, last = name.split("__")
            for parent in parents:
                place = place[int(parent) if isinstance(place, list) else parent]
            place[last] = value

    return change


@pytest.mark.parametrize(
    ("part", "change", "told"),
    [
        ("teams", of(0, name=LONG), r"\[name\]"),
        ("teams", of(0, name=7), r"\[name\] must be a text"),
        ("teams", of(0, name="a\0b"), "NUL"),
        ("teams", of(0, created_at="yesterday"), r"\[created_at\]"),
        ("teams", of(0, created_at="2026-01-01T00:00:00"), "time zone"),
        ("teams", of(0, founded=1), r"\[founded\] is not known here"),
        ("teams", lambda records: records[0].pop("name"), r"\[name\] is missing"),
        ("teams", lambda records: records.append(records[0]), "there twice"),
        ("people", of(0, username="with:colon"), r"\[username\]"),
        ("people", of(0, username=""), r"\[username\]"),
        ("people", of(0, roles=["owner"]), r"Unknown roles \[owner\]"),
        ("people", of(0, roles=[{}]), r"\[roles\]"),
        ("people", of(0, is_superuser="yes"), "must be true or false"),
        ("people", of(0, email="no address"), r"\[email\]"),
        ("people", lambda records: records.pop(0), "names no person"),
        ("members", of(0, role="owner"), r"\[role\]"),
        ("members", of(0, user="zoe"), r"\[user\] names no person"),
        ("members", of(0, team=None), r"\[team\] must not be null"),
        ("api_keys", of(0, limited_by={"r": {"cluster": ["fly"]}}), "unknown cluster privilege"),
        ("api_keys", of(0, limited_by={"r": {"wings": 2}}), r"\[limited_by\]"),
        ("api_keys", of(0, name="_mine"), "underscore"),
        ("api_keys", of(0, key_id="../1"), r"\[key_id\]"),
        ("artifacts", of(0, repository=".."), r"\[repository\]"),
        ("artifacts", of(0, repository="added/../../x"), r"\[repository\]"),
        ("trained_models", of(1, model_id="My Model"), "Invalid model_id"),
        ("trained_models", of(1, model_id=".mine"), "built-in"),
        (
            "trained_models",
            of(1, published__weights__files__0__name="../../outside"),
            "outside of its folder",
        ),
        (
            "trained_models",
            of(1, published__weights__files__0__name="/etc/passwd"),
            "outside of its folder",
        ),
        ("trained_models", of(1, published__weights__repository="../etc"), "names no repository"),
        ("trained_models", of(1, published__weights__revision="../.."), "names no revision"),
        ("trained_models", of(1, published={}), r"\[published\]"),
        ("trained_models", of(2, config__inference_config={"fly": {}}), r"\[config\]"),
        ("trained_models", of(2, config__inference_config=7), r"\[config\]"),
        ("deployments", of(0, num_threads=3), "power of 2"),
        ("deployments", of(0, num_allocations=-1), r"num_allocations|number_of_allocations"),
        ("deployments", of(0, precision="fp1"), "precision"),
        ("deployments", of(0, model="nobody"), r"\[model\] names no model"),
        ("endpoints", of(-1, inference_id="No Way"), "Invalid inference_id"),
        ("endpoints", of(-1, service="nobody"), r"Unknown service \[nobody\]"),
        ("endpoints", of(-1, task_type="fly"), "no task type"),
        ("endpoints", of(-1, task_type="rerank"), "does not support"),
        ("endpoints", of(-1, service_settings__wings=2), "wings"),
        ("endpoints", of(-1, service_settings=[]), "must be an object"),
        ("endpoints", of(-2, service_settings__num_threads=3), "power of 2"),
        ("endpoints", of(-2, chunking_settings__strategy="fly"), "fly"),
        ("endpoints", of(-1, inference_id="my-e5"), r"\[my-e5\] has the id of a model"),
        ("shares", of(0, level="own"), r"\[level\]"),
        ("pipelines", of(0, config={"processors": 7}), "processors"),
        ("pipelines", of(0, pipeline_id="a,b"), "Invalid pipeline id"),
        ("indices", of(0, name="Books"), "must be lowercase"),
        ("indices", of(0, mappings={"properties": {"a": {"type": "fly"}}}), "fly"),
        ("indices", of(0, aliases={"books": {}}), "has an alias that is an index"),
        ("clusters", of(0, url="ftp://example.org"), "must begin with http"),
        ("clusters", of(0, name="../prod"), r"\[name\]"),
        ("region_policy", of(0, policy={}), "exactly one of"),
        ("tombstones", of(0, service="nobody"), "Unknown service"),
    ],
)
def test_what_cannot_be_is_told_with_its_place_and_nothing_changes(
    open_archive: Shelf, part: str, change: Callable[[list[Record]], object], told: str
) -> None:
    before = everything()
    open_archive.forge(part, change)

    with pytest.raises(Refused, match=told) as refusal:
        open_archive.restore("")

    assert everything() == before
    assert ".jsonl] line " in str(refusal.value) or "has the id" in told or "alias" in told


def test_all_that_is_wrong_of_a_kind_is_told_at_once(open_archive: Shelf) -> None:
    open_archive.forge("teams", lambda records: [one.update(name=7) for one in records])

    with pytest.raises(Refused) as refusal:
        open_archive.restore("")

    assert len(refusal.value.problems) == 2


def test_an_archive_in_which_nobody_can_do_everything_is_refused(open_archive: Shelf) -> None:
    open_archive.forge("people", lambda records: [one.update(is_active=False) for one in records])

    with pytest.raises(Refused, match="nobody would be left"):
        open_archive.restore("")
    assert not User.objects.exists()


def test_what_an_earlier_version_did_not_know_has_its_default(open_archive: Shelf) -> None:
    def older(records: list[Record]) -> None:
        for record in records:
            del record["learned_settings"], record["cache_generation"]

    open_archive.forge("endpoints", older)
    open_archive.restore("")

    assert Endpoint.objects.get(inference_id="writes").learned_settings == {}
