"""Every write to a schedule. Each firing raises `n_firings` from the value it has read, so that one
moment fires once.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import audit_log
from accounts.models import Notice, User
from accounts.notices import services as notices_services
from accounts.refusals import Refusal
from jobs import guard
from training.models import Chain, Firing, Schedule, TrainedModel
from training.schedules import accuracy_triggers, timing
from training.schedules.chains import start_chain
from training.schedules.plans.chain_plans import Plan
from training.schedules.selectors import situation
from training.schedules.timing import Decision, InvalidCron, Reason

logger = logging.getLogger(__name__)
# Skips for these reasons are reported to the person who created the schedule.
_NOTIFIED = {Reason.NOTHING_NEW: Notice.Kind.NOTHING, Reason.BROKEN: Notice.Kind.FAILED}


class UnableToSchedule(Refusal):
    """The schedule could never fire as requested; the text says what to change."""


class UnableToFire(Refusal):
    """It cannot run now; the text says what it waits for."""


@dataclass(frozen=True)
class Terms:
    """When a schedule runs, and when it must not."""

    trigger: str
    time_zone: str
    cron: str = ""
    n_new: int = 0
    accuracy_drop: float = 0
    n_fresh_pairs: int = 0
    judge: TrainedModel | None = None
    min_interval_h: int = 0
    quiet_from: time | None = None
    quiet_until: time | None = None
    skips_nothing_new: bool = True
    max_runs_a_week: int | None = None


def create_schedule(*, name: str, plan: Plan, terms: Terms, by: User, now: datetime) -> Schedule:
    """Raises UnableToSchedule."""
    _refuse_what_cannot_run(plan)
    with transaction.atomic():
        if Schedule.objects.filter(name=name).exists():
            raise UnableToSchedule(
                _("A schedule called “%(name)s” already exists. Choose another name.")
                % {"name": name}
            )
        schedule = Schedule.objects.create(
            name=name,
            plan=plan.as_json(),
            due_at=_due(terms, now),
            created_by=by,
            created_at=now,
            **vars(terms),
        )
        audit_log.record(
            by, "create", schedule, after={"name": name, "trigger": terms.trigger}, now=now
        )
    return schedule


def change_schedule(
    *, schedule: Schedule, name: str, plan: Plan, terms: Terms, by: User, now: datetime
) -> None:
    """Chains that have already started keep their plan. Raises UnableToSchedule."""
    _refuse_what_cannot_run(plan)
    with transaction.atomic():
        if Schedule.objects.filter(name=name).exclude(pk=schedule.pk).exists():
            raise UnableToSchedule(
                _("A schedule called “%(name)s” already exists. Choose another name.")
                % {"name": name}
            )
        before = _as_recorded(
            Schedule.objects.select_for_update(of=("self",))
            .select_related("judge")
            .get(pk=schedule.pk)
        )
        Schedule.objects.filter(pk=schedule.pk).update(
            name=name, plan=plan.as_json(), due_at=_due(terms, now), **vars(terms)
        )
        after = _as_recorded(Schedule.objects.select_related("judge").get(pk=schedule.pk))
        if before != after:
            changed, changes = _changed(before, after), _changed(after, before)
            audit_log.record(by, "change", schedule, before=changed, after=changes, now=now)


def _refuse_what_cannot_run(plan: Plan) -> None:
    if problems := plan.problems():
        raise UnableToSchedule(" ".join(_(sentence) for sentence in problems))


def pause_schedule(*, schedule: Schedule, by: User, now: datetime) -> bool:
    """Nothing fires automatically until it is resumed. False when it was already paused."""
    with transaction.atomic():
        is_changed = guard.update_one(
            Schedule.objects.filter(pk=schedule.pk, paused_at=None), paused_at=now
        )
        if is_changed:
            audit_log.record(by, "pause", schedule, now=now)
    return is_changed


def resume_schedule(*, schedule: Schedule, by: User, now: datetime) -> bool:
    """Fires at its next time; times missed during the pause are not made up."""
    with transaction.atomic():
        due_at = (
            timing.next_due(cron=schedule.cron, time_zone=schedule.time_zone, after=now)
            if schedule.cron
            else None
        )
        is_changed = guard.update_one(
            Schedule.objects.filter(pk=schedule.pk, paused_at__isnull=False),
            paused_at=None,
            due_at=due_at,
        )
        if is_changed:
            audit_log.record(by, "resume", schedule, now=now)
    return is_changed


def fire_now(*, schedule: Schedule, by: User, now: datetime) -> Chain:
    """Starts a chain regardless of quiet hours, intervals and budget, but not while another chain
    is open.

    Raises UnableToFire.
    """
    at = situation(schedule=schedule, now=now)
    if at.going_on:
        raise UnableToFire(
            _("%(chain)s has not finished. Wait for it or stop it first.") % {"chain": at.going_on}
        )
    asked = Decision(
        runs=True,
        reason=Reason.ASKED,
        sentence=_("Ran because %(person)s started it.") % {"person": by},
    )
    with transaction.atomic():
        chain = _store(schedule, asked, due_at=schedule.due_at, by=by, now=now)
        if chain is None:
            raise UnableToFire(_("It has just run."))
        audit_log.record(by, "fire", schedule, after={"chain": str(chain)}, now=now)
    return chain


def fire_due_schedules(*, now: datetime) -> int:
    """Checks every schedule that is due. Returns how many chains started."""
    by_clock = (Schedule.Trigger.CLOCK, Schedule.Trigger.ACCURACY)
    called = Q(trigger__in=by_clock, due_at__lte=now) | Q(trigger=Schedule.Trigger.DATA)
    due = Schedule.objects.filter(called, paused_at=None).order_by("pk")
    return sum(
        _fire_safely(schedule, now) for schedule in due
    ) + accuracy_triggers.finish_measurements(now=now)


def _fire_safely(schedule: Schedule, now: datetime) -> bool:
    """Returns whether a chain started. Records an error at the schedule it concerns, so that it
    does not hold up the others.
    """
    try:
        with transaction.atomic():
            return _fire(schedule, now) is not None
    except (OperationalError, InterfaceError):
        raise
    except Exception as problem:  # one broken schedule must not stop the others
        logger.exception("Schedule %s could not be looked at.", schedule)
        _record_decision(schedule, timing.broken(problem), now)
        return False


def _record_decision(schedule: Schedule, decision: Decision, now: datetime) -> None:
    """Records the decision; the schedule is checked again at its next time."""
    if schedule.trigger == Schedule.Trigger.DATA:
        if not _is_repeated(schedule, decision):
            _store(schedule, decision, due_at=None, by=None, now=now)
        return
    try:
        due_at = _next(schedule, now)
    except InvalidCron:
        due_at = now + timedelta(days=1)
    _store(schedule, decision, due_at=due_at, by=None, now=now)


def _fire(schedule: Schedule, now: datetime) -> Chain | None:
    at = situation(schedule=schedule, now=now)
    if not timing.has_enough_new(at):
        return None
    if schedule.trigger == Schedule.Trigger.ACCURACY:
        decision = timing.hindrance(at) or accuracy_triggers.decide_to_measure(schedule=schedule)
    else:
        decision = timing.decide(at)
    is_by_data = schedule.trigger == Schedule.Trigger.DATA
    if is_by_data and not decision.runs and _is_repeated(schedule, decision):
        return None
    due_at = None if is_by_data else decision.held_until or _next(schedule, now)
    return _store(schedule, decision, due_at=due_at, by=None, now=now)


def _store(
    schedule: Schedule,
    decision: Decision,
    *,
    due_at: datetime | None,
    by: User | None,
    now: datetime,
) -> Chain | None:
    """Stores the firing and starts its chain; None if another worker was faster, or no chain
    started.
    """
    number = schedule.n_firings + 1
    begins = decision.runs and decision.reason != Reason.MEASURING
    changes = {"n_firings": number, "due_at": due_at} | ({"last_ran_at": now} if begins else {})
    with transaction.atomic():
        if not guard.update_one(
            Schedule.objects.filter(pk=schedule.pk, n_firings=schedule.n_firings), **changes
        ):
            return None
        chain = start_chain(schedule=schedule, number=number, now=now) if begins else None
        firing = Firing.objects.create(
            schedule=schedule,
            number=number,
            at=now,
            outcome=_outcome(decision),
            reason=decision.reason,
            sentence=decision.sentence,
            by=by,
            chain=chain,
        )
        if decision.reason == Reason.MEASURING:
            accuracy_triggers.ring_measurement(firing)
        if decision.reason in _NOTIFIED and schedule.created_by is not None:
            notices_services.notify(
                people=[schedule.created_by],
                key=f"schedule-{schedule.pk}-{number}",
                kind=_NOTIFIED[decision.reason],
                words=lambda: f"{schedule}: {decision.sentence}",
                path=reverse("schedule", args=[schedule.pk]),
                now=now,
            )
    return chain


def _outcome(decision: Decision) -> Firing.Outcome:
    if decision.reason == Reason.MEASURING:
        return Firing.Outcome.MEASURING
    if decision.runs:
        return Firing.Outcome.RAN
    return Firing.Outcome.HELD if decision.held_until else Firing.Outcome.SKIPPED


def _is_repeated(schedule: Schedule, decision: Decision) -> bool:
    """A schedule triggered by data is checked every minute; each reason is recorded once."""
    last = schedule.firings.order_by("-number").first()
    return last is not None and last.reason == decision.reason


def _as_recorded(schedule: Schedule) -> dict[str, object]:
    """The settings for the audit log, with each setting of the plan under its own name."""
    terms = {name: getattr(schedule, name) for name in Terms.__dataclass_fields__}
    recorded = {
        name: value.isoformat("minutes") if isinstance(value, time) else value
        for name, value in terms.items()
    }
    judge = None if schedule.judge is None else str(schedule.judge)
    return {"name": schedule.name, **recorded, "judge": judge, **_settings("plan", schedule.plan)}


def _settings(name: str, value: object) -> dict[str, object]:
    if not isinstance(value, Mapping):
        return {name: value}
    return {
        path: nested
        for key, part in value.items()
        for path, nested in _settings(f"{name}.{key}", part).items()
    }


def _changed(these: Mapping[str, object], others: Mapping[str, object]) -> dict[str, object]:
    return {
        name: value for name, value in these.items() if name not in others or others[name] != value
    }


def _due(terms: Terms, now: datetime) -> datetime | None:
    if terms.trigger not in (Schedule.Trigger.CLOCK, Schedule.Trigger.ACCURACY):
        return None
    try:
        return timing.next_due(cron=terms.cron, time_zone=terms.time_zone, after=now)
    except InvalidCron as problem:
        raise UnableToSchedule(str(problem)) from problem


def _next(schedule: Schedule, now: datetime) -> datetime:
    return timing.next_due(cron=schedule.cron, time_zone=schedule.time_zone, after=now)
