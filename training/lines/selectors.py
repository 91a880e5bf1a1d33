"""The line of a schedule: the models that its chains have made, in order, with what went into each,
how raters like it, and what became of it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from django.db.models import Count, Max, Prefetch, Q, QuerySet
from django.utils.functional import Promise

from labeling.models import Judgment, Prompt
from labeling.pay.timesheets import selectors as timesheets_selectors
from labeling.pay.timesheets.sheets import Timesheet
from training.benchmarks.scorecards.selectors import Cell, scorecard
from training.lines import win_rates
from training.lines.win_rates import Votes, WinRate
from training.models import Chain, Link, Run, Schedule, Snapshot, SnapshotJudgment, TrainedModel
from training.registry import selectors as registry_selectors
from training.schedules.gate.verdict import Outcome, measured_by_run
from training.schedules.plans import steps
from training.schedules.plans.chain_plans import Plan
from training.schedules.plans.steps import STEPS

N_SHOWN = 20
"""The newest chains; earlier ones are on the schedule's page."""


class Fate(StrEnum):
    """What became of a chain's model."""

    PROMOTED = "promoted"
    UNDECIDED = "undecided"
    REFUSED = "refused"
    WAITS = "waits"
    """for a person at the gate"""
    ASKED = "asked"
    """raters are comparing it"""
    UNJUDGED = "unjudged"
    """its chain has ended without a gate"""
    GOING = "going"
    """its chain is not there yet"""
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True)
class LearnedFrom:
    """A snapshot with people's judgments on training prompts; models are measured on the others."""

    snapshot: Snapshot
    n_judgments: int


@dataclass(frozen=True)
class Attempt:
    """A chain with the model that it has made, which is None before it has made one."""

    chain: Chain
    fate: Fate
    model: TrainedModel | None = None
    before: TrainedModel | None = None
    """the model to beat: the current one at that time"""
    sentence: str = ""
    """the gate's"""
    methods: Sequence[Promise] = ()
    learned_from: Sequence[LearnedFrom] = ()
    pay: Timesheet | None = None
    """of the people whose judgments it learned from"""
    against_first: WinRate | None = None
    against_before: WinRate | None = None
    kl: float | None = None
    kl_to: TrainedModel | None = None
    suites: Sequence[Cell] = ()
    """compared with the first model"""
    held_out: int | None = None
    """the snapshot of the prompts that its responses answer"""

    @property
    def win_rates(self) -> list[WinRate]:
        return [rate for rate in (self.against_first, self.against_before) if rate is not None]

    @property
    def is_promoted(self) -> bool:
        return self.fate == Fate.PROMOTED

    @property
    def is_against_first_only(self) -> bool:
        """Whether the model to beat was the first one."""
        return self.against_first is not None and self.against_first is self.against_before


@dataclass(frozen=True)
class Line:
    schedule: Schedule
    makes_models: bool = True
    """whether its chains make language models"""
    first: TrainedModel | None = None
    """None before there is a chain"""
    current: TrainedModel | None = None
    attempts: Sequence[Attempt] = ()
    n_earlier: int = 0
    """chains before those shown"""
    votes: Mapping[int, Votes] | None = None
    """by campaign"""
    n_judgments: int = 0
    """of people, that a chain learned from or that judge its model: each once"""
    pay: Timesheet | None = None
    """for those"""

    @property
    def newest(self) -> Attempt | None:
        return self.attempts[-1] if self.attempts else None

    @property
    def promoted(self) -> Attempt | None:
        """That of the current model; if that has no weights left or was retired, the last one that
        was promoted. None while nothing was.
        """
        own = (one for one in self.attempts if one.model and one.model == self.current)
        last = (one for one in self.attempts[::-1] if one.is_promoted)
        return next(own, None) or next(last, None)

    @property
    def subject(self) -> Attempt | None:
        """The one that the line is judged by: the promoted one, or while nothing was promoted the
        newest with a model.
        """
        return self.promoted or next((one for one in self.attempts[::-1] if one.model), None)

    @property
    def n_compared(self) -> int:
        """Models that raters have compared with the first, at most."""
        return sum(one.against_first is not None for one in self.attempts) + self.n_earlier


def schedules() -> list[Schedule]:
    """Those with a line, the one with the newest chain first."""
    begun = Schedule.objects.annotate(newest=Max("chains__started_at")).exclude(newest=None)
    return [one for one in begun.order_by("-newest", "-pk") if makes_models(schedule=one)]


def makes_models(*, schedule: Schedule) -> bool:
    """Whether its chains make language models, now that its plan is what it is."""
    return bool(Plan.from_json(schedule.plan).shape.improving)


def line(*, schedule: Schedule) -> Line:
    """The queries grow with the number of chains shown, not with their votes."""
    if not makes_models(schedule=schedule):
        return Line(schedule, makes_models=False)
    if not schedule.chains.exists():
        return Line(schedule)
    current = steps.current_model(schedule, Plan.from_json(schedule.plan))
    shown = _shown_chains(schedule, current)
    first, undecided = _first_model(schedule), _campaigns_of_open_gates()
    attempts = _with_suites([_attempt(chain, first, undecided) for chain in shown], first)
    campaigns = {rate.campaign.pk for one in attempts for rate in one.win_rates}
    counted = _judgments(attempts, campaigns)
    return Line(
        schedule=schedule,
        first=first,
        current=current,
        attempts=attempts,
        n_earlier=schedule.chains.count() - len(shown),
        votes=win_rates.votes_in(campaigns),
        n_judgments=Judgment.of_people.filter(counted).count(),
        pay=timesheets_selectors.earned_with(judgments=counted),
    )


def _shown_chains(schedule: Schedule, current: TrainedModel) -> list[Chain]:
    """The newest and that of the current model, in order, with their steps."""
    in_order = Link.objects.select_related(
        "snapshot", "campaign__pool", "model__run__reference_model", "model__run__base_model",
        "run__base_model", "run__trained_model__run__reference_model",
        "run__trained_model__run__base_model",
    ).order_by("position")  # fmt: skip
    newest = schedule.chains.order_by("-number").values_list("pk", flat=True)[:N_SHOWN]
    wanted = Q(pk__in=list(newest)) | Q(links__run__trained_model=current)
    chains = schedule.chains.filter(wanted).distinct().select_related("schedule", "base_model")
    return list(chains.prefetch_related(Prefetch("links", in_order)).order_by("number"))


def _first_model(schedule: Schedule) -> TrainedModel:
    """What the line's first comparison was with: a fine-tuned model in schedules that fine-tune
    first. Before there is one, what the first chain began with.
    """
    compared = Link.objects.filter(
        chain__schedule=schedule, step=steps.SAMPLE_BEFORE.name, run__isnull=False
    )
    link = compared.select_related("run__base_model").order_by("chain__number").first()
    if link is not None and link.run is not None:
        return link.run.base_model
    return schedule.chains.select_related("base_model").order_by("number")[0].base_model


def _campaigns_of_open_gates() -> list[int]:
    gates = Link.objects.filter(step=steps.GATE.name, verdict={}).exclude(state=Link.State.DONE)
    asked = Link.objects.filter(
        step=steps.CAMPAIGN.name, campaign__isnull=False, chain__in=gates.values("chain")
    )
    return list(asked.values_list("campaign", flat=True))


def _attempt(chain: Chain, first: TrainedModel, undecided: Sequence[int]) -> Attempt:
    links = {link.step: link for link in chain.links.all()}
    gate, sampled = links.get(steps.GATE.name), links.get(steps.SAMPLE_BEFORE.name)
    plan = Plan.from_json(chain.plan)
    model = _model_of(links, plan)
    before = sampled.run.base_model if sampled and sampled.run else chain.base_model
    snapshots = _snapshots(links, plan)
    against_before = against_first = None
    if gate is not None and gate.verdict:
        asked, new = links.get(steps.CAMPAIGN.name), links.get(steps.SAMPLE.name)
        against_before = win_rates.at_gate(
            gate,
            asked.campaign if asked else None,
            new.run if new else None,
            sampled.run if sampled else None,
            plan,
        )
    elif model is not None:
        against_before = win_rates.direct(model, before, undecided=undecided)
    if before == first:
        against_first = against_before
    elif model is not None:
        against_first = win_rates.direct(model, first, undecided=undecided)
    kl = measured_by_run(model.metrics)["kl"] if model else None
    return Attempt(
        chain=chain,
        fate=_fate(chain, gate),
        model=model,
        before=before,
        sentence=gate.verdict.get("sentence", "") if gate else "",
        methods=[STEPS[name].words for name in links if _makes_model(plan, name)],
        learned_from=snapshots,
        pay=_pay(snapshots),
        against_first=against_first,
        against_before=against_before,
        kl=kl,
        kl_to=_reference(model) if model and kl is not None else None,
        held_out=links[steps.HELD_OUT.name].snapshot_id if steps.HELD_OUT.name in links else None,
    )


def _model_of(links: Mapping[str, Link], plan: Plan) -> TrainedModel | None:
    """The last language model that the chain has made."""
    gate = links.get(steps.GATE.name)
    if gate is not None and gate.model is not None:
        return gate.model
    made = [link.run for name, link in links.items() if link.run and _makes_model(plan, name)]
    models = [getattr(run, "trained_model", None) for run in made]
    return next((model for model in reversed(models) if model is not None), None)


def _makes_model(plan: Plan, step: str) -> bool:
    return step in {one.name for one in plan.shape.improving}


def _snapshots(links: Mapping[str, Link], plan: Plan) -> list[LearnedFrom]:
    """What its models learned from, those that chose or scored its responses included."""
    snapshots = [link.snapshot for link in links.values() if link.snapshot is not None]
    if plan.reward_model is not None:
        runs = Run.objects.filter(trained_model=plan.reward_model)
        snapshots += [run.snapshot for run in runs.select_related("snapshot")]
    counts = dict(_members(snapshots).order_by().values_list("snapshot").annotate(Count("pk")))
    return [LearnedFrom(one, counts[one.pk]) for one in snapshots if counts.get(one.pk)]


def _pay(snapshots: Sequence[LearnedFrom]) -> Timesheet | None:
    if not snapshots:
        return None
    return timesheets_selectors.earned_with(judgments=_in_snapshots(snapshots))


def _in_snapshots(snapshots: Sequence[LearnedFrom]) -> Q:
    return Q(pk__in=_members([one.snapshot for one in snapshots]).values("judgment"))


def _members(snapshots: Sequence[Snapshot]) -> QuerySet[SnapshotJudgment]:
    """People's judgments that models learn from."""
    return SnapshotJudgment.objects.filter(
        Judgment.versions_of_people.condition("judgment__"),
        snapshot__in=snapshots,
        judgment__prompt__split=Prompt.Split.TRAIN,
    )


def _judgments(attempts: Sequence[Attempt], campaigns: Collection[int]) -> Q:
    snapshots = [one for attempt in attempts for one in attempt.learned_from]
    return _in_snapshots(snapshots) | Q(campaign__in=campaigns)


def _reference(model: TrainedModel) -> TrainedModel | None:
    """What its KL is measured to."""
    if model.run is None:
        return None
    return model.run.reference_model or registry_selectors.start_of_line(model=model.run.base_model)


def _fate(chain: Chain, gate: Link | None) -> Fate:
    outcome = gate.verdict.get("outcome") if gate else None
    if outcome in _FATES:
        return _FATES[outcome]
    if chain.state in _ENDS:
        return _ENDS[chain.state]
    if gate is not None and gate.state == Link.State.WORKING:
        return Fate.ASKED
    return Fate.GOING


_FATES: Mapping[str | None, Fate] = {
    Outcome.PASSED: Fate.PROMOTED,
    Outcome.UNDECIDED: Fate.UNDECIDED,
    Outcome.FAILED: Fate.REFUSED,
}
_ENDS: Mapping[str, Fate] = {
    Chain.State.APPROVAL: Fate.WAITS,
    Chain.State.FAILED: Fate.FAILED,
    Chain.State.STOPPED: Fate.STOPPED,
    Chain.State.FINISHED: Fate.UNJUDGED,
}


def _with_suites(attempts: Sequence[Attempt], first: TrainedModel) -> list[Attempt]:
    """Each with its scores beside those of the first model, on suites that both have answered."""
    models = list(dict.fromkeys(one.model for one in attempts if one.model and one.model != first))
    card = scorecard(models=models, baseline=first)
    cells = [cell for row in card.lines for cell in row.cells if cell.verdict is not None]
    return [
        replace(one, suites=[cell for cell in cells if cell.model == one.model]) for one in attempts
    ]
