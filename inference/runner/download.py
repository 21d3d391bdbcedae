"""Files over HTTP, in the hub's layout. A broken download goes on from where it stopped."""

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

import httpx

from inference.runner.catalogue import Weights, WeightsFile
from inference.runner.files import Draft, Origin, SourceFailed
from inference.runner.progress import Clock, Meter

TIMEOUT = httpx.Timeout(30.0, connect=10.0)
RETRY_PAUSES_S = (0.5, 1.0, 2.0)
PARTIAL_CONTENT, RANGE_NOT_SATISFIABLE = 206, 416
WORTH_A_RETRY = frozenset({408, 429, 500, 502, 503, 504})


class _TryAgain(Exception):
    """What failed may go well the next time."""


class HttpSource:
    """A server that gives `{base}/{repository}/resolve/{revision}/{file}`."""

    def __init__(self, base: str, clock: Clock) -> None:
        self._base = base.rstrip("/")
        self._clock = clock
        self._has_answered = False

    def fetch(
        self, weights: Weights, missing: Sequence[WeightsFile], folder: Path, meter: Meter
    ) -> None:
        """Raises SourceFailed, Cancelled; what came so far stays for the next try."""
        with httpx.Client(timeout=TIMEOUT, follow_redirects=True) as client:
            for file in missing:
                path = f"{weights.repository}/resolve/{weights.revision}/{file.name}"
                try:
                    url = httpx.URL(f"{self._base}/{quote(path)}")
                    self._fetch_file(client, url, Draft(folder, file), meter)
                except (_TryAgain, httpx.HTTPError, httpx.InvalidURL) as exc:
                    raise SourceFailed(f"{file.name}: {reason_of(exc)}") from exc
                meter.file_in_place(file.size_bytes)

    def _fetch_file(self, client: httpx.Client, url: httpx.URL, draft: Draft, meter: Meter) -> None:
        was_begun = draft.size_bytes > 0
        self._download(client, url, draft, meter)
        try:
            draft.put_in_place()
        except SourceFailed:
            if not was_begun:
                raise
            # The part left by an earlier try may be to blame; it is gone now.
            self._download(client, url, draft, meter)
            draft.put_in_place()

    def _download(self, client: httpx.Client, url: httpx.URL, draft: Draft, meter: Meter) -> None:
        for pause_s in RETRY_PAUSES_S:
            try:
                return self._receive(client, url, draft, meter)
            except (_TryAgain, httpx.TransportError):
                if not self._has_answered:
                    raise  # whoever was never there is not worth waiting for: the next may answer
            self._clock.pause(pause_s)
        return self._receive(client, url, draft, meter)

    def _receive(self, client: httpx.Client, url: httpx.URL, draft: Draft, meter: Meter) -> None:
        """Ask for what the draft lacks and add it. Raises what the caller may want to retry."""
        address = _shown(url)
        origin = draft.origin
        start = draft.size_bytes if origin and _can_go_on(draft.file, origin, address) else 0
        expected = origin.size_bytes if origin else None
        if draft.file.sha256:
            expected = draft.file.size_bytes
        if start and start == expected:
            return
        # A compressed answer would have lengths that say nothing about the file's.
        headers = {"Accept-Encoding": "identity"}
        if start:
            headers["Range"] = f"bytes={start}-"
            if origin and origin.validator:
                headers["If-Range"] = origin.validator
        with client.stream("GET", url, headers=headers) as response:
            self._has_answered = True
            _check_status(response, draft)
            validator = _validator(response)
            if response.status_code != PARTIAL_CONTENT:
                start = 0
            elif not _goes_on(response, start, origin, expected):
                draft.discard()
                raise _TryAgain("it changed on the server while it was fetched")
            announced = _announced_length(response, start)
            if draft.file.sha256:
                _check_announced_length(response, announced, draft.file)
            else:
                _check_is_no_page(response, draft.file)
                expected = announced or (expected if start else None)
            origin = Origin(address, validator, expected)
            meter.start(start)
            with draft.open_to_go_on() if start else draft.open(origin) as out:
                # Pieces as they come: gathering them would lose the last ones when the line breaks.
                for chunk in response.iter_bytes():
                    out.write(chunk)
                    start += len(chunk)
                    draft.check_length(start)
                    meter.at(start)
        if expected and start < expected:
            raise _TryAgain(f"it ended after {start} of {expected} bytes")


def _check_status(response: httpx.Response, draft: Draft) -> None:
    """Raises SourceFailed for a refusal, _TryAgain where asking again may help."""
    if response.is_success:
        return
    refusal = f"[{response.url.host}] answered {response.status_code}"
    if response.status_code == RANGE_NOT_SATISFIABLE:
        draft.discard()
        raise _TryAgain(refusal)
    if response.status_code in WORTH_A_RETRY:
        raise _TryAgain(refusal)
    raise SourceFailed(f"{draft.file.name}: {refusal}")


def _can_go_on(file: WeightsFile, origin: Origin, address: str) -> bool:
    """Whether a part from there can be completed; without a hash, the server must vouch for it."""
    return origin.url == address and bool(file.sha256 or origin.validator)


def _goes_on(
    response: httpx.Response, start: int, origin: Origin | None, size_bytes: int | None
) -> bool:
    """Whether a partial answer is the rest of what is here: RFC 9110, sections 13.1.5, 14.4."""
    here = origin.validator if origin else None
    there = _validator(response)
    if here and there and here != there:
        return False
    content_range: str = response.headers.get("Content-Range", "")
    return content_range.startswith(f"bytes {start}-") and (
        size_bytes is None or content_range.endswith(f"/{size_bytes}")
    )


def _validator(response: httpx.Response) -> str | None:
    """What If-Range may carry: a strong ETag or a date (RFC 9110, section 13.1.5)."""
    etag: str | None = response.headers.get("ETag")
    date: str | None = response.headers.get("Last-Modified")
    return etag if etag and not etag.startswith("W/") else date


def _announced_length(response: httpx.Response, start: int) -> int | None:
    """How long the whole file is by this answer, if it says so."""
    announced = response.headers.get("Content-Length", "")
    return start + int(announced) if announced.isdigit() else None


def _check_announced_length(
    response: httpx.Response, announced: int | None, file: WeightsFile
) -> None:
    if announced is not None and announced != file.size_bytes:
        raise SourceFailed(
            f"{file.name} is {announced} bytes long on [{response.url.host}] "
            f"instead of {file.size_bytes}"
        )


def _check_is_no_page(response: httpx.Response, file: WeightsFile) -> None:
    """A network that asks to sign in answers anything with a page, and no hash tells."""
    if response.headers.get("Content-Type", "").startswith("text/html"):
        raise SourceFailed(f"{file.name}: [{response.url.host}] answered with a web page")


def reason_of(exc: Exception) -> str:
    """In words; some of httpx's exceptions say nothing but their name."""
    text = str(exc) or type(exc).__name__
    if isinstance(exc, httpx.RequestError):
        return f"no answer from [{exc.request.url.host}]: {text}"
    return text


def _shown(url: httpx.URL) -> str:
    """The address without the password that a mirror's may carry."""
    return str(url.copy_with(userinfo=b""))
