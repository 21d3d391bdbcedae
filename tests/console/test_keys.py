"""Keys on the pages: whose they show, what the form makes, and that the API shows the same."""

import html
import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from console.pages.key_words import state_of
from endpoints import keys, teams
from endpoints.accounts import create_account
from endpoints.models import ApiKey, Endpoint, Team, TeamRole, User
from tests.console.conftest import HTMX, browser_of, text
from tests.console.filling import problem_at
from tests.endpoints.conftest import Api, basic, told
from tests.endpoints.having_keys import KEYS
from tests.factories import PASSWORD, make_endpoint, make_user

pytestmark = pytest.mark.django_db

NEW = "/console/keys/_new"
ACCOUNTS = "/console/keys/_accounts"
FILLED = {"name": "web-shop", "owner": "me:", "days": "90", "rights": "call"}


@pytest.fixture
def search() -> Team:
    return teams.create_team("search")


def signed_in(user: User) -> Client:
    return browser_of(user)


def member(team: Team, role: TeamRole, name: str) -> Client:
    user = make_user(name)
    teams.put_member(team, user, role)
    return signed_in(user)


def secret_on(page: str) -> str:
    found = re.search(r'<code id="key-encoded">(.*?)</code>', page)
    assert found
    return found[1]


def test_a_key_made_on_the_page_is_used_and_shown_by_the_api(console: Client) -> None:
    answer = text(console.post(NEW, FILLED | {"tasks": ["rerank"], "endpoints": "a-*, b"}))

    secret = secret_on(answer)
    key = ApiKey.objects.get()
    api = Api(basic("elastic", PASSWORD))
    (shown,) = told(api("GET", f"{KEYS}?id={key.key_id}"))["api_keys"]
    assert shown["name"] == "web-shop"
    assert shown["metadata"] == {"console": {"tasks": ["rerank"], "endpoints": ["a-*", "b"]}}
    assert shown["role_descriptors"]["call_endpoints"]["cluster"] == ["monitor_inference"]
    assert key.expires_at
    assert timedelta(days=89) < key.expires_at - timezone.now() <= timedelta(days=90)
    assert Api(f"ApiKey {secret}")("GET", "/_inference").status_code == 200
    assert secret not in text(console.get(f"/console/keys/{key.key_id}"))


def test_a_key_made_by_the_api_is_shown_and_revoked_on_the_page(console: Client) -> None:
    api = Api(basic("elastic", PASSWORD))
    made = told(api("POST", KEYS, {"name": "from-afar"}))
    assert "from-afar" in text(console.get("/console/keys"))

    ask = text(console.get(f"/console/keys/{made['id']}/revoke"))
    assert "Revoke from-afar?" in ask
    assert not ApiKey.objects.get().invalidated_at
    console.post(f"/console/keys/{made['id']}/revoke")

    assert Api(f"ApiKey {made['encoded']}")("GET", "/").status_code == 401
    assert "from-afar" in text(console.get("/console/keys?show=all"))
    assert told(api("GET", KEYS))["api_keys"][0]["invalidated"]


def test_what_a_key_may_do_is_the_same_by_page_and_api(console: Client) -> None:
    console.post(NEW, FILLED | {"rights": "manage"})
    role = {"cluster": ["manage_inference"]}
    Api(basic("elastic", PASSWORD))(
        "POST", KEYS, {"name": "k", "role_descriptors": {"manage_endpoints": role}}
    )

    one, two = ApiKey.objects.all()
    assert one.role_descriptors == two.role_descriptors
    console.post(NEW, FILLED | {"rights": "same"})
    assert ApiKey.objects.last().role_descriptors == {}  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "_x"),
        ("owner", "me:other"),
        ("rights", "all"),
        ("tasks", "fly"),
        ("endpoints", "Ä*"),
        ("requests_per_minute", "0"),
        ("requests_per_minute", "many"),
    ],
)
def test_what_is_refused_is_told_and_kept(console: Client, field: str, value: str) -> None:
    answer = text(console.post(NEW, FILLED | {"endpoints": "kept-*", field: value}))

    assert not ApiKey.objects.exists()
    assert 'class="problem"' in answer
    assert "kept-*" in answer or field == "endpoints"
    if field in ("name", "endpoints", "requests_per_minute", "owner"):
        assert problem_at(answer, field)


def test_the_endpoints_that_fit_are_told_while_it_is_written(console: Client) -> None:
    make_endpoint("products-de")
    make_endpoint("films", ".minilm-rerank-v1")

    def told_for(**query: Any) -> str:
        return text(console.get(NEW, {"owner": "me:"} | query, headers=HTMX))

    assert "products-de" in told_for()
    assert "films" in told_for()
    assert "films" not in told_for(endpoints="products-*")
    assert "products-de" not in told_for(tasks=["rerank"])
    assert "No endpoint yet" in told_for(endpoints="x")


def test_a_team_shows_only_what_it_sees(console: Client, search: Team) -> None:
    make_endpoint("ours")
    make_endpoint("theirs")
    other = teams.create_team("other")
    Endpoint.objects.filter(inference_id="ours").update(team=search)
    Endpoint.objects.filter(inference_id="theirs").update(team=other)

    page = text(console.get(NEW, {"owner": "me:search"}, headers=HTMX))

    assert "ours" in page
    assert "theirs" not in page


def test_people_see_their_keys_and_administrators_those_of_the_team(search: Team) -> None:
    bob = member(search, TeamRole.INFERENCE_USER, "bob")
    boss = member(search, TeamRole.TEAM_ADMIN, "boss")
    mate = member(search, TeamRole.INFERENCE_USER, "mate")
    stranger = member(teams.create_team("other"), TeamRole.TEAM_ADMIN, "stranger")
    bob.post(NEW, FILLED | {"owner": "me:search"})
    key = ApiKey.objects.get()

    assert "web-shop" in text(bob.get("/console/keys"))
    assert "web-shop" in text(boss.get("/console/keys?team=search"))
    assert "web-shop" not in text(boss.get("/console/keys?whose=mine"))
    for other in (mate, stranger):
        assert "web-shop" not in text(other.get("/console/keys"))
        for tail in ("", "/revoke", "/rotate"):
            assert other.get(f"/console/keys/{key.key_id}{tail}").status_code == 404
        assert other.post(f"/console/keys/{key.key_id}/revoke").status_code == 404
    assert boss.post(f"/console/keys/{key.key_id}/rotate", {"overlap": "0"}).status_code == 403
    assert "Rotate" not in text(boss.get(f"/console/keys/{key.key_id}"))
    assert boss.post(f"/console/keys/{key.key_id}/revoke").status_code == 302
    key.refresh_from_db()
    assert key.invalidated_at


def test_keys_are_searched(console: Client, admin: User) -> None:
    for name in ("shop", "crawler"):
        keys.create_api_key(admin, name)

    found = text(console.get("/console/keys?q=SHO", headers=HTMX))

    assert "shop" in found
    assert "crawler" not in found
    assert "No such key" in text(console.get("/console/keys?q=nothing"))


def test_a_list_asks_as_much_for_many_keys_as_for_one(
    console: Client, admin: User, django_assert_max_num_queries: Any
) -> None:
    for _ in range(20):
        keys.create_api_key(admin, "k")
    console.get("/console/keys")

    with django_assert_max_num_queries(6):  # two of them for the session and its user
        console.get("/console/keys")


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({}, "Never used"),
        ({"last_used_at": -1}, "Works"),
        ({"last_used_at": -1, "expires_at": 30}, "Works"),
        ({"last_used_at": -1, "expires_at": 3.5}, "Expires in 3 days"),
        ({"expires_at": 0.1}, "Expires in 2 hours"),
        ({"last_used_at": -1, "expires_at": -1}, "Expired"),
        ({"expires_at": 3, "invalidated_at": -1}, "Revoked"),
    ],
)
def test_the_state_of_a_key_is_told_in_words(columns: dict[str, float], words: str) -> None:
    now = timezone.now()
    moments = {name: now + timedelta(days=days) for name, days in columns.items()}

    assert state_of(ApiKey(**moments), now).words == words


def test_rotating_shows_the_new_key_and_lets_the_old_one_end(console: Client, admin: User) -> None:
    old, _ = keys.create_api_key(admin, "shop")
    assert "When does the old key end?" in text(console.get(f"/console/keys/{old.key_id}/rotate"))

    answer = text(console.post(f"/console/keys/{old.key_id}/rotate", {"overlap": "24"}))

    new = ApiKey.objects.get(replaces=old)
    assert Api(f"ApiKey {secret_on(answer)}")("GET", "/").status_code == 200
    detail = text(console.get(f"/console/keys/{old.key_id}"))
    assert new.key_id in detail
    assert "Expires in 23 hours" in detail
    again = console.get(f"/console/keys/{old.key_id}/rotate", follow=True)
    assert "was rotated already" in text(again)


# --- service accounts


def test_an_administrator_makes_a_service_account_and_a_key_for_it(search: Team) -> None:
    boss = member(search, TeamRole.TEAM_ADMIN, "boss")
    filled = {"team": "search", "name": "robot", "role": "inference_user", "description": "Shop"}

    assert boss.post(f"{ACCOUNTS}/_new", filled).status_code == 302
    again = text(boss.post(f"{ACCOUNTS}/_new", filled))
    assert "already" in problem_at(again, "name")
    boss.post(NEW, FILLED | {"owner": "account:search/robot"})

    key = ApiKey.objects.get()
    assert (key.user.username, key.team, key.made_by) == (
        "search/robot",
        search,
        User.objects.get(username="boss"),
    )
    assert "1 key" in text(boss.get(ACCOUNTS))
    role = {"role": "inference_admin", "description": "Shop"}
    boss.post(f"{ACCOUNTS}/search/robot", role)
    assert User.objects.get(username="search/robot").service_role == "inference_admin"
    assert "Its 1 key" in text(boss.get(f"{ACCOUNTS}/search/robot/remove"))
    boss.post(f"{ACCOUNTS}/search/robot/remove")
    assert not ApiKey.objects.exists()


def test_the_first_service_account_needs_no_team_to_be_there(console: Client) -> None:
    assert 'name="team"' not in text(console.get(f"{ACCOUNTS}/_new"))

    console.post(f"{ACCOUNTS}/_new", {"name": "robot", "role": "inference_user"})

    assert User.objects.exclude(service_team=None).get().username == "default/robot"


@pytest.mark.parametrize("tail", ["_new", "search/robot", "search/robot/remove"])
def test_who_administers_no_team_changes_no_service_account(
    search: Team, admin: User, tail: str
) -> None:
    create_account(admin, "robot", "inference_user", team="search")
    manager = member(search, TeamRole.INFERENCE_ADMIN, "manager")

    assert manager.get(f"{ACCOUNTS}/{tail}").status_code == 403
    assert manager.post(f"{ACCOUNTS}/{tail}").status_code == 403
    assert "search/robot" in text(manager.get(ACCOUNTS))
    assert "account:" not in text(manager.get(NEW))
    assert User.objects.filter(username="search/robot").exists()


def test_no_page_opens_for_a_key(admin: User, client: Client) -> None:
    key, secret = keys.create_api_key(admin, "k")

    answer = client.get("/console/keys", headers={"Authorization": f"ApiKey {key.encoded(secret)}"})

    assert answer.status_code == 302
    assert answer["Location"].startswith("/console/sign-in")


def test_there_are_no_pages_of_keys_while_security_is_off(settings: Any, admin: User) -> None:
    settings.SECURITY = False
    anybody = Client()

    assert anybody.get("/console/keys").status_code == 404
    assert anybody.get(ACCOUNTS).status_code == 404
    assert "/console/keys" not in text(anybody.get("/console/"))


def test_the_page_of_an_endpoint_leads_to_a_key_for_it_alone(search: Team) -> None:
    made = make_endpoint("products")
    made.team = search
    made.save()
    person = member(search, TeamRole.INFERENCE_USER, "ana")

    link = re.search(
        r'href="(/console/keys/_new[^"]*)"', text(person.get("/console/endpoints/products"))
    )
    assert link
    page = text(person.get(html.unescape(link[1])))

    assert '<option value="me:search" selected>' in page
    assert re.search(r'<textarea name="endpoints"[^>]*> ?products</textarea>', page)
    assert [*re.findall(r'<li> <span class="font-monospace">(.*?)</span>', page)] == ["products"]


def test_a_new_key_is_first_of_all_for_the_team_that_somebody_works_in(search: Team) -> None:
    member(search, TeamRole.INFERENCE_USER, "ana")
    person = signed_in(User.objects.get(username="ana"))
    teams.put_member(teams.create_team("a-team"), User.objects.get(), TeamRole.INFERENCE_USER)
    person.post("/console/teams/_switch", {"team": "search"})

    assert '<option value="me:search" selected>' in text(person.get(NEW))
