"""Every service is tried against the sandbox, in place of the provider."""

import pytest

from inference.upstream.door import Door
from tests.sandboxed import door, sandbox

__all__ = ["door", "sandbox"]


@pytest.fixture(autouse=True)
def _no_provider(door: Door) -> None:
    """Nothing here calls a provider."""
