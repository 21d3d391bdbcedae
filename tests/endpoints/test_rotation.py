"""Rotation of the keys that secrets are stored with."""

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.test import Client
from pydantic import SecretStr

from endpoints import rotation
from endpoints.models import Cluster, Endpoint
from endpoints.secrets import decrypt, encrypt
from tests.console.proving import CODE, add_app, add_codes, code_of, is_in, password
from tests.factories import make_cluster, make_user

pytestmark = pytest.mark.django_db
OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


@pytest.fixture
def rows(settings: pytest.FixtureRequest) -> None:
    """An endpoint and a cluster from the time of the old key."""
    settings.SECRET_KEYS = (OLD,)  # type: ignore[attr-defined]  # pytest-django's
    for n in range(3):
        Endpoint.objects.create(
            inference_id=f"e{n}",
            task_type="completion",
            service="openai",
            encrypted_secrets=encrypt(SecretStr('{"api_key": "sk-1"}')),
        )
    make_cluster()
    settings.SECRET_KEYS = (NEW, OLD)  # type: ignore[attr-defined]


@pytest.mark.usefixtures("rows")
def test_everything_is_readable_with_the_new_key_alone(settings: pytest.FixtureRequest) -> None:
    call_command("rotate_secrets")
    settings.SECRET_KEYS = (NEW,)  # type: ignore[attr-defined]

    for endpoint in Endpoint.objects.all():
        assert decrypt(endpoint.encrypted_secrets).get_secret_value() == '{"api_key": "sk-1"}'
    assert Cluster.objects.get().connection.api_key


@pytest.mark.usefixtures("rows")
def test_who_was_interrupted_goes_on_where_it_ended() -> None:
    rotating = rotation.rotate()
    next(rotating)
    first = Endpoint.objects.get(inference_id="e0").encrypted_secrets

    again = list(rotation.rotate())

    assert [row.is_changed for row in again] == [False, True, True, True]
    assert Endpoint.objects.get(inference_id="e0").encrypted_secrets == first
    assert not any(row.is_changed for row in rotation.rotate())


@pytest.mark.usefixtures("rows")
def test_what_nobody_can_read_is_named_and_the_rest_done(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Endpoint.objects.filter(inference_id="e1").update(encrypted_secrets="broken")

    with pytest.raises(CommandError, match="1 could not be read"):
        call_command("rotate_secrets")

    told = capsys.readouterr()
    assert "[e1]" in told.err
    assert "4 secrets looked at, 3 encrypted anew" in told.out


@pytest.mark.usefixtures("rows")
def test_a_secret_that_is_changed_meanwhile_is_not_overwritten() -> None:
    rotating = rotation.rotate()
    next(rotating)
    newer = encrypt(SecretStr('{"api_key": "sk-2"}'))
    Endpoint.objects.filter(inference_id="e1").update(encrypted_secrets=newer)
    list(rotating)

    assert decrypt(Endpoint.objects.get(inference_id="e1").encrypted_secrets) == SecretStr(
        '{"api_key": "sk-2"}'
    )


def test_secrets_of_second_factors_are_renewed_and_go_on_working(
    settings: pytest.FixtureRequest,
) -> None:
    settings.SECRET_KEYS = (OLD,)  # type: ignore[attr-defined]
    ann = make_user("ann")
    secret, codes = add_app(ann), add_codes(ann)
    settings.SECRET_KEYS = (NEW, OLD)  # type: ignore[attr-defined]

    assert [row.is_changed for row in rotation.rotate()] == [True, True]
    assert [row.is_changed for row in rotation.rotate()] == [False, False]

    settings.SECRET_KEYS = (NEW,)  # type: ignore[attr-defined]
    for code in (code_of(secret), codes[0]):
        client = Client()
        password(client, "ann")
        client.post(CODE, {"code": code})
        assert is_in(client)
