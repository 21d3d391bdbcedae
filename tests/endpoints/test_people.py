"""People and their roles, as an administrator sets them from the shell."""

import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from endpoints.models import User
from tests.endpoints.conftest import Api, World, basic, refused

NEW_PASSWORD = "a-long-one-4-bob"


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str, password: str = NEW_PASSWORD) -> str:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{password}\n"))
    out = io.StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def create(monkeypatch: pytest.MonkeyPatch, *arguments: str, **options: Any) -> str:
    return run(monkeypatch, "create_user", "bob", "--password-stdin", *arguments, **options)


def test_a_new_user_may_do_what_the_roles_allow(
    admin: User, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = create(monkeypatch, "--role", "inference_user", "--role", "machine_learning_user")

    assert said == "Created [bob] with inference_user, machine_learning_user.\n"
    bob = Api(basic("bob", NEW_PASSWORD))
    assert bob("GET", "/_inference").status_code == 200
    assert bob("PUT", "/_ingest/pipeline/p", {"processors": []}).status_code == 403
    assert User.objects.get(username="bob").check_password(NEW_PASSWORD)


def test_a_new_superuser_may_do_everything(
    admin: User, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(monkeypatch, "--role", "superuser")

    bob = User.objects.get(username="bob")
    assert (bob.is_superuser, bob.roles, bob.role_names) == (True, [], ["superuser"])
    api = Api(basic("bob", NEW_PASSWORD))
    assert api("PUT", "/_ingest/pipeline/p", {"processors": []}).status_code == 200


def test_the_password_is_asked_for_twice(admin: User, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [NEW_PASSWORD, NEW_PASSWORD, NEW_PASSWORD, "another"]
    monkeypatch.setattr("getpass.getpass", lambda prompt: answers.pop(0))

    run(monkeypatch, "create_user", "bob", "--role", "inference_user")
    assert User.objects.get(username="bob").check_password(NEW_PASSWORD)
    with pytest.raises(CommandError, match="differ"):
        run(monkeypatch, "create_user", "eve", "--role", "inference_user")
    assert not User.objects.filter(username="eve").exists()


@pytest.mark.parametrize(
    ("name", "role", "password", "told"),
    [
        ("bob", "owner", NEW_PASSWORD, r"Unknown roles \[owner\]; there are \[inference_admin, "),
        ("elastic", "superuser", NEW_PASSWORD, r"There is a user \[elastic\] already"),
        ("bob", "superuser", "short", "too short"),
        ("bob", "superuser", "", "too short"),
        ("bob:", "superuser", NEW_PASSWORD, "valid username"),
        ("", "superuser", NEW_PASSWORD, "cannot be blank"),
    ],
)
def test_what_cannot_be_used_is_told_and_nothing_is_made(
    admin: User, monkeypatch: pytest.MonkeyPatch, name: str, role: str, password: str, told: str
) -> None:
    with pytest.raises(CommandError, match=told):
        run(
            monkeypatch,
            *("create_user", name, "--password-stdin", "--role", role),
            password=password,
        )
    assert list(User.objects.values_list("username", flat=True)) == ["elastic"]


def test_a_user_without_a_role_is_not_made(admin: User, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CommandError, match="--role"):
        create(monkeypatch)


def test_other_roles_hold_from_the_next_request_on(
    admin: User, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(monkeypatch, "--role", "machine_learning_user")
    bob = Api(basic("bob", NEW_PASSWORD))
    assert refused(bob("GET", "/_inference"))[0] == 403

    assert run(monkeypatch, "set_roles", "bob", "inference_user") == "[bob] has inference_user.\n"
    assert bob("GET", "/_inference").status_code == 200

    assert run(monkeypatch, "set_roles", "bob") == "[bob] has no role.\n"
    assert refused(bob("GET", "/_inference"))[0] == 403
    assert bob("GET", "/").status_code == 200


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("nobody", "superuser"), r"There is no user \[nobody\]"),
        (("elastic", "superuser", "owner"), r"Unknown roles \[owner\]"),
        (("elastic", "inference_admin"), r"\[elastic\] is the last one with the role \[superuser"),
        (("elastic",), r"\[elastic\] is the last one"),
    ],
)
def test_roles_that_cannot_be_set_are_told_and_nothing_changes(
    admin: User, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], told: str
) -> None:
    with pytest.raises(CommandError, match=told):
        run(monkeypatch, "set_roles", *arguments)
    assert User.objects.get().role_names == ["superuser"]


def test_a_superuser_may_step_down_when_there_is_another(
    admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(monkeypatch, "--role", "superuser")
    run(monkeypatch, "set_roles", "elastic", "superuser", "inference_user")
    assert User.objects.get(username="elastic").role_names == ["inference_user", "superuser"]

    run(monkeypatch, "set_roles", "elastic", "inference_user")
    assert User.objects.get(username="elastic").role_names == ["inference_user"]
    with pytest.raises(CommandError, match="last one"):
        run(monkeypatch, "set_roles", "bob", "inference_user")


def test_a_disabled_superuser_does_not_count(admin: User, monkeypatch: pytest.MonkeyPatch) -> None:
    create(monkeypatch, "--role", "superuser")
    User.objects.filter(username="bob").update(is_active=False)

    with pytest.raises(CommandError, match="last one"):
        run(monkeypatch, "set_roles", "elastic")
