"""What whoever has the shell can do for people, and the keys they can issue."""

import base64
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from allauth.usersessions.models import UserSession
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from endpoints import teams
from endpoints.models import ApiKey, AuditEntry, TeamRole, User
from tests.endpoints.conftest import Api, World, basic, refused
from tests.factories import PASSWORD, make_endpoint, make_user

NEW_PASSWORD = "a-long-one-4-bob"
pytestmark = pytest.mark.django_db


@pytest.fixture
def password_file(tmp_path: Path) -> str:
    path = tmp_path / "password"
    path.write_text(f"{NEW_PASSWORD}\n")
    return str(path)


@pytest.fixture
def bob() -> User:
    return make_user("bob")


def signed_in(user: User) -> Client:
    """A browser in which somebody is signed in, as a sign-in leaves it."""
    browser = Client()
    browser.force_login(user)
    UserSession.objects.get_or_create(
        user=user, session_key=browser.session.session_key, defaults={"ip": "127.0.0.1"}
    )
    return browser


def is_in(browser: Client) -> bool:
    return browser.get(reverse("endpoint-list")).status_code == 200


def verbs() -> list[str]:
    return list(AuditEntry.objects.order_by("number").values_list("verb", flat=True))


def test_a_new_administrator_may_do_everything(password_file: str, world: World) -> None:
    call_command("create_admin", "ada", "--password-file", password_file)

    api = Api(basic("ada", NEW_PASSWORD))
    assert api("PUT", "/_ingest/pipeline/p", {"processors": []}).status_code == 200
    assert [verb for verb in verbs() if verb.startswith("person.")] == ["person.create"]


def test_who_is_known_is_raised_and_activated_and_keeps_the_password(bob: User) -> None:
    bob.is_active = False
    bob.roles = ["inference_user"]
    bob.save()
    call_command("create_admin", "bob")

    bob.refresh_from_db()
    assert (bob.is_active, bob.role_names) == (True, ["inference_user", "superuser"])
    assert bob.check_password(PASSWORD)
    entry = AuditEntry.objects.get(verb="person.roles")
    assert entry.before == {"roles": ["inference_user"], "is_active": False}
    assert entry.after == {"roles": ["inference_user", "superuser"], "is_active": True}
    assert entry.actor_name == "shell"


def test_a_password_that_is_made_up_is_shown_once(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("create_admin", "ada", "--generate")

    password = capsys.readouterr().out.strip()
    assert User.objects.get(username="ada").check_password(password)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("create_admin", "ada"), "no terminal"),
        (("create_admin", "no:name", "--generate"), "valid username|name"),
        (("create_admin", "ada", "--password-file", "/nowhere"), "cannot be read"),
        (("create_admin", "ada", "--password-file", "/dev/null"), "is empty"),
        (("reset_password", "zoe", "--generate"), r"There is no user \[zoe\]"),
        (("reset_password", "bob"), "no terminal"),
        (("reset_second_factor", "zoe"), r"There is no user \[zoe\]"),
        (("issue_key", "zoe", "--name", "n"), r"no active user \[zoe\]"),
        (("issue_key", "bob", "--name", " "), "name is required"),
        (("issue_key", "bob", "--name", "n", "--expires", "soon"), "expires"),
        (("issue_key", "bob", "--name", "n", "--expires", "999999999999d"), "expires"),
        (("issue_key", "bob", "--name", "n", "--team", "nobody"), r"no team \[nobody\]"),
        (("issue_key", "bob", "--name", "n", "--privileges", "fly"), "unknown cluster privilege"),
    ],
)
def test_what_cannot_be_is_told_and_nothing_changes(
    bob: User, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], told: str
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    with pytest.raises(CommandError, match=told):
        call_command(*arguments)

    bob.refresh_from_db()
    assert bob.check_password(PASSWORD)
    assert list(User.objects.values_list("username", flat=True)) == ["bob"]
    assert not ApiKey.objects.exists()


def test_another_password_ends_what_the_old_one_opened(
    bob: User, password_file: str, world: World
) -> None:
    bob.roles = ["inference_user"]
    bob.save()
    browser, api = signed_in(bob), Api(basic("bob", PASSWORD))
    assert is_in(browser)
    assert api("GET", "/_inference").status_code == 200
    call_command("reset_password", "bob", "--password-file", password_file)

    assert not is_in(browser)
    assert not UserSession.objects.exists()
    assert refused(api("GET", "/_inference"))[0] == 401
    assert Api(basic("bob", NEW_PASSWORD))("GET", "/_inference").status_code == 200
    assert verbs()[-1] == "person.password.reset"


def test_a_password_that_is_too_easy_is_refused(bob: User, tmp_path: Path) -> None:
    (tmp_path / "easy").write_text("password\n")
    with pytest.raises(CommandError, match="too common"):
        call_command("reset_password", "bob", "--password-file", str(tmp_path / "easy"))
    bob.refresh_from_db()
    assert bob.check_password(PASSWORD)


def test_second_factors_go_and_so_do_sessions(bob: User) -> None:
    TOTP.activate(bob, "JBSWY3DPEHPK3PXP")
    RecoveryCodes.activate(bob)
    ada = make_user("ada")
    ada.roles = ["inference_user"]
    ada.save()
    TOTP.activate(ada, "JBSWY3DPEHPK3PXP")
    browser, other = signed_in(bob), signed_in(ada)
    call_command("reset_second_factor", "bob")

    bob.refresh_from_db()
    assert not bob.has_second_factor
    assert set(Authenticator.objects.values_list("user__username", flat=True)) == {"ada"}
    assert not is_in(browser)
    assert is_in(other)
    assert verbs()[-1] == "factor.reset"
    assert "factor.remove" not in verbs()


def issued(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    call_command("issue_key", *arguments, "--json")
    made: dict[str, Any] = json.loads(capsys.readouterr().out)
    return made


def test_a_key_of_the_shell_opens_what_its_owner_may(
    bob: User, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    bob.roles = ["inference_admin"]
    bob.save()
    made = issued(capsys, "bob", "--name", "app", "--expires", "30d")

    assert base64.b64decode(made["encoded"]).decode() == f"{made['id']}:{made['api_key']}"
    key = ApiKey.objects.get(key_id=made["id"])
    assert key.expires_at
    assert timedelta(days=29) < key.expires_at - timezone.now() <= timedelta(days=30)
    assert Api(f"ApiKey {made['encoded']}")("GET", "/_inference").status_code == 200
    assert verbs() == ["key.create"]


def test_a_key_may_be_given_less(
    bob: User, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    bob.roles = ["inference_admin"]
    bob.save()
    made = issued(capsys, "bob", "--name", "app", "--privileges", "monitor_inference")

    api = Api(f"ApiKey {made['encoded']}")
    assert api("GET", "/_inference").status_code == 200
    assert refused(api("DELETE", "/_inference/any"))[0] == 403


def test_a_key_of_a_team_works_there_and_nowhere_else(
    bob: User, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    search, other = teams.create_team("search"), teams.create_team("other")
    for name, team in (("ours", search), ("theirs", other)):
        endpoint = make_endpoint(name)
        endpoint.team = team
        endpoint.save()
    teams.put_member(search, bob, TeamRole.INFERENCE_USER)
    teams.put_member(other, bob, TeamRole.INFERENCE_USER)
    made = issued(capsys, "bob", "--name", "app", "--team", "search")

    found = json.loads(Api(f"ApiKey {made['encoded']}")("GET", "/_inference").content)
    assert [one["inference_id"] for one in found["endpoints"]] == ["ours"]


def test_people_and_keys_are_listed(bob: User, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("issue_key", "bob", "--name", "app")
    teams.put_member(teams.create_team("search"), bob, TeamRole.TEAM_ADMIN)
    made = capsys.readouterr().out.split()
    ApiKey.objects.update(expires_at=timezone.now() - timedelta(days=1))
    call_command("list_people")
    call_command("list_keys", owner="bob")
    people, keys = capsys.readouterr().out.splitlines()

    assert people == "bob: no role; team_admin in search; never signed in"
    assert keys.startswith(f"{made[1]}: app, of bob: expired, until ")
    call_command("list_people", "--json")
    assert json.loads(capsys.readouterr().out)["teams"] == {"search": "team_admin"}
