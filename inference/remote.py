"""One call to a provider: its turn, its attempts and the waits between them, and what was cut."""

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from math import ceil
from time import time
from typing import Any, TypeAlias, TypeVar

import httpx

from inference.chat import ChatRequest
from inference.errors import InvalidRequest, StreamingNotAllowed
from inference.services.base import EndpointConfig
from inference.services.calls import CHARACTERS_PER_TOKEN, Call, cut_call
from inference.services.remote import ProviderFailed, RemoteService, Task
from inference.types import (
    InferenceRequest,
    InferenceResult,
    SparseEmbeddings,
    TextEmbeddings,
    Truncation,
)
from inference.upstream import failures
from inference.upstream.deadline import Deadline
from inference.upstream.door import Door, Reply, Sender
from inference.upstream.errors import (
    ProviderError,
    UpstreamError,
    UpstreamMalformed,
    UpstreamRefused,
    UpstreamUnreachable,
)
from inference.upstream.sse import EventTooLarge, ServerEvent

ATTEMPTS = 3
FIRST_DELAY_S, LONGEST_DELAY_S = 1.0, 5.0
# No retry begins later than this after the first attempt.
RETRY_WINDOW_S = 30.0
CUT_FACTOR = 0.5
ErrorT = TypeVar("ErrorT", bound=UpstreamError)
ResultT = TypeVar("ResultT")
# One try, with the call as it is by then, what of its texts was cut, and the time that it has.
Attempt: TypeAlias = Callable[[Call[Any], "Cuts", Deadline], ResultT]
SECONDS = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")


@dataclass(frozen=True)
class Line:
    """An endpoint's way to its provider."""

    door: Door
    service: RemoteService
    config: EndpointConfig
    inference_id: str

    @property
    def task(self) -> Task[Any, Any]:
        return self.service.task_for(self.config)

    @property
    def sender(self) -> Sender:
        settings: Any = self.config.service_settings
        return Sender(self.inference_id, self.service.auth(settings), settings.way)

    def answer(self, request: InferenceRequest | ChatRequest, timeout_s: float) -> InferenceResult:
        """The provider's answer to a request.

        Raises InvalidRequest or InvalidSettings before anything is sent, and UpstreamError.
        """
        call = self.service.call_for(self.config, request, is_stream=False)
        call, cuts = self._cut_to_setting(call)

        def attempt(call: Call[Any], cuts: Cuts, deadline: Deadline) -> InferenceResult:
            return with_cuts(self.read(self.ask(call, deadline), call), cuts)

        return self._until_it_succeeds(attempt, call, cuts, timeout_s)

    def stream(
        self, request: InferenceRequest | ChatRequest, timeout_s: float
    ) -> Iterator[dict[str, Any]]:
        """The provider's answer as it comes; this returns when it has begun.

        timeout_s: until then. Raises like `answer`, and StreamingNotAllowed; so does the
        iteration, when the stream breaks. Closing the iterator ends the provider's work, too.
        """
        if not self.task.can_stream:
            raise StreamingNotAllowed(self._cannot_stream)
        call = self.service.call_for(self.config, request, is_stream=True)

        def attempt(call: Call[Any], _: Cuts, deadline: Deadline) -> Iterator[dict[str, Any]]:
            streaming = self._stream_attempt(call, deadline)
            next(streaming)
            return streaming

        return self._until_it_succeeds(attempt, call, Cuts.none(call), timeout_s)

    def _until_it_succeeds(
        self, attempt: Attempt[ResultT], call: Call[Any], cuts: "Cuts", timeout_s: float
    ) -> ResultT:
        """What an attempt gives, tried again as often as it makes sense. Raises UpstreamError."""
        deadline, attempts = Deadline.after(timeout_s), Attempts(timeout_s)
        while True:
            try:
                return attempt(call, cuts, deadline)
            except Refusal as refusal:
                error: UpstreamError = refusal.error
                if refusal.is_too_large and self.task.is_cut:
                    call, cuts = self._halve(call, cuts)
                elif not refusal.is_too_large and not refusal.is_retried:
                    raise error from None
                retry_after = refusal.retry_after_s
            except (UpstreamUnreachable, UpstreamMalformed, UpstreamRefused) as exc:
                if not exc.explanation.retry_helps:
                    raise
                error, retry_after = exc, None
            delay_s = attempts.next_delay_s(deadline, retry_after)
            if delay_s is None:
                raise error
            self.door.wait(delay_s)

    def model_names(self, timeout_s: float) -> list[str]:
        """The models that the provider lists, asked once and without cost.

        Raises InvalidRequest where there is no list, and UpstreamError.
        """
        request = self.service.listing_request(self.config.service_settings)
        if request is None:
            raise InvalidRequest(f"{self.service.label} lists no models for these settings")
        sender = self.sender
        reply = self.door.send(request, sender, Deadline.after(timeout_s))
        if reply.status in (404, 405):
            raise InvalidRequest(f"There is no list of models at [{request.url.host}]")
        if not reply.is_success:
            raise self._refusal(reply, sender).error
        try:
            return self.service.model_names(reply)
        except ValueError as exc:
            raise failures.malformed(reply.url, self.inference_id, str(exc)) from None

    def ask(self, call: Call[Any], deadline: Deadline) -> Reply:
        """One attempt, when its turn has come: a reply of whatever status. Raises UpstreamError."""
        sender = self.sender
        self.door.limiter.take(self.service.group(self.config), deadline, self.inference_id)
        return self.door.send(self.task.build(call), sender, deadline)

    def read(self, reply: Reply, call: Call[Any]) -> InferenceResult:
        """What a reply to a call holds. Raises Refusal for a failure, and UpstreamError."""
        if not reply.is_success:
            raise self._refusal(reply, self.sender)
        try:
            return self.task.read(reply, call)
        except ProviderFailed as exc:
            broken = failures.broken_stream(self.inference_id, self._named(exc.told))
            raise with_status(broken, exc.status) from None
        except ValueError as exc:
            malformed = failures.malformed(reply.url, self.inference_id, str(exc))
            raise with_status(malformed, self.task.malformed_status) from None

    def _stream_attempt(self, call: Call[Any], deadline: Deadline) -> Iterator[dict[str, Any]]:
        """First an empty event, once the provider has begun, then what it sends."""
        sender = self.sender
        self.door.limiter.take(self.service.group(self.config), deadline, self.inference_id)
        request = self.task.build(call)
        with self.door.open(request, sender, deadline, is_stream=True) as response:
            if not response.is_success:
                raise self._refusal(self.door.read(response, sender, deadline), sender)
            yield {}
            try:
                events = self.task.events(response.iter_bytes())
                yield from self.task.chunks(at_least_one(events), call)
            except ProviderFailed as exc:
                broken = failures.broken_stream(self.inference_id, self._named(exc.told))
                raise with_status(broken, exc.status) from None
            except (httpx.TransportError, httpx.DecodingError) as exc:
                why = "the connection broke off before the end"
                if isinstance(exc, httpx.ReadTimeout):
                    why = "nothing more came"
                raise failures.broken_stream(self.inference_id, None, why) from exc
            except (ValueError, EventTooLarge) as exc:
                why = f"the stream cannot be read: {exc}"
                raise failures.broken_stream(self.inference_id, None, why) from None

    def _refusal(self, reply: Reply, sender: Sender) -> "Refusal":
        if reply.status == 401:
            self.door.forget_token(sender.auth)
        told, task = self._named(self.service.told(reply)), self.task
        error = failures.refused(
            self.inference_id,
            reply.status,
            reply.url,
            told,
            task.categories(told),
            self.service.suffix(reply),
        )
        return Refusal(
            with_status(error, task.own_statuses.get(reply.status)),
            is_retried=reply.status in task.retried,
            is_too_large=task.is_too_large(reply, told),
            retry_after_s=retry_after_s(reply.headers),
        )

    def _named(self, told: ProviderError) -> ProviderError:
        """A failure with its type, which some providers leave out."""
        return replace(told, type=told.type or self.service.error_type)

    def _cut_to_setting(self, call: Call[Any]) -> "tuple[Call[Any], Cuts]":
        most = getattr(call.settings, "max_input_tokens", None)
        if not self.task.is_cut or most is None or isinstance(call.request, ChatRequest):
            return call, Cuts.none(call)
        return Cuts.none(call).cut(call, [most * CHARACTERS_PER_TOKEN] * len(call.texts))

    def _halve(self, call: Call[Any], cuts: "Cuts") -> "tuple[Call[Any], Cuts]":
        return cuts.cut(call, [int(len(text) * CUT_FACTOR) for text in call.texts])

    @property
    def _cannot_stream(self) -> str:
        can = [str(name) for name, task in self.service.tasks.items() if task.can_stream]
        return (
            f"Streaming is not allowed for service [{self.service.name}] and task "
            f"[{self.config.task_type}]. Supported tasks: [{', '.join(can)}]"
        )


class Refusal(Exception):
    """A reply that means failure, and whether the same may be tried again."""

    def __init__(
        self,
        error: UpstreamRefused,
        *,
        is_retried: bool,
        is_too_large: bool,
        retry_after_s: float | None,
    ) -> None:
        super().__init__(str(error))
        self.error = error
        self.is_retried, self.is_too_large = is_retried, is_too_large
        self.retry_after_s = retry_after_s


class Attempts:
    """How often, and how soon, a call is tried again: at most three times, ever more slowly."""

    def __init__(self, timeout_s: float) -> None:
        self._made = 1
        self._window = Deadline.after(min(timeout_s, RETRY_WINDOW_S))

    def next_delay_s(self, deadline: Deadline, retry_after: float | None) -> float | None:
        """How long to wait for the next attempt; None where there is none.

        retry_after: seconds that the provider asked for, which hold if there is time for them.
        """
        if self._made >= ATTEMPTS:
            return None
        bound_s = min(FIRST_DELAY_S * 2.0 ** (self._made - 1), LONGEST_DELAY_S)
        # Half of it by chance, so that callers refused together do not come back together.
        delay_s = bound_s * (1 + random.random()) / 2  # noqa: S311 - nothing depends on it
        if retry_after is not None:
            delay_s = max(delay_s, retry_after)
        if delay_s >= min(deadline.left_s, self._window.left_s):
            return None
        self._made += 1
        return delay_s


@dataclass(frozen=True)
class Cuts:
    """How many characters of each text were cut."""

    lost: tuple[int, ...]

    @classmethod
    def none(cls, call: Call[Any]) -> "Cuts":
        count = 0 if isinstance(call.request, ChatRequest) else len(call.texts)
        return cls((0,) * count)

    def cut(self, call: Call[Any], most: list[int]) -> "tuple[Call[Any], Cuts]":
        shorter = cut_call(call, most)
        lost = tuple(
            before + len(text) - len(kept)
            for before, text, kept in zip(self.lost, call.texts, shorter.texts, strict=True)
        )
        return shorter, Cuts(lost)


def with_cuts(result: InferenceResult, cuts: Cuts) -> InferenceResult:
    """A result that tells what of its texts was not read."""
    if not any(cuts.lost):
        return result
    truncated = {
        str(number): Truncation(
            read_tokens=0,
            lost_tokens=ceil(lost / CHARACTERS_PER_TOKEN),
            is_exact=False,
            lost_characters=lost,
        )
        for number, lost in enumerate(cuts.lost)
        if lost
    }
    if isinstance(result, SparseEmbeddings):
        rows = [
            replace(row, truncation=truncated.get(str(number)))
            for number, row in enumerate(result.rows)
        ]
        return SparseEmbeddings(tuple(rows))
    return replace(result, truncated=truncated) if isinstance(result, TextEmbeddings) else result


def retry_after_s(headers: httpx.Headers) -> float | None:
    """What `Retry-After` asks for: seconds, or a date."""
    text: str = headers.get("retry-after", "")
    if SECONDS.fullmatch(text):
        return float(text)
    try:
        return max(parsedate_to_datetime(text).timestamp() - time(), 0.0)
    except ValueError:
        return None


def at_least_one(events: Iterator[ServerEvent]) -> Iterator[ServerEvent]:
    """Raises ValueError for a stream that ends before anything was told."""
    is_empty = True
    for event in events:
        is_empty = False
        yield event
    if is_empty:
        raise ValueError("it ended before its end, and before anything was told")


def with_status(error: ErrorT, status: int | None) -> ErrorT:
    """The error with another status for the caller, where there is one."""
    if status is not None:
        error.status = status
    return error
