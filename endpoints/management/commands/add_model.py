"""`manage.py add_model MODEL_ID --repository NAME`: a model of the hub or a folder, by name."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from endpoints.added_models import ANY_FOLDER, add_model
from inference.errors import InferenceError
from inference.runner.adding import MODES, Wish
from inference.types import InputType, TaskType


class Command(BaseCommand):
    help = "Add a model. Its files are fetched by the worker, now or when it is started."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("model_id", help="what it is to be called here")
        source = parser.add_mutually_exclusive_group(required=True)
        source.add_argument("--repository", default="", help="its name on the hub, as owner/name")
        source.add_argument("--folder", type=Path, help="a folder of this machine with its files")
        parser.add_argument("--revision", default="main", help="of the repository: main")
        parser.add_argument("--task-type", choices=[str(task) for task in HOSTED_TASKS])
        parser.add_argument("--pooling", choices=MODES, help="over what its files say")
        parser.add_argument("--search-prefix", help="what it wants before a query")
        parser.add_argument("--ingest-prefix", help="what it wants before a text that is searched")
        parser.add_argument("--description", default="")
        parser.add_argument("--license", default="", help="over what its card says")

    def handle(self, *args: Any, **options: Any) -> None:
        folder, task_type = options["folder"], options["task_type"]
        prefixes = {
            kind: options[f"{kind}_prefix"]
            for kind in (InputType.SEARCH, InputType.INGEST)
            if options[f"{kind}_prefix"] is not None
        }
        wish = Wish(
            model_id=options["model_id"],
            repository=options["repository"],
            revision=options["revision"],
            folder=folder and folder.expanduser().absolute(),
            task_type=TaskType(task_type) if task_type else None,
            pooling=options["pooling"],
            prefixes=prefixes or None,
            description=options["description"],
            licence=options["license"],
        )
        try:
            model = add_model(None, wish, ANY_FOLDER)
        except InferenceError as exc:
            raise CommandError(str(exc)) from exc
        facts = model.facts
        self.stdout.write(
            f"Added [{model.model_id}] for {facts.task_type}: {facts.size_bytes / 1e6:,.0f} MB "
            "are on their way."
        )


HOSTED_TASKS = (TaskType.TEXT_EMBEDDING, TaskType.SPARSE_EMBEDDING, TaskType.RERANK)
