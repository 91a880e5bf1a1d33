"""Suites in a chain: the new model and the current one answer them, and a fallen score stops the
chain or asks a person.
"""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from arithmetic.figures import Figure
from labeling.models import Guideline, Pool, Rater
from tests.html import page_of
from tests.training.benchmarks.scorecards.rows import a_suite, chosen
from tests.training.conftest import NOW
from tests.training.schedules.chain_steps import again, link, run_of
from tests.training.schedules.test_chain_plans import answer
from tests.training.schedules.test_gates import goes_on, judge
from tests.training.snapshots.test_freezing import compare, on_split
from training.benchmarks.scorecards import services as scorecards_services
from training.models import Chain, Run, Suite, TrainedModel
from training.runs import services as runs_services
from training.runs.services import AttemptResult
from training.schedules import chains as schedules_chains
from training.schedules.gate import promotion, verdict
from training.schedules.gate.verdict import SuiteChange
from training.schedules.plans.chain_plans import Plan
from training.schedules.plans.steps import BENCHMARK

N = 40
ALL, HALF, NONE = [True] * N, [True, False] * (N // 2), [False] * N

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


def benchmark_ends(chain: Chain, step: str, rights: Sequence[bool]) -> None:
    """The model of this step answers its suite, right or wrong as told."""
    run, suite = run_of(chain, step), Suite.objects.get()
    claimed = runs_services.claim_run(run_id=run.pk, node="gpu-1", now=NOW)
    assert claimed is not None
    scorecards_services.store_answers(
        run_id=run.pk, attempt=claimed.attempt, rows=chosen(suite, rights), now=NOW
    )
    runs_services.finish_run(
        run_id=run.pk,
        attempt=claimed.attempt,
        result=AttemptResult(Run.Outcome.SUCCEEDED, has_answers=True),
        now=NOW,
    )
    schedules_chains.advance_chain(chain_id=chain.pk, now=NOW)


@pytest.fixture
def improved(
    begin: Callable[..., Chain], rosa: Rater, day_shift: Pool, guideline: Guideline
) -> Callable[..., Chain]:
    """A whole cycle with one suite, taken to the benchmark of its new model."""

    def make(**changes: Any) -> Chain:
        if not Suite.objects.exists():
            a_suite(n=N)
            compare(on_split("train")[0], rosa, [1, 2])
            on_split("test", 20)
        plan: dict[str, Any] = {"pool": day_shift.pk, "guideline": guideline.pk, "overlap": 1}
        plan |= {"n_responses": 2, "n_taught": 0, "suites": (Suite.objects.get().pk,)}
        chain = begin("weekly", **plan | changes)
        for step in ("reward", "ppo"):
            _model_ends(chain, step)
        return again(chain)

    return make


def _model_ends(chain: Chain, step: str) -> None:
    run = run_of(chain, step)
    claimed = runs_services.claim_run(run_id=run.pk, node="gpu-1", now=NOW)
    assert claimed is not None
    runs_services.finish_run(
        run_id=run.pk,
        attempt=claimed.attempt,
        result=AttemptResult(Run.Outcome.SUCCEEDED, model=f"/models/{run.pk}"),
        now=NOW,
    )
    schedules_chains.advance_chain(chain_id=chain.pk, now=NOW)


def _asked(chain: Chain) -> Chain:
    """Taken to its campaign."""
    snapshot = link(chain, "held_out").snapshot
    assert snapshot is not None
    prompts = list(snapshot.drawn.order_by("prompt_id").values_list("prompt_id", flat=True))
    for step in ("sample", "sample_before"):
        answer(chain, step, prompts, n=1, text=f"{step} of {chain.number}")
        run = run_of(chain, step)
        claimed = runs_services.claim_run(run_id=run.pk, node="gpu-1", now=NOW)
        assert claimed is not None
        runs_services.finish_run(
            run_id=run.pk,
            attempt=claimed.attempt,
            result=AttemptResult(Run.Outcome.SUCCEEDED),
            now=NOW,
        )
        schedules_chains.advance_chain(chain_id=chain.pk, now=NOW)
    return again(chain)


def test_both_models_answer_the_suites_before_raters_are_asked(
    improved: Callable[..., Chain],
) -> None:
    chain = improved()

    assert run_of(chain, "benchmark").base_model == TrainedModel.objects.get(
        run=run_of(chain, "ppo")
    )
    benchmark_ends(chain, "benchmark", ALL)
    assert run_of(chain, "benchmark_before").base_model == chain.base_model
    assert link(chain, "held_out").state == "waiting"

    benchmark_ends(chain, "benchmark_before", ALL)

    assert run_of(chain, "sample").state == "queued"


def test_a_chain_without_suites_has_no_benchmark(
    begin: Callable[..., Chain], rosa: Rater, day_shift: Pool, guideline: Guideline
) -> None:
    compare(on_split("train")[0], rosa, [1, 2])

    chain = begin("weekly", pool=day_shift.pk, guideline=guideline.pk)

    assert not chain.links.filter(step__in=("suites", "benchmark", "benchmark_before")).exists()


def test_the_current_model_does_not_answer_the_same_suites_twice(
    improved: Callable[..., Chain],
) -> None:
    first = improved()
    benchmark_ends(first, "benchmark", HALF)
    benchmark_ends(first, "benchmark_before", HALF)
    schedules_chains.stop_chain(chain=first, by=User.objects.first(), now=NOW)  # type: ignore[arg-type]

    second = improved()
    benchmark_ends(second, "benchmark", HALF)

    assert (link(second, "benchmark_before").state, link(second, "benchmark_before").run) == (
        "done",
        None,
    )
    assert run_of(second, "sample").state == "queued"


def test_a_fallen_score_stops_the_chain_before_raters_are_asked(
    improved: Callable[..., Chain],
) -> None:
    chain = improved(on_fall="stop")
    benchmark_ends(chain, "benchmark", NONE)

    benchmark_ends(chain, "benchmark_before", HALF)

    chain = again(chain)
    found = link(chain, "gate").verdict
    assert (chain.state, found["outcome"]) == ("finished", "failed")
    assert "On “Arithmetic 1” it scores 50.0 points lower" in found["sentence"]
    assert link(chain, "campaign").campaign is None
    assert link(chain, "sample").run is None
    assert link(chain, "gate").model.stage == "candidate"


def test_a_fallen_score_asks_a_person_although_raters_prefer_the_model(
    improved: Callable[..., Chain], rosa: Rater
) -> None:
    chain = improved(on_fall="ask")
    benchmark_ends(chain, "benchmark", NONE)
    benchmark_ends(chain, "benchmark_before", HALF)
    chain = _asked(chain)
    judge(chain, rosa, 18)

    chain = goes_on(chain)

    assert (chain.state, link(chain, "gate").verdict["outcome"]) == ("approval", "waits")
    assert "Decide whether it is promoted all the same." in link(chain, "gate").verdict["sentence"]
    promotion.decide(chain=chain, promotes=True, by=User.objects.first(), now=NOW)  # type: ignore[arg-type]
    assert link(chain, "gate").model.stage == "approved"


@pytest.mark.parametrize("on_fall", ["stop", "ask"])
def test_a_score_that_fell_by_no_more_than_chance_explains_passes(
    improved: Callable[..., Chain], rosa: Rater, on_fall: str
) -> None:
    chain = improved(on_fall=on_fall)
    benchmark_ends(chain, "benchmark", [*HALF[:-2], False, False])
    benchmark_ends(chain, "benchmark_before", HALF)
    chain = _asked(chain)
    judge(chain, rosa, 18)

    chain = goes_on(chain)

    assert link(chain, "gate").verdict["outcome"] == "passed"
    checked = [one for one in link(chain, "gate").verdict["checks"] if one["check"] == "suite"]
    assert [(one["suite"], one["value"], one["is_met"]) for one in checked] == [
        ("Arithmetic 1", pytest.approx(-1 / N), True)
    ]


def test_the_gates_card_names_each_suite(
    improved: Callable[..., Chain], rosa: Rater, client: Client, noor: User
) -> None:
    chain = improved()
    benchmark_ends(chain, "benchmark", NONE)
    benchmark_ends(chain, "benchmark_before", HALF)
    chain = _asked(chain)
    judge(chain, rosa, 18)
    goes_on(chain)

    client.force_login(noor)
    text = page_of(client.get(f"/chains/{chain.pk}/"))

    assert "Score on “Arithmetic 1” against the current model, in points" in text
    assert "-50.0" in text
    assert "not clearly lower" in text


def test_a_missed_bar_fails_the_gate_also_where_a_fallen_score_asks() -> None:
    fallen = SuiteChange("Arithmetic", -0.2, -0.3, -0.1, 40, has_fallen=True)
    seen = verdict.Evidence(
        win_rate=Figure(0.9, 20, 0.8, 0.95),
        n_missing=0,
        gain=None,
        gain_low=None,
        gain_high=None,
        kl=30.0,
        length=None,
        suites=(fallen,),
    )

    found = verdict.judged(verdict.Bars(0.5, 20.0, None), seen)

    assert found.outcome == "failed"
    assert found.sentence.startswith("Not promoted. Its KL is 30")


def test_retired_suites_stop_the_chain_with_a_sentence(improved: Callable[..., Chain]) -> None:
    chain = improved()
    Suite.objects.update(retired_at=NOW)
    chain.links.filter(step__in=("suites", "benchmark")).update(
        state="waiting", run=None, snapshot=None
    )

    schedules_chains.advance_chain(chain_id=chain.pk, now=NOW)

    assert again(chain).state == "failed"
    assert again(chain).error == "The suites of this schedule were retired. Choose others."


def test_a_plan_with_suites_survives_the_round_through_json() -> None:
    plan = Plan("dpo", 1, suites=(3, 4), on_fall="stop")

    assert Plan.from_json(plan.as_json()) == plan
    assert BENCHMARK in plan.shape.steps
