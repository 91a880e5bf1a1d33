"""What a chain's step takes from the steps before it: snapshot filters, snapshot, models, and the
run's machines.
"""

from dataclasses import replace
from typing import Any

from django.db.models import F, QuerySet
from django.utils.translation import gettext as _

from training.configs import kinds
from training.models import Chain, Run, Schedule, Snapshot, Suite, TrainedModel, chain_plans
from training.models.chain_plans import Plan, Step
from training.processes import launch as processes_launch
from training.processes.launch import Launch
from training.runs.run_queue import RunOptions
from training.snapshots import draws
from training.snapshots.draws import Draw
from training.snapshots.freeze import Filters

MIN_MEASURED = 16


class StepFailed(Exception):
    """A step cannot be done; the text says what to change."""


def first_model(schedule: Schedule, plan: Plan) -> TrainedModel:
    """With a gate, the current model; without one, the newest."""
    if not plan.goes_on:
        return TrainedModel.objects.get(pk=plan.base_model)
    if plan.shape.has_gate:
        return current_model(schedule, plan)
    usable = _models_of(schedule).exclude(stage=TrainedModel.Stage.RETIRED)
    return usable.order_by("-pk").first() or TrainedModel.objects.get(pk=plan.base_model)


def current_model(schedule: Schedule, plan: Plan) -> TrainedModel:
    """The model of this schedule that was approved last, by a gate or by a person; at first the one
    it starts from.
    """
    approved = _models_of(schedule).filter(stage=TrainedModel.Stage.APPROVED)
    last = approved.order_by(F("approved_at").desc(nulls_last=True), "-pk").first()
    return last or TrainedModel.objects.get(pk=plan.base_model)


def _models_of(schedule: Schedule) -> QuerySet[TrainedModel]:
    return TrainedModel.objects.filter(
        run__link__chain__schedule=schedule, kind=TrainedModel.Kind.POLICY, freed_at=None
    )


def filters(chain: Chain, plan: Plan, step: str) -> Filters:
    """The chosen campaigns are of the kind that triggers the schedule; the other kind is not
    filtered.
    """
    if step == Step.BEST:
        return Filters(best_of=_candidate_runs(chain, plan))
    if step == Step.PROMPTS:
        return Filters(splits=("train", "validation"), draw=_practice(chain, plan))
    if step == Step.HELD_OUT:
        return Filters(splits=("train", "validation", "test"), draw=_for_raters(chain, plan))
    chosen = Filters.from_json(plan.filters)
    return chosen if step == plan.shape.counted else replace(chosen, campaigns=())


def _practice(chain: Chain, plan: Plan) -> Draw:
    """The model practises on training prompts and is measured on validation prompts."""
    limits = {}
    if plan.n_prompts is not None:
        limits = {"train": plan.n_prompts, "validation": max(MIN_MEASURED, plan.n_prompts // 8)}
    return Draw(draws.PRACTICE, chain.number, limits, plan.max_uses)


def _for_raters(chain: Chain, plan: Plan) -> Draw:
    """Test prompts judge the new model. The next reward model learns from comparisons on training
    prompts and is measured on those on validation prompts.
    """
    n_measuring = plan.n_taught // 5
    limits = {
        "test": plan.n_judged,
        "train": plan.n_taught - n_measuring,
        "validation": n_measuring,
    }
    return Draw(draws.RATERS, chain.number, limits)


def _candidate_runs(chain: Chain, plan: Plan) -> tuple[int, ...]:
    """The chain's own sampling runs; if the plan says so, also those of earlier chains."""
    runs = Run.objects.filter(link__step=Step.CANDIDATES, outcome=Run.Outcome.SUCCEEDED).order_by(
        "pk"
    )
    if plan.keeps_earlier:
        runs = runs.filter(
            link__chain__schedule=chain.schedule_id, link__chain__number__lte=chain.number
        )
    else:
        runs = runs.filter(link__chain=chain)
    return tuple(runs.values_list("pk", flat=True))


def options(plan: Plan, kind: str) -> RunOptions:
    if not kinds.KINDS[kind].is_parallel:
        return RunOptions(
            n_gpus=min(plan.n_gpus, 1) if plan.n_processes > 1 else plan.n_gpus,
            memory_gb=plan.memory_gb,
        )
    launch = Launch(plan.n_processes, plan.strategy, n_machines=plan.n_machines)
    return RunOptions(
        n_gpus=plan.n_gpus,
        memory_gb=plan.memory_gb,
        launch=processes_launch.of_step(launch, kind=kind),
    )


def snapshot_for(chain: Chain, plan: Plan, step: str) -> Snapshot:
    reads = chain_plans.STEPS[step].reads
    if reads is None:
        snapshot = Snapshot.objects.filter(pk=plan.text or 0).first()
    else:
        links = chain.links.filter(step__in=(reads, Step.PROMPTS), snapshot__isnull=False)
        # A chain begun by an earlier version asks raters about the prompts it practised on.
        found = {link.step: link.snapshot for link in links.select_related("snapshot")}
        snapshot = found.get(reads, found.get(Step.PROMPTS))
    if snapshot is None:
        raise StepFailed(_("The chain has no snapshot to continue with."))
    return snapshot


def model_for(chain: Chain, plan: Plan, step: str) -> TrainedModel:
    if step in (Step.REWARD, Step.WATCHDOG) and plan.reward_base is not None:
        return TrainedModel.objects.get(pk=plan.reward_base)
    if step in (Step.SAMPLE_BEFORE, Step.BENCHMARK_BEFORE):
        return rival(chain, plan)
    if step in (Step.SAMPLE, Step.EVALUATE, Step.BENCHMARK):
        return new_model(chain, plan)
    if step == Step.SAMPLE_FIRST:
        return _model_of(chain, Step.SFT)
    return _current_model(chain, plan, step)


def new_model(chain: Chain, plan: Plan) -> TrainedModel:
    return _model_of(chain, plan.shape.improving[-1])


def rival(chain: Chain, plan: Plan) -> TrainedModel:
    """The model to beat: the current one. In the first chain of a schedule that fine-tunes first,
    the fine-tuned model, because a base model is beaten by anything.
    """
    current = current_model(chain.schedule, plan)
    if current.pk == plan.base_model and Step.SFT in plan.shape.steps:
        return _model_of(chain, Step.SFT)
    return current


def reward_model(chain: Chain, plan: Plan) -> TrainedModel:
    if plan.reward_model is not None:
        return TrainedModel.objects.get(pk=plan.reward_model)
    return _model_of(chain, Step.REWARD)


def suites(plan: Plan) -> list[Suite]:
    """Raises StepFailed if none of them is left."""
    found = list(Suite.objects.filter(pk__in=plan.suites, retired_at=None).order_by("pk"))
    if not found:
        raise StepFailed(_("The suites of this schedule were retired. Choose others."))
    return found


def is_benchmarked(chain: Chain, plan: Plan) -> bool:
    """Whether the current model has answered the same suites with the same settings before."""
    own = chain.links.select_related("run").get(step=Step.BENCHMARK).run
    if own is None:
        return False
    before = Run.objects.filter(
        kind=own.kind,
        base_model=rival(chain, plan),
        snapshot=own.snapshot_id,
        config=own.config,
        outcome=Run.Outcome.SUCCEEDED,
        is_dry=False,
    )
    return before.exists()


def ptx_snapshot(plan: Plan, kind: str) -> Snapshot | None:
    return Snapshot.objects.get(pk=plan.ptx_text or 0) if plan.mixes_text(kind) else None


def watchdog_model(chain: Chain) -> TrainedModel | None:
    """None in a chain without a second reward model."""
    is_trained = chain.links.filter(step=Step.WATCHDOG).exists()
    return _model_of(chain, Step.WATCHDOG) if is_trained else None


def config(chain: Chain, plan: Plan, step: str) -> dict[str, Any]:
    """The step's settings. A chain begun by an earlier version has no second reward model, so its
    first one learns from all comparisons.
    """
    is_trained = chain.links.filter(step=Step.WATCHDOG).exists()
    return replace(plan, trains_watchdog=plan.trains_watchdog and is_trained).config_of(step)


def model_before(chain: Chain, plan: Plan) -> TrainedModel:
    """The model that the last improvement started from."""
    return _current_model(chain, plan, plan.shape.improving[-1])


def _current_model(chain: Chain, plan: Plan, step: str) -> TrainedModel:
    """The language model left by the steps before this one; at first the chain's base model."""
    steps = plan.shape.steps
    before = [one for one in plan.shape.improving if steps.index(one) < steps.index(Step(step))]
    return _model_of(chain, before[-1]) if before else chain.base_model


def _model_of(chain: Chain, step: Step) -> TrainedModel:
    model = TrainedModel.objects.filter(run__link__chain=chain, run__link__step=step).first()
    if model is None:
        raise StepFailed(
            _("The step “%(step)s” produced no model.") % {"step": chain_plans.WORDS[step]}
        )
    return model
