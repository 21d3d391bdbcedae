"""The files of uploaded models, from an archive to where they are run from."""

import os
from collections import defaultdict
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from django.db import transaction
from django.db.models import F, Model

from endpoints.archive.manifest import StoredModelFile
from endpoints.archive.reading import Archive
from endpoints.models import DefinitionPart, Deployment, TrainedModel
from endpoints.uploads import upload_folder
from inference.runner.files import check_space, sync

# What is said of the files of an upload, as it is where there are none.
OF_FILES: dict[str, Any] = {
    "definition_bytes": None,
    "definition_parts": None,
    "has_vocabulary": False,
    "definition_sha256": "",
    "vocabulary_sha256": "",
}


class ModelFiles:
    """Drafts that get their names once the records are there, and else go.

    missing: the models whose files were asked for in vain.
    """

    def __init__(self, archive: Archive, *, is_rehearsal: bool) -> None:
        self._archive, self._is_rehearsal = archive, is_rehearsal
        self._stored: dict[str, list[StoredModelFile]] = defaultdict(list)
        for stored in archive.manifest.files:
            self._stored[stored.model_id].append(stored)
        self._drafts: list[Path] = []
        self.missing: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for draft in self._drafts:
            draft.unlink(missing_ok=True)

    def has(self, model_id: str) -> bool:
        return model_id in self._stored

    def put(self, model: Model) -> None:
        """Bring what there is of a model that was written just now, if it is an uploaded one."""
        if not (isinstance(model, TrainedModel) and model.is_uploaded and model.is_pytorch):
            return
        if not self.has(model.model_id):
            if not model.definition_sha256:
                self.missing.append(model.model_id)
            return
        DefinitionPart.objects.filter(model=model).delete()
        # Who runs from files that were here before begins anew with these.
        Deployment.objects.filter(model=model).update(generation=F("generation") + 1)
        if self._is_rehearsal:
            return
        folder = upload_folder(model)
        folder.mkdir(parents=True, exist_ok=True)
        for stored in self._stored[model.model_id]:
            check_space(folder, stored.size_bytes)
            draft = folder / f".import-{stored.name}"
            self._drafts.append(draft)
            with draft.open("wb") as file:
                file.writelines(self._archive.chunks(stored))
            sync(draft)
            transaction.on_commit(partial(os.replace, draft, folder / stored.name))
