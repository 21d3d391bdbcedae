"""The audit log of an archive: brought in whole, or not at all."""

from collections.abc import Iterator

from endpoints.archive.kinds import AUDIT
from endpoints.archive.manifest import BadArchive
from endpoints.archive.parts import BadRow, Directory, completed
from endpoints.archive.reading import Archive
from endpoints.audit import BATCH, chained
from endpoints.models import AuditEntry, AuditHead


def restore(archive: Archive, directory: Directory) -> int:
    """Put the log of an archive before what was recorded here, in an installation without records.

    Returns how many entries came. Raises BadArchive where their chain does not hold.
    """
    told = archive.manifest.trail
    if told is None:
        raise BadArchive("The manifest does not say where the audit log begins")
    recorded = list(AuditEntry.objects.order_by("number"))
    AuditEntry.objects.all().delete()
    number, sha256, count = told.first_number, told.first_sha256, 0
    batch: list[AuditEntry] = []
    for entry in entries(archive, directory):
        if entry.number != number + 1 or entry.sha256 != chained(sha256, entry):
            raise BadArchive(f"The audit log of the archive is broken at entry {number + 1}")
        number, sha256, count = entry.number, entry.sha256, count + 1
        batch.append(entry)
        if len(batch) == BATCH:
            AuditEntry.objects.bulk_create(batch)
            batch = []
    AuditEntry.objects.bulk_create(batch)
    if (number, sha256) != (told.last_number, told.last_sha256):
        raise BadArchive(f"The audit log of the archive ends at entry {number}: some are missing")
    for entry in recorded:
        entry.pk, entry.number = None, number + 1
        entry.sha256 = chained(sha256, entry)
        entry.save(force_insert=True)
        number, sha256 = entry.number, entry.sha256
    AuditHead.objects.update_or_create(
        pk=1,
        defaults={
            "first_number": told.first_number,
            "first_sha256": told.first_sha256,
            "last_number": number,
            "last_sha256": sha256,
        },
    )
    return count


def entries(archive: Archive, directory: Directory) -> Iterator[AuditEntry]:
    for number, record in archive.lines(AUDIT):
        try:
            values = {
                AUDIT.columns[name].attname: directory.meant(AUDIT.columns[name], value)
                for name, value in completed(AUDIT, record).items()
            }
        except BadRow as exc:
            raise BadRow(f"[{AUDIT.file}] line {number}: {exc}") from exc
        yield AuditEntry(**values)
