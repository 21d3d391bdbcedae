"""Calls to deployments by their model: documents in, what the model says of each out."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from endpoints import hosting
from endpoints.model_deployments import to_call
from endpoints.models import Deployment, DeploymentState, TrainedModel, User
from endpoints.owned import visible_deployments, visible_models
from endpoints.permissions import Action
from inference.errors import Conflict, InvalidAction, InvalidRequest
from inference.nlp_config import InferenceConfig, Kind
from inference.runner.client import HostUnreachable
from inference.runner.protocol import HostReply, HostRequest

RESULT = "predicted_value"
# What a kind of inference cannot do without, beside the text.
NEEDED = {
    Kind.TEXT_SIMILARITY: "text",
    Kind.ZERO_SHOT_CLASSIFICATION: "labels",
    Kind.QUESTION_ANSWERING: "question",
}


def infer(
    caller: User,
    name: str,
    docs: Sequence[Mapping[str, Any]],
    changes: Mapping[str, Any] | None,
    timeout_s: float,
) -> list[dict[str, Any]]:
    """What a model says of each document; the name is that of a deployment or of a model.

    changes: to the model's inference_config, for this call. Raises NotFound, Forbidden, Conflict
    for a model that is not deployed, InvalidAction or InvalidRequest for what it cannot be asked,
    and what `hosting.infer` raises.
    """
    deployment = to_call(caller, name)
    if not docs:
        raise InvalidAction(["at least one document is required in [docs]"])
    model = deployment.model
    config = model.inference_config
    if changes is not None:
        config = config.updated(changes)
    needed = NEEDED.get(config.kind)
    if needed and not getattr(config.options, needed):
        raise InvalidAction([f"[{needed}] must be given in [inference_config.{config.kind}]"])
    fields = [field_of(model, doc) for doc in docs]
    texts = tuple(
        str(doc[field]) for doc, field in zip(docs, fields, strict=True) if field is not None
    )
    told = iter(predict(deployment, config, texts, timeout_s) if texts else ())
    missing = {
        "warning": f"Input field [{model.input_fields[0]}] does not exist in the source document"
    }
    return [missing if field is None else next(told) for field in fields]


def is_known(caller: User, name: str) -> bool:
    """Whether a deployment or a model that somebody sees has this name."""
    return bool(names_of_models(caller, [name]))


def names_of_models(caller: User, names: Collection[str]) -> frozenset[str]:
    """Which of these names deployments or models have that somebody sees."""
    deployed = visible_deployments(caller, Action.MODEL_INFER).filter(deployment_id__in=names)
    models = visible_models(caller).filter(model_id__in=names)
    return frozenset(
        (
            *deployed.values_list("deployment_id", flat=True),
            *models.values_list("model_id", flat=True),
        )
    )


def field_of(model: TrainedModel, doc: Mapping[str, Any]) -> str | None:
    """Which field of a document holds the text."""
    return next((name for name in model.input_fields if doc.get(name) is not None), None)


def predict(
    deployment: Deployment, config: InferenceConfig, texts: tuple[str, ...], timeout_s: float
) -> list[dict[str, Any]]:
    query = config.options.text if config.kind == Kind.TEXT_SIMILARITY else None
    options = config.to_response() if deployment.model.is_uploaded else None
    try:
        reply = call(deployment, HostRequest(texts, query, timeout_s, options=options))
    except InvalidRequest as exc:
        if len(texts) == 1:
            return [{"error": str(exc)}]
        # One text that the model cannot take is no reason to say nothing of the others.
        return [told for text in texts for told in predict(deployment, config, (text,), timeout_s)]
    field = config.options.results_field or RESULT
    first = 0 if query is None else 1  # the query stands before the texts
    results = []
    for number, told in enumerate(told_of_each(config.kind, reply)):
        shown = {field if name == RESULT else name: value for name, value in told.items()}
        if is_cut(reply, first + number):
            shown["is_truncated"] = True
        results.append(shown)
    return results


def told_of_each(kind: Kind, reply: HostReply) -> list[dict[str, Any]]:
    match kind:
        case Kind.TEXT_EMBEDDING if reply.vectors is not None:
            return [{RESULT: vector} for vector in reply.vectors]
        case Kind.TEXT_EXPANSION if reply.weights is not None:
            return [{RESULT: weights} for weights in reply.weights]
        case Kind.TEXT_SIMILARITY if reply.scores is not None:
            return [{RESULT: score} for score in reply.scores]
        case _ if reply.results is not None:
            return reply.results
    raise RuntimeError(f"a host sent a reply that does not fit [{kind}]")


def is_cut(reply: HostReply, number: int) -> bool:
    """Whether the model did not read this text to its end."""
    return number in reply.truncated


def call(deployment: Deployment, request: HostRequest) -> HostReply:
    """Ask a deployment; one that is starting, or starting again, is waited for."""
    deployment_id = deployment.deployment_id
    deadline = hosting.deadline_in(request.budget_s)

    def ask() -> HostReply:
        wish = replace(request, budget_s=hosting.left_s(deadline))
        return hosting.hosts().call(deployment_id, wish)

    with suppress(HostUnreachable):
        return ask()
    with hosting.place_in_line(deployment_id):
        while True:
            wait_for_change(deployment_id, deadline)
            with suppress(HostUnreachable):
                return ask()


def wait_for_change(deployment_id: str, deadline: float) -> None:
    """Pause before the next try. Raises when there is nothing to wait for, or no time left."""
    found = Deployment.objects.filter(deployment_id=deployment_id).with_files().first()
    if found is None or not (found.num_allocations or found.is_adaptive):
        raise Conflict(f"Deployment [{deployment_id}] is not allocated to any nodes")
    if found.state == DeploymentState.FAILED:
        raise Conflict(f"Deployment [{deployment_id}] failed: {found.reason}")
    hosting.go_on_waiting(found, deadline)
    hosting.pause()
