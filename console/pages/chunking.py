"""How a text would be cut, shown while somebody chooses the settings."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from console.chunks import preview_of
from console.forms.chunking import chunking_entries
from console.forms.generated import SettingsForm
from console.http import HtmxRequest, page
from endpoints.access import require
from endpoints.permissions import Action


class ChunkingForm(SettingsForm):
    """The chunking settings alone, whichever page asks for them."""

    def __init__(self, data: Any) -> None:
        super().__init__(data)
        self.add_entries(chunking_entries())


@page("POST")
def chunk_preview(request: HtmxRequest) -> HttpResponse:
    require(request.user, Action.CHUNK)
    form = ChunkingForm(request.POST)
    preview = preview_of(
        request.POST.get("chunk_sample", ""),
        form.chunking_config,
        most=number_in(request.POST.get("chunk_most", "")),
        window=number_in(request.POST.get("chunk_window", "")),
    )
    return render(request, "chunking/_preview.html", {"preview": preview})


def number_in(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
