"""An archive that comes to where somebody lives already."""

from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from endpoints import audit, indices, keys, pipelines, teams
from endpoints.archive.restoring import Merge, NotEmpty, Refused
from endpoints.models import (
    ApiKey,
    AuditEntry,
    Deployment,
    Endpoint,
    Team,
    TeamRole,
    User,
)
from endpoints.references import references_to
from tests.elastic import inferring
from tests.endpoints.archive.conftest import (
    PASSPHRASE,
    Installed,
    Shelf,
    everything,
    wipe,
)
from tests.factories import PASSWORD, make_admin, make_user


@pytest.fixture
def lived_in(installed: Installed, shelf: Shelf) -> Shelf:
    """The archive is of an ada who administers a team; here is another ada, in a team `search`."""
    shelf.write(with_audit=True)
    wipe()
    make_admin("boss")
    ada = make_user("ada")
    ada.set_password("something else 4711")
    ada.email = "other@example.org"
    ada.save()
    teams.put_member(teams.create_team("search", "Theirs"), ada, TeamRole.INFERENCE_USER)
    return shelf


def test_it_is_refused_and_told_what_is_there_twice(lived_in: Shelf) -> None:
    before = everything()
    with pytest.raises(NotEmpty) as refusal:
        lived_in.restore()

    told = str(refusal.value)
    assert "it has 1 teams, 2 people, 1 members" in told
    for name in ("team [search]", "person [ada]", "membership [search, ada]"):
        assert name in told
    assert "[other]" not in told
    assert everything() == before


def test_what_is_here_may_be_kept(lived_in: Shelf) -> None:
    report = lived_in.restore(merge=Merge.SKIP)

    ada = User.objects.get(username="ada")
    assert (ada.email, ada.check_password("something else 4711")) == ("other@example.org", True)
    assert Team.objects.get(name="search").description == "Theirs"
    assert ada.memberships.get().role == TeamRole.INFERENCE_USER
    assert (report.skipped["people"], report.created["people"]) == (1, 1)
    assert Endpoint.objects.get(inference_id="vectors").team == Team.objects.get(name="search")


def test_what_is_here_may_be_overwritten(lived_in: Shelf) -> None:
    report = lived_in.restore(merge=Merge.REPLACE)

    ada = User.objects.get(username="ada")
    assert (ada.email, ada.check_password(PASSWORD)) == ("", True)
    assert Team.objects.get(name="search").description == "Finds things"
    assert ada.memberships.get().role == TeamRole.TEAM_ADMIN
    assert (report.replaced["people"], report.created["people"]) == (1, 1)
    assert User.objects.filter(username="boss").exists()


def test_what_an_archive_brings_over_refers_to_what_it_names(
    installed: Installed, shelf: Shelf
) -> None:
    pipelines.put("embed", inferring("vectors"))
    shelf.write()
    pipelines.put("embed", inferring("another"))
    indices.delete("books", indices.Options())

    shelf.restore(merge=Merge.SKIP)
    boss = User.objects.get(username="elastic")
    assert references_to(boss, "vectors").by_kind() == {"pipelines": [], "indexes": ["books"]}
    assert references_to(boss, "another").is_used

    shelf.restore(merge=Merge.REPLACE)
    found = references_to(boss, "vectors").by_kind()
    assert found == {"pipelines": ["embed"], "indexes": ["books"]}
    assert not references_to(boss, "another").is_used


def test_without_its_secrets_an_archive_takes_none_away(installed: Installed, shelf: Shelf) -> None:
    shelf.write("")
    stored = Endpoint.objects.get(inference_id="writes").encrypted_secrets
    Endpoint.objects.filter(inference_id="writes").update(learned_settings={})
    shelf.restore("", Merge.REPLACE)

    writes = Endpoint.objects.get(inference_id="writes")
    assert (writes.learned_settings, writes.encrypted_secrets) == ({"a": 1}, stored)
    assert ApiKey.objects.get().matches(installed.secret)
    assert User.objects.get(username="ada").check_password(PASSWORD)


def test_an_endpoint_that_is_overwritten_stops_what_ran_for_it(
    installed: Installed, shelf: Shelf
) -> None:
    shelf.write()
    writes = Endpoint.objects.get(inference_id="writes")
    vectors = Endpoint.objects.get(inference_id="vectors")
    Endpoint.objects.filter(pk=writes.pk).update(
        service="elasticsearch",
        task_type="text_embedding",
        service_settings=vectors.service_settings,
        deployment_id="writes",
    )
    Deployment.objects.create(
        deployment_id="writes", model=Deployment.objects.get(deployment_id="vectors").model
    )
    shelf.restore(merge=Merge.REPLACE)

    assert Endpoint.objects.get(inference_id="writes").service == "openai"
    assert not Deployment.objects.filter(deployment_id="writes").exists()


def test_an_id_that_stands_for_something_else_here_is_refused(
    installed: Installed, shelf: Shelf
) -> None:
    shelf.write()
    model = Deployment.objects.get(deployment_id="vectors").model
    Endpoint.objects.get(inference_id="writes").delete()
    Deployment.objects.create(deployment_id="writes", model=model)

    with pytest.raises(Refused, match=r"\[writes\] has the id of a model or of another's"):
        shelf.restore(merge=Merge.SKIP)
    assert not Endpoint.objects.filter(inference_id="writes").exists()


def test_the_last_administrator_is_not_overwritten_away(installed: Installed, shelf: Shelf) -> None:
    User.objects.update(is_superuser=False)
    shelf.write()
    User.objects.filter(username="elastic").update(is_superuser=True)

    with pytest.raises(Refused, match="nobody would be left"):
        shelf.restore(merge=Merge.REPLACE)
    assert User.objects.get(username="elastic").is_superuser


def test_the_audit_log_that_is_here_goes_on(lived_in: Shelf) -> None:
    audit.record("team.create", "search")
    report = lived_in.restore(merge=Merge.SKIP)

    verbs = list(AuditEntry.objects.order_by("number").values_list("verb", flat=True))
    assert verbs[-2:] == ["team.create", "installation.import"]
    assert "audit" not in report.created
    assert any("audit log" in note for note in report.notes)
    assert all(isinstance(one, int) for one in audit.verify())


def test_a_rehearsal_tells_all_and_changes_nothing(installed: Installed, shelf: Shelf) -> None:
    shelf.write(with_audit=True, with_files=True)
    wipe()
    before = everything()
    rehearsed = shelf.restore(rehearse=True)

    assert everything() == before
    assert rehearsed == shelf.restore()
    assert rehearsed.created["people"] == 2


def test_both_ways_are_written_down(installed: Installed, shelf: Shelf) -> None:
    shelf.write()
    wipe()
    shelf.restore()

    entry = AuditEntry.objects.get(verb="installation.import")
    assert entry.actor_name == "shell"
    assert entry.after
    assert entry.after["created"]["people"] == 2
    shelf.write("")
    written = AuditEntry.objects.get(verb="installation.export")
    assert written.after
    assert written.after["with_secrets"] is False


class TestInTheShell:
    @pytest.fixture
    def passphrase(self, tmp_path: Path) -> str:
        path = tmp_path / "passphrase"
        path.write_text(f"{PASSPHRASE}\n")
        return str(path)

    def test_there_and_back(
        self,
        installed: Installed,
        shelf: Shelf,
        passphrase: str,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        call_command("export", str(shelf.path), "--passphrase-file", passphrase)
        assert shelf.path.stat().st_mode & 0o777 == 0o600
        assert capsys.readouterr().out == ""
        wipe()
        call_command("import", str(shelf.path), "--passphrase-file", passphrase, "--dry-run")
        assert capsys.readouterr().out.endswith("Nothing was changed.\n")
        assert not User.objects.exists()
        call_command("import", str(shelf.path), "--passphrase-file", passphrase)

        told = capsys.readouterr()
        assert "people: 2 created\n" in told.out
        assert told.out.endswith("Restored.\n")
        assert ApiKey.objects.get().matches(installed.secret)

    def test_a_file_that_is_there_is_not_overwritten(self, db: None, shelf: Shelf) -> None:
        shelf.path.write_text("precious")
        with pytest.raises(CommandError, match="is there already"):
            call_command("export", str(shelf.path))
        assert shelf.path.read_text() == "precious"

    def test_nothing_half_is_left_where_writing_fails(
        self, db: None, shelf: Shelf, tmp_path: Path
    ) -> None:
        short = tmp_path / "short"
        short.write_text("short\n")
        with pytest.raises(CommandError, match="12 characters"):
            call_command("export", str(shelf.path), "--passphrase-file", str(short))
        with pytest.raises(CommandError, match="cannot be written"):
            call_command("export", str(tmp_path / "nowhere" / "a.zip"))
        assert list(tmp_path.iterdir()) == [short]

    def test_sealed_secrets_are_not_left_behind_unasked(
        self, installed: Installed, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        shelf.write()
        wipe()
        monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
        with pytest.raises(CommandError, match="--without-secrets"):
            call_command("import", str(shelf.path))
        call_command("import", str(shelf.path), without_secrets=True)
        assert not ApiKey.objects.exists()

    def test_what_cannot_be_is_told_line_by_line(
        self, installed: Installed, shelf: Shelf, capsys: pytest.CaptureFixture[str]
    ) -> None:
        shelf.write("")
        wipe()
        shelf.forge("teams", lambda records: [one.update(name=7) for one in records])
        with pytest.raises(CommandError, match="nothing was changed"):
            call_command("import", str(shelf.path))

        assert capsys.readouterr().err.count("[teams.jsonl] line ") == 2

    @pytest.mark.parametrize("name", ["missing", "empty"])
    def test_a_passphrase_that_cannot_be_read_is_told(
        self, db: None, shelf: Shelf, tmp_path: Path, name: str
    ) -> None:
        (tmp_path / "empty").write_text("\n")
        with pytest.raises(CommandError, match=rf"{name}\]"):
            call_command("export", str(shelf.path), "--passphrase-file", str(tmp_path / name))


def test_administrators_are_made_of_whom_the_archive_names(lived_in: Shelf, admin: Any) -> None:
    """Nobody comes by an archive to more than it says, and who is here keeps theirs."""
    keys.create_api_key(User.objects.get(username="ada"), "own")
    lived_in.restore(merge=Merge.SKIP)

    supers = set(User.objects.filter(is_superuser=True).values_list("username", flat=True))
    assert supers == {"boss", "elastic"}
