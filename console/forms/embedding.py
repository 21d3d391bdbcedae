"""What trying an endpoint accepts whose vectors may be of images, too."""

from base64 import b64encode
from dataclasses import replace
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError

from console.forms.try_it import TextsField, TryForm, input_types_of, missing
from endpoints.models import Endpoint
from inference.services import find_service
from inference.services.remote import RemoteService
from inference.types import Content, InferenceRequest, InputType

MOST_TEXTS = 20
MOST_IMAGE_BYTES = 5_000_000
# How the files of images begin that providers take.
IMAGES = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
    b"RIFF": "image/webp",
}


def takes_images(endpoint: Endpoint) -> bool:
    service = find_service(endpoint.service)
    if not isinstance(service, RemoteService):
        return False
    is_multimodal = endpoint.service_settings.get("multimodal_model", True)
    return service.tasks[endpoint.task].takes_contents and bool(is_multimodal)


class EmbeddingForm(TryForm):
    input = TextsField(
        label="Text", most=MOST_TEXTS, required=False, error_messages=missing("Write a text first.")
    )

    own: ClassVar[tuple[str, ...]] = ("input_type",)
    in_sight: ClassVar[tuple[str, ...]] = ("image",)
    example: ClassVar[dict[str, Any]] = {
        "input": ["How do I reset my password?", "I forgot my login and cannot get in."],
    }
    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "Two questions": example,
        "Two topics": {
            "input": [
                "A flat tyre on my bicycle",
                "Where can I have my bike repaired?",
                "The moon pulls on the sea",
                "Why are there tides?",
            ]
        },
        "Negation": {
            "input": ["The shop is open on Sunday", "The shop is not open on Sunday", "It rains"]
        },
    }

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self.endpoint is None:
            return
        if takes_images(self.endpoint):
            self.fields["image"] = forms.FileField(
                label="Image",
                required=False,
                help_text="PNG, JPEG, GIF or WebP of at most 5 MB, put beside the texts.",
                widget=forms.FileInput({"class": "form-control", "accept": "image/*"}),
            )
        if types := input_types_of(self.endpoint):
            self.fields["input_type"] = forms.ChoiceField(
                label="Input type",
                required=False,
                help_text="What the texts are for.",
                choices=[("", "As usual"), *((one, one.capitalize()) for one in types)],
                widget=forms.Select({"class": "form-select"}),
            )
        self.order_fields(["input", "image", "input_type"])

    def clean_image(self) -> Content | None:
        found: Any = self.cleaned_data["image"]
        if found is None:
            return None
        if (found.size or 0) > MOST_IMAGE_BYTES:
            raise ValidationError("The image has more than 5 MB.")
        data = found.read()
        kind = next((kind for start, kind in IMAGES.items() if data.startswith(start)), None)
        if kind is None:
            raise ValidationError("This file is no PNG, JPEG, GIF or WebP.")
        return Content("image", "base64", f"data:{kind};base64,{b64encode(data).decode()}")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if not (cleaned.get("input") or cleaned.get("image") or self.errors):
            self.add_error("input", self.fields["input"].error_messages["required"])
        return cleaned

    def to_request(self) -> InferenceRequest:
        given = self.cleaned_data
        texts, image = tuple(given["input"]), given.get("image")
        call = InferenceRequest(
            texts,
            input_type=InputType(given.get("input_type") or InputType.UNSPECIFIED),
            task_settings=self.task_settings,
        )
        if image is None:
            return call
        contents = (*(Content("text", "text", text) for text in texts), image)
        return replace(call, input=(*texts, ""), contents=contents)
