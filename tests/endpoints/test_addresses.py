"""Where a request came from: told by who connects, and by as many proxies as are believed."""

from typing import Any

import pytest

from endpoints.addresses import address_of

META = {"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": "6.6.6.6, 203.0.113.9, 10.0.0.2"}


@pytest.mark.parametrize(
    ("proxies", "address"),
    [(0, "10.0.0.1"), (1, "10.0.0.2"), (2, "203.0.113.9"), (3, "6.6.6.6"), (4, "6.6.6.6")],
)
def test_only_what_believed_proxies_wrote_counts(settings: Any, proxies: int, address: str) -> None:
    settings.TRUSTED_PROXIES = proxies

    assert address_of(META) == address


@pytest.mark.parametrize("header", ["", "nonsense", "<script>", "1.2.3.4:80"])
def test_what_is_no_address_counts_for_nothing(settings: Any, header: str) -> None:
    settings.TRUSTED_PROXIES = 1

    assert address_of(META | {"HTTP_X_FORWARDED_FOR": header}) == "10.0.0.1"


def test_a_request_without_an_address_has_none() -> None:
    assert address_of({}) == ""
