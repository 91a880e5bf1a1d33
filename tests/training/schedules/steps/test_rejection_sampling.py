"""Rejection sampling from comparisons to a campaign, with real runs of a tiny model: Llama 2's
cycle as one schedule.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings

from accounts.models import User
from labeling.models import Guideline, Pool, Rater, Response, ResponseScore
from tests.trainer.tiny import build_tiny_model
from tests.trainer.warm.trainer import warm_trainer  # noqa: F401  # a fixture
from tests.training.conftest import NOW
from tests.training.schedules.chain_steps import again, link, run_of
from tests.training.snapshots.test_freezing import compare, on_split, rows
from training.models import Run, RunPoint, TrainedModel
from training.registry import services as registry_services
from training.registry.archive import cards
from training.runs.supervisor import supervise
from training.schedules import chains
from training.schedules import services as schedules_services
from training.schedules.plans.chain_plans import Plan
from training.schedules.services import Terms
from training.snapshots import response_numbers

pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("warm_trainer"),
]

N_PROMPTS, N_CANDIDATES = 4, 5
TRAINED: dict[str, Any] = {
    "method": "full",
    "batch_size": 4,
    "accumulation": 1,
    "max_tokens": 128,
    "dtype": "float32",
}
SETTINGS: dict[str, dict[str, Any]] = {
    "reward": TRAINED | {"learning_rate": 5e-3, "n_epochs": 2},
    "sample": {"n_responses": 2, "max_new_tokens": 8, "batch_size": 10, "dtype": "float32"},
    "sft": TRAINED | {"learning_rate": 5e-3, "n_epochs": 4},
}


@pytest.fixture
def tiny(noor: User, tmp_path: Path) -> TrainedModel:
    folder = build_tiny_model(tmp_path / "tiny")
    return registry_services.register_model(
        name="tiny", kind="policy", location=str(folder), licence="", by=noor, now=NOW
    )


def test_a_schedule_goes_from_comparisons_through_the_best_of_k_to_a_campaign(
    noor: User,
    rosa: Rater,
    day_shift: Pool,
    guideline: Guideline,
    tiny: TrainedModel,
    settings: LazySettings,
) -> None:
    prompts = on_split("train", N_PROMPTS)
    for prompt in prompts:
        compare(prompt, rosa, [1, 2])
    plan = Plan(
        "rejection",
        base_model=tiny.pk,
        n_candidates=N_CANDIDATES,
        configs=SETTINGS,
        pool=day_shift.pk,
        guideline=guideline.pk,
        n_responses=2,
    )
    terms = Terms(trigger="hand", time_zone="UTC")
    schedule = schedules_services.create_schedule(
        name="Weekly", plan=plan, terms=terms, by=noor, now=NOW
    )
    chain = schedules_services.fire_now(schedule=schedule, by=noor, now=NOW)

    chains.advance_chain(chain_id=chain.pk, now=NOW)
    while (waiting := Run.objects.filter(state="queued").first()) is not None:
        supervise.supervise(run_id=waiting.pk, node="node")
        chains.advance_chain(chain_id=chain.pk, now=NOW)

    assert (again(chain).state, chain.error) == ("approval", ""), (
        Run.objects.order_by("pk").last().log_tail
    )
    judge = TrainedModel.objects.get(run=run_of(chain, "reward"))
    candidates = run_of(chain, "candidates")
    scores = ResponseScore.objects.filter(scorer=judge.source_id, response__source=_source(tiny))
    assert scores.count() == N_PROMPTS * N_CANDIDATES
    best = link(chain, "best").snapshot
    assert best is not None
    assert {row["response"] for row in rows(best, settings)} == set(
        best_by_hand(settings, candidates)
    )
    losses = dict(
        RunPoint.objects.filter(run=run_of(chain, "sft_best")).values_list("step", "values")
    )
    assert losses[max(losses)]["loss"] < losses[1]["loss"]
    tuned = TrainedModel.objects.get(run=run_of(chain, "sft_best"))
    campaign = link(chain, "campaign").campaign
    assert campaign is not None
    assert campaign.items.count() == N_PROMPTS
    assert set(campaign.items.values_list("responses__source", flat=True)) == {
        tuned.source_id,
        _source(tiny),
    }
    assert judge.name in cards.generated_card(model=tuned)


def best_by_hand(settings: LazySettings, run: Run) -> list[int]:
    """From the file that the child wrote, not from the tables. A prompt whose best response is
    empty teaches nothing.
    """
    written = [
        json.loads(line)
        for line in (
            (Path(settings.RUNS_DIR) / str(run.pk) / "responses.jsonl").read_text().splitlines()
        )
    ]
    found = []
    for prompt_id in {row["prompt_id"] for row in written}:
        of_prompt = [row for row in written if row["prompt_id"] == prompt_id]
        best = max(of_prompt, key=lambda row: (row["is_ended"], row["score"]))
        if not best["text"].strip():
            continue
        number = response_numbers.response_number(run_id=run.pk, number=best["number"])
        found.append(
            Response.objects.get(prompt=prompt_id, source=_source(run.base_model), number=number).pk
        )
    return found


def _source(model: TrainedModel) -> int | None:
    return TrainedModel.objects.values_list("source", flat=True).get(pk=model.pk)
