"""What the audit log keeps of a change."""

import json

import pytest

from endpoints.masking import LONGEST_TEXT, MASK, MOST_BYTES, kept


@pytest.mark.parametrize("name", ["api_key", "password", "Authorization", "access_key"])
def test_a_secret_is_masked_wherever_it_stands(name: str) -> None:
    found = kept({"service_settings": {name: "sk-123", "model_id": "m"}})

    assert found == {"service_settings": {name: MASK, "model_id": "m"}}


def test_a_field_that_is_only_called_like_a_secret_is_kept() -> None:
    mapping = {"properties": {"password": {"type": "keyword"}}}

    assert kept(mapping) == mapping


def test_nothing_endless_is_kept() -> None:
    assert len(kept({"a": "x" * 10_000})["a"]) == LONGEST_TEXT
    assert kept({str(n): "x" * 100 for n in range(MOST_BYTES // 100)}) == {
        "not_kept": "69651 bytes"
    }


def test_what_a_database_would_write_otherwise_is_written_so_at_once() -> None:
    found = kept({"big": 1e22, "whole": 1e16, "zero": -0.0, "huge": 1 << 70, "nul": "a\0b"})

    assert found == {
        "big": str(10**22),
        "whole": 10**16,
        "zero": 0,
        "huge": str(1 << 70),
        "nul": "ab",
    }
    assert json.dumps(found["zero"]) == "0"
    assert kept({"small": 1e-7, "one": 1.0, "all": [None, True, "a"]}) == {
        "small": 1e-7,
        "one": 1.0,
        "all": [None, True, "a"],
    }
