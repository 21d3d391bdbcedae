from collections.abc import Iterator

import pytest
from django.db import transaction
from pytest_django.plugin import DjangoDbBlocker

from endpoints import hosting
from tests.endpoints.conftest import FakeHosts
from tests.endpoints.conftest import World as Time
from tests.matrix.world import World, build


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    """Built once; whatever is done in it is undone at once."""
    with pytest.MonkeyPatch.context() as patch, django_db_blocker.unblock(), transaction.atomic():
        hosts = FakeHosts()
        patch.setattr(hosting, "hosts", lambda: hosts)
        patch.setattr(hosting, "sleep", Time(hosts).pause)
        yield build()
        transaction.set_rollback(True)
