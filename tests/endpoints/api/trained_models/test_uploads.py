"""The parts of a definition, and the vocabulary."""

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from endpoints import uploads
from endpoints.models import DefinitionPart, TrainedModel
from inference.runner.definition import DEFINITION_FILE, VOCABULARY_FILE
from tests.endpoints.api.trained_models.uploading import (
    CONFIG,
    VOCABULARY,
    part_body,
    path,
    split,
    torchscript,
    upload,
)
from tests.endpoints.conftest import Api, refused, told


@pytest.fixture
def folder(api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the files of a model whose config is put."""
    monkeypatch.setattr(settings, "MODEL_DIR", tmp_path)
    assert api("PUT", path("m"), CONFIG).status_code == 200
    return uploads.upload_folder(TrainedModel.objects.get())


def put(api: Api, number: int | str, content: bytes, total_bytes: int, total_parts: int) -> Any:
    body = part_body(content, total_bytes, total_parts)
    return api("PUT", path("m", f"/definition/{number}"), body)


def test_the_definition_is_the_parts_one_after_another(api: Api, folder: Path) -> None:
    content = torchscript()
    pieces = split(content, 4)

    for number in (2, 0, 3, 1):
        response = put(api, number, pieces[number], len(content), 4)
        assert told(response) == {"acknowledged": True}

    assert (folder / DEFINITION_FILE).read_bytes() == content
    assert [file.name for file in folder.iterdir()] == [DEFINITION_FILE]
    (config,) = told(api("GET", path("m")))["trained_model_configs"]
    assert config["model_size_bytes"] == len(content)


def test_what_was_acknowledged_is_there_after_a_crash(
    api: Api, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = torchscript()
    first, second = split(content, 2)
    put(api, 0, first, len(content), 2)

    def die(*_args: Any, **_named: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        # The file has its name, its record is not written.
        patch.setattr(DefinitionPart.objects, "create", die)
        with pytest.raises(KeyboardInterrupt):
            put(api, 1, second, len(content), 2)
    with monkeypatch.context() as patch:
        # All parts are recorded, the whole is not made.
        patch.setattr(uploads, "assemble", die)
        with pytest.raises(KeyboardInterrupt):
            put(api, 1, second, len(content), 2)
    put_vocabulary(api, VOCABULARY)

    uploads.check_complete(TrainedModel.objects.get())

    assert (folder / DEFINITION_FILE).read_bytes() == content


def test_a_part_is_given_once(api: Api, folder: Path) -> None:
    put(api, 0, b"abc", 6, 2)

    response = put(api, 0, b"xyz", 6, 2)

    assert refused(response) == (400, "resource_already_exists_exception")
    (part,) = folder.iterdir()
    assert part.read_bytes() == b"abc"


REFUSED: dict[str, tuple[tuple[Any, ...], str]] = {
    "a negative number": ((-1, b"a", 1, 1), "action_request_validation_exception"),
    "a number beyond the last": ((1, b"a", 1, 1), "action_request_validation_exception"),
    "no parts": ((0, b"a", 1, 0), "action_request_validation_exception"),
    "too many parts": ((0, b"a", 1, 10_001), "action_request_validation_exception"),
    "no length": ((0, b"a", 0, 1), "action_request_validation_exception"),
    "a word for a number": (("x", b"a", 1, 1), "illegal_argument_exception"),
}


@pytest.mark.parametrize(("part", "kind"), REFUSED.values(), ids=REFUSED)
def test_a_part_that_makes_no_sense_is_refused(
    api: Api, folder: Path, part: tuple[Any, ...], kind: str
) -> None:
    assert refused(put(api, *part)) == (400, kind)
    assert not DefinitionPart.objects.exists()


def test_a_part_that_is_not_base64_is_refused(api: Api, folder: Path) -> None:
    body = part_body(b"", 1, 1) | {"definition": "not base64!"}

    response = api("PUT", path("m", "/definition/0"), body)

    assert refused(response) == (400, "x_content_parse_exception")


def test_parts_must_agree_on_the_whole(api: Api, folder: Path) -> None:
    put(api, 0, b"abc", 6, 2)

    assert refused(put(api, 1, b"abc", 7, 2)) == (400, "status_exception")


def test_parts_need_a_model_that_takes_them(api: Api, folder: Path) -> None:
    body = part_body(b"a", 1, 1)
    assert refused(api("PUT", path("x", "/definition/0"), body)) == (
        404,
        "resource_not_found_exception",
    )
    api("PUT", path("tree"), {"definition": {}})
    assert refused(api("PUT", path("tree", "/definition/0"), body)) == (400, "status_exception")
    assert refused(api("PUT", path("tree", "/vocabulary"), VOCABULARY)) == (
        400,
        "status_exception",
    )


def put_vocabulary(api: Api, body: dict[str, Any]) -> Any:
    return api("PUT", path("m", "/vocabulary"), body)


def test_a_vocabulary_is_kept_with_its_scores(api: Api, folder: Path) -> None:
    body = {"vocabulary": ["a", "b"], "scores": [0.5, -1], "merges": []}

    assert told(put_vocabulary(api, body)) == {"acknowledged": True}
    assert (folder / VOCABULARY_FILE).read_bytes() == (
        b'{"vocabulary":["a","b"],"merges":[],"scores":[0.5,-1]}'
    )


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"vocabulary": []}, "action_request_validation_exception"),
        ({"vocabulary": ["a"], "scores": [1.0, 2.0]}, "action_request_validation_exception"),
        ({}, "x_content_parse_exception"),
        ({"vocabulary": [1]}, "x_content_parse_exception"),
        ({"vocabulary": ["a"], "colour": "red"}, "x_content_parse_exception"),
    ],
)
def test_a_vocabulary_that_makes_no_sense_is_refused(
    api: Api, folder: Path, body: dict[str, Any], kind: str
) -> None:
    assert refused(put_vocabulary(api, body)) == (400, kind)


def test_a_vocabulary_needs_a_model(api: Api) -> None:
    response = api("PUT", path("x", "/vocabulary"), VOCABULARY)

    assert refused(response) == (404, "resource_not_found_exception")


def start(api: Api) -> Any:
    return api("POST", path("m", "/deployment/_start?wait_for=starting"))


def test_a_model_starts_only_with_all_that_it_needs(api: Api, folder: Path) -> None:
    content = torchscript()
    first, second = split(content, 2)
    assert refused(start(api)) == (404, "resource_not_found_exception")

    put(api, 1, second, len(content), 2)
    response = start(api)
    assert refused(response) == (400, "status_exception")
    assert "there is no [0]" in told(response)["error"]["reason"]

    put(api, 0, first, len(content), 2)
    response = start(api)
    assert refused(response) == (404, "resource_not_found_exception")
    assert "vocabulary" in told(response)["error"]["reason"]

    put_vocabulary(api, VOCABULARY)
    assert start(api).status_code == 200


def test_parts_that_do_not_add_up_are_not_started(api: Api, folder: Path) -> None:
    put(api, 0, b"abc", 100, 1)

    response = start(api)

    assert refused(response) == (400, "status_exception")
    assert "3 bytes instead of [total_definition_length] 100" in told(response)["error"]["reason"]


def test_what_is_no_network_is_not_started(api: Api, folder: Path) -> None:
    put(api, 0, b"hello, world", 12, 1)
    put_vocabulary(api, VOCABULARY)

    response = start(api)

    assert refused(response) == (400, "status_exception")
    assert "neither a TorchScript archive nor an ONNX graph" in told(response)["error"]["reason"]


def test_a_damaged_part_is_found(api: Api, folder: Path) -> None:
    put(api, 0, b"abc", 6, 2)
    (part,) = folder.iterdir()
    part.write_bytes(b"abd")

    response = put(api, 1, b"def", 6, 2)

    assert refused(response) == (400, "status_exception")
    assert "damaged" in told(response)["error"]["reason"]
    assert not (folder / DEFINITION_FILE).exists()


def test_the_files_go_with_the_model(
    api: Api, folder: Path, django_capture_on_commit_callbacks: Any
) -> None:
    put(api, 0, b"abc", 6, 2)

    with django_capture_on_commit_callbacks(execute=True):
        api("DELETE", path("m"))

    assert not folder.exists()


def test_an_upload_can_be_of_many_parts(api: Api, folder: Path) -> None:
    upload(api, "n", parts=10)

    assert DefinitionPart.objects.count() == 10


def test_a_part_may_be_as_large_as_eland_sends_it(api: Api, folder: Path) -> None:
    content = b"x" * (1 << 20)

    assert told(put(api, 0, content, len(content), 1)) == {"acknowledged": True}
    assert told(put_vocabulary(api, {"vocabulary": ["word"] * 300_000})) == {"acknowledged": True}
