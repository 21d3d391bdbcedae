"""The bodies of the `_ml/trained_models` routes."""

import base64
import binascii
from math import inf
from typing import Annotated, Any

from pydantic import Field, StrictBool, StrictFloat, StrictInt, StrictStr

from endpoints.api.schemas import Body
from inference.errors import MalformedBody
from inference.nlp_config import InferenceConfig


class Input(Body):
    field_names: list[StrictStr]


class PrefixStrings(Body):
    ingest: StrictStr | None = None
    search: StrictStr | None = None


class ConfigBody(Body):
    """A model's config. What only a tree ensemble has is kept as it came."""

    is_stored = True

    description: StrictStr | None = None
    model_type: StrictStr | None = None
    inference_config: dict[str, Any] | None = None
    input: Input | None = None
    metadata: dict[str, Any] | None = None
    tags: list[StrictStr] | None = None
    prefix_strings: PrefixStrings | None = None
    platform_architecture: StrictStr | None = None
    definition: dict[str, Any] | None = None
    compressed_definition: StrictStr | None = None

    def given(self) -> dict[str, Any]:
        """What the caller said."""
        return self.model_dump(exclude_none=True)


class NlpConfigBody(ConfigBody):
    """The same of a network, whose kind of inference is known here."""

    inference_config: InferenceConfig | None = None  # type: ignore[assignment]  # narrower

    def given(self) -> dict[str, Any]:
        given = super().given()
        if self.inference_config:
            given["inference_config"] = self.inference_config.to_response()
        return given


class PartBody(Body):
    most_bytes = inf

    definition: StrictStr
    total_definition_length: StrictInt
    total_parts: StrictInt

    def content(self) -> bytes:
        """The bytes of the part. Raises MalformedBody."""
        try:
            return base64.b64decode(self.definition, validate=True)
        except (binascii.Error, ValueError) as exc:
            raise MalformedBody(f"failed to parse field [definition]: {exc}") from exc


class VocabularyBody(Body):
    """Lists of hundreds of thousands: the first that is wrong in one is told, not each."""

    most_bytes = inf

    vocabulary: Annotated[list[StrictStr], Field(fail_fast=True)]
    merges: Annotated[list[StrictStr], Field(fail_fast=True)] | None = None
    scores: Annotated[list[StrictFloat | StrictInt], Field(fail_fast=True)] | None = None


class StartBody(Body):
    adaptive_allocations: dict[str, Any] | None = None


class StopBody(Body):
    id: StrictStr | None = None
    allow_no_match: StrictBool | None = None
    force: StrictBool | None = None


class UpdateDeploymentBody(Body):
    number_of_allocations: StrictInt | None = None
    adaptive_allocations: dict[str, Any] | None = None
    precision: StrictStr | None = None


class InferBody(Body):
    most_bytes = inf

    docs: Annotated[list[dict[str, Any]], Field(fail_fast=True)]
    inference_config: dict[str, Any] | None = None
