"""What every route has in common: headers, media types, authentication, errors."""

import base64
import gzip
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from endpoints import actions
from endpoints.api import auth
from endpoints.models import User
from tests.endpoints.conftest import PASSWORD, Api, World, basic, refused, told

VENDOR = "application/vnd.elasticsearch+json"


def key_header(user: User) -> str:
    key, secret = actions.create_api_key(user, "tests")
    return "ApiKey " + base64.b64encode(f"{key.key_id}:{secret}".encode()).decode()


@pytest.mark.parametrize("path", ["/", "/_inference", "/_inference/nobody", "/nowhere", "/healthz"])
def test_every_answer_names_the_product(api: Api, path: str) -> None:
    response = api("GET", path, headers={"X-Opaque-Id": "trace-7"})

    assert response["X-elastic-product"] == "Elasticsearch"
    assert response["X-Opaque-Id"] == "trace-7"


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("application/json", "application/json"),
        (f"{VENDOR}; compatible-with=9", f"{VENDOR};compatible-with=9"),
        (f"{VENDOR};compatible-with=8", f"{VENDOR};compatible-with=8"),
        (VENDOR, f"{VENDOR};compatible-with=9"),
        (f"text/plain, {VENDOR}; compatible-with=8; q=1", f"{VENDOR};compatible-with=8"),
    ],
)
def test_the_answer_has_the_type_that_was_asked_for(
    api: Api, accept: str, content_type: str
) -> None:
    assert api("GET", "/_inference", headers={"Accept": accept})["Content-Type"] == content_type


def test_another_version_of_the_api_is_refused(api: Api) -> None:
    response = api("GET", "/_inference", headers={"Accept": f"{VENDOR}; compatible-with=7"})

    assert refused(response) == (400, "media_type_header_exception")


def test_a_body_may_have_the_vendor_type_or_be_packed(api: Api) -> None:
    body = b'{"input": "a"}'
    vendor = {"Content-Type": f"{VENDOR}; compatible-with=9"}
    packed = {"Content-Encoding": "gzip"}
    unknown = (404, "resource_not_found_exception")

    assert refused(api("POST", "/_inference/e1", body, vendor)) == unknown
    assert refused(api("POST", "/_inference/e1", gzip.compress(body), packed)) == unknown


def test_a_packed_body_may_come_in_several_parts(api: Api) -> None:
    body = gzip.compress(b'{"input": ') + gzip.compress(b'"a"}')

    response = api("POST", "/_inference/e1", body, {"Content-Encoding": "gzip"})

    assert response.status_code == 404


def test_a_body_as_large_as_the_limit_is_refused(api: Api, settings: pytest.FixtureRequest) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100  # type: ignore[attr-defined]  # pytest-django's

    for size, status in ((99, 404), (100, 413), (101, 413)):
        body = b'{"input": "%s"}' % (b"a" * (size - 13))
        assert len(body) == size
        assert api("POST", "/_inference/e1", body).status_code == status


def test_a_text_that_is_spelled_like_a_field_is_no_field(api: Api) -> None:
    body = b'{"input": ["input", "\\"input\\": 1"], "query": "input"}'

    assert api("POST", "/_inference/rerank/e1", body).status_code == 404


def test_a_body_that_is_not_what_its_headers_say_is_refused(api: Api) -> None:
    packed = {"Content-Encoding": "gzip"}
    assert api("POST", "/_inference/e1", b"{}", packed).status_code == 400

    text = {"Content-Type": "text/plain"}
    assert api("POST", "/_inference/e1", b"{}", text).status_code == 406


def test_a_body_that_unpacks_to_far_too_much_is_refused(
    api: Api, settings: pytest.FixtureRequest
) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000  # type: ignore[attr-defined]  # pytest-django's
    bomb = gzip.compress(b'{"input": "' + b"a" * 100_000 + b'"}')

    response = api("POST", "/_inference/e1", bomb, {"Content-Encoding": "gzip"})

    assert refused(response) == (413, "content_too_long_exception")


def test_pretty_is_for_people(api: Api) -> None:
    assert api("GET", "/_inference?pretty").content == b'{\n  "endpoints": []\n}\n'


def test_times_are_dates_for_people(api: Api) -> None:
    api("PUT", "/books")
    api("PUT", "/_ingest/pipeline/p", {"processors": []})

    index = told(api("GET", "/books?human"))["books"]["settings"]["index"]
    pipeline = told(api("GET", "/_ingest/pipeline/p?human"))["p"]

    for date, millis in (
        (index["creation_date_string"], int(index["creation_date"])),
        (pipeline["created_date"], pipeline["created_date_millis"]),
        (pipeline["modified_date"], pipeline["modified_date_millis"]),
    ):
        assert datetime.fromisoformat(date).timestamp() * 1000 == pytest.approx(millis, abs=0.5)
    assert "creation_date_string" not in api("GET", "/books").content.decode()


def test_an_unknown_parameter_is_refused(api: Api) -> None:
    assert refused(api("GET", "/_inference?colour=red")) == (400, "illegal_argument_exception")


def test_a_flag_is_true_or_false(api: Api) -> None:
    assert refused(api("GET", "/_inference?pretty=maybe")) == (400, "illegal_argument_exception")


def test_an_endless_number_is_no_duration(api: Api) -> None:
    response = api("POST", f"/_inference/e1?timeout={'9' * 5000}d", b'{"input": "a"}')

    assert response.status_code in (400, 404)


def test_a_filter_full_of_stars_takes_no_time(api: Api) -> None:
    api("GET", f"/?filter_path={'*a' * 40}b")


def test_an_unknown_route_is_told_in_one_string(api: Api) -> None:
    response = api("GET", "/_nowhere?x=1")

    assert response.status_code == 400
    assert told(response) == {"error": "no handler found for uri [/_nowhere?x=1] and method [GET]"}


def test_a_wrong_method_is_told_with_the_right_ones(api: Api) -> None:
    response = api("PATCH", "/_inference/e1")

    assert response.status_code == 405
    assert {"GET", "PUT", "POST", "DELETE"} <= set(response["Allow"].replace(",", " ").split())
    assert told(response)["status"] == 405


def test_a_fault_of_ours_is_told_as_json_without_its_details(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*_: object) -> None:
        raise KeyError("a secret of the code")

    monkeypatch.setattr("endpoints.api.views.require", break_down)
    api.client.raise_request_exception = False

    response = api("GET", "/_inference")

    assert refused(response) == (500, "exception")
    assert b"secret" not in response.content


def test_clients_find_a_version_they_accept(api: Api) -> None:
    answer = told(api("GET", "/"))

    assert answer["version"]["number"].startswith("9.")
    assert answer["version"]["build_flavor"] == "default"
    assert len(answer["cluster_uuid"]) == 22
    assert api("HEAD", "/").status_code == 200


def test_a_browser_is_sent_to_the_pages(api: Api) -> None:
    anonymous = Api("")

    response = anonymous("GET", "/", headers={"Accept": "text/html"})

    assert response.status_code == 302
    assert response["Location"] == "/console/"


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Basic",
        "Basic !!!",
        "Basic " + base64.b64encode(b"elastic").decode(),
        basic("elastic", "wrong"),
        basic("nobody", PASSWORD),
        "ApiKey",
        "ApiKey " + base64.b64encode(b"id:secret").decode(),
        "Bearer token",
        "Digest x",
    ],
)
def test_bad_credentials_are_refused_alike(api: Api, authorization: str) -> None:
    response = Api(authorization)("GET", "/_inference")

    assert refused(response) == (401, "security_exception")
    assert told(response)["error"]["header"]["WWW-Authenticate"] == [
        'Basic realm="security", charset="UTF-8"',
        'Bearer realm="security"',
        "ApiKey",
    ]
    assert "authenticat" in told(response)["error"]["reason"]


def test_a_password_may_hold_a_colon(admin: User, world: World) -> None:
    admin.set_password("a:b:c")
    admin.save()

    assert Api(basic("elastic", "a:b:c"))("GET", "/_inference").status_code == 200


def test_an_old_password_stops_working_at_once(api: Api, admin: User) -> None:
    assert api("GET", "/_inference").status_code == 200

    admin.set_password("another one")
    admin.save()

    assert api("GET", "/_inference").status_code == 401


def test_a_disabled_user_stops_working_at_once(api: Api, admin: User) -> None:
    key = Api(key_header(admin))
    assert api("GET", "/_inference").status_code == key("GET", "/_inference").status_code == 200

    admin.is_active = False
    admin.save()

    assert api("GET", "/_inference").status_code == 401
    assert key("GET", "/_inference").status_code == 401


def test_a_key_works_until_it_is_revoked_or_expires(api: Api, admin: User) -> None:
    call = Api(key_header(admin))
    key = admin.api_keys.get()
    assert call("GET", "/_inference").status_code == 200

    key.expires_at = timezone.now() - timedelta(seconds=1)
    key.save()
    assert call("GET", "/_inference").status_code == 401

    key.expires_at, key.invalidated_at = None, timezone.now()
    key.save()
    assert call("GET", "/_inference").status_code == 401


def test_the_secret_of_a_key_is_not_stored(admin: User) -> None:
    key, secret = actions.create_api_key(admin, "tests")

    assert secret not in str(vars(key))


def test_an_id_that_no_column_can_hold_is_not_found(api: Api) -> None:
    assert api("POST", "/_inference/a%00b", b'{"input": "a"}').status_code == 404
    assert Api(basic("el\0astic", PASSWORD))("GET", "/_inference").status_code == 401


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/_inference"),
        ("GET", "/_inference/nobody"),
        ("PUT", "/_inference/Bad Id"),
        ("POST", "/_inference/nobody"),
        ("DELETE", "/_inference/nobody"),
    ],
)
def test_without_the_right_nothing_else_is_looked_at(api: Api, method: str, path: str) -> None:
    User.objects.create_user("bob", password=PASSWORD)

    response = Api(basic("bob", PASSWORD))(method, path, b"not json")

    assert refused(response) == (403, "security_exception")
    assert "is unauthorized for user [bob]" in told(response)["error"]["reason"]


def test_many_who_come_at_once_with_one_password_check_it_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    user, checks = User(pk=1, password="hash"), []
    all_there = threading.Barrier(9)

    def check(password: str, encoded: str) -> bool:
        checks.append(password)
        all_there.wait(10)
        return password == "right"

    def come(password: str) -> bool:
        if checks:
            all_there.wait(10)
        return passwords.verify(user, password, "127.0.0.1")

    monkeypatch.setattr(auth, "check_password", check)
    passwords = auth.VerifiedPasswords()
    with ThreadPoolExecutor(9) as callers:
        first = callers.submit(come, "right")
        while not checks:
            threading.Event().wait(0.001)
        others = list(callers.map(come, ["right"] * 8))

    assert first.result()
    assert all(others)
    assert checks == ["right"]
