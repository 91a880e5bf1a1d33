"""Carries out a step of a chain: creates its snapshot, queues its run, opens its campaign, or asks
admins for one.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from labeling.data import intake
from labeling.models import Campaign, Guideline, Pool, Slot
from training.benchmarks.suites.services import suites_snapshot
from training.models import Chain, Link, Run, Snapshot, Suite
from training.processes import launch as processes_launch
from training.processes.launch import Launch
from training.registry.services import prompts_answered
from training.runs import run_queue
from training.runs import services as runs_services
from training.runs.run_queue import Raters, RunOptions
from training.schedules.gate import looks
from training.schedules.plans import steps
from training.schedules.plans.chain_plans import Plan, outputs_of
from training.schedules.plans.settings import PlanSettings
from training.schedules.plans.step import (
    CampaignStep,
    Outputs,
    RequestStep,
    RunStep,
    SnapshotStep,
    Step,
    StepFailed,
)
from training.snapshots import services as snapshots_services

_LONGEST_NAME = 200
"""As the names of runs and of snapshots are stored."""
_LONGEST_CAMPAIGN = 100
"""With a number behind it, it still fits where names of campaigns are stored."""


def waits_for_raters(outputs: Outputs, step: SnapshotStep, now: datetime) -> bool:
    """Whether raters still owe answers that the snapshot is made of, and have days left for it."""
    link = (
        outputs.chain.links.filter(step=step.awaits.name).select_related("campaign").first()
        if step.awaits
        else None
    )
    if link is None or link.campaign is None or link.ended_at is None:
        return False
    if link.campaign.state == Campaign.State.CLOSED:
        return False
    if now - link.ended_at >= timedelta(days=outputs.plan.gate_days):
        return False
    owed = link.campaign.slots.filter(is_gold=False, item__repeat_of=None)
    return owed.exclude(state=Slot.State.SUBMITTED).exists()


def create_snapshot(outputs: Outputs, step: SnapshotStep, now: datetime) -> Snapshot:
    by = outputs.chain.schedule.created_by
    if step is steps.SUITES:
        return suites_snapshot(suites=_suites(outputs.plan), by=by, now=now)
    return snapshots_services.create_snapshot(
        kind=step.kind,
        name=_name(outputs.chain, step),
        filters=step.filters(outputs),
        by=by,
        now=now,
    )


def _name(chain: Chain, step: Step) -> str:
    """Of the snapshot or the run that a step makes."""
    return Truncator(f"{chain} · {step.words}").chars(_LONGEST_NAME)


def _suites(plan: PlanSettings) -> list[Suite]:
    """Raises StepFailed if none of them is left."""
    suites = list(Suite.objects.filter(pk__in=plan.suites, retired_at=None).order_by("pk"))
    if not suites:
        raise StepFailed(_("The suites of this schedule were retired. Choose others."))
    return suites


def queue_run(step: RunStep, chain: Chain, link: Link, now: datetime) -> bool:
    outputs = outputs_of(chain)
    if step.is_done(outputs):
        Link.objects.filter(pk=link.pk).update(state=Link.State.DONE, ended_at=now)
        return True
    plan = outputs.plan
    run = run_queue.queue_run(
        kind=step.kind,
        name=_name(chain, step),
        config=step.config(plan),
        snapshot=_snapshot_for(outputs, step),
        base_model=step.starts_from(outputs) or outputs.model_before(step),
        models={role: model(outputs) for role, model in step.beside.items()},
        ptx_snapshot=(
            Snapshot.objects.get(pk=plan.ptx_text or 0) if plan.mixes_text(step.kind) else None
        ),
        raters=Raters.of(*_pool_and_guideline(plan)),
        options=_options(plan, step.kind),
        by=chain.schedule.created_by,
        now=now,
    )
    Link.objects.filter(pk=link.pk).update(run=run)
    return False


def _snapshot_for(outputs: Outputs, step: RunStep) -> Snapshot:
    """A chain begun by an earlier version asks raters about the prompts it practised on."""
    snapshot = (
        outputs.snapshot_of(step.reads, steps.PROMPTS)
        if step.reads
        else Snapshot.objects.filter(pk=outputs.plan.text or 0).first()
    )
    if snapshot is None:
        raise StepFailed(_("The chain has no snapshot to continue with."))
    return snapshot


def _options(plan: PlanSettings, kind: str) -> RunOptions:
    launch = Launch(plan.n_processes, plan.strategy, n_machines=plan.n_machines)
    own = processes_launch.of_step(launch, kind=kind)
    n_gpus = processes_launch.gpus_of_step(plan.n_gpus, own, kind=kind)
    return RunOptions(n_gpus=n_gpus, memory_gb=plan.memory_gb, launch=own)


def open_campaign(step: CampaignStep, chain: Chain, link: Link, now: datetime) -> bool:
    plan = Plan.from_json(chain.plan)
    pool, guideline = _pool_and_guideline(plan)
    if pool is None or guideline is None:
        raise StepFailed(
            _(
                "The schedule has no pool or no guideline for its campaign. Choose both, then start"
                " a new chain."
            )
        )
    runs = _sampled(step, chain)
    source_ids = _source_ids(runs)
    campaign = intake.open_comparison_campaign(
        name=campaign_name(chain, step, now),
        pool=pool,
        guideline=guideline,
        prompt_ids=prompts_answered(runs=runs),
        source_ids=source_ids,
        n_responses=plan.n_candidates if step.shows_candidates else plan.n_responses,
        overlap=plan.overlap,
        by=chain.schedule.created_by,
        now=now,
    )
    if step is steps.CAMPAIGN and outputs_of(chain).has(steps.GATE):
        looks.Part(chain, campaign, plan.n_looks, 1).hold_rest(now)
    Link.objects.filter(pk=link.pk).update(state=Link.State.DONE, campaign=campaign, ended_at=now)
    return True


def campaign_name(chain: Chain, step: CampaignStep, now: datetime) -> str:
    """Whose it is, what it is and since when: “Weekly 3 · comparison · 3 Dec 2026”."""
    day = timezone.localdate(now, ZoneInfo(chain.schedule.time_zone))
    ending = f" {chain.number} · {step.called} · {date_format(day, 'j M Y')}"
    name = Truncator(chain.schedule.name).chars(_LONGEST_CAMPAIGN - len(ending))
    return intake.free_campaign_name(f"{name}{ending}")


def request_comparison(step: RequestStep, chain: Chain, link: Link, now: datetime) -> bool:
    by, runs = chain.schedule.created_by, _sampled(step, chain)
    sources = _source_ids(runs)
    if by is None or not runs_services.ask_for_comparison(
        run=runs[0], sources=sources, by=by, now=now
    ):
        raise StepFailed(_("Nobody here is an admin, so nobody can be asked."))
    Link.objects.filter(pk=link.pk).update(state=Link.State.DONE, ended_at=now)
    return True


def _sampled(step: CampaignStep | RequestStep, chain: Chain) -> list[Run]:
    """The runs whose responses are compared: of the new model first."""
    names = [compared.name for compared in step.compares]
    links = chain.links.filter(step__in=names, run__isnull=False).order_by("position")
    return [one.run for one in links.select_related("run__base_model") if one.run is not None]


def _source_ids(runs: list[Run]) -> list[int]:
    return [run.base_model.source_id for run in runs if run.base_model.source_id is not None]


def _pool_and_guideline(plan: PlanSettings) -> tuple[Pool | None, Guideline | None]:
    """None for one that was never chosen."""
    return (
        Pool.objects.filter(pk=plan.pool or 0).first(),
        Guideline.objects.filter(pk=plan.guideline or 0).first(),
    )
