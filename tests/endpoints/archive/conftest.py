"""An installation with something of everything, and archives of it to read and to tamper with."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from allauth.socialaccount.models import SocialAccount
from django.utils import timezone

from endpoints import (
    accounts,
    actions,
    audit,
    indices,
    invitations,
    keys,
    pipelines,
    sharing,
    teams,
    tombstones,
)
from endpoints.archive import sealing
from endpoints.archive.kinds import PARTS
from endpoints.archive.reading import opened
from endpoints.archive.restoring import Merge, Report, Wish, restore
from endpoints.archive.sealing import Seal
from endpoints.archive.writing import Choice, write_archive
from endpoints.models import (
    AuditEntry,
    AuditHead,
    Endpoint,
    Membership,
    Outcome,
    ShareLevel,
    Team,
    TeamRole,
    TrainedModel,
    User,
)
from endpoints.preconfigured import ensure_preconfigured
from endpoints.references import References
from endpoints.region_policy import set_region_policy
from endpoints.uploads import put_part, put_vocabulary
from inference.types import TaskType
from tests.elastic import semantic
from tests.endpoints.conftest import World
from tests.factories import (
    make_added_model,
    make_admin,
    make_cluster,
    make_deployment,
    make_endpoint,
    make_remote_endpoint,
    make_user,
)

PASSPHRASE = "correct horse battery staple"
PROVIDER_KEY = "sk-planted-" + "secret"
DEFINITION = b"\x08\x08\x12\x04test" * 100


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A guess of a passphrase costs next to nothing here."""
    monkeypatch.setattr(sealing, "COST", 1 << 10)


@dataclass
class Installed:
    """secret: of the key of `ada`."""

    ada: User
    secret: str
    key_id: str


@pytest.fixture
def installed(db: None, world: World, settings: Any, tmp_path: Path) -> Installed:
    settings.MODEL_DIR = tmp_path / "models"
    ensure_preconfigured()
    admin, ada = make_admin(), make_user("ada")
    search, other = teams.create_team("search", "Finds things"), teams.create_team("other")
    teams.put_member(search, ada, TeamRole.TEAM_ADMIN)
    key, secret = keys.create_api_key(ada, "app", team="search")
    EmailAddress.objects.create(user=ada, email="ada@example.org", verified=True, primary=True)
    SocialAccount.objects.create(user=ada, provider="openid_connect", uid="4711")
    TOTP.activate(ada, "JBSWY3DPEHPK3PXP")
    RecoveryCodes.activate(ada)
    vectors = make_endpoint("vectors")
    Endpoint.objects.filter(pk=vectors.pk).update(team=search, created_by=ada)
    fresh = Endpoint.objects.get(pk=vectors.pk)
    remote = make_remote_endpoint(
        "openai",
        TaskType.COMPLETION,
        {"api_key": PROVIDER_KEY, "model_id": "gpt-4o"},
        "writes",
    )
    Endpoint.objects.filter(pk=remote.pk).update(team=other, learned_settings={"a": 1})
    sharing.share(fresh, other, ShareLevel.USE)
    sharing.share(fresh, None, ShareLevel.USE)
    gone = make_endpoint("gone")
    tombstones.leave(admin, gone, References("gone"))
    actions.take_back(gone, "it never worked")
    make_added_model()
    upload(admin)
    pipelines.put("embeds", {"processors": [{"set": {"field": "a", "value": 1}}]})
    indices.create("books", semantic("vectors"))
    make_cluster(team=search)
    set_region_policy(admin, {"allowed_geos": ["eu"]})
    audit.record("endpoint.create", "vectors", team=search, after={"service": "elasticsearch"})
    return Installed(ada, secret, key.key_id)


@pytest.fixture
def shared(installed: Installed) -> Installed:
    """The same with what teams have beside: programs, narrowed keys, groups, invitations."""
    admin, search = User.objects.get(username="elastic"), Team.objects.get(name="search")
    make_deployment("lone", team=search)
    robot = accounts.create_account(admin, "robot", "inference_user", team="search")
    narrowing = keys.Narrowing(("rerank",), ("products-*",), 60)
    old, _ = keys.create_api_key(
        admin, "shop", account=robot.username, team="search", narrowing=narrowing
    )
    keys.rotate_api_key(admin, old.key_id)
    ada = User.objects.filter(pk=installed.ada.pk)
    ada.update(roles=["inference_user"], managed_roles=["inference_user"])
    Membership.objects.update(is_managed=True)
    invitations.invite(admin, invitations.Wish(team="search", team_role="inference_user"))
    audit.record("session.refuse", "ada", outcome=Outcome.REFUSED, times=3)
    return installed


def upload(admin: User) -> None:
    config = {
        "model_type": "pytorch",
        "inference_config": {"text_embedding": {"tokenization": {"bert": {}}}},
        "tags": [],
    }
    model = TrainedModel.objects.create(
        model_id="table", task_type="text_embedding", config=config, created_by=admin
    )
    put_part(model, 0, DEFINITION, total_bytes=len(DEFINITION), total_parts=1)
    put_vocabulary(admin, model, {"vocabulary": ["a", "b"]})


def wipe() -> None:
    """Leave nothing, as in a house that nobody lived in."""
    for part in reversed(PARTS):
        part.rows.all().delete()
    AuditEntry.objects.all().delete()
    AuditHead.objects.all().delete()


@dataclass
class Shelf:
    """Where archives are kept."""

    folder: Path

    @property
    def path(self) -> Path:
        return self.folder / "archive.zip"

    def write(self, passphrase: str = PASSPHRASE, **choice: bool) -> None:
        with self.path.open("wb") as file:
            write_archive(file, Choice(passphrase, **choice), lambda text: None)

    def restore(
        self, passphrase: str = PASSPHRASE, merge: Merge | None = None, *, rehearse: bool = False
    ) -> Report:
        with opened(self.path) as archive:
            sealed = archive.manifest.sealing
            secrets = None
            if sealed and passphrase:
                secrets = archive.secrets(Seal.of(passphrase, sealed))
            return restore(archive, Wish(secrets, merge, rehearse), lambda text: None)

    def files(self) -> dict[str, bytes]:
        with zipfile.ZipFile(self.path) as file:
            return {name: file.read(name) for name in file.namelist()}

    def lines(self, part: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.files()[f"{part}.jsonl"].splitlines()]

    def forge(self, part: str, change: Callable[[list[dict[str, Any]]], object]) -> None:
        """Change the records of a part as somebody would who knows the format well."""
        files, records = self.files(), self.lines(part)
        change(records)
        content = b"".join(json.dumps(record).encode() + b"\n" for record in records)
        files[f"{part}.jsonl"] = content
        manifest = json.loads(files["manifest.json"])
        told = next(one for one in manifest["parts"] if one["name"] == part)
        told |= {
            "rows": len(records),
            "size_bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
        self.pack(files | {"manifest.json": json.dumps(manifest).encode()})

    def edit_manifest(self, change: Callable[[dict[str, Any]], object]) -> None:
        files = self.files()
        manifest = json.loads(files["manifest.json"])
        change(manifest)
        self.pack(files | {"manifest.json": json.dumps(manifest).encode()})

    def pack(self, files: dict[str, bytes]) -> None:
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as file:
            for name, content in files.items():
                file.writestr(name, content)
        self.path.write_bytes(made.getvalue())


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


def everything() -> dict[str, int]:
    """How much there is of each kind."""
    return {part.name: part.rows.count() for part in PARTS} | {"audit": AuditEntry.objects.count()}


def moment() -> str:
    return timezone.now().isoformat()
