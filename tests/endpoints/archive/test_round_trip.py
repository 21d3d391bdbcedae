"""What goes into an archive comes out of it again, as it was."""

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from cryptography.fernet import Fernet
from django.apps import apps
from django.db import models

from endpoints import audit
from endpoints.archive.kinds import AUDIT, PARTS, STAYS_BEHIND
from endpoints.archive.restoring import Merge
from endpoints.models import (
    ApiKey,
    Artifact,
    ArtifactState,
    AuditEntry,
    Deployment,
    DeploymentState,
    Endpoint,
    IndexMapping,
    Invitation,
    Membership,
    Team,
    TrainedModel,
    User,
)
from endpoints.providers import opened_secrets
from endpoints.uploads import check_complete, upload_folder
from tests.endpoints.archive.conftest import (
    DEFINITION,
    PROVIDER_KEY,
    Installed,
    Shelf,
    everything,
    wipe,
)
from tests.factories import PASSWORD

SOUNDS_SECRET = ("secret", "encrypted", "password", "sha256", "digest", "token", "hash")
# Of files, which nobody has to keep to themselves, and of the audit log's chain.
NO_SECRETS = {"definition_sha256", "vocabulary_sha256", "sha256", "dimension_hash"}


def test_every_kind_of_record_goes_along_or_stays_behind_for_a_reason() -> None:
    kept = {part.model for part in (*PARTS, AUDIT)}
    forgotten = [
        model._meta.label
        for model in apps.get_models()
        if model not in kept and not {model._meta.label, model._meta.app_label} & set(STAYS_BEHIND)
    ]

    assert not forgotten


def test_no_column_that_sounds_secret_stands_in_the_open() -> None:
    in_the_open = [
        f"{part.name}.{name}"
        for part in PARTS
        for name in part.plain
        if any(word in name for word in SOUNDS_SECRET) and name not in NO_SECRETS
    ]

    assert not in_the_open


def test_who_is_named_comes_before_who_names() -> None:
    before: set[type[models.Model]] = set()
    for part in PARTS:
        before.add(part.model)
        for column in part.columns.values():
            if isinstance(column, models.ForeignKey):
                target = column.related_model
                assert target in before or not column.target_field.primary_key, column


@pytest.mark.django_db(transaction=True)
def test_what_is_restored_is_written_again_as_it_was(installed: Installed, shelf: Shelf) -> None:
    shelf.write(with_files=True)
    before, counts = shelf.files(), everything()
    wipe()
    shelf.restore()
    shelf.write(with_files=True)

    after = shelf.files()
    assert everything() | {"audit": 0} == counts | {"audit": 0}
    assert before.keys() == after.keys()
    for name in before.keys() - {"manifest.json", "sealed.bin"}:
        assert after[name] == before[name], name
    assert all(counts[part.name] for part in PARTS)


def test_the_same_key_and_the_same_password_work_on(
    installed: Installed, shelf: Shelf, settings: Any
) -> None:
    shelf.write()
    wipe()
    settings.SECRET_KEYS = (Fernet.generate_key().decode(),)
    shelf.restore()

    key = ApiKey.objects.get(key_id=installed.key_id)
    assert key.matches(installed.secret)
    assert (key.user.username, key.team and key.team.name) == ("ada", "search")
    assert User.objects.get(username="ada").check_password(PASSWORD)


def test_secrets_are_those_of_the_new_installation_then(
    installed: Installed, shelf: Shelf, settings: Any
) -> None:
    shelf.write()
    wipe()
    settings.SECRET_KEYS = (Fernet.generate_key().decode(),)
    shelf.restore()

    assert opened_secrets(Endpoint.objects.get(inference_id="writes").encrypted_secrets) == {
        "api_key": PROVIDER_KEY
    }
    ada = User.objects.get(username="ada")
    assert ada.has_second_factor
    totp = Authenticator.objects.get(user=ada, type=Authenticator.Type.TOTP)
    assert totp.data["secret"] != "JBSWY3DPEHPK3PXP" or not settings.MFA_ADAPTER
    assert isinstance(totp.wrap(), TOTP)


def test_what_ran_is_asked_to_run_again(installed: Installed, shelf: Shelf) -> None:
    Deployment.objects.update(num_allocations=2, stats={"requests": 7}, generation=5)
    shelf.write()
    wipe()
    shelf.restore()

    deployment = Deployment.objects.get(deployment_id="vectors")
    assert (deployment.num_allocations, deployment.state) == (2, DeploymentState.WAITING)
    assert (deployment.stats, deployment.generation) == ({}, 1)
    assert deployment.model.artifact
    assert deployment.model.artifact.state == ArtifactState.QUEUED
    others = Artifact.objects.exclude(pk=deployment.model.artifact.pk)
    assert {one.state for one in others} == {ArtifactState.ABSENT}


def test_dates_are_those_of_old(installed: Installed, shelf: Shelf) -> None:
    created_at = IndexMapping.objects.get().created_at
    shelf.write()
    wipe()
    shelf.restore()

    assert IndexMapping.objects.get().created_at == created_at


def test_the_audit_log_goes_along_with_its_chain(installed: Installed, shelf: Shelf) -> None:
    shelf.write(with_audit=True)
    old = list(AuditEntry.objects.order_by("number").values_list("number", "sha256"))[:-1]
    wipe()
    audit.record("endpoint.create", "made by the start")
    shelf.restore()

    found = list(AuditEntry.objects.order_by("number"))
    assert [(one.number, one.sha256) for one in found[: len(old)]] == old
    assert [one.verb for one in found[len(old) :]] == ["endpoint.create", "installation.import"]
    assert found[-1].actor_name == "shell"
    assert not [one for one in audit.verify() if isinstance(one, audit.Break)]


@pytest.mark.django_db(transaction=True)
def test_an_uploaded_model_goes_along_with_its_files_where_that_is_asked(
    installed: Installed, shelf: Shelf
) -> None:
    shelf.write(with_files=True)
    wipe()
    report = shelf.restore()

    model = TrainedModel.objects.get(model_id="table")
    assert (upload_folder(model) / "definition").read_bytes() == DEFINITION
    assert [path.name for path in sorted(upload_folder(model).iterdir())] == [
        "definition",
        "vocabulary.json",
    ]
    assert not report.notes
    check_complete(model)


def test_without_its_files_an_uploaded_model_is_there_to_be_uploaded_again(
    installed: Installed, shelf: Shelf
) -> None:
    shelf.write()
    wipe()
    report = shelf.restore()

    model = TrainedModel.objects.get(model_id="table")
    assert (model.definition_bytes, model.has_vocabulary, model.parts.count()) == (None, False, 0)
    assert report.notes == ["model [table]: its files are not in the archive; upload them again"]


def test_without_a_passphrase_nothing_secret_leaves(installed: Installed, shelf: Shelf) -> None:
    shelf.write("")

    content = b"".join(shelf.files().values())
    hashes = [ApiKey.objects.get().secret_sha256, *User.objects.values_list("password", flat=True)]
    stored = Endpoint.objects.get(inference_id="writes").encrypted_secrets
    for secret in (PROVIDER_KEY, stored, installed.secret, "JBSWY3DPEHPK3PXP", *hashes):
        assert secret.encode() not in content
    assert shelf.lines("api_keys")[0]["key_id"] == installed.key_id


def test_what_was_not_taken_along_is_told(installed: Installed, shelf: Shelf) -> None:
    shelf.write("")
    wipe()
    report = shelf.restore("")

    assert not ApiKey.objects.exists()
    assert not Authenticator.objects.exists()
    ada = User.objects.get(username="ada")
    assert not ada.has_usable_password()
    assert not ada.has_second_factor
    assert Endpoint.objects.get(inference_id="writes").encrypted_secrets == ""
    told = " ".join(report.notes)
    assert f"API key [{installed.key_id}] [app]" in told
    assert "person [ada]: no password" in told
    assert "endpoint [writes]: its secrets must be entered again" in told
    assert "cluster [prod]" in told


def test_the_same_records_make_the_same_file(installed: Installed, shelf: Shelf) -> None:
    shelf.write("")
    first = shelf.files()
    shelf.write("")

    second = shelf.files()
    del first["manifest.json"], second["manifest.json"]
    assert first == second


def test_a_secret_that_nobody_can_read_is_left_out_and_told(
    installed: Installed, shelf: Shelf
) -> None:
    Endpoint.objects.filter(inference_id="writes").update(encrypted_secrets="broken")
    shelf.write()
    wipe()
    report = shelf.restore()

    assert "endpoint [writes]: its secrets must be entered again" in report.notes


@pytest.mark.parametrize("merge", list(Merge))
def test_once_more_changes_nothing(installed: Installed, shelf: Shelf, merge: Merge) -> None:
    shelf.write()
    updated_at = Endpoint.objects.get(inference_id="vectors").updated_at
    report = shelf.restore(merge=merge)

    assert not report.created
    assert not report.replaced
    assert Endpoint.objects.get(inference_id="vectors").updated_at == updated_at


def test_teams_come_back_with_all_that_is_theirs(shared: Installed, shelf: Shelf) -> None:
    shelf.write(with_audit=True)
    wipe()
    Invitation.objects.all().delete()
    shelf.restore()

    search = Team.objects.get(name="search")
    assert Deployment.objects.get(deployment_id="lone").team == search
    membership = Membership.objects.get(user__username="ada")
    assert (membership.team, membership.is_managed) == (search, True)
    assert User.objects.get(username="ada").managed_roles == ["inference_user"]
    robot = User.objects.get(username="search/robot")
    assert (robot.service_team, robot.service_role) == (search, "inference_user")
    new = ApiKey.objects.get(user=robot, replaces__isnull=False)
    old = ApiKey.objects.get(user=robot, replaces=None)
    for key in (old, new):
        assert (key.tasks, key.endpoints) == (["rerank"], ["products-*"])
        assert (key.requests_per_minute, key.made_by) == (60, User.objects.get(username="elastic"))
    assert new.replaces == old
    assert AuditEntry.objects.get(verb="session.refuse").times == 3
    assert not Invitation.objects.exists()
