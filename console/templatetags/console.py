"""Formatting for the pages; nothing here asks the database."""

from functools import lru_cache
from typing import Any
from zlib import crc32

from django import template
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from console.languages import language_name
from endpoints.access import Thing, may, may_with
from endpoints.models import User
from endpoints.permissions import Action
from endpoints.roles import ON_THE_SITE
from inference.findings import StepName
from inference.services import SERVICES
from inference.types import TaskType

register = template.Library()

TASKS = {
    TaskType.TEXT_EMBEDDING: ("Text embedding", "text → vector", "vector"),
    TaskType.SPARSE_EMBEDDING: ("Sparse embedding", "text → weighted words", "tags"),
    TaskType.RERANK: ("Rerank", "query + documents → order", "list-numbers"),
    TaskType.COMPLETION: ("Completion", "prompt → text", "text-plus"),
    TaskType.CHAT_COMPLETION: ("Chat completion", "messages → reply", "message"),
    TaskType.EMBEDDING: ("Embedding", "text or image → vector", "vector"),
}
SOURCES = {
    "mirror": "your mirror",
    "hub": "the Hugging Face hub",
    "package": "a Python package",
    "folder": "a folder of this machine",
}
SETTINGS = {
    "model_id": "Model",
    "num_allocations": "Allocations",
    "num_threads": "Threads",
    "api_key": "API key",
    "api_keys": "API keys",
}
STEPS = {
    StepName.ROUTE: "Address",
    StepName.DNS: "Name lookup",
    StepName.CONNECTION: "Connection",
    StepName.TLS: "Encryption",
    StepName.CREDENTIALS: "Credentials",
    StepName.MODEL: "Model",
    StepName.TASK: "Task",
    StepName.CALL: "One real call",
    StepName.QUOTA: "Limits",
    StepName.DEPLOYMENT: "Deployment",
    StepName.RUNNER: "Runner",
}
VERBS = {
    "session.start": "sign in",
    "session.end": "sign out",
    "session.refuse": "try to sign in",
    "request.send": "send request",
    "person.roles": "change roles",
    "person.password.reset": "reset password",
    "person.password.change": "change password",
    "person.password.offer": "offer a new password",
    "person.uninvite": "withdraw invitation",
    "factor.reset": "reset second factors",
    "endpoint.cache": "switch cache",
    "endpoint.purge": "empty cache",
    "endpoint.unshare": "stop sharing endpoint",
    "endpoint.retry": "try endpoint again",
    "model.upload": "upload to model",
    "model.pause": "pause fetching model",
    "model.cancel": "stop fetching model",
    "model.retry": "fetch model again",
    "member.remove": "remove from team",
    "member.put": "put into team",
    "audit.get": "read audit log",
    "audit.forget": "forget old entries",
}
# Words for which people would use others.
WHATS = {"put": "set", "get": "see", "rotate": "renew"}
THINGS = {
    "key": "API key",
    "account": "service account",
    "audit": "audit log",
    "factor": "second factor",
}
# The services whose maker has a symbol in static/vendor/icons.svg.
BRANDS = {
    "amazonbedrock": "aws",
    "amazon_sagemaker": "aws",
    "azureaistudio": "azure",
    "azureopenai": "azure",
    "elastic": "elastic",
    "elasticsearch": "elastic",
    "elser": "elastic",
    "googleaistudio": "google",
    "googlevertexai": "google",
    "llama": "meta",
    "openai": "openai",
}
MARK_COLOURS = 8  # as many as there are in static/css/lists.css
MOST_LANGUAGES_NAMED = 5
UNITS = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"))


@register.simple_tag
@lru_cache(maxsize=256)  # addresses can name services that do not exist
def service_icon(service: str) -> SafeString:
    """The mark of a service: its maker's symbol, else two letters. Decoration beside its name."""
    if brand := BRANDS.get(service):
        address = f"{static('vendor/icons.svg')}#brand-{brand}"
        drawn = format_html('<use href="{}" x="4" y="4" width="16" height="16"/>', address)
    else:
        drawn = format_html('<text x="12" y="16">{}</text>', monogram(service_label(service)))
    return format_html(
        '<svg class="mark mark-{}" viewBox="0 0 24 24" aria-hidden="true">{}</svg>',
        crc32(service.encode()) % MARK_COLOURS,
        drawn,
    )


def monogram(label: str) -> str:
    """Two letters for a name: HF for Hugging Face, Co for Cohere."""
    capitals = [letter for letter in label if letter.isupper()]
    return "".join(capitals[:2]) if len(capitals) > 1 else label[:2]


@register.filter
def service_label(service: str) -> str:
    return SERVICES[service].label if service in SERVICES else service


@register.filter
def task_label(task_type: str) -> str:
    return TASKS[TaskType(task_type)][0] if task_type in TASKS else task_type


@register.filter
def task_gist(task_type: str) -> str:
    """What goes in and what comes out."""
    return TASKS[TaskType(task_type)][1] if task_type in TASKS else ""


@register.filter
def task_icon(task_type: str) -> str:
    return TASKS[TaskType(task_type)][2] if task_type in TASKS else "vector"


@register.filter
def source_label(source: str) -> str:
    return SOURCES.get(source, source)


@register.filter
def language_names(codes: tuple[str, ...]) -> str:
    """Their names, or how many there are where that would be a long list."""
    if len(codes) > MOST_LANGUAGES_NAMED:
        return f"{len(codes)} languages"
    return all_language_names(codes)


@register.filter
def all_language_names(codes: tuple[str, ...]) -> str:
    return ", ".join(sorted(language_name(code) for code in codes))


@register.filter
def step_label(name: StepName) -> str:
    """A step of a diagnosis."""
    return STEPS[name]


@register.filter
def verb_label(verb: str) -> str:
    """What an entry of the audit log is about: Update endpoint."""
    thing, _, what = verb.partition(".")
    words = VERBS.get(verb) or f"{WHATS.get(what, what)} {THINGS.get(thing, thing)}"
    return (words[:1].upper() + words[1:]).replace("_", " ").replace(".", " ")


@register.filter
def setting_label(name: str) -> str:
    return SETTINGS.get(name) or name.replace("_", " ").capitalize()


@register.filter
def setting_value(value: Any) -> str:
    """A setting in words; a group of settings as a list of its own."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return "; ".join(
            f"{setting_label(name)}: {setting_value(one)}" for name, one in value.items()
        )
    return f"{value:,}" if isinstance(value, int) else str(value)


@register.filter
def data_size(size_bytes: float) -> str:
    """Bytes as people read them: 91.3 MB."""
    for size, unit in UNITS:
        if size_bytes >= size:
            return f"{size_bytes / size:.1f} {unit}"
    return f"{size_bytes:.0f} B"


@register.filter
def time_left(seconds: float) -> str:
    if seconds < 1.5:
        return "about 1 s"
    if seconds < 90:
        return f"about {seconds:.0f} s"
    return f"about {seconds / 60:.0f} min"


@register.filter
def took(milliseconds: float) -> str:
    """How long something took: 3.2 ms, 48 ms, 1.4 s."""
    if milliseconds < 10:
        return f"{milliseconds:.1f} ms"
    if milliseconds < 1000:
        return f"{milliseconds:.0f} ms"
    return f"{milliseconds / 1000:.1f} s"


@register.filter
def role_labels(roles: list[str]) -> str:
    """What roles of the site are called."""
    return ", ".join(ON_THE_SITE[role][0] if role in ON_THE_SITE else role for role in roles)


@register.filter
def role_gist(role: str) -> str:
    """What a role of the site is for."""
    return ON_THE_SITE[role][1] if role in ON_THE_SITE else ""


@register.filter
def is_allowed(user: User, action: str) -> bool:
    """Whether somebody may do what this member of Action names."""
    return may(user, Action[action])


@register.simple_tag(takes_context=True)
def allowed_with(context: Any, action: str, thing: Thing) -> bool:
    """The same for somebody who looks at a page, with one thing that is on it."""
    return may_with(context["request"].user, Action[action], thing)


@register.filter
def marked(text: str) -> SafeString:
    """A text with what stands between backticks as code."""
    pieces = text.split("`")
    forms = ("{}", "<code>{}</code>")
    return format_html_join(
        "", "{}", ((format_html(forms[place % 2], piece),) for place, piece in enumerate(pieces))
    )


@register.filter
def percent(share: float) -> str:
    """A share of 1 as people read it: 12%, 2.5%, 0.04%."""
    hundredths = 100 * share
    if hundredths and hundredths < 0.01:
        return "under 0.01%"
    decimals = 0 if hundredths >= 10 or not hundredths else 1 if hundredths >= 1 else 2
    return f"{hundredths:.{decimals}f}%"
