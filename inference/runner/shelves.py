"""Looking at published files before any is fetched: what they say, how large they are, their hash.

A file is looked for by its name: mirrors give files, but seldom a list of them.
"""

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from os import SEEK_END
from pathlib import Path
from typing import BinaryIO, Protocol
from urllib.parse import quote

import httpx

from inference.runner.catalogue import WeightsFile
from inference.runner.download import TIMEOUT, reason_of
from inference.runner.files import SourceFailed

MOST_BYTES = 64 * 1024 * 1024
MOST_REDIRECTS = 5
LINKED_SIZE = "X-Linked-Size"
COMMIT, SHA256 = re.compile(r"[0-9a-f]{40}"), re.compile(r'"?([0-9a-f]{64})"?')
POINTER_START = b"version https://git-lfs.github.com/spec/"


class Shelf(Protocol):
    """Where the files of one model stand. revision: the commit, where that is told."""

    revision: str

    def read(self, name: str) -> bytes | None:
        """A small file; None where there is none. Raises SourceFailed."""

    def look(self, name: str) -> WeightsFile | None:
        """Size and, where it is told, hash of a file; None for none. Raises SourceFailed."""


class FolderShelf:
    def __init__(self, folder: Path, revision: str = "") -> None:
        self.revision = revision
        self._folders = (folder, folder / "resolve" / revision) if revision else (folder,)

    def read(self, name: str) -> bytes | None:
        with self._opened(name) as file:
            content = file.read(MOST_BYTES + 1) if file else None
        if content and len(content) > MOST_BYTES:
            raise SourceFailed(f"{name} is longer than {MOST_BYTES} bytes")
        return content

    def look(self, name: str) -> WeightsFile | None:
        with self._opened(name) as file:
            return WeightsFile(name, file.seek(0, SEEK_END)) if file else None

    @contextmanager
    def _opened(self, name: str) -> Iterator[BinaryIO | None]:
        """The file, which may be none. Raises SourceFailed."""
        try:
            path = next((at / name for at in self._folders if (at / name).is_file()), None)
            if path is None:
                yield None
                return
            with path.open("rb") as file:
                if file.read(len(POINTER_START)) == POINTER_START:
                    raise SourceFailed(
                        f"{path} only says which file belongs there: fetch it with `git lfs pull`"
                    )
                file.seek(0)
                yield file
        except OSError as exc:
            raise SourceFailed(f"{self._folders[0]} cannot be read: {exc.strerror}") from exc


class HttpShelf:
    """A server that gives `{base}/{repository}/resolve/{revision}/{file}`.

    The hub tells the commit, and of a large file its size and SHA-256, in headers of its own, on
    the way to where the bytes are.
    """

    def __init__(self, client: httpx.Client, base: str, repository: str, revision: str) -> None:
        self._client = client
        self._base, self._repository = base.rstrip("/"), repository
        self.revision = revision

    def read(self, name: str) -> bytes | None:
        with self._asked("GET", name) as response:
            if response.status_code == httpx.codes.NOT_FOUND:
                return None
            content = bytearray()
            for chunk in response.iter_bytes():
                content += chunk
                if len(content) > MOST_BYTES:
                    raise SourceFailed(f"{name} is longer than {MOST_BYTES} bytes")
            return bytes(content)

    def look(self, name: str) -> WeightsFile | None:
        with self._asked("HEAD", name) as response:
            if response.status_code == httpx.codes.NOT_FOUND:
                return None
            size = response.headers.get(LINKED_SIZE) or response.headers.get("Content-Length", "")
            if not size.isdigit():
                raise SourceFailed(f"[{response.url.host}] does not tell how long {name} is")
            found = SHA256.fullmatch(response.headers.get("X-Linked-Etag", ""))
            return WeightsFile(name, int(size), found[1] if found else None)

    @contextmanager
    def _asked(self, method: str, name: str) -> Iterator[httpx.Response]:
        """The answer about a file, which may be that there is none. Raises SourceFailed."""
        path = f"{self._repository}/resolve/{self.revision}/{name}"
        try:
            url = httpx.URL(f"{self._base}/{quote(path)}")
            # A compressed answer would have a length that says nothing about the file's.
            headers = {"Accept-Encoding": "identity"}
            request = self._client.build_request(method, url, headers=headers)
            with closing(self._sent(request)) as response:
                if response.is_error and response.status_code != httpx.codes.NOT_FOUND:
                    raise SourceFailed(
                        f"{name}: [{response.url.host}] answered {response.status_code}"
                    )
                yield response
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            raise SourceFailed(f"{name}: {reason_of(exc)}") from exc

    def _sent(self, request: httpx.Request) -> httpx.Response:
        """The answer at the end of the way, or the one on it that tells what a file is."""
        for _ in range(MOST_REDIRECTS):
            response = self._client.send(request, stream=True)
            commit = response.headers.get("X-Repo-Commit", "")
            if COMMIT.fullmatch(commit):
                # From now on it is asked for, so that all files are those of one moment.
                self.revision = commit
            is_told = request.method == "HEAD" and LINKED_SIZE in response.headers
            if is_told or response.next_request is None:
                return response
            response.close()
            request = response.next_request
        raise SourceFailed(f"[{request.url.host}] leads from one place to the next")


@contextmanager
def http_shelf(base: str, repository: str, revision: str) -> Iterator[HttpShelf]:
    with httpx.Client(timeout=TIMEOUT) as client:
        yield HttpShelf(client, base, repository, revision)
