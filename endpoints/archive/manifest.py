"""What an archive says of itself, and what is told of one that cannot be used."""

import tomllib
from typing import Annotated, Literal

from django.conf import settings
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from inference.errors import InvalidRequest

FORMAT, FORMAT_VERSION = "inference-console-archive", 1
MANIFEST_FILE, SEALED_FILE = "manifest.json", "sealed.bin"
MOST_MANIFEST_BYTES = 16 << 20
# Of the records of one kind, and of all secrets: so large is nothing that was written here.
MOST_PART_BYTES, MOST_SEALED_BYTES = 4 << 30, 256 << 20
MOST_LINE_BYTES = 128 << 20

Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0, strict=True)]


class BadArchive(InvalidRequest):
    """A file that is no archive, or one that is damaged or too new; the reason says where."""


class Told(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Stored(Told):
    """One file of the archive."""

    file: str
    size_bytes: Count
    sha256: Sha256


class StoredPart(Stored):
    name: str
    rows: Count


class StoredModelFile(Stored):
    """A file of an uploaded model: its definition or its vocabulary."""

    model_id: str
    name: str


class Sealing(Told):
    """How the secrets are sealed. check: tells a wrong passphrase from a damaged file."""

    kdf: Literal["scrypt"] = "scrypt"
    n: Count
    r: Count
    p: Count
    salt: str
    cipher: Literal["AES-256-GCM"] = "AES-256-GCM"
    nonce: str
    check: Sha256
    stored: Stored | None = None


class Trail(Told):
    """Where the chain of the audit log begins and ends, as endpoints.models.AuditHead has it."""

    first_number: Count
    first_sha256: str
    last_number: Count
    last_sha256: str


class Manifest(Told):
    """unreadable: what was left out because none of the installation's keys opens it."""

    format: Literal["inference-console-archive"] = "inference-console-archive"
    format_version: int
    product_version: str
    created_at: AwareDatetime
    parts: tuple[StoredPart, ...]
    files: tuple[StoredModelFile, ...] = ()
    trail: Trail | None = None
    unreadable: tuple[str, ...] = ()
    sealing: Sealing | None = None

    @property
    def stored(self) -> list[Stored]:
        """Everything that is in the archive beside the manifest."""
        sealed = self.sealing and self.sealing.stored
        return [*self.parts, *self.files, *([sealed] if sealed else ())]

    @property
    def rows(self) -> dict[str, int]:
        return {part.name: part.rows for part in self.parts}

    @property
    def sealed_with(self) -> bytes:
        """What the secrets belong to: with another of these they do not open."""
        return self.model_copy(update={"sealing": None}).model_dump_json().encode()


def product_version() -> str:
    project = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text())["project"]
    version: str = project["version"]
    return version
