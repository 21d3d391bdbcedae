"""The routes of people and invitations: who may, what comes back, what is refused."""

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core import mail
from django.test import override_settings

from endpoints import people, teams
from endpoints.models import AuditEntry, Invitation, Membership, Team, TeamRole, User
from tests.endpoints.conftest import Api, basic, refused, told
from tests.factories import PASSWORD, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("world")]
PEOPLE, INVITATIONS = "/_console/people", "/_console/people/_invitations"
TO_SEARCH = {"team": "search", "team_role": "inference_user"}


@pytest.fixture
def search() -> Team:
    return teams.create_team("search")


@pytest.fixture
def boss(search: Team) -> Api:
    """The administrator of the team [search]."""
    teams.put_member(search, make_user("boss"), TeamRole.TEAM_ADMIN)
    return Api(basic("boss", PASSWORD))


@pytest.fixture
def outsider() -> User:
    user = make_user("outsider")
    User.objects.filter(pk=user.pk).update(email="secret@example.org")
    teams.put_member(teams.create_team("other"), user, TeamRole.TEAM_ADMIN)
    return user


def names(api: Api, query: str = "") -> list[str]:
    return [one["username"] for one in told(api("GET", f"{PEOPLE}?{query}"))["people"]]


def test_everybody_is_listed_for_who_may_see_all(api: Api, boss: Api, outsider: User) -> None:
    answer = told(api("GET", PEOPLE))

    assert answer["count"] == 3
    assert [one["username"] for one in answer["people"]] == ["boss", "elastic", "outsider"]
    assert answer["people"][0]["teams"] == [{"team": "search", "team_role": "team_admin"}]
    assert answer["people"][1]["roles"] == ["superuser"]
    assert answer["people"][2]["state"] == "never_signed_in"


def test_a_list_costs_the_same_whoever_is_on_it(
    api: Api, boss: Api, outsider: User, django_assert_num_queries: Any
) -> None:
    api("GET", PEOPLE)
    with django_assert_num_queries(3):  # how many there are, who, and their teams
        api("GET", PEOPLE)


def test_a_list_comes_in_parts_and_by_name(api: Api, boss: Api, outsider: User) -> None:
    assert names(api, "size=1&from=1") == ["elastic"]
    assert names(api, "q=OUT") == ["outsider"]
    assert names(api, "q=secret@") == ["outsider"]
    assert told(api("GET", f"{PEOPLE}?q=%00zz"))["count"] == 0
    for query in ("size=1001", "size=-1", "from=-1", "size=x"):
        assert refused(api("GET", f"{PEOPLE}?{query}")) == (400, "illegal_argument_exception")


def test_who_administers_a_team_sees_who_is_in_it_and_less_of_each(
    boss: Api, search: Team, outsider: User, admin: User
) -> None:
    ann = make_user("ann")
    User.objects.filter(pk=ann.pk).update(email="ann@example.org")
    people.set_roles("ann", ["inference_user"])
    teams.put_member(search, ann, TeamRole.INFERENCE_USER)
    teams.put_member(Team.objects.get(name="other"), ann, TeamRole.INFERENCE_ADMIN)

    assert names(boss) == ["ann", "boss"]
    assert told(boss("GET", f"{PEOPLE}/ann")) == {
        "username": "ann",
        "enabled": True,
        "state": "active",
        "teams": [{"team": "search", "team_role": "inference_user"}],
    }
    assert names(boss, "q=ann@example") == []


@pytest.mark.parametrize("name", ["outsider", "elastic", "nobody", "%00"])
@pytest.mark.parametrize(
    ("method", "tail", "body"),
    [
        ("GET", "", None),
        ("PUT", "/roles", {"roles": []}),
        ("POST", "/_deactivate", None),
        ("POST", "/_activate", None),
        ("POST", "/_reset", None),
        ("POST", "/_reset_second_factor", None),
    ],
)
def test_who_is_not_theirs_to_see_does_not_exist(
    boss: Api, outsider: User, admin: User, name: str, method: str, tail: str, body: Any
) -> None:
    answer = boss(method, f"{PEOPLE}/{name}{tail}", body)

    assert refused(answer) == (404, "resource_not_found_exception")


@pytest.mark.parametrize(
    ("method", "tail", "body"),
    [
        ("PUT", "/roles", {"roles": ["superuser"]}),
        ("POST", "/_deactivate", None),
        ("POST", "/_activate", None),
        ("POST", "/_reset", None),
        ("POST", "/_reset_second_factor", None),
    ],
)
def test_who_administers_a_team_changes_nobody(
    boss: Api, method: str, tail: str, body: Any
) -> None:
    answer = boss(method, f"{PEOPLE}/boss{tail}", body)

    assert refused(answer) == (403, "security_exception")
    assert "granted by the cluster privileges [manage_security,all]" in answer.content.decode()
    assert User.objects.get(username="boss").is_active


@pytest.mark.parametrize("role", [*TeamRole.values[:2], ""])
def test_others_see_nobody(search: Team, role: str) -> None:
    user = make_user("plain")
    if role:
        teams.put_member(search, user, TeamRole(role))
    plain = Api(basic("plain", PASSWORD))

    for method, path in (
        ("GET", PEOPLE),
        ("GET", f"{PEOPLE}/plain"),
        ("GET", INVITATIONS),
        ("POST", INVITATIONS),
        ("POST", f"{PEOPLE}/plain/_reset"),
        ("DELETE", f"{INVITATIONS}/0"),
    ):
        assert refused(plain(method, path, {})) == (403, "security_exception")


def test_roles_are_given_and_hold_at_once(api: Api, admin: User) -> None:
    make_user("ann")
    ann = Api(basic("ann", PASSWORD))
    assert ann("GET", "/_inference").status_code == 403

    answer = api("PUT", f"{PEOPLE}/ann/roles", {"roles": ["inference_user"]})

    assert told(answer)["roles"] == ["inference_user"]
    assert ann("GET", "/_inference").status_code == 200
    assert refused(api("PUT", f"{PEOPLE}/elastic/roles", {"roles": []}))[0] == 409
    assert refused(api("PUT", f"{PEOPLE}/ann/roles", {"roles": ["owner"]}))[0] == 400


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (INVITATIONS, {**TO_SEARCH, "is_superuser": True}),
        (INVITATIONS, {**TO_SEARCH, "made_by": 1}),
        (INVITATIONS, {**TO_SEARCH, "expires_at": "2099-01-01"}),
        (f"{PEOPLE}/boss/_deactivate", {"is_active": True}),
        (f"{PEOPLE}/boss/_deactivate", {"keys": "give"}),
    ],
)
def test_a_field_that_nobody_offers_is_refused(
    api: Api, boss: Api, path: str, body: dict[str, Any]
) -> None:
    assert refused(api("POST", path, body)) == (400, "x_content_parse_exception")
    assert not Invitation.objects.exists()


def test_roles_hold_nothing_else(api: Api, boss: Api) -> None:
    body = {"roles": [], "is_superuser": True, "password": "x"}

    assert refused(api("PUT", f"{PEOPLE}/boss/roles", body))[0] == 400
    assert not User.objects.get(username="boss").is_superuser


def test_an_invitation_comes_with_its_link_this_once(boss: Api) -> None:
    answer = told(boss("POST", INVITATIONS, TO_SEARCH))

    assert answer["url"].startswith("http://testserver/console/join/")
    assert answer["invitation"]["team_role"] == "inference_user"
    (listed,) = told(boss("GET", INVITATIONS))["invitations"]
    assert listed == answer["invitation"]
    assert answer["url"].rpartition("/")[2] not in str(told(boss("GET", INVITATIONS)))


@override_settings(CONSOLE_URL="https://console.example.org")
def test_a_link_leads_where_the_settings_say_whatever_host_was_asked(boss: Api) -> None:
    answer = boss("POST", INVITATIONS, TO_SEARCH, {"Host": "evil.example.org"})

    assert told(answer)["url"].startswith("https://console.example.org/console/join/")


def test_an_invitation_by_mail_shows_its_link_to_nobody_else(boss: Api) -> None:
    body = {**TO_SEARCH, "email": "ann@example.org", "send": True}

    answer = told(boss("POST", INVITATIONS, body))

    assert "url" not in answer
    (sent,) = mail.outbox
    assert sent.to == ["ann@example.org"]
    assert "http://testserver/console/join/" in sent.body
    assert "boss invites you to Inference Console, to the team search." in sent.body


@pytest.mark.parametrize("email", ["a@b.org\nBcc: all@b.org", "a@b.org,c@d.org", "a b@c.org"])
def test_an_address_that_is_none_sends_nothing(boss: Api, email: str) -> None:
    answer = boss("POST", INVITATIONS, {**TO_SEARCH, "email": email, "send": True})

    assert refused(answer) == (400, "illegal_argument_exception")
    assert mail.outbox == []


def test_where_mail_fails_the_link_is_told_with_the_reason(boss: Api) -> None:
    body = {**TO_SEARCH, "email": "ann@example.org", "send": True}
    with override_settings(
        EMAIL_BACKEND="django.core.mail.backends.smtp.EmailBackend", EMAIL_PORT=1
    ):
        answer = told(boss("POST", INVITATIONS, body))

    assert "refused" in answer["mail_failure"]
    assert "/console/join/" in answer["url"]


def test_who_is_here_becomes_a_member_at_once(boss: Api) -> None:
    make_user("ann")

    answer = told(boss("POST", INVITATIONS, {**TO_SEARCH, "username": "ann"}))

    assert answer == {"member": {"username": "ann", **TO_SEARCH}}
    assert Membership.objects.get(user__username="ann").role == "inference_user"


def test_invitations_of_others_do_not_exist_for_a_team(api: Api, boss: Api) -> None:
    teams.create_team("other")
    for body in (
        {"team": "other", "team_role": "inference_user"},
        {"roles": ["superuser"]},
        {**TO_SEARCH, "roles": ["inference_user"]},
    ):
        link_id = told(api("POST", INVITATIONS, body))["invitation"]["id"]
        for method, tail in (("DELETE", ""), ("POST", "/_renew")):
            assert refused(boss(method, f"{INVITATIONS}/{link_id}{tail}"))[0] == 404

    assert told(boss("GET", INVITATIONS))["invitations"] == []
    assert len(told(api("GET", INVITATIONS))["invitations"]) == 3


def test_an_invitation_is_renewed_and_withdrawn(api: Api, boss: Api) -> None:
    first = told(boss("POST", INVITATIONS, TO_SEARCH))
    path = f"{INVITATIONS}/{first['invitation']['id']}"

    second = told(boss("POST", f"{path}/_renew"))

    assert second["invitation"]["id"] == first["invitation"]["id"]
    assert second["url"] != first["url"]
    assert told(boss("DELETE", path)) == {"acknowledged": True}
    assert told(boss("GET", INVITATIONS))["invitations"] == []
    assert refused(boss("POST", f"{path}/_renew"))[0] == 409


@pytest.mark.parametrize("guess", ["1", "0" * 20, "x", "%00", "..", "_all"])
def test_an_id_cannot_be_guessed(api: Api, boss: Api, guess: str) -> None:
    boss("POST", INVITATIONS, TO_SEARCH)

    assert api("DELETE", f"{INVITATIONS}/{guess}").status_code == 404


def test_somebody_is_deactivated_and_let_in_again(api: Api, boss: Api) -> None:
    answer = api("POST", f"{PEOPLE}/boss/_deactivate")
    assert refused(answer)[0] == 409
    assert "[search]" in answer.content.decode()

    left = told(api("POST", f"{PEOPLE}/boss/_deactivate", {"hand_over_to": "elastic"}))
    assert (left["enabled"], left["state"]) == (False, "deactivated")
    assert boss("GET", "/").status_code == 401

    assert told(api("POST", f"{PEOPLE}/boss/_activate"))["enabled"]
    assert boss("GET", "/").status_code == 200


def test_ones_own_account_must_be_meant(api: Api) -> None:
    User.objects.create_superuser("second", password=PASSWORD)

    assert refused(api("POST", f"{PEOPLE}/elastic/_deactivate"))[0] == 400
    assert api("POST", f"{PEOPLE}/elastic/_deactivate", {"myself": True}).status_code == 200
    assert api("GET", "/").status_code == 401


def test_a_link_to_a_new_password_is_made(api: Api, boss: Api) -> None:
    answer = told(api("POST", f"{PEOPLE}/boss/_reset"))

    assert answer["url"].startswith("http://testserver/console/new-password/")
    assert boss("GET", "/").status_code == 200
    entry = AuditEntry.objects.get(verb="person.password.offer")
    assert answer["url"].rpartition("/")[2] not in str(entry.to_response())


def test_second_factors_are_forgotten_for_who_lost_them(api: Api, outsider: User) -> None:
    TOTP.activate(outsider, generate_totp_secret())
    assert told(api("GET", f"{PEOPLE}/outsider"))["second_factor"]

    answer = told(api("POST", f"{PEOPLE}/outsider/_reset_second_factor"))

    assert (answer["username"], answer["second_factor"]) == ("outsider", False)
    assert not Authenticator.objects.exists()
    assert AuditEntry.objects.get(verb="factor.reset").subject == "outsider"
