"""The plan of a chain with what each step would take: time on the devices of earlier runs, memory,
and raters' answers. Estimates are those of training.runs.estimates and labeling.campaigns.costs.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise

from labeling.campaigns import costs as campaign_costs
from labeling.campaigns.costs import Estimate
from labeling.models import Pool
from training.configs import kinds
from training.models import Node, Run, Snapshot, TrainedModel
from training.runs import placement
from training.runs.estimates import costs
from training.runs.estimates.costs import Pace
from training.schedules.plans import steps
from training.schedules.plans.chain_plans import Plan
from training.schedules.plans.step import RunStep
from training.train_on_campaign.answers import ExpectedSnapshot


@dataclass(frozen=True)
class PlannedStep:
    """A step of the chain. `paces` has a run's time by device; `votes` is a campaign's estimate."""

    words: Promise
    paces: Sequence[Pace] = ()
    is_run: bool = False
    memory_gb: float | None = None
    votes: Estimate | None = None


@dataclass(frozen=True)
class PlanForecast:
    steps: list[PlannedStep]

    @property
    def seconds(self) -> dict[str, float]:
        """By device: of all runs together, if each has a time there."""
        runs = [step for step in self.steps if step.is_run]
        by_device = [{pace.device: pace.seconds for pace in step.paces} for step in runs]
        devices = set.intersection(*map(set, by_device)) if by_device else set()
        return {name: sum(times[name] for times in by_device) for name in sorted(devices)}

    @property
    def memory_gb(self) -> float | None:
        """The most that one of its runs needs; None if unknown."""
        return max((step.memory_gb for step in self.steps if step.memory_gb), default=None)


def forecast(*, plan: Plan, data: ExpectedSnapshot, now: datetime) -> PlanForecast:
    model = TrainedModel.objects.get(pk=plan.base_model)
    planned = []
    for step in plan.shape.steps:
        if isinstance(step, RunStep):
            planned.append(_of_run(step, plan, data, model, now))
        elif step is steps.CAMPAIGN:
            planned.append(PlannedStep(step.words, votes=_votes(plan, now)))
        else:
            planned.append(PlannedStep(step.words))
    return PlanForecast(planned)


def nodes_for(*, nodes: Sequence[Node], memory_gb: float | None) -> list[Node]:
    """Those of the nodes that have the memory, on a card if they have any; all if it is unknown."""
    needed = math.ceil(memory_gb or 0)
    return [
        node
        for node in nodes
        if placement.has_room(run=Run(n_gpus=min(1, len(node.gpus)), memory_gb=needed), node=node)
    ]


def _of_run(
    step: RunStep, plan: Plan, data: ExpectedSnapshot, model: TrainedModel, now: datetime
) -> PlannedStep:
    config, _wrong = kinds.parse(step.kind, step.config(plan))
    if config is None:
        return PlannedStep(step.words, is_run=True)
    snapshot = data.snapshot
    if step.reads is steps.HELD_OUT:
        n = plan.n_judged
        card = {"splits": {"train": n}, "prompts": n}
        snapshot = Snapshot(kind=Snapshot.Kind.PROMPTS, n_rows=n, card=card)
    rows = costs.rows_of(snapshot=snapshot, contents=data.contents)
    found = costs.forecast(
        kind=step.kind, config=config, snapshot=snapshot, base_model=model, rows=rows, now=now
    )
    return PlannedStep(step.words, found.paces, is_run=True, memory_gb=found.cost.memory_gb)


def _votes(plan: Plan, now: datetime) -> Estimate:
    return campaign_costs.estimate(
        kind="comparison",
        n_responses=plan.n_responses,
        pool=Pool.objects.filter(pk=plan.pool or 0).first(),
        n_items=plan.n_judged + plan.n_taught,
        overlap=plan.overlap,
        now=now,
    )
