"""An attack for real: queue, supervisor, child process, two models over HTTP, and the page's
figures.
"""

import pytest
from django.conf import LazySettings

from accounts.models import User
from tests.trainer.warm.trainer import warm_trainer  # noqa: F401  # a fixture
from tests.training.benchmarks.attacks import rows
from tests.training.benchmarks.attacks.attacked_model import GAVE_IN, AttackedModel, attacked_model
from tests.training.benchmarks.scorecards.rows import NOW
from training.benchmarks.attacks import attempts
from training.benchmarks.suites import services as suites_services
from training.configs.evaluation.attack import ATTACKER
from training.models import BenchmarkAnswer, Run, TrainedModel
from training.registry import endpoints
from training.runs import run_queue
from training.runs.supervisor import supervise

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.slow,
    pytest.mark.usefixtures("warm_trainer"),
]


def elsewhere(server: AttackedModel, name: str, by: User) -> TrainedModel:
    return endpoints.register_endpoint(
        name=name,
        url=server.url,
        served_name=name,
        licence="MIT",
        key_variable=f"PREFERABLY_KEY_{name.upper()}",
        by=by,
        now=NOW,
    )


def test_an_attack_by_a_model_elsewhere_on_a_model_elsewhere(
    noor: User, settings: LazySettings
) -> None:
    settings.ENDPOINT_HOSTS = ["127.0.0.1"]
    settings.ENDPOINT_KEYS = {
        "PREFERABLY_KEY_TARGET": "sk-target",
        "PREFERABLY_KEY_ATTACKER": "sk-attacker",
    }
    with attacked_model() as target, attacked_model(rate=1.0) as attacker:
        run = run_queue.queue_run(
            kind="attack",
            name="a",
            config={"many_shot": False, "n_samples": 2, "turns": 2, "max_new_tokens": 8},
            snapshot=suites_services.suites_snapshot(suites=[rows.goals()], by=noor, now=NOW),
            base_model=elsewhere(target, "target", noor),
            models={"attacker_model": elsewhere(attacker, "attacker", noor)},
            by=noor,
            now=NOW,
        )
        supervise.supervise(run_id=run.pk, node="here")

    run = Run.objects.get(pk=run.pk)
    assert (run.outcome, run.error) == ("succeeded", "")
    stored = BenchmarkAnswer.objects.filter(run=run)
    assert (stored.count(), stored.exclude(missing="").count()) == (10 * 7 * 2, 0)
    assert stored.filter(strategy=ATTACKER).count() == len(attacker.asked) == 20
    assert (run.metrics["n_items"], run.metrics["n_goals"]) == (140, 10)
    found = attempts.attempts(run=run)
    assert run.metrics["attack_success"] == sum(one.found for one in found) / 140
    assert stored.filter(text__in=GAVE_IN).exists()
    assert set(target.keys) == {"Bearer sk-target"}
    assert set(attacker.keys) == {"Bearer sk-attacker"}
