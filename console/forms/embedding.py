"""What trying an endpoint accepts whose vectors may be of images, too."""

import re
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
MOST_IMAGES = 6
MOST_IMAGE_BYTES = 5_000_000
# How the files of images begin that providers take.
IMAGES = {
    re.compile(rb"\x89PNG\r\n\x1a\n"): "image/png",
    re.compile(rb"\xff\xd8\xff"): "image/jpeg",
    re.compile(rb"GIF8"): "image/gif",
    re.compile(rb"RIFF.{4}WEBP", re.DOTALL): "image/webp",
}


class ImagesInput(forms.FileInput):
    allow_multiple_selected = True


class ImagesField(forms.FileField):
    """Several files, each an image as providers take it."""

    widget = ImagesInput

    def clean(self, data: Any, initial: Any = None) -> tuple[Content, ...]:
        if len(data or ()) > MOST_IMAGES:
            raise ValidationError(f"There can be {MOST_IMAGES} images at most, not {len(data)}.")
        return tuple(image_in(super(ImagesField, self).clean(file)) for file in data or ())


def image_in(file: Any) -> Content:
    """Raises ValidationError."""
    if (file.size or 0) > MOST_IMAGE_BYTES:
        raise ValidationError(f"{file.name} has more than 5 MB.")
    data = file.read()
    kind = next((kind for start, kind in IMAGES.items() if start.match(data)), None)
    if kind is None:
        raise ValidationError(f"{file.name} is no PNG, JPEG, GIF or WebP.")
    return Content("image", "base64", f"data:{kind};base64,{b64encode(data).decode()}")


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
            self.fields["image"] = ImagesField(
                label="Images",
                required=False,
                help_text="PNG, JPEG, GIF or WebP of at most 5 MB each, put beside the texts.",
                widget=ImagesInput({"class": "form-control", "accept": "image/*"}),
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

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if not (cleaned.get("input") or cleaned.get("image") or self.errors):
            self.add_error("input", self.fields["input"].error_messages["required"])
        return cleaned

    def to_request(self) -> InferenceRequest:
        given = self.cleaned_data
        texts, images = tuple(given["input"]), given.get("image")
        call = InferenceRequest(
            texts,
            input_type=InputType(given.get("input_type") or InputType.UNSPECIFIED),
            task_settings=self.task_settings,
        )
        if not images:
            return call
        contents = (*(Content("text", "text", text) for text in texts), *images)
        return replace(call, input=(*texts, *("" for _ in images)), contents=contents)
