"""Finding a model by name: which source has it, what it runs from, what is told of its files."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from inference.errors import InvalidRequest, ModelUnavailable, UnsupportedModel
from inference.runner.adding import Wish, find
from inference.runner.catalogue import PublishedModel
from inference.runner.sources import SourceSettings, fetch
from inference.types import InputType
from tests.inference.runner.checkpoints import DIM
from tests.inference.runner.hub import Hub
from tests.inference.runner.published import (
    COMMIT,
    REPOSITORY,
    change_json,
    publish,
    write_published,
    write_shipped,
)

NOWHERE = SourceSettings(("hub",), hub="http://127.0.0.1:1")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_published(tmp_path / "mirror" / REPOSITORY)


def added(folder: Path, **more: Any) -> PublishedModel:
    return find(Wish("mine", folder=folder, **more), NOWHERE)


def from_hub(hub: Hub, **more: Any) -> PublishedModel:
    return find(Wish("mine", REPOSITORY, **more), SourceSettings(("hub",), hub=hub.url))


def hashes(folder: Path, *names: str) -> dict[str, str]:
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names}


def test_a_model_of_the_hub_is_known_by_commit_and_hashes(hub: Hub, folder: Path) -> None:
    publish(hub, folder, "main", COMMIT)
    hub.commit = COMMIT

    model = from_hub(hub)

    assert model.weights.revision == COMMIT
    assert {file.name: file.sha256 for file in model.weights.files} == hashes(
        folder,
        "config.json",
        "tokenizer.json",
        "modules.json",
        "1_Pooling/config.json",
        "model.safetensors",
    )
    assert not any(path.endswith("model.safetensors") for path, _ in hub.asked)


def test_where_nobody_tells_a_hash_its_identity_waits_for_the_file(hub: Hub, folder: Path) -> None:
    publish(hub, folder, "main")
    hub.tells_hashes = False

    model = from_hub(hub)

    assert model.weights.revision == "main"
    assert model.weights.files[-1].sha256 is None
    assert model.weights.files[-1].size_bytes == (folder / "model.safetensors").stat().st_size
    assert model.facts_of_added.identity is None


def test_a_broken_download_of_it_goes_on(hub: Hub, folder: Path, tmp_path: Path) -> None:
    publish(hub, folder, "main", COMMIT)
    hub.commit = COMMIT
    weights = from_hub(hub).weights
    hub.asked.clear()
    hub.drops = [*(file.size_bytes for file in weights.files[:-1]), 1000]

    fetch(weights, tmp_path / "here", SourceSettings(("hub",), hub=hub.url), print, lambda: False)

    assert hub.ranges[-1] == "bytes=1000-"
    assert hashes(tmp_path / "here", "model.safetensors") == hashes(folder, "model.safetensors")


def test_the_same_files_are_the_same_model_wherever_they_came_from(hub: Hub, folder: Path) -> None:
    publish(hub, folder, "main")
    mirror = SourceSettings(("mirror",), mirror=str(folder.parents[1]))

    by_hub, by_mirror = from_hub(hub), find(Wish("mine", REPOSITORY), mirror)

    assert by_mirror.weights.files[:-1] == by_hub.weights.files[:-1]
    assert by_hub.facts_of_added.identity == by_hub.content
    assert "repository" not in by_hub.content


def test_every_source_that_failed_is_named(hub: Hub) -> None:
    sources = SourceSettings(("mirror", "hub", "package"), hub=hub.url)

    with pytest.raises(ModelUnavailable) as failure:
        find(Wish("mine", "someone/unknown"), sources)

    assert str(failure.value) == (
        "Model [someone/unknown] cannot be had: mirror: none is configured; "
        "hub: there is no config.json; package: only built-in models come with a package"
    )


def test_a_server_that_fails_is_named_with_what_it_said(hub: Hub, folder: Path) -> None:
    publish(hub, folder, "main")
    hub.errors = [401]

    with pytest.raises(ModelUnavailable, match=r"config.json: \[127.0.0.1\] answered 401"):
        from_hub(hub)


def test_a_file_that_only_points_to_another_is_refused(folder: Path) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 90868376\n"
    (folder / "model.safetensors").write_text(pointer)

    with pytest.raises(ModelUnavailable, match="git lfs pull"):
        added(folder)


def test_what_is_said_comes_before_what_the_files_say(folder: Path) -> None:
    (folder / "README.md").write_text("---\nlicense: mit\n---\n")
    prefixes = {InputType.SEARCH: "query: "}

    model = added(folder, licence="Apache-2.0", description="Small.", prefixes=prefixes)

    assert (model.weights.licence, model.description) == ("Apache-2.0", "Small.")
    assert model.prefixes == prefixes
    assert added(folder).weights.licence == "mit"


def test_another_pooling_is_another_model(folder: Path) -> None:
    mean, first = added(folder), added(folder, pooling="cls")

    assert (mean.pooling, mean.is_repooled) == ("mean", False)
    assert (first.pooling, first.is_repooled) == ("cls", True)
    assert mean.content != first.content


def test_a_network_of_no_known_family_runs_from_the_graph_that_comes_with_it(
    tmp_path: Path,
) -> None:
    folder = write_shipped(tmp_path)
    (folder / "onnx" / "model.onnx_data").write_bytes(b"more weights")

    model = added(folder)

    names = [file.name for file in model.weights.files]
    assert names[-2:] == ["onnx/model.onnx", "onnx/model.onnx_data"]
    assert model.dimensions == DIM


def test_weights_that_a_graph_can_be_built_from_come_first(folder: Path) -> None:
    (folder / "model.onnx").write_bytes(b"a graph")

    assert added(folder).weights.files[-1].name == "model.safetensors"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"model_type": "llama"}, "not 'llama'"),
        ({"hidden_act": "relu"}, "hidden_act"),
    ],
)
def test_what_cannot_be_hosted_is_refused_by_what_can(
    folder: Path, changes: dict[str, str], reason: str
) -> None:
    change_json(folder, "config.json", **changes)

    with pytest.raises(UnsupportedModel) as failure:
        added(folder)

    assert reason in str(failure.value)
    for name in ("bert", "distilbert", "mpnet", "roberta", "xlm-roberta", "onnx/model.onnx"):
        assert name in str(failure.value)


def test_weights_in_several_files_are_refused(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "model-00001-of-00002.safetensors")
    (folder / "model.safetensors.index.json").write_text("{}")

    with pytest.raises(UnsupportedModel, match="split over several files"):
        added(folder)


def test_a_step_outside_the_model_is_refused(folder: Path) -> None:
    text = (folder / "modules.json").read_text()
    (folder / "modules.json").write_text(text.replace("1_Pooling", "../../etc"))

    with pytest.raises(UnsupportedModel, match="is no folder of the model"):
        added(folder)


@pytest.mark.parametrize(
    "wish",
    [
        Wish("mine"),
        Wish("mine", "a/b", folder=Path("/models")),
        Wish("mine", "../../etc"),
        Wish("mine", "a/b/c"),
        Wish("mine", "a/b", revision="../main"),
        Wish("mine", "a/b", revision=""),
        Wish("mine", folder=Path("models")),
        Wish("mine", "a/b", pooling="last"),
    ],
)
def test_a_wish_that_makes_no_sense_is_refused(wish: Wish) -> None:
    with pytest.raises(InvalidRequest):
        find(wish, NOWHERE)
