"""The settings of an endpoint as its page tells them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from console.forms.settings import in_sentence_case
from console.templatetags.console import setting_label
from endpoints import providers
from endpoints.models import Endpoint
from endpoints.secrets import SecretUnreadable
from inference.services import find_service
from inference.services.settings import Settings

CODE_NAMES = ("model_id", "model", "url")


@dataclass(frozen=True)
class SettingShown:
    """is_code: whether it is no prose."""

    label: str
    value: Any
    is_code: bool


@dataclass(frozen=True)
class SettingsShown:
    """secrets: the names of what is stored and not shown, in words."""

    of_service: list[SettingShown]
    secrets: list[str]
    of_task: list[SettingShown]


def settings_of(endpoint: Endpoint) -> SettingsShown:
    service = find_service(endpoint.service)
    own = Labels(service.settings if service.is_remote else None)
    of_task = Labels(service.task_settings[endpoint.task] if service.is_remote else None)
    return SettingsShown(
        own.shown(endpoint.shown_settings),
        own.of(secrets_of(endpoint)),
        of_task.shown(endpoint.task_settings),
    )


def secrets_of(endpoint: Endpoint) -> Iterable[str]:
    """What is stored as secrets; nothing where that cannot be read, which a call will tell."""
    try:
        return providers.secret_names(endpoint)
    except SecretUnreadable:
        return ()


class Labels:
    """What settings are called: by their schema, or in the words of this console."""

    def __init__(self, schema: type[Settings] | None) -> None:
        fields = schema.model_fields if schema else {}
        self._titles = {
            name: in_sentence_case(field.title) for name, field in fields.items() if field.title
        }

    def of(self, names: Iterable[str]) -> list[str]:
        return [self._titles.get(name) or setting_label(name) for name in names]

    def shown(self, settings: Mapping[str, Any]) -> list[SettingShown]:
        labels = self.of(settings)
        return [
            SettingShown(label, value, name in CODE_NAMES)
            for label, (name, value) in zip(labels, settings.items(), strict=True)
        ]
