"""Where a request came from: told by who connects, and by as many proxies as are believed."""

import pytest
from pytest_django import Settings

from endpoints.addresses import address_of


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, "", "10.0.0.9"),
        (0, "1.1.1.1", "10.0.0.9"),
        (1, "1.1.1.1", "1.1.1.1"),
        (1, "6.6.6.6, 1.1.1.1", "1.1.1.1"),
        (2, "6.6.6.6, 1.1.1.1, 10.0.0.1", "1.1.1.1"),
        (2, "1.1.1.1", "10.0.0.9"),
        (1, "", "10.0.0.9"),
        (1, "2001:DB8::1", "2001:db8::1"),
        (1, "<script>", "10.0.0.9"),
        (1, "1.2.3.4:80", "10.0.0.9"),
    ],
)
def test_only_what_a_proxy_that_is_believed_wrote_counts(
    settings: Settings, proxies: int, forwarded: str, address: str
) -> None:
    settings.TRUSTED_PROXIES = proxies

    assert address_of({"REMOTE_ADDR": "10.0.0.9", "HTTP_X_FORWARDED_FOR": forwarded}) == address


def test_a_socket_has_no_address() -> None:
    assert address_of({}) == ""
