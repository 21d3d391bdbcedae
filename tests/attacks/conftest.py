"""Everybody and one of everything, as attackers find it."""

import pytest

from tests.console.conftest import admin
from tests.endpoints.conftest import FakeHosts, endpoint, hosts, other, search
from tests.matrix import world
from tests.matrix.world import World

__all__ = ["admin", "endpoint", "hosts", "other", "search"]


@pytest.fixture
def everything(db: None, hosts: FakeHosts) -> World:
    """Everybody who may call, and one of everything."""
    return world.build()
