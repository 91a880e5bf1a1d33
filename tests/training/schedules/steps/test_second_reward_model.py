"""A chain trains a second reward model on the other part of the comparisons, and it watches PPO."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import Notice, User
from labeling.models import Guideline, Pool, Rater
from tests.html import page_of
from tests.training.conftest import NOW
from tests.training.schedules.chain_steps import again, link, run_ends, run_of
from tests.training.snapshots.test_freezing import compare, on_split
from training.configs import kinds
from training.models import Chain, Run, Schedule, TrainedModel
from training.runs import services as runs_services
from training.runs.services import AttemptResult
from training.schedules import chains as schedules_chains
from training.schedules import selectors as schedules_selectors
from training.schedules.plans import chain_plans
from training.schedules.plans.chain_plans import Plan
from training.schedules.plans.steps import REWARD, WATCHDOG

pytestmark = pytest.mark.django_db


@pytest.fixture
def cycle(
    begin: Callable[..., Chain], rosa: Rater, day_shift: Pool, guideline: Guideline
) -> Callable[..., Chain]:
    def make(preset: str = "balanced", **changes: Any) -> Chain:
        compare(on_split("train")[0], rosa, [1, 2])
        ppo = kinds.as_json(kinds.PRESETS["ppo"][preset])
        plan = {"pool": day_shift.pk, "guideline": guideline.pk, "configs": {"ppo": ppo}}
        return begin("weekly", **plan | changes)

    return make


def test_two_reward_models_learn_from_different_parts_and_the_second_watches_ppo(
    cycle: Callable[..., Chain],
) -> None:
    chain = cycle()
    run_ends(chain, "reward")
    run_ends(chain, "watchdog")

    first, second = run_of(chain, "reward"), run_of(chain, "watchdog")
    assert first.snapshot == second.snapshot == link(chain, "comparisons").snapshot
    assert (first.config["part"], second.config["part"]) == ("larger", "smaller")
    assert first.config["seed"] != second.config["seed"]
    ppo = run_of(chain, "ppo")
    assert ppo.reward_model == TrainedModel.objects.get(run=first)
    assert ppo.watchdog_model == TrainedModel.objects.get(run=second)
    assert ppo.config["watchdog_drop"] > 0


@pytest.mark.parametrize(
    ("preset", "changes"), [("small", {}), ("balanced", {"trains_watchdog": False})]
)
def test_without_a_watchdog_the_reward_model_learns_from_all_comparisons(
    cycle: Callable[..., Chain], preset: str, changes: dict[str, Any]
) -> None:
    chain = cycle(preset, **changes)
    run_ends(chain, "reward")

    assert run_of(chain, "reward").config["part"] == "all"
    assert run_of(chain, "ppo").watchdog_model is None
    assert not chain.links.filter(step="watchdog").exists()


def test_a_chain_that_began_before_there_were_watchdogs_goes_on_without_one(
    cycle: Callable[..., Chain],
) -> None:
    chain = cycle()
    chain.links.filter(step="watchdog").delete()
    run_ends(chain, "reward")

    assert run_of(again(chain), "ppo").watchdog_model is None


def test_the_accuracy_trigger_watches_the_reward_model_and_not_the_watchdog(
    cycle: Callable[..., Chain],
) -> None:
    chain = cycle()
    run_ends(chain, "reward")
    run_ends(chain, "watchdog")

    watched = schedules_selectors.watched_model(schedule=chain.schedule)

    assert watched == TrainedModel.objects.get(run=run_of(chain, "reward"))


@pytest.mark.parametrize("preset", ["balanced", "thorough"])
@pytest.mark.parametrize("template", ["weekly", "llama", "rejection-ppo"])
def test_the_safe_presets_train_a_watchdog_in_every_chain_with_ppo(
    preset: str, template: str
) -> None:
    ppo = kinds.as_json(kinds.PRESETS["ppo"][preset])

    shape = Plan(template=template, base_model=1, suites=(1,), configs={"ppo": ppo}).shape

    assert shape.steps.index(WATCHDOG) == shape.steps.index(REWARD) + 1
    assert len(shape.runs) == len(chain_plans.TEMPLATES[template].runs)
    existing = Plan(template=template, base_model=1, configs={"ppo": ppo}, reward_model=2)
    assert WATCHDOG not in existing.shape.steps


def test_the_form_offers_a_second_reward_model_and_says_what_it_costs(
    signed_in: Callable[..., Client],
    noor: User,
    base_model: TrainedModel,
    day_shift: Pool,
    guideline: Guideline,
) -> None:
    client = signed_in(noor)
    page = page_of(client.get("/schedules/new/weekly/"))
    assert "Train a second reward model" in page
    assert "adds one reward model run to each chain" in page
    assert "Train a second reward model" not in page_of(client.get("/schedules/new/rloo/"))

    answers = _answers(client, base_model, day_shift, guideline)
    client.post("/schedules/new/weekly/", answers | {"trains_watchdog": "on"})
    client.post("/schedules/new/weekly/", answers | {"name": "Unwatched"})

    found = {s.name: Plan.from_json(s.plan).is_watched for s in Schedule.objects.all()}
    assert found == {"Watched": True, "Unwatched": False}


def _answers(
    client: Client, model: TrainedModel, pool: Pool, guideline: Guideline
) -> dict[str, Any]:
    form = client.get("/schedules/new/weekly/").context["form"]
    shown = {bound.name: bound.value() for bound in form if bound.value() not in (None, False)}
    given = {"base_model": model.pk, "pool": pool.pk, "guideline": guideline.pk}
    del shown["trains_watchdog"]
    return shown | given | {"name": "Watched", "trigger": "hand"}


FALLEN = "The watchdog's reward fell from 1.00 to 0.20. The checkpoint of step 40 was kept."


def ppo_stops(
    chain: Chain, *, error: str = FALLEN, model: str | None = "/models/kept", is_asked: bool = False
) -> Run:
    for step in ("reward", "watchdog"):
        run_ends(chain, step)
    run = run_of(chain, "ppo")
    claimed = runs_services.claim_run(run_id=run.pk, node="gpu-1", now=NOW)
    assert claimed is not None
    if is_asked:
        Run.objects.filter(pk=run.pk).update(stop_requested_at=NOW)
    ending = AttemptResult(Run.Outcome.STOPPED, error=error, model=model)
    runs_services.finish_run(run_id=run.pk, attempt=claimed.attempt, result=ending, now=NOW)
    schedules_chains.advance_chain(chain_id=chain.pk, now=NOW)
    return run


def test_a_chain_goes_on_with_the_step_that_ppo_kept_when_its_watchdog_stopped_it(
    cycle: Callable[..., Chain], signed_in: Callable[..., Client], noor: User
) -> None:
    on_split("test", 2)
    chain = cycle()

    run = ppo_stops(chain)

    kept = TrainedModel.objects.get(run=run)
    assert (again(chain).error, link(chain, "ppo").state) == ("", "done")
    assert run_of(chain, "sample").base_model == kept
    notice = Notice.objects.get(person=noor, kind="warning")
    assert f"{FALLEN} The chain goes on with “{kept}”, and the gate decides." in notice.sentence
    page = page_of(signed_in(noor).get(f"/chains/{chain.pk}/"))
    assert "step 40 was kept" in page


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"is_asked": True}, "Continue with that model, or restart the step."),
        ({"error": ""}, "Continue with that model, or restart the step."),
        ({"model": None}, "was stopped."),
    ],
)
def test_a_chain_waits_for_a_person_where_somebody_stopped_the_run_or_nothing_was_kept(
    cycle: Callable[..., Chain], how: dict[str, Any], words: str
) -> None:
    on_split("test", 2)
    chain = cycle()

    ppo_stops(chain, **how)

    assert (again(chain).state, link(chain, "ppo").state) == ("failed", "failed")
    assert words in chain.error
