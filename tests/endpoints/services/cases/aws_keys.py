"""Credentials as the sandbox of Amazon's services knows them."""

from typing import Any

from inference.sandbox.aws_shape import secret_of


def keys(access_key: str) -> dict[str, Any]:
    return {"access_key": access_key, "secret_key": secret_of(access_key)}


PLANTED = keys("AKIA-planted")
# A secret that is none: it is the signature that is wrong.
MISTYPED = {"access_key": "AKIA-planted", "secret_key": "mistyped"}
OTHER = keys("AKIA-planted-other")
