"""Everything goes from one installation to another, and clients notice nothing."""

import json
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from elasticsearch import Elasticsearch

from inference.sandbox import make_sandbox
from inference.sandbox.server import serving
from tests.inference.runner.uploads import table_graph
from tests.product.postgres import running_postgres
from tests.product.running import PROJECT, Product, environment, free_port, start_and_wait
from tests.product.test_trained_models import TABLE, upload

PASSPHRASE = "correct horse battery staple"
TEXTS = ["The ferry leaves at noon", "Grain rolls to port"]
PASSWORD = "a-long-one-4-bob"
# Prints the keys: bob's own, which works everywhere, and one of the team.
SETTLE = """
from endpoints import keys, sharing, teams
from endpoints.models import Endpoint, ShareLevel, TeamRole, User
bob = User.objects.get(username="bob")
search, other = teams.create_team("search"), teams.create_team("other")
teams.put_member(search, bob, TeamRole.TEAM_ADMIN)
Endpoint.objects.filter(inference_id="writes").update(team=search)
sharing.share(Endpoint.objects.get(inference_id="writes"), other, ShareLevel.USE)
for team in (None, "search"):
    key, secret = keys.create_api_key(bob, f"app of {team}", team=team)
    print(key.encoded(secret))
"""


@dataclass
class House:
    """A data folder, with what its processes are told."""

    folder: Path
    more: dict[str, str] = field(default_factory=dict)

    def shell(self, *arguments: str) -> str:
        """The output of a command. Fails with what it said."""
        done = subprocess.run(  # noqa: S603 - our own command
            [".venv/bin/python", "manage.py", *arguments],
            cwd=PROJECT,
            env=environment(self.folder, free_port(), **self.more),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self) -> Product:
        return start_and_wait(self.folder, None, (), **self.more)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[dict[str, str]]:
    """The way to the providers, which stay where they are."""
    with serving(make_sandbox()) as server:
        yield {"CONSOLE_UPSTREAM_MAP": json.dumps(server.sandbox.origin_map(server.place))}


@dataclass
class Moved:
    """key, team_key: what clients hold. seen: what they were told before the move."""

    archive: Path
    passphrase: Path
    key: str
    team_key: str
    seen: dict[str, Any]


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory, sandbox: dict[str, str]) -> Moved:
    """An archive that was written while the old installation was answering."""
    folder = tmp_path_factory.mktemp("moving")
    archive, passphrase = folder / "all.zip", folder / "passphrase"
    passphrase.write_text(f"{PASSPHRASE}\n")
    admin = {"CONSOLE_ADMIN_USERNAME": "bob", "CONSOLE_ADMIN_PASSWORD": PASSWORD}
    old = House(folder / "old", sandbox | admin)
    product = old.start()
    try:
        with Elasticsearch(product.url, basic_auth=("bob", PASSWORD)) as client:
            furnish(client)
        own, of_team = old.shell("shell", "--no-imports", "-c", SETTLE).split()
        seen = look_around(product, own, of_team)
        old.shell(
            *("export", str(archive), "--passphrase-file", str(passphrase)),
            *("--with-audit", "--with-files"),
        )
    finally:
        product.end()
    return Moved(archive, passphrase, own, of_team, seen)


def furnish(client: Elasticsearch) -> None:
    settings = {"model_id": ".all-minilm-l6-v2", "num_allocations": 1, "num_threads": 1}
    client.options(request_timeout=60).inference.put(
        task_type="text_embedding",
        inference_id="vectors",
        inference_config={"service": "elasticsearch", "service_settings": settings},
    )
    client.inference.put(
        task_type="completion",
        inference_id="writes",
        inference_config={
            "service": "openai",
            "service_settings": {"api_key": "sk-planted", "model_id": "gpt-4o"},
        },
    )
    upload(client, "table", table_graph(TABLE, pools=True))
    client.ml.start_trained_model_deployment(model_id="table", timeout="60s")
    client.ingest.put_pipeline(
        id="embeds",
        processors=[
            {
                "inference": {
                    "model_id": "vectors",
                    "input_output": [{"input_field": "text", "output_field": "vector"}],
                }
            }
        ],
    )
    client.indices.create(
        index="books",
        mappings={"properties": {"text": {"type": "semantic_text", "inference_id": "vectors"}}},
    )


def look_around(product: Product, key: str, team_key: str) -> dict[str, Any]:
    """What clients are told: what there is, and what the same calls give."""
    seen: dict[str, Any] = {}
    with Elasticsearch(product.url, api_key=key, request_timeout=60) as client:
        seen["vectors"] = client.inference.text_embedding(inference_id="vectors", input=TEXTS)
        seen["writes"] = client.inference.completion(inference_id="writes", input="Hello")
        seen["table"] = client.ml.infer_trained_model(
            model_id="table", docs=[{"text_field": "the cat"}], timeout="60s"
        )
        seen["endpoints"] = client.inference.get()
        seen["models"] = client.ml.get_trained_models()
        seen["pipelines"] = client.ingest.get_pipeline()
        seen["indices"] = client.indices.get(index="*")
        seen["keys"] = client.security.get_api_key()
    with Elasticsearch(product.url, api_key=team_key, request_timeout=60) as client:
        seen["of the team"] = client.inference.get()
        seen["called by the team"] = client.inference.completion(inference_id="writes", input="a")
    return {what: answer.body for what, answer in seen.items()}


def test_the_same_calls_by_the_same_keys_give_the_same_answers(
    moved: Moved, tmp_path: Path, sandbox: dict[str, str]
) -> None:
    new = House(tmp_path / "new", sandbox)
    new.shell("import", str(moved.archive), "--passphrase-file", str(moved.passphrase))
    product = new.start()
    try:
        seen = look_around(product, moved.key, moved.team_key)
    finally:
        product.end()

    before = moved.seen.copy()
    found, expected = vectors_in(seen.pop("vectors")), vectors_in(before.pop("vectors"))
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert seen == before
    assert "whole" in new.shell("verify_audit")
    assert "password" not in product.output  # nobody made another administrator


def vectors_in(answer: Any) -> np.ndarray[Any, Any]:
    return np.array([row["embedding"] for row in answer["text_embedding"]])


def test_it_is_the_same_in_postgresql(moved: Moved, tmp_path: Path) -> None:
    with running_postgres() as url:
        house = House(tmp_path / "new", {"DATABASE_URL": url})
        unlocked = ("--passphrase-file", str(moved.passphrase))
        rehearsed = house.shell("import", str(moved.archive), *unlocked, "--dry-run")
        done = house.shell("import", str(moved.archive), *unlocked)
        again = tmp_path / "again.zip"
        house.shell("export", str(again), *unlocked, "--with-files")

    assert rehearsed.replace("Nothing was changed.", "Restored.") == done
    written, found = records_in(moved.archive), records_in(again)
    del written["audit.jsonl"]
    assert found == written


def records_in(path: Path) -> dict[str, bytes]:
    """The parts of an archive that are the same whenever it is written."""
    with zipfile.ZipFile(path) as file:
        return {
            name: file.read(name)
            for name in sorted(file.namelist())
            if name not in ("manifest.json", "sealed.bin")
        }
