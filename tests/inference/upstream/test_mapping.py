import httpx
import pytest

from inference.upstream.mapping import OriginMap


def applied(origins: dict[str, str], url: str) -> httpx.Request:
    request = httpx.Request("POST", url)
    OriginMap(origins).apply(request)
    return request


def test_a_request_goes_to_the_target_and_tells_where_it_was_meant_to_go() -> None:
    request = applied(
        {"https://api.cohere.com": "http://127.0.0.1:9901/cohere"},
        "https://api.cohere.com/v2/embed?a=1",
    )

    assert str(request.url) == "http://127.0.0.1:9901/cohere/v2/embed?a=1"
    assert request.headers["Host"] == "127.0.0.1:9901"
    assert request.headers["X-Forwarded-Host"] == "api.cohere.com"
    assert request.headers["X-Forwarded-Proto"] == "https"


def test_a_star_stands_for_all_below_a_name() -> None:
    origins = {"https://*.openai.azure.com": "http://gateway:80/azure"}

    assert applied(origins, "https://my.openai.azure.com/x").url.host == "gateway"
    assert applied(origins, "https://a.b.openai.azure.com/x").url.host == "gateway"
    assert applied(origins, "https://openai.azure.com/x").url.host == "openai.azure.com"
    assert applied(origins, "https://evilopenai.azure.com/x").url.host == "evilopenai.azure.com"


@pytest.mark.parametrize(
    "url",
    ["http://api.cohere.com/", "https://api.cohere.com:8443/", "https://api.cohere.com.evil.org/"],
)
def test_another_scheme_port_or_name_is_another_origin(url: str) -> None:
    assert str(applied({"https://api.cohere.com": "http://gateway"}, url).url) == url


def test_percent_signs_and_colons_of_a_path_stay_as_they_are() -> None:
    request = applied(
        {"https://api.example.com": "http://gateway/x"},
        "https://api.example.com/model/a%3Ab%2Fc:predict",
    )

    assert request.url.raw_path == b"/x/model/a%3Ab%2Fc:predict"


@pytest.mark.parametrize(
    "origins",
    [{"api.cohere.com": "http://g"}, {"https://a.com/path": "http://g"}, {"https://a.com": "g"}],
)
def test_an_entry_that_is_no_origin_is_refused(origins: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"origin|address"):
        OriginMap(origins)
