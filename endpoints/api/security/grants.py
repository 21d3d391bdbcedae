"""Privileges on something, as bodies write them."""

from typing import Annotated, Any

from pydantic import StrictBool, StringConstraints, field_validator

from endpoints.api.schemas import Body

# A pattern costs its length times that of what it is held against.
Name = Annotated[str, StringConstraints(strict=True, max_length=1024)]


class IndexGrant(Body):
    names: list[Name]
    privileges: list[Name]
    field_security: dict[str, Any] | None = None
    query: Any = None
    allow_restricted_indices: StrictBool = False

    @field_validator("names", "privileges", mode="before", json_schema_input_type=Name | list[Name])
    @classmethod
    def one_or_several(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value


class ApplicationGrant(Body):
    application: Name
    privileges: list[Name]
    resources: list[Name]
