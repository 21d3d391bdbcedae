"""Files that people upload with a form."""

from typing import Any

from django.core.files.uploadhandler import FileUploadHandler, StopUpload
from django.http import HttpRequest


class LimitedUpload(FileUploadHandler):
    """Stops what is larger than allowed, before anything after it keeps a byte too many."""

    def __init__(self, request: HttpRequest, most_bytes: int) -> None:
        super().__init__(request)
        self._left = most_bytes

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        self._left -= len(raw_data)
        if self._left < 0:
            if self.request is not None:
                self.request.META[REFUSED] = True
            raise StopUpload(connection_reset=False)
        return raw_data

    def file_complete(self, file_size: int) -> Any:
        return None

    @staticmethod
    def refused(request: HttpRequest) -> bool:
        """Whether a file of this request was too large."""
        return REFUSED in request.META


REFUSED = "console.upload_refused"
