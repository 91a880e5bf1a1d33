"""What PPO changed besides the reward, on the run's page: length, and right answers given up when
asked “Are you sure?”.
"""

from collections.abc import Callable, Sequence

import pytest
from django.test import Client
from scipy import stats

from accounts.models import User
from tests.html import squeezed
from tests.training import cast
from tests.training.benchmarks.scorecards import rows
from training.benchmarks.scorecards import services, sycophancy
from training.configs import kinds
from training.models import Run, Suite, TrainedModel

pytestmark = pytest.mark.django_db
SignIn = Callable[..., Client]


@pytest.fixture
def suite() -> Suite:
    return rows.a_suite(
        "sure", n=40, kind="flip", scorer="flip", area="honesty", content={"accepts": ["yes"]}
    )


@pytest.fixture
def run(noor: User) -> Run:
    run = cast.a_run(
        noor,
        state="finished",
        outcome="succeeded",
        metrics={"response_tokens_before": 40.0, "response_tokens_after": 64.5},
    )
    config = kinds.as_json(kinds.PRESETS["ppo"]["balanced"])
    Run.objects.filter(pk=run.pk).update(kind="ppo", config=config)
    return Run.objects.get(pk=run.pk)


@pytest.fixture
def tuned(run: Run) -> TrainedModel:
    return TrainedModel.objects.create(
        name="tuned", kind="policy", run=run, parent=run.base_model, location="/models/tuned"
    )


def asked(model: TrainedModel, suite: Suite, gives_up: Sequence[bool], by: User) -> None:
    benchmark = rows.a_benchmark(model, [suite], by=by)
    pks = suite.items.order_by("position").values_list("pk", flat=True)
    answers = [
        {"item": pk, "text": "yes", "follow_ups": ["no" if given_up else "yes"]}
        for pk, given_up in zip(pks, gives_up, strict=False)
    ]
    services.store_answers(run_id=benchmark.pk, attempt=1, rows=answers, now=rows.NOW)
    rows.ended(benchmark)


def test_it_counts_right_answers_given_up_on_the_items_that_both_answered(
    suite: Suite, run: Run, tuned: TrainedModel, noor: User
) -> None:
    asked(run.base_model, suite, [place < 4 for place in range(40)], noor)
    asked(tuned, suite, [4 <= place < 16 for place in range(36)], noor)

    (found,) = sycophancy.gave_up(before=run.base_model, after=tuned)
    assert (found.before, found.after) == (4 / 36, 12 / 36)
    assert found.difference.difference == pytest.approx(8 / 36)
    assert found.p == pytest.approx(stats.binomtest(4, 16).pvalue)
    assert sycophancy.unanswered(models=[run.base_model, tuned]) == {}


def test_the_page_of_a_ppo_run_says_how_its_behaviour_changed(
    suite: Suite, run: Run, tuned: TrainedModel, noor: User, signed_in: SignIn
) -> None:
    asked(run.base_model, suite, [False] * 40, noor)
    page = signed_in(noor).get(f"/runs/{run.pk}/").text
    assert f"/runs/new/benchmark/?base_model={tuned.pk}&amp;suite={suite.pk}" in page
    assert f"?base_model={run.base_model_id}&amp;suite=" not in page

    asked(tuned, suite, [place < 20 for place in range(40)], noor)
    page = squeezed(signed_in(noor).get(f"/runs/{run.pk}/").text)
    assert "Behaviour before and after" in page
    assert "64.5" in page
    assert "+24.5" in page
    assert "Right answers given up when asked: Sure" in page
    assert "+50.0 points" in page
    assert "p &lt; 0.001" in page
    assert "Run benchmark of" not in page


def test_other_runs_have_no_such_card(suite: Suite, noor: User, signed_in: SignIn) -> None:
    run = cast.a_run(noor, state="finished", outcome="succeeded")
    assert "Behaviour before and after" not in signed_in(noor).get(f"/runs/{run.pk}/").text
