"""What providers tell of their limits, in words."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from inference.upstream.quota import quotas

LEFT = "5 requests are left"


def told(**headers: str) -> list[str]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return [str(quota) for quota in quotas(httpx.Headers(named))]


def test_openai_s_limits_are_read() -> None:
    assert told(
        x_ratelimit_limit_requests="60",
        x_ratelimit_remaining_requests="59",
        x_ratelimit_reset_requests="1s",
        x_ratelimit_limit_tokens="150000",
        x_ratelimit_remaining_tokens="149984",
        x_ratelimit_reset_tokens="6m0s",
    ) == [
        "59 of 60 requests are left, whole again in 1s",
        "149984 of 150000 tokens are left, whole again in 6m0s",
    ]


def test_anthropic_s_limits_are_read() -> None:
    ends = (datetime.now(UTC) + timedelta(seconds=30.4)).isoformat()

    assert told(
        anthropic_ratelimit_input_tokens_limit="10000",
        anthropic_ratelimit_input_tokens_remaining="9000",
        anthropic_ratelimit_input_tokens_reset=ends,
    ) == ["9000 of 10000 input tokens are left, whole again in 30 s"]


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({"x_ratelimit_limit": "5"}, "5 requests are allowed"),
        ({"ratelimit_remaining": "5", "ratelimit_reset": "12"}, f"{LEFT}, whole again in 12 s"),
        ({"x_ratelimit_remaining_tokens_minute": "7"}, "7 tokens minute are left"),
        ({"x_ratelimit_remaining": "5", "x_ratelimit_reset": "someday"}, LEFT),
        (
            {"x_ratelimit_remaining": "5", "x_ratelimit_reset": "1000000001"},
            f"{LEFT}, whole again in 0 s",
        ),
    ],
)
def test_other_forms_are_read(headers: dict[str, str], words: str) -> None:
    assert told(**headers) == [words]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x_ratelimit_limit": "many"},
        {"x_ratelimit_reset": "12"},
        {"x_ratelimit_over_limit": "no"},
        {"ratelimit_policy": "5;w=60"},
    ],
)
def test_what_tells_nothing_is_left_out(headers: dict[str, str]) -> None:
    assert told(**headers) == []


def test_a_limit_without_rest_is_used_up() -> None:
    (used_up,) = quotas(httpx.Headers({"x-ratelimit-remaining-requests": "0"}))
    (left,) = quotas(httpx.Headers({"x-ratelimit-remaining-requests": "1"}))

    assert used_up.is_used_up
    assert not left.is_used_up
