"""Queries for schedules: new judgments, what blocks them, and their chains."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import combinations

from django.db.models import Count, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.utils.functional import Promise
from django.utils.translation import gettext

from labeling.access import visible
from labeling.models import Judgment, RankedResponse
from labeling.votes import counting
from training.models import Chain, Firing, Link, Run, Schedule, Snapshot, TrainedModel
from training.schedules.plans import steps
from training.schedules.plans.chain_plans import Plan
from training.schedules.plans.step import Template
from training.schedules.plans.steps import REWARD, STEPS
from training.schedules.timing import AccuracyCheck, Situation
from training.snapshots import new_judgments

OPEN = (Chain.State.GOING, Chain.State.APPROVAL)
WEEK = timedelta(days=7)


@dataclass(frozen=True)
class ScheduleRow:
    """A schedule in the list. `n_new` is only counted for schedules triggered by data."""

    schedule: Schedule
    shape: Template
    n_new: int
    chain: Chain | None
    firing: Firing | None


@dataclass(frozen=True)
class LinkRow:
    link: Link
    words: Promise
    seconds: float | None


def free_name(wanted: str) -> str:
    """`wanted`, or with the lowest number behind it that makes a name that no schedule has."""
    taken = set(Schedule.objects.filter(name__startswith=wanted).values_list("name", flat=True))
    names = (wanted, *(f"{wanted} ({n})" for n in range(2, len(taken) + 3)))
    return next(name for name in names if name not in taken)


def schedules() -> list[ScheduleRow]:
    """By name, each with its newest chain and firing."""
    rows = Schedule.objects.select_related("created_by").order_by("name")
    chain_of = {
        chain.schedule_id: chain
        for chain in Chain.objects.filter(number=_newest(Chain)).select_related("schedule")
    }
    firing_of = {
        firing.schedule_id: firing for firing in Firing.objects.filter(number=_newest(Firing))
    }
    return [
        ScheduleRow(
            schedule,
            Plan.from_json(schedule.plan).shape,
            n_new(schedule=schedule) if schedule.trigger == Schedule.Trigger.DATA else 0,
            chain_of.get(schedule.pk),
            firing_of.get(schedule.pk),
        )
        for schedule in rows
    ]


def n_new(*, schedule: Schedule) -> int:
    """Judgments for the schedule's snapshot since it last ran."""
    plan = Plan.from_json(schedule.plan)
    is_written = plan.shape.counted.kind == Snapshot.Kind.DEMONSTRATIONS
    kind = Judgment.Kind.DEMONSTRATION if is_written else Judgment.Kind.COMPARISON
    judgments = Judgment.of_people.filter(kind=kind)
    if schedule.last_ran_at is not None:
        judgments = judgments.filter(submitted_at__gt=schedule.last_ran_at)
    return _filtered(plan, judgments).count()


def watched_model(*, schedule: Schedule) -> TrainedModel | None:
    """The reward model of a schedule triggered by accuracy: the newest from its own chains, or else
    the chosen one.
    """
    there = (
        TrainedModel.objects.filter(freed_at=None)
        .exclude(stage=TrainedModel.Stage.RETIRED)
        .select_related("run__snapshot")
    )
    own = there.filter(run__link__chain__schedule=schedule, run__link__step=REWARD.name)
    return (
        own.order_by("-pk").first()
        or there.filter(pk=schedule.judge_id or 0, run__isnull=False).first()
    )


def accuracy_check(*, schedule: Schedule, model: TrainedModel | None) -> AccuracyCheck | None:
    """The new pairs for this model, and its accuracy before; None without a trained model."""
    if model is None or model.run is None:
        return None
    plan = Plan.from_json(schedule.plan)
    fresh = _filtered(plan, new_judgments.comparisons_after(snapshot=model.run.snapshot))
    ranks: dict[int, list[int]] = defaultdict(list)
    ranked = RankedResponse.objects.filter(comparison__judgment__in=fresh, rank__isnull=False)
    for comparison, rank in ranked.values_list("comparison_id", "rank"):
        ranks[comparison].append(rank or 0)
    n_pairs = sum(a != b for own in ranks.values() for a, b in combinations(own, 2))
    return AccuracyCheck(
        model.name,
        model.metrics.get("held_out_accuracy_after"),
        n_pairs,
        schedule.n_fresh_pairs,
        schedule.accuracy_drop,
        before_low=model.metrics.get("held_out_accuracy_low_after"),
    )


def _filtered(plan: Plan, judgments: QuerySet[Judgment]) -> QuerySet[Judgment]:
    """Those that the schedule's snapshots include."""
    counted = counting.counts(
        with_extra=plan.filters.get("includes_extra", False),
        with_repeats=plan.filters.get("includes_repeats", False),
        with_set_aside=plan.filters.get("includes_set_aside", False),
    )
    judgments = visible(judgments.filter(counted))
    wanted = (
        Q(campaign__in=plan.filters["campaigns"])
        if plan.filters.get("campaigns")
        else Q(campaign__isnull=False)
    )
    if plan.filters.get("includes_imports", True):
        wanted |= Q(campaign=None)
    return judgments.filter(wanted)


def situation(*, schedule: Schedule, now: datetime) -> Situation:
    plan = Plan.from_json(schedule.plan)
    shape = plan.shape
    going = schedule.chains.filter(state__in=OPEN).order_by("number").first()
    measuring = schedule.firings.filter(outcome=Firing.Outcome.MEASURING).order_by("number").first()
    is_by_accuracy = schedule.trigger == Schedule.Trigger.ACCURACY
    is_by_data = schedule.trigger == Schedule.Trigger.DATA
    return Situation(
        now=now,
        time_zone=schedule.time_zone,
        what=str(Snapshot.Kind(shape.counted.kind).label),
        n_new=n_new(schedule=schedule),
        n_wanted=schedule.n_new if is_by_data else 0,
        skips_nothing_new=schedule.skips_nothing_new
        and not is_by_accuracy
        and plan.reward_model is None
        # Such a chain asks for what it learns from.
        and not {steps.TAUGHT, steps.RANKING} & set(shape.steps),
        quiet_from=schedule.quiet_from,
        quiet_until=schedule.quiet_until,
        min_interval=timedelta(hours=schedule.min_interval_h),
        last_ran_at=schedule.last_ran_at,
        n_runs_planned=len(shape.runs) + (1 if is_by_accuracy else 0),
        n_runs_this_week=Run.objects.filter(
            Q(link__chain__schedule=schedule) | Q(firing__schedule=schedule),
            created_at__gt=now - WEEK,
        ).count(),
        max_runs_a_week=schedule.max_runs_a_week,
        going_on=(
            str(going)
            if going
            else gettext("measurement %(n)s") % {"n": measuring.number}
            if measuring
            else ""
        ),
    )


def firings(*, schedule: Schedule) -> QuerySet[Firing]:
    """Newest first."""
    return schedule.firings.select_related("chain__schedule", "by").order_by("-number")


def chains(*, schedule: Schedule) -> QuerySet[Chain]:
    """Newest first, with their progress."""
    return (
        schedule.chains.select_related("schedule")
        .annotate(
            n_links=Count("links"), n_done=Count("links", filter=Q(links__state=Link.State.DONE))
        )
        .order_by("-number")
    )


def is_newest(*, chain: Chain) -> bool:
    """Whether its schedule has started none since."""
    return not Chain.objects.filter(schedule=chain.schedule_id, number__gt=chain.number).exists()


def chains_with_links(*, schedule_id: int | None = None, state: str = "") -> QuerySet[Chain]:
    """With their links in order; filtered by schedule and state if given."""
    of_chain = Prefetch("links", Link.objects.select_related("approved_by").order_by("position"))
    queryset = Chain.objects.select_related("firing").prefetch_related(of_chain)
    if schedule_id is not None:
        queryset = queryset.filter(schedule=schedule_id)
    return queryset.filter(state=state) if state else queryset


def links(*, chain: Chain) -> list[LinkRow]:
    rows = chain.links.select_related(
        "snapshot", "run__trained_model", "campaign", "approved_by"
    ).order_by("position")
    return [LinkRow(link, STEPS[link.step].words, _seconds(link)) for link in rows]


def halted_link(*, chain: Chain) -> Link | None:
    """The link at which the chain waits for a person: to approve it, or to resume after it
    failed.
    """
    return chain.links.filter(state__in=(Link.State.APPROVAL, Link.State.FAILED)).first()


def saved_model(*, chain: Chain) -> TrainedModel | None:
    """The model saved by the failed link's stopped run; a person may continue the chain with it."""
    if chain.state != Chain.State.FAILED:
        return None
    stopped = TrainedModel.objects.filter(run__outcome=Run.Outcome.STOPPED)
    return stopped.filter(run__link__chain=chain, run__link__state=Link.State.FAILED).first()


def going_chain_ids(*, now: datetime) -> list[int]:
    return list(
        Chain.objects.filter(state=Chain.State.GOING).order_by("pk").values_list("pk", flat=True)
    )


def _newest(model: type[Chain] | type[Firing]) -> Subquery:
    """The highest number within the same schedule."""
    own = model._default_manager.filter(schedule=OuterRef("schedule"))
    return Subquery(own.order_by("-number").values("number")[:1])


def _seconds(link: Link) -> float | None:
    if link.claimed_at is None or link.ended_at is None:
        return None
    return max(0.0, (link.ended_at - link.claimed_at).total_seconds())
