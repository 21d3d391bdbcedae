"""Who refers to an endpoint: what stops it from being deleted, or from being another model."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from endpoints.access import sees, visible_clusters
from endpoints.known_models import facts_behind
from endpoints.models import (
    Cluster,
    ClusterReference,
    Endpoint,
    IndexMapping,
    NameInIndex,
    NameInPipeline,
    User,
)
from inference.references.cluster import Kind
from inference.references.mappings import is_compatible, named_ids, semantic_fields
from inference.services.vectors import ELEMENT_TYPES
from inference.types import ElementType, TaskType

ADVICE = (
    "are using this inference endpoint before deleting it, "
    "or use force to ignore this warning and delete the inference endpoint."
)
# As people read them; the API calls the first `indexes` where it lists names.
PLURALS = {Kind.INDEX: "indices", Kind.PIPELINE: "pipelines"}


@dataclass(frozen=True)
class Reference:
    """An index or a pipeline that names an endpoint: here, or where and when it was seen."""

    kind: Kind
    name: str
    cluster: str = ""
    seen_at: datetime | None = None

    @property
    def place(self) -> str:
        """Written as for a search across clusters: `prod:my-index`."""
        return f"{self.cluster}:{self.name}" if self.cluster else self.name


@dataclass(frozen=True)
class Doubt:
    """A cluster of which nobody can say now whether it names the endpoint."""

    cluster: str
    why: str
    since: datetime


@dataclass(frozen=True)
class Elsewhere:
    """How much of a kind names an endpoint in clusters of which somebody may know nothing else."""

    kind: Kind
    count: int

    def __str__(self) -> str:
        if self.count == 1:
            return f"1 {self.kind} of another team's cluster"
        return f"{self.count} {PLURALS[self.kind]} of other teams' clusters"


@dataclass(frozen=True)
class References:
    """What names an endpoint, as far as that is known and somebody may know it; sorted.

    elsewhere, is_doubted_elsewhere: what is to be said of clusters that somebody does not see.
    """

    inference_id: str
    found: tuple[Reference, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    elsewhere: tuple[Elsewhere, ...] = ()
    is_doubted_elsewhere: bool = False

    def __bool__(self) -> bool:
        """Whether something speaks against deleting the endpoint."""
        return bool(self.is_used or self.doubts or self.is_doubted_elsewhere)

    @property
    def is_used(self) -> bool:
        return bool(self.found or self.elsewhere)

    @property
    def count(self) -> int:
        """How many indices and pipelines name it."""
        return len(self.found) + sum(one.count for one in self.elsewhere)

    @property
    def words(self) -> str:
        """The same for people: 3 indices and 1 pipeline."""
        counts = Counter(one.kind for one in self.found)
        for one in self.elsewhere:
            counts[one.kind] += one.count
        told = (f"{n} {kind if n == 1 else PLURALS[kind]}" for kind, n in sorted(counts.items()))
        return " and ".join(told)

    @property
    def pipelines(self) -> tuple[str, ...]:
        return self._places(Kind.PIPELINE)

    @property
    def indexes(self) -> tuple[str, ...]:
        return self._places(Kind.INDEX)

    def by_kind(self) -> dict[str, list[str]]:
        """The names as they are stored; a kind that was looked for and not found is empty."""
        return {"pipelines": list(self.pipelines), "indexes": list(self.indexes)}

    @property
    def message(self) -> str:
        """Why the endpoint is not deleted; empty where nothing speaks against it."""
        sentences = []
        if self.pipelines:
            sentences.append(
                f"Inference endpoint {self.inference_id} is referenced by pipelines: "
                f"[{', '.join(self.pipelines)}]. Ensure that no pipelines {ADVICE}"
            )
        if self.indexes:
            sentences.append(
                f"Inference endpoint {self.inference_id} is being used in the mapping for indexes: "
                f"[{', '.join(self.indexes)}]. Ensure that no index mappings {ADVICE}"
            )
        seen_at = {one.cluster: one.seen_at for one in self.found if one.seen_at}
        for cluster, moment in seen_at.items():
            sentences.append(f"Cluster [{cluster}] was seen to do so at {told(moment)}.")
        for doubt in self.doubts:
            sentences.append(
                f"Whether cluster [{doubt.cluster}] uses inference endpoint {self.inference_id} "
                f"cannot be told since {told(doubt.since)}: {doubt.why}. Have the cluster scanned "
                "again, or use force to ignore this warning and delete the inference endpoint."
            )
        if self.is_doubted_elsewhere:
            sentences.append(
                f"Whether clusters of other teams use inference endpoint {self.inference_id} "
                "cannot be told now. Use force to ignore this warning and delete the inference "
                "endpoint."
            )
        return " ".join(sentences)

    def _places(self, kind: Kind) -> tuple[str, ...]:
        return (
            *(one.place for one in self.found if one.kind == kind),
            *(str(one) for one in self.elsewhere if one.kind == kind),
        )


def told(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def references_to(reader: User, inference_id: str) -> References:
    """Everything that names an endpoint: here, and in the clusters by what was last seen there.

    Of clusters that the reader does not see it holds how much there is, and no name.
    """
    return references_to_each(reader, [inference_id])[inference_id]


def references_to_each(reader: User, inference_ids: Collection[str]) -> dict[str, References]:
    """The same for each of these ids, in as many queries as for one."""
    wanted = frozenset(inference_ids)
    found: dict[str, list[Reference]] = {inference_id: [] for inference_id in wanted}
    elsewhere: dict[str, Counter[Kind]] = {inference_id: Counter() for inference_id in wanted}
    in_pipelines = NameInPipeline.objects.filter(inference_id__in=wanted)
    for inference_id, name in in_pipelines.values_list("inference_id", "by__pipeline_id"):
        found[inference_id].append(Reference(Kind.PIPELINE, name))
    in_indices = NameInIndex.objects.filter(inference_id__in=wanted)
    for inference_id, name in in_indices.values_list("inference_id", "by__name"):
        found[inference_id].append(Reference(Kind.INDEX, name))
    known = visible_names(reader)
    for seen in seen_in_clusters(wanted):
        kind, cluster = Kind(seen.kind), seen.cluster.name
        if cluster in known:
            found[seen.inference_id].append(Reference(kind, seen.name, cluster, seen.seen_at))
        else:
            elsewhere[seen.inference_id][kind] += 1
    in_doubt = [cluster for cluster in Cluster.objects.all() if cluster.doubt]
    doubts = tuple(
        Doubt(cluster.name, cluster.doubt, cluster.doubted_since)
        for cluster in in_doubt
        if cluster.name in known
    )
    return {
        inference_id: References(
            inference_id,
            tuple(sorted(found[inference_id], key=lambda one: (one.cluster, one.name))),
            doubts,
            tuple(Elsewhere(*counted) for counted in sorted(elsewhere[inference_id].items())),
            is_doubted_elsewhere=len(in_doubt) > len(doubts),
        )
        for inference_id in wanted
    }


def seen_in_clusters(inference_ids: Collection[str]) -> list[ClusterReference]:
    seen = ClusterReference.objects.filter(inference_id__in=inference_ids)
    return list(seen.select_related("cluster"))


def visible_names(reader: User) -> frozenset[str]:
    """Of the clusters that somebody sees."""
    return frozenset(visible_clusters(reader).values_list("name", flat=True))


def incompatible_indexes(
    reader: User, inference_id: str, model_settings: Mapping[str, Any]
) -> tuple[str, ...]:
    """The indexes that name this id with model settings that such an endpoint would not fit.

    Those in clusters that the reader does not see are counted and not named.
    """
    here = {
        index.name
        for index in IndexMapping.objects.filter(names__inference_id=inference_id)
        for _, field in semantic_fields(index.mappings)
        if inference_id in named_ids(field)
        and not is_compatible(field.get("model_settings") or {}, model_settings)
    }
    in_clusters = [
        seen
        for seen in seen_in_clusters([inference_id])
        if not all(is_compatible(known, model_settings) for known in seen.model_settings)
    ]
    visible = visible_names(reader)
    told = {f"{one.cluster.name}:{one.name}" for one in in_clusters if one.cluster.name in visible}
    hidden = len(in_clusters) - len(told)
    elsewhere = [str(Elsewhere(Kind.INDEX, hidden))] if hidden else []
    return (*sorted(here), *sorted(told), *elsewhere)


def model_settings(
    task_type: str, service: str, service_settings: Mapping[str, Any]
) -> dict[str, Any]:
    """What a mapping keeps of an endpoint's model, as far as it is known."""
    known: dict[str, Any] = {"service": service, "task_type": task_type}
    if task_type in (TaskType.TEXT_EMBEDDING, TaskType.EMBEDDING):
        facts = facts_behind(service, service_settings)
        kind = service_settings.get("embedding_type", ElementType.FLOAT)
        for name, value in (
            ("dimensions", facts and facts.dimensions),
            ("similarity", facts and facts.similarity),
            ("element_type", ELEMENT_TYPES.get(kind)),
        ):
            known[name] = service_settings.get(name) or value
    return {name: value for name, value in known.items() if value is not None}


def model_settings_of(reader: User, inference_id: str) -> dict[str, Any] | None:
    """The model settings of an endpoint, or None where the reader sees none of this id."""
    endpoint = Endpoint.objects.filter(inference_id=inference_id).first()
    if endpoint is None or not sees(reader, endpoint):
        return None
    return model_settings(endpoint.task_type, endpoint.service, endpoint.known_settings)
