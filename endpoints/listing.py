"""Lists of endpoints: found, counted, grouped and sorted by the database, a page at a time."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import cached_property

from django.db.models import (
    Case,
    Count,
    F,
    FloatField,
    IntegerField,
    OrderBy,
    Q,
    Value,
    When,
)
from django.db.models.expressions import Combinable
from django.db.models.functions import NullIf

from endpoints.models import Endpoint, LatestUsage, Team
from endpoints.models.endpoint import IS_PRECONFIGURED, EndpointQuerySet
from endpoints.status import BY_ATTENTION, EndpointStatus, State, in_states, ranked, status_of

# What a list shows of an endpoint, tells its status from, and asks who may change it.
SHOWN = (
    "inference_id",
    "task_type",
    "service",
    "service_settings",
    "team__name",
    "deployment__deployment_id",
    "deployment__num_allocations",
    "deployment__precision",
    "deployment__state",
    "deployment__reason",
    "deployment__model__artifact__state",
    "deployment__model__artifact__reason",
    "deployment__model__artifact__source",
    "deployment__model__artifact__bytes_done",
    "deployment__model__artifact__bytes_total",
    "deployment__model__artifact__bytes_per_s",
    "latest_usage__day",
    "latest_usage__requests",
    "latest_usage__errors",
    "latest_usage__p95_ms",
    "latest_usage__called_at",
)
# What stands for no team in a filter; no name of a team begins like this.
NO_TEAM = "_everybody"


class Filter(StrEnum):
    SERVICE = "service"
    TASK = "task"
    TEAM = "team"
    STATUS = "status"


# What an endpoint is by itself, whosever it is.
KIND = (Filter.SERVICE, Filter.TASK, Filter.STATUS)


class Sort(StrEnum):
    ID = "id"
    SERVICE = "service"
    TASK = "task"
    MODEL = "model"
    STATUS = "status"
    USED = "used"
    REQUESTS = "requests"
    ERRORS = "errors"
    P95 = "p95"

    @property
    def is_most_first(self) -> bool:
        """Whether it begins with the most or the latest, unless it is turned around."""
        return self in (Sort.USED, Sort.REQUESTS, Sort.ERRORS, Sort.P95)


class Group(StrEnum):
    NONE = ""
    SERVICE = "service"
    MODEL = "model"


@dataclass(frozen=True)
class Wanted:
    """Which endpoints somebody wants to see, and in which order.

    chosen: the values that each filter lets pass; a filter that is not in it lets everything pass.
    is_turned: whether the order is turned around.
    """

    text: str = ""
    chosen: dict[Filter, tuple[str, ...]] = field(default_factory=dict)
    group: Group = Group.NONE
    sort: Sort = Sort.ID
    is_turned: bool = False

    def without(self, name: Filter, value: str) -> "Wanted":
        rest = tuple(one for one in self.chosen.get(name, ()) if one != value)
        kept = {each: values for each, values in self.chosen.items() if each != name}
        return replace(self, chosen=kept | ({name: rest} if rest else {}))


@dataclass(frozen=True)
class Today:
    """What was asked of an endpoint since midnight, in UTC. p95_ms: None where nothing was."""

    requests: int = 0
    errors: int = 0
    p95_ms: float | None = None


@dataclass(frozen=True)
class Row:
    """One endpoint of a list. used_at: its last call; None before the first."""

    endpoint: Endpoint
    status: EndpointStatus
    today: Today
    used_at: datetime | None


class Listing:
    """A list of endpoints that somebody may see. The number of queries is always the same.

    day: which day is today, in UTC.
    """

    def __init__(self, visible: EndpointQuerySet, wanted: Wanted, day: date | None = None) -> None:
        self.wanted = wanted
        self._day = day or datetime.now(UTC).date()
        self._named = visible.named_like(wanted.text).with_model()

    @cached_property
    def choices(self) -> dict[Filter, Counter[str]]:
        """The values that occur, with how many endpoints each would show beside other filters."""
        chosen = self.wanted.chosen
        counts = {name: Counter(dict.fromkeys(chosen.get(name, ()), 0)) for name in Filter}
        filters = [(place, chosen[name]) for place, name in enumerate(KIND) if name in chosen]
        every = range(len(KIND))
        for kind, count in self._kinds():
            stops = [place for place, values in filters if kind[place] not in values]
            # What only one filter stops is what other values of that one would show.
            if len(stops) < 2:
                for place in stops or every:
                    counts[KIND[place]][kind[place]] += count
        counts[Filter.TEAM].update(self._teams())
        return counts

    def _kinds(self) -> Iterator[tuple[tuple[str, str, str], int]]:
        """How many endpoints there are of each service, task and status, in the chosen teams."""
        found = ranked(self._passing(Filter.TEAM)).order_by()
        counted = found.values_list("service", "task_type", "rank").annotate(count=Count("*"))  # type: ignore[misc]  # ranked
        for service, task, place, count in counted:
            yield (service, task, BY_ATTENTION[place]), count

    def _teams(self) -> dict[str, int]:
        """How many endpoints each team has, of those that pass the other filters.

        For itself: there may be many teams, and with each there would be as many kinds again.
        """
        found = self._passing(*KIND).order_by()
        counted = dict(found.values_list("team").annotate(count=Count("*")))
        names = dict(Team.objects.filter(pk__in=counted).values_list("pk", "name"))
        return {names.get(team, NO_TEAM): count for team, count in counted.items()}

    @cached_property
    def sizes(self) -> Counter[str]:
        """How many endpoints that pass the filters there are, by their service."""
        services = self.choices[Filter.SERVICE]
        passing = self.wanted.chosen.get(Filter.SERVICE, services)
        return Counter({service: services[service] for service in passing})

    @property
    def count(self) -> int:
        return self.sizes.total()

    @cached_property
    def models(self) -> int:
        """How many models these endpoints name."""
        named = NullIf(F("model"), Value(""))  # what is null is not counted
        return int(self._found.aggregate(models=Count(named, distinct=True))["models"])

    def rows(self, start: int, end: int) -> list[Row]:
        """Those from one place to another, with everything that a list shows of them."""
        found = ranked(self._found) if self.wanted.sort == Sort.STATUS else self._found
        ordered = found.order_by(*self._order())
        keys = list(ordered.values_list("pk", flat=True)[start:end])
        full = Endpoint.objects.with_status().select_related("team", "latest_usage").only(*SHOWN)
        endpoints = full.in_bulk(keys)
        return [self._row(endpoints[key]) for key in keys if key in endpoints]

    def group_sizes(self, rows: Sequence[Row]) -> dict[str, int]:
        """How many endpoints there are in all in each group of which there are rows."""
        match self.wanted.group:
            case Group.SERVICE:
                return self.sizes
            case Group.MODEL:
                shown = {row.endpoint.model_id for row in rows}
                named = self._found.filter(Q(model__in=shown)).order_by()
                return dict(named.values_list("model").annotate(count=Count("pk")))  # type: ignore[misc]  # with_model
            case _:
                return {}

    @cached_property
    def _found(self) -> EndpointQuerySet:
        return self._passing(*Filter)

    def _passing(self, *names: Filter) -> EndpointQuerySet:
        """Those that pass these filters."""
        found = self._named
        chosen = {name: values for name, values in self.wanted.chosen.items() if name in names}
        if services := chosen.get(Filter.SERVICE):
            found = found.filter(service__in=services)
        if tasks := chosen.get(Filter.TASK):
            found = found.filter(task_type__in=tasks)
        if teams := chosen.get(Filter.TEAM):
            of_none = Q(team=None) if NO_TEAM in teams else Q()
            found = found.filter(of_none | Q(team__name__in=teams))
        if states := chosen.get(Filter.STATUS):
            found = in_states(found, *(state for state in State if state in states))
        return found

    def _order(self) -> list[OrderBy | str]:
        grouped: dict[Group, list[OrderBy | str]] = {
            Group.NONE: [],
            Group.SERVICE: ["service"],
            Group.MODEL: ["model"],
        }
        key, is_down = self._key(), self.wanted.sort.is_most_first != self.wanted.is_turned
        placed = (
            key.desc(nulls_last=True) if is_down else key.asc(nulls_first=True)  # type: ignore[attr-defined]  # every expression has them
        )
        # What is always there comes after what somebody made.
        last = [OrderBy(Case(When(IS_PRECONFIGURED, then=1), default=0))]
        by_id = self.wanted.sort == Sort.ID
        return [*grouped[self.wanted.group], *(last if by_id else []), placed, "inference_id"]

    def _key(self) -> Combinable:
        match self.wanted.sort:
            case Sort.ID:
                return F("inference_id")
            case Sort.SERVICE:
                return F("service")
            case Sort.TASK:
                return F("task_type")
            case Sort.MODEL:
                return F("model")
            case Sort.STATUS:
                return F("rank")
            case Sort.USED:
                return F("latest_usage__called_at")
            case Sort.REQUESTS:
                return self._of_today("requests", 0)
            case Sort.ERRORS:
                return self._of_today("errors", 0)
            case Sort.P95:
                return self._of_today("p95_ms", None)

    def _of_today(self, column: str, otherwise: int | None) -> Case:
        return Case(
            When(latest_usage__day=self._day, then=F(f"latest_usage__{column}")),
            default=Value(otherwise),
            output_field=IntegerField() if otherwise is not None else FloatField(),
        )

    def _row(self, endpoint: Endpoint) -> Row:
        try:
            usage = endpoint.latest_usage
        except LatestUsage.DoesNotExist:
            return Row(endpoint, status_of(endpoint), Today(), None)
        today = Today()
        if usage.day == self._day:
            today = Today(usage.requests, usage.errors, usage.p95_ms)
        return Row(endpoint, status_of(endpoint), today, usage.called_at)
