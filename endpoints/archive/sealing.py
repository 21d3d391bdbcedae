"""Secrets that leave the installation: sealed with a key that is derived from a passphrase."""

import base64
import binascii
import hashlib
import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from endpoints.archive.manifest import BadArchive, Sealing
from inference.errors import InvalidArgument

SHORTEST_PASSPHRASE = 12
# 128 MB of memory and about half a second for each guess.
COST, BLOCK_SIZE, PARALLELISM = 1 << 17, 8, 1
# What a file may ask of who opens it: 1 GB.
MOST_COST, MOST_BLOCK_SIZE, MOST_PARALLELISM = 1 << 20, 8, 4
SALT_BYTES, NONCE_BYTES, KEY_BYTES = 16, 12, 32
CHECKED = b"inference-console archive"


class WrongPassphrase(InvalidArgument):
    """The passphrase is not the one that the archive was sealed with."""


class Seal:
    """A passphrase with the parameters by which it becomes keys."""

    def __init__(self, passphrase: str, sealing: Sealing) -> None:
        self.sealing = sealing
        derived = Scrypt(
            salt=base64.b64decode(sealing.salt),
            length=2 * KEY_BYTES,
            n=sealing.n,
            r=sealing.r,
            p=sealing.p,
        ).derive(passphrase.encode())
        self._cipher = AESGCM(derived[:KEY_BYTES])
        self._check = hmac.new(derived[KEY_BYTES:], CHECKED, hashlib.sha256).hexdigest()

    @classmethod
    def make(cls, passphrase: str) -> "Seal":
        """One that nobody used before. Raises InvalidArgument for too short a passphrase."""
        if len(passphrase) < SHORTEST_PASSPHRASE:
            raise InvalidArgument(
                f"The passphrase must have {SHORTEST_PASSPHRASE} characters at least"
            )
        sealing = Sealing(
            n=COST,
            r=BLOCK_SIZE,
            p=PARALLELISM,
            salt=base64.b64encode(os.urandom(SALT_BYTES)).decode(),
            nonce=base64.b64encode(os.urandom(NONCE_BYTES)).decode(),
            check="0" * 64,
        )
        seal = cls(passphrase, sealing)
        seal.sealing = sealing.model_copy(update={"check": seal._check})
        return seal

    @classmethod
    def of(cls, passphrase: str, sealing: Sealing) -> "Seal":
        """The one of an archive. Raises WrongPassphrase, or BadArchive for bad parameters."""
        check_parameters(sealing)
        seal = cls(passphrase, sealing)
        if not hmac.compare_digest(seal._check, sealing.check):
            raise WrongPassphrase("The passphrase is not the one that the archive was sealed with")
        return seal

    def close(self, secrets: bytes, belonging_to: bytes) -> bytes:
        return self._cipher.encrypt(self._nonce, secrets, belonging_to)

    def open(self, sealed: bytes, belonging_to: bytes) -> bytes:
        """Raises BadArchive where the secrets or what they belong to were changed."""
        try:
            return self._cipher.decrypt(self._nonce, sealed, belonging_to)
        except InvalidTag:
            raise BadArchive(
                "The archive was changed after it was sealed: its secrets do not belong to its "
                "manifest"
            ) from None

    @property
    def _nonce(self) -> bytes:
        return base64.b64decode(self.sealing.nonce)


def check_parameters(sealing: Sealing) -> None:
    """Refuse what would take all memory, or cannot be. Raises BadArchive."""
    try:
        salt = base64.b64decode(sealing.salt, validate=True)
        nonce = base64.b64decode(sealing.nonce, validate=True)
    except binascii.Error:
        salt = nonce = b""
    is_power = sealing.n > 1 and not sealing.n & (sealing.n - 1)
    if not (
        is_power
        and sealing.n <= MOST_COST
        and 1 <= sealing.r <= MOST_BLOCK_SIZE
        and 1 <= sealing.p <= MOST_PARALLELISM
        and len(salt) == SALT_BYTES
        and len(nonce) == NONCE_BYTES
    ):
        raise BadArchive("The manifest's [sealing] is none that is used here")
