"""A file that is no archive, or is no longer what was written, changes nothing."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from endpoints.archive.manifest import BadArchive
from endpoints.archive.reading import opened
from endpoints.archive.restoring import Refused
from endpoints.archive.sealing import Seal, WrongPassphrase
from inference.errors import InferenceError, InvalidArgument
from tests.endpoints.archive.conftest import Installed, Shelf, everything, wipe

Records = list[dict[str, Any]]


@pytest.fixture
def shipped(installed: Installed, shelf: Shelf) -> Shelf:
    """An archive that came to an empty house."""
    shelf.write(with_audit=True, with_files=True)
    wipe()
    return shelf


def refused(shelf: Shelf, kind: type[InferenceError], match: str, **how: Any) -> None:
    before = everything()
    with pytest.raises(kind, match=match):
        shelf.restore(**how)
    assert everything() == before


def test_a_wrong_passphrase_is_told_at_once(shipped: Shelf) -> None:
    refused(shipped, WrongPassphrase, "not the one", passphrase="another long passphrase")


def test_a_passphrase_that_is_guessed_soon_is_not_taken() -> None:
    with pytest.raises(InvalidArgument, match="12 characters"):
        Seal.make("short")


@pytest.mark.parametrize("name", ["people.jsonl", "audit.jsonl", "models/table/definition"])
def test_a_part_that_was_changed_is_told(shipped: Shelf, name: str) -> None:
    files = shipped.files()
    files[name] = files[name][:-2] + b"x\n"
    shipped.pack(files)

    refused(shipped, BadArchive, f"damaged: \\[{name}\\] is not what was written")


def test_a_flipped_byte_is_told_wherever_it_counts(shipped: Shelf) -> None:
    written, content = shipped.files(), shipped.path.read_bytes()
    told = 0
    for place in range(0, len(content), 31):
        flipped = bytearray(content)
        flipped[place] ^= 0x55
        shipped.path.write_bytes(flipped)
        try:
            with opened(shipped.path) as archive:
                archive.check()
        except BadArchive:
            told += 1
        else:  # a date, say, of which nobody knows anything
            assert shipped.files() == written, place
    assert told > len(content) / 31 / 2


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_a_file_that_ends_too_soon_is_told(shipped: Shelf, share: float) -> None:
    content = shipped.path.read_bytes()
    shipped.path.write_bytes(content[: int(len(content) * share)])

    refused(shipped, BadArchive, "no archive of this product, or its end is missing")


def test_a_file_that_is_not_there_is_told(shelf: Shelf, db: None) -> None:
    refused(shelf, BadArchive, "There is no file")


@pytest.mark.parametrize(
    ("manifest", "told"),
    [
        (b"no json", "is no JSON"),
        (b"[]", "no archive of this product"),
        (b'{"format": "other"}', "no archive of this product"),
        (
            b'{"format": "inference-console-archive", "format_version": 2, '
            b'"product_version": "9.0"}',
            r"version \[2\] of the format.*\[9.0\] of the product",
        ),
        (
            b'{"format": "inference-console-archive", "format_version": 1, "parts": 7}',
            r"\[manifest.json\]",
        ),
    ],
)
def test_a_foreign_or_later_file_is_told(
    shelf: Shelf, db: None, manifest: bytes, told: str
) -> None:
    shelf.pack({"manifest.json": manifest})

    refused(shelf, BadArchive, told)


def test_another_zip_file_is_told(shelf: Shelf, db: None) -> None:
    shelf.pack({"letter.txt": b"hello"})

    refused(shelf, BadArchive, r"it has no \[manifest.json\]")


def change_first(key: str, value: Any) -> Callable[[dict[str, Any]], object]:
    def change(manifest: dict[str, Any]) -> None:
        manifest["parts"][0][key] = value

    return change


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (change_first("name", "passwords"), "not known"),
        (change_first("file", "../../etc/passwd"), "not known"),
        (change_first("size_bytes", 1 << 50), "larger than anything"),
        (change_first("size_bytes", 3), "another size"),
        (change_first("size_bytes", -1), "size_bytes"),
        (change_first("sha256", "0" * 64), "changed after it was sealed"),
        (change_first("extra", 1), "extra"),
        (lambda one: one["parts"].append(one["parts"][0]), "what its manifest says"),
        (lambda one: one["parts"].pop(0), "what its manifest says"),
        (lambda one: one["files"][0].update(file="../x", name="definition"), "no model has"),
        (lambda one: one["files"][0].update(name="../../x"), "no model has"),
        (lambda one: one["files"][0].update(model_id=".."), "no model has"),
        (lambda one: one["sealing"].update(n=1 << 40), "sealing"),
        (lambda one: one["sealing"].update(n=1000), "sealing"),
        (lambda one: one["sealing"].update(r=1 << 20), "sealing"),
        (lambda one: one["sealing"].update(salt="%%%"), "sealing"),
        (lambda one: one["sealing"].update(cipher="none"), "sealing"),
        (lambda one: one["sealing"]["stored"].update(file="people.jsonl"), "other secrets"),
    ],
)
def test_a_manifest_that_lies_is_told(
    shipped: Shelf, change: Callable[[dict[str, Any]], object], told: str
) -> None:
    shipped.edit_manifest(change)

    refused(shipped, BadArchive, told)


def test_a_file_too_many_is_told(shipped: Shelf) -> None:
    shipped.pack({**shipped.files(), "../../outside": b"x"})

    refused(shipped, BadArchive, r"see \[../../outside\]")


def test_who_changes_a_record_cannot_take_the_secrets_along(shipped: Shelf) -> None:
    """Not even with hashes that are right."""
    shipped.forge("people", lambda records: records[0].update(is_superuser=True))

    refused(shipped, BadArchive, "changed after it was sealed")


def test_an_audit_log_that_was_changed_is_told(shipped: Shelf) -> None:
    shipped.forge("audit", lambda records: records[0].update(subject="another"))

    refused(shipped, Refused, "broken at entry 1", passphrase="")


def test_an_audit_log_without_its_end_is_told(shipped: Shelf) -> None:
    shipped.forge("audit", lambda records: records.pop())

    refused(shipped, Refused, "some are missing", passphrase="")


def test_a_line_that_is_no_record_is_told_with_its_place(shipped: Shelf) -> None:
    def spoil(records: Records) -> None:
        records.insert(1, json.loads("[1]"))

    shipped.forge("teams", spoil)

    refused(shipped, BadArchive, r"\[teams.jsonl\] line 2 is no record", passphrase="")
