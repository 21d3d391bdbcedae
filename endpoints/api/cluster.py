"""What `GET /` tells a client: a version it accepts, and the product's name in its place."""

import base64
import hashlib
import platform
from functools import cache
from typing import Any

from django.conf import settings

ES_VERSION = "9.4.0"


@cache
def cluster_info() -> dict[str, Any]:
    uuid = hashlib.sha256(b"cluster" + settings.SECRET_KEY.encode()).digest()[:16]
    return {
        "name": platform.node() or "node-1",
        "cluster_name": "inference-console",
        "cluster_uuid": base64.urlsafe_b64encode(uuid).decode().rstrip("="),
        "version": {
            "number": ES_VERSION,
            "build_flavor": "default",
            "build_type": "docker",
            "build_hash": hashlib.sha1(ES_VERSION.encode(), usedforsecurity=False).hexdigest(),
            "build_date": "2026-01-01T00:00:00.000000000Z",
            "build_snapshot": False,
            "lucene_version": "10.3.0",
            "minimum_wire_compatibility_version": "8.19.0",
            "minimum_index_compatibility_version": "8.0.0",
        },
        "tagline": "You Know, for Search",
    }
