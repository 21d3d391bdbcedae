"""What a model needs is known before it starts, and what cannot fit is refused with a way out."""

import pytest
from django.utils import timezone

from endpoints import deployments
from endpoints.fitting import FULL_PRECISION, Measures, check_fits, estimate
from endpoints.models import Deployment, DeploymentState, Endpoint, Heartbeat, ModelMeasure
from inference.errors import NotEnoughMemory
from inference.runner.catalogue import BUILTIN_MODELS
from inference.runner.memory import MB
from inference.runner.process import Measured
from inference.services.elasticsearch import ElasticsearchSettings
from tests.endpoints.conftest import SETTINGS, Api, refused, told
from tests.factories import MODEL_ID, make_deployment, make_model

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
    needed = estimate(BUILTIN_MODELS[MODEL_ID]).with_allocations(1)

    reason = refusal()

    assert 180 < needed // MB < 240
    assert f"about {needed // MB} MB of memory (estimated from its files)" in reason
    assert f"100 MB are available: {needed // MB - 100 + 1} MB are missing" in reason
    assert "No model for text_embedding would fit" in reason


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


def test_the_first_start_that_works_is_measured(db: None) -> None:
    measures, deployment = Measures(), make_deployment(num_threads=2)
    assert measures.memory_bytes(deployment) == estimate(BUILTIN_MODELS[MODEL_ID]).memory_bytes
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
