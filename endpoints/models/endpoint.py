"""Endpoints: a name for a service with its settings."""

from collections.abc import Collection
from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce
from django.db.models.sql.compiler import SQLCompiler

from endpoints.models.base import Record
from endpoints.models.deployment import Deployment
from endpoints.models.lookup import Lookup
from endpoints.models.team import EndpointShare, Team
from endpoints.models.user import User
from inference.services import SERVICES, find_service
from inference.types import TaskType

# What an id begins with that nobody can give: the endpoints that are always there.
RESERVED_PREFIX = "."
# By the setting that names the model: the services that have it.
MODEL_SETTINGS = {
    setting: [name for name, service in SERVICES.items() if service.model_setting == setting]
    for setting in sorted({service.model_setting for service in SERVICES.values()})
}
IS_PRECONFIGURED = models.Q(inference_id__startswith=RESERVED_PREFIX)


class SettingText(KeyTextTransform):
    """A setting that is a text, if it is there at all.

    Django asks SQLite for the type of a value before it reads it, which takes three times as long.
    """

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> tuple[str, tuple[Any, ...]]:
        column, params, names = self.preprocess_lhs(compiler, connection)
        path = "".join(f'."{name}"' for name in names)
        return f"JSON_EXTRACT({column}, %s)", (*params, f"${path}")


class EndpointQuerySet(models.QuerySet["Endpoint"]):
    def of_teams(self, teams: Collection[int]) -> "EndpointQuerySet":
        """Endpoints of these teams, those that are shared with them, and those of everybody."""
        shared = EndpointShare.objects.filter(
            models.Q(team=None) | models.Q(team__in=teams), endpoint=models.OuterRef("pk")
        )
        return self.filter(models.Q(team=None) | models.Q(team__in=teams) | models.Exists(shared))

    def own(self) -> "EndpointQuerySet":
        """Endpoints that somebody made, without those that are always there."""
        return self.exclude(IS_PRECONFIGURED)

    def on_model(self, model_id: str) -> "EndpointQuerySet":
        """Endpoints that name a model which runs here."""
        return self.filter(service="elasticsearch", service_settings__model_id=model_id)

    def own_first(self) -> "EndpointQuerySet":
        is_last = models.ExpressionWrapper(IS_PRECONFIGURED, models.BooleanField())
        return self.order_by(is_last, "inference_id")

    def with_status(self) -> "EndpointQuerySet":
        """With everything that tells how an endpoint is, in the same query."""
        return self.select_related("deployment__model__artifact")

    def with_model(self) -> "EndpointQuerySet":
        """With `model`: what `model_id` tells, by the database itself."""
        usual, *others = sorted(MODEL_SETTINGS, key=lambda name: -len(MODEL_SETTINGS[name]))
        named = (
            models.When(
                service__in=MODEL_SETTINGS[setting], then=SettingText(setting, "service_settings")
            )
            for setting in others
        )
        # Most services are not asked for one by one, which takes time for each endpoint.
        usual_text = SettingText(usual, "service_settings")
        model = models.Case(*named, default=usual_text, output_field=models.TextField())
        return self.annotate(
            model=Coalesce(model, models.Value(""), output_field=models.TextField())
        )

    def named_like(self, text: str) -> "EndpointQuerySet":
        """Endpoints with this text in their id, service or model; all of them for no text."""
        if not text:
            return self
        services = [
            name for name, one in SERVICES.items() if text.lower() in f"{name}\n{one.label.lower()}"
        ]
        return self.with_model().filter(
            models.Q(inference_id__icontains=text)
            | models.Q(service__in=services)
            | models.Q(model__icontains=text)
        )


class Endpoint(Record):
    inference_id = models.CharField(max_length=256, unique=True)
    task_type = models.CharField(max_length=32)
    service = models.CharField(max_length=64)
    service_settings = models.JSONField(default=dict)
    task_settings = models.JSONField(default=dict, blank=True)
    chunking_settings = models.JSONField(null=True)
    # The settings that are secret, as one JSON object, encrypted; empty where there are none.
    encrypted_secrets = models.TextField(blank=True)
    # What a provider's first answer told, where the settings leave it open: shown like a setting.
    learned_settings = models.JSONField(default=dict, blank=True)
    # What Service.fingerprint says. Empty also for endpoints from before there were fingerprints:
    # those are known by service and model alone, until an update notes what is known by then.
    fingerprint = models.CharField(max_length=64, blank=True)
    # The id itself stands in the row, so that a call to the model needs no join. There may be no
    # such deployment: one that was not started yet, or that was stopped and may come back.
    deployment = models.ForeignKey(
        Deployment,
        to_field="deployment_id",
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="endpoints",
    )
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    # Whose it is; None for those that are always there, which are everybody's.
    team = models.ForeignKey(Team, null=True, on_delete=models.PROTECT, related_name="endpoints")
    # What cached vectors are known by, another after every purge. Empty: nothing is cached.
    cache_generation = models.CharField(max_length=16, blank=True)

    objects = EndpointQuerySet.as_manager()

    class Meta:
        ordering = ("inference_id",)

    def __str__(self) -> str:
        return self.inference_id

    @property
    def task(self) -> TaskType:
        return TaskType(self.task_type)

    @property
    def model_id(self) -> str:
        """The model by its service's name for it; empty where no setting names one."""
        return str(self.service_settings.get(find_service(self.service).model_setting, ""))

    @property
    def config(self) -> dict[str, Any]:
        """The settings as a request would give them."""
        config = {"service_settings": self.service_settings, "task_settings": self.task_settings}
        if self.task.is_chunked:
            config["chunking_settings"] = self.chunking_settings
        return config

    @property
    def kept(self) -> dict[str, Any]:
        """What is kept of it beside its id and its secrets, whatever runs for it now."""
        return {"task_type": self.task_type, "service": self.service, **self.config}

    @property
    def is_cached(self) -> bool:
        """Whether calls are answered from memory where they can be."""
        return bool(self.cache_generation)

    @property
    def is_preconfigured(self) -> bool:
        return self.inference_id.startswith(RESERVED_PREFIX)

    @property
    def owns_deployment(self) -> bool:
        """Whether the deployment was started for this endpoint, and ends with it."""
        return self.deployment_id is not None and "deployment_id" not in self.service_settings

    @property
    def known_settings(self) -> dict[str, Any]:
        """The service settings, with what a provider's answer told about them."""
        return {**self.learned_settings, **self.service_settings}

    @property
    def shown_settings(self) -> dict[str, Any]:
        """The service settings, with what the deployment has now where it can change by itself.

        Asks the database nothing for an endpoint that was read by `with_status()`.
        """
        settings = self.known_settings
        try:
            deployment = self.deployment
        except Deployment.DoesNotExist:  # it was stopped meanwhile, or not started yet
            deployment = None
        if deployment:
            settings["num_allocations"] = deployment.num_allocations
            if deployment.adaptive_allocations is not None:
                settings["adaptive_allocations"] = deployment.adaptive_allocations
        return find_service(self.service).in_order(settings)

    def to_response(self) -> dict[str, Any]:
        """The endpoint as the API shows it, keys in Elasticsearch's order."""
        shown: dict[str, Any] = {
            "inference_id": self.inference_id,
            "task_type": self.task_type,
            "service": self.service,
            "service_settings": self.shown_settings,
        }
        if self.task_settings:
            shown["task_settings"] = self.task_settings
        if self.task.is_chunked:
            shown["chunking_settings"] = self.chunking_settings
        return shown


# What a call needs to know; the rest is read when somebody asks for it.
_called = Endpoint.objects.only(
    "inference_id",
    "task_type",
    "service",
    "service_settings",
    "task_settings",
    "encrypted_secrets",
    "team",
    "deployment",
    "fingerprint",
    "cache_generation",
)
endpoint_by_id = Lookup(lambda value: _called.filter(inference_id=value), example="")
