"""What a model needs is known before it starts, and what cannot fit is refused with a way out."""

from typing import Any

import pytest
from django.utils import timezone

from endpoints import deployments
from endpoints.fitting import FULL_PRECISION, Measures, check_change, check_fits, estimate
from endpoints.models import Deployment, DeploymentState, Endpoint, Heartbeat, ModelMeasure
from inference.errors import NotEnoughMemory
from inference.runner.catalogue import BUILTIN_MODELS
from inference.runner.memory import MB
from inference.runner.process import Measured
from inference.services.elasticsearch import ElasticsearchSettings
from tests.endpoints.conftest import SETTINGS, Api, refused, told
from tests.factories import MODEL_ID, make_added_model, make_deployment, make_model

PATH = "/_inference/text_embedding/e1"
CONFIG = {"service": "elasticsearch", "service_settings": SETTINGS}


def machine_has(megabytes: int | None) -> None:
    """The runner says how much is available."""
    available = None if megabytes is None else megabytes * MB
    told = {"part": "runner", "seen_at": timezone.now(), "available_bytes": available}
    Heartbeat.objects.update_or_create(instance="runner@here", defaults=told)


def measure(megabytes: int) -> None:
    ModelMeasure.objects.create(
        model=make_model(),
        precision=FULL_PRECISION,
        memory_bytes=megabytes * MB,
        tokens_per_s=4000,
        num_threads=1,
    )


def refusal(allocations: int = 1) -> str:
    with pytest.raises(NotEnoughMemory) as refused:
        check_fits(MODEL_ID, allocations)
    return str(refused.value)


def test_a_model_that_never_ran_is_judged_by_its_files(db: None) -> None:
    machine_has(100)
    needed = estimate(BUILTIN_MODELS[MODEL_ID].facts).with_allocations(1)

    reason = refusal()

    assert 180 < needed // MB < 240
    assert f"about {needed // MB} MB of memory (estimated from its files)" in reason
    assert f"100 MB are available: {needed // MB - 100 + 1} MB are missing" in reason
    assert "No model for text_embedding would fit" in reason


def test_a_model_that_was_added_is_judged_alike(db: None) -> None:
    make_added_model()
    machine_has(100)

    with pytest.raises(NotEnoughMemory, match=r"Model \[my-e5\] .* \(estimated from its files\)"):
        check_fits("my-e5", 1)


def test_a_measurement_counts_more_than_the_estimate(db: None) -> None:
    machine_has(100)
    measure(megabytes=80)
    check_fits(MODEL_ID, 2)

    reason = refusal(3)

    assert "needs about 104 MB of memory (as measured here)" in reason
    assert "It would fit with 2 allocations." in reason


def test_what_is_on_its_way_is_counted_and_what_runs_is_not(db: None) -> None:
    machine_has(100)
    measure(megabytes=50)
    deployment = make_deployment("other", state=DeploymentState.STARTED)
    check_fits(MODEL_ID, 1)

    deployment.state = DeploymentState.STARTING
    deployment.save(update_fields=["state"])

    assert "but 45 MB are available" in refusal()


def test_nothing_is_refused_where_nobody_tells_how_much_there_is(db: None) -> None:
    check_fits(MODEL_ID, 1)
    machine_has(None)
    check_fits(MODEL_ID, 1)


def test_an_endpoint_that_cannot_fit_is_refused_and_leaves_nothing(api: Api) -> None:
    machine_has(10)

    answer = api("PUT", PATH, CONFIG)

    assert refused(answer) == (400, "status_exception")
    assert "MB are missing" in told(answer)["error"]["reason"]
    assert not Deployment.objects.exists()
    assert not Endpoint.objects.filter(inference_id="e1").exists()


def test_an_endpoint_that_fits_is_created(api: Api) -> None:
    machine_has(1000)

    assert api("PUT", PATH, CONFIG).status_code == 200


def test_a_deployment_that_cannot_fit_may_be_asked_for_again_later(db: None) -> None:
    machine_has(10)
    settings = ElasticsearchSettings.model_validate(SETTINGS)

    with pytest.raises(NotEnoughMemory) as refused:
        deployments.deploy("d1", settings)

    assert refused.value.status == 429
    assert not Deployment.objects.exists()


ADAPTIVE = {"adaptive_allocations": {"enabled": True, "min_number_of_allocations": 5}}


@pytest.mark.parametrize("change", [{"number_of_allocations": 5}, ADAPTIVE])
def test_more_allocations_than_fit_are_refused_and_nothing_changes(
    api: Api, change: dict[str, Any]
) -> None:
    machine_has(29)
    measure(megabytes=100)
    make_deployment("d1", num_allocations=2)
    update = "/_ml/trained_models/d1/deployment/_update"

    answer = api("POST", update, change)

    assert refused(answer) == (429, "status_exception")
    assert "with 5 allocations needs about 150 MB" in told(answer)["error"]["reason"]
    assert "but 149 MB are available" in told(answer)["error"]["reason"]
    assert "It would fit with 4 allocations." in told(answer)["error"]["reason"]
    deployment = Deployment.objects.get()
    assert (deployment.num_allocations, deployment.adaptive_allocations) == (2, None)

    machine_has(31)
    assert api("POST", update, change).status_code == 200
    assert Deployment.objects.get().num_allocations == 5


@pytest.mark.parametrize("change", [{"num_allocations": 5}, ADAPTIVE])
def test_an_endpoint_is_given_no_more_allocations_than_fit(
    api: Api, change: dict[str, Any]
) -> None:
    machine_has(1000)
    measure(megabytes=100)
    assert api("PUT", PATH, CONFIG).status_code == 200
    before = told(api("GET", PATH))
    machine_has(39)

    answer = api("PUT", f"{PATH}/_update", {"service_settings": change})

    assert refused(answer) == (400, "status_exception")
    assert "2 MB are missing. It would fit with 4 allocations." in told(answer)["error"]["reason"]
    assert told(api("GET", PATH)) == before
    assert Deployment.objects.get().num_allocations == 1


def test_fewer_allocations_fit_always(api: Api) -> None:
    machine_has(0)
    measure(megabytes=100)
    make_deployment("d1", num_allocations=3)

    answer = api("POST", "/_ml/trained_models/d1/deployment/_update?number_of_allocations=2")

    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("state", "allocations", "missing"),
    [
        (DeploymentState.STARTED, 1, 11),
        (DeploymentState.STARTING, 1, 11),
        (DeploymentState.STARTED, 0, 121),
        (DeploymentState.FAILED, 1, 121),
    ],
)
def test_what_a_deployment_holds_already_is_there_for_its_change(
    db: None, state: DeploymentState, allocations: int, missing: int
) -> None:
    measure(megabytes=100)
    deployment = make_deployment("d1", state=state, num_allocations=allocations)
    is_coming = state == DeploymentState.STARTING
    machine_has(110 if is_coming else 0)

    with pytest.raises(NotEnoughMemory, match=f" {missing} MB are missing"):
        check_change(deployment, 2)


def test_bounds_ask_for_no_more_allocations_than_there_may_be(api: Api) -> None:
    adaptive = {"adaptive_allocations": {"enabled": True, "min_number_of_allocations": 5000}}
    settings = SETTINGS | {"num_allocations": None} | adaptive

    answer = api("PUT", PATH, CONFIG | {"service_settings": settings})

    assert refused(answer) == (400, "status_exception")
    assert "there is room for 512" in told(answer)["error"]["reason"]
    assert not Deployment.objects.exists()


def test_the_first_start_that_works_is_measured(db: None) -> None:
    measures, deployment = Measures(), make_deployment(num_threads=2)
    assert (
        measures.memory_bytes(deployment) == estimate(BUILTIN_MODELS[MODEL_ID].facts).memory_bytes
    )
    measures.note(deployment, None)
    measures.note(deployment, Measured(tokens_per_s=10.0))  # where memory is not told
    measures.note(deployment, Measured(4000.0, resident_bytes=180 * MB, private_bytes=45 * MB))
    measures.note(deployment, Measured(1.0, resident_bytes=1, private_bytes=1))
    Measures().note(deployment, Measured(1.0, resident_bytes=1, private_bytes=1))

    measured = ModelMeasure.objects.get()
    assert measures.memory_bytes(deployment) == 180 * MB

    assert measured.model == deployment.model
    assert (measured.memory_bytes, measured.tokens_per_s) == (180 * MB, 4000.0)
    assert measured.num_threads == 2
