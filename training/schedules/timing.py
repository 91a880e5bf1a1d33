"""When a schedule fires, and why or why not. Pure: times and numbers in, a decision with a sentence
out.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from celery.schedules import crontab
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from arithmetic.sequential import any_time

# The share of unchanged models that each half of the test for a drop may be wrong about.
ALPHA = 0.025
# Four years, to include a 29 February. Anything rarer is most likely a typing error.
DAYS_LOOKED_AHEAD = 366 * 4 + 1


class InvalidCron(Exception):
    """The cron expression is not valid; the text says what to write."""


class Reason(StrEnum):
    DUE = "due"
    NEW_JUDGMENTS = "new"
    ASKED = "asked"
    BUSY = "busy"
    QUIET = "quiet"
    TOO_SOON = "too_soon"
    BUDGET = "budget"
    NOTHING_NEW = "nothing_new"
    FELL = "fell"
    HOLDS = "holds"
    TOO_FEW = "too_few"
    MEASURING = "measuring"
    UNMEASURED = "unmeasured"
    BROKEN = "broken"


@dataclass(frozen=True)
class Situation:
    """What a schedule's decision depends on. `n_wanted` is 0 if it is triggered by the clock."""

    now: datetime
    time_zone: str
    what: str
    n_new: int
    n_wanted: int = 0
    skips_nothing_new: bool = False
    quiet_from: time | None = None
    quiet_until: time | None = None
    min_interval: timedelta = timedelta(0)
    last_ran_at: datetime | None = None
    n_runs_planned: int = 0
    n_runs_this_week: int = 0
    max_runs_a_week: int | None = None
    going_on: str = ""
    """the previous chain while it is open; "" otherwise"""


@dataclass(frozen=True)
class AccuracyCheck:
    """What a schedule triggered by accuracy checks: the reward model, its accuracy after training,
    and the number of new pairs.
    """

    model: str
    before: float | None
    n_pairs: int
    n_wanted: int
    points: float
    before_low: float | None = None
    """lower end of the 95 % interval of `before`; None if it has none"""


@dataclass(frozen=True)
class Decision:
    """`held_until`: when a firing delayed by quiet hours is tried again."""

    runs: bool
    reason: Reason
    sentence: str
    held_until: datetime | None = None


def next_due(*, cron: str, time_zone: str, after: datetime) -> datetime:
    """The first time after `after`. An hour skipped by daylight saving does not count; a repeated
    one counts once.

    Raises InvalidCron.
    """
    # Not crontab.remaining_estimate(): it adds the difference of two wall clocks to a moment, so
    # that a Monday 03:00 becomes 02:00 in the week in which summer time starts.
    times, zone = parse_cron(cron), ZoneInfo(time_zone)
    day = after.astimezone(zone).date()
    for ahead in range(DAYS_LOOKED_AHEAD):
        date = day + timedelta(days=ahead)
        if not (
            date.month in times.month_of_year
            and date.day in times.day_of_month
            and date.isoweekday() % 7 in times.day_of_week
        ):
            continue
        for hour in sorted(times.hour):
            for minute in sorted(times.minute):
                wall = datetime.combine(date, time(hour, minute))
                moment = wall.replace(tzinfo=zone).astimezone(UTC)
                is_on_the_clock = moment.astimezone(zone).replace(tzinfo=None) == wall
                if is_on_the_clock and moment > after:
                    return moment
    raise InvalidCron(_("No day in the next four years matches “%(cron)s”.") % {"cron": cron})


def parse_cron(cron: str) -> crontab:
    """Five fields: minute, hour, day of month, month, day of week. Raises InvalidCron."""
    try:
        return crontab.from_string(cron.strip())
    except ValueError as problem:
        raise InvalidCron(
            _(
                "“%(cron)s” is not a valid time. Enter minute, hour, day of month, month and day of"
                " week: “0 3 * * mon” is Mondays at 03:00."
            )
            % {"cron": cron}
        ) from problem


def quiet_hours_end(
    *, now: datetime, time_zone: str, begin: time | None, end: time | None
) -> datetime | None:
    """The end of the current quiet hours; None outside them. They may span midnight."""
    if begin is None or end is None or begin == end:
        return None
    zone = ZoneInfo(time_zone)
    here = now.astimezone(zone)
    clock = here.time().replace(tzinfo=None)
    is_quiet = begin <= clock < end if begin < end else clock >= begin or clock < end
    if not is_quiet:
        return None
    day = here.date() if clock < end else here.date() + timedelta(days=1)
    return datetime.combine(day, end, tzinfo=zone).astimezone(UTC)


def has_enough_new(situation: Situation) -> bool:
    """Always true without a threshold (`n_wanted` is 0)."""
    return situation.n_new >= situation.n_wanted


def decide(situation: Situation) -> Decision:
    """For a schedule that is due."""
    return _hindrance(situation) or _run_decision(situation)


def broken(problem: Exception) -> Decision:
    """For a schedule that cannot be decided because of a bug or invalid settings."""
    words = _(
        "Skipped because its settings have a problem (%(problem)s). Open “Change” and choose again;"
        " see the worker's log for details."
    )
    return _skip(Reason.BROKEN, words % {"problem": f"{type(problem).__name__}: {problem}"})


def decide_to_measure(watch: AccuracyCheck | None) -> Decision:
    """Whether to start the measuring run; `runs` means that run, not the chain."""
    if watch is None or watch.before is None:
        return _skip(
            Reason.UNMEASURED,
            _("Skipped because there is no reward model with a measured accuracy."),
        )
    if watch.n_pairs < watch.n_wanted:
        words = ngettext(
            "Skipped because there is only %(n)s new pair and %(wanted)s are needed.",
            "Skipped because there are only %(n)s new pairs and %(wanted)s are needed.",
            watch.n_pairs,
        )
        return _skip(Reason.TOO_FEW, words % {"n": watch.n_pairs, "wanted": watch.n_wanted})
    words = _("Measuring the accuracy of %(model)s on %(n)s new pairs; it was %(before)s.")
    values = {"model": watch.model, "n": watch.n_pairs, "before": _percent(watch.before)}
    return Decision(runs=True, reason=Reason.MEASURING, sentence=words % values)


@dataclass(frozen=True)
class Accuracy:
    """A measurement with its 95 % interval; None for the ends if there are too few prompts."""

    value: float
    low: float | None
    high: float | None


def decide_by_accuracy(watch: AccuracyCheck, *, seen: Accuracy) -> Decision:
    """After the measurement on the new pairs. The same pairs, and more, are looked at again and
    again, so chance must not start a chain at any of the looks: a drop counts if the bound that
    holds at every look is below the interval of the accuracy before. Together they are wrong in at
    most 5 % of models that have not changed (ALPHA for each).
    """
    before, now = watch.before or 0.0, seen.value
    if watch.before_low is None or seen.low is None or seen.high is None:
        return _skip(
            Reason.UNMEASURED,
            _(
                "Skipped because the accuracy of %(model)s was measured on fewer than five prompts,"
                " too few to tell a drop from chance."
            )
            % {"model": watch.model},
        )
    bound = any_time.upper_bound(now, any_time.variance_of(seen.low, seen.high), alpha=ALPHA)
    values = {
        "model": watch.model,
        "before": _percent(before),
        "now": _percent(now),
        "n": watch.n_pairs,
        "points": f"{watch.points:g}",
    }
    has_dropped = round((before - now) * 100, 6) >= watch.points
    if has_dropped and bound >= watch.before_low:
        words = _(
            "Skipped because the accuracy of %(model)s on %(n)s new pairs is %(now)s, lower than"
            " %(before)s before, but chance could explain it."
        )
        return _skip(Reason.HOLDS, words % values)
    if has_dropped:
        words = _(
            "Ran because the accuracy of %(model)s fell from %(before)s to %(now)s on %(n)s new"
            " pairs, more than chance explains."
        )
        return Decision(runs=True, reason=Reason.FELL, sentence=words % values)
    words = _(
        "Skipped because the accuracy of %(model)s has not dropped enough: %(before)s before,"
        " %(now)s on %(n)s new pairs. It runs after a drop of %(points)s points."
    )
    return _skip(Reason.HOLDS, words % values)


def hindrance(situation: Situation) -> Decision | None:
    """What prevents it from running now, whatever the trigger."""
    return _hindrance(situation)


def _percent(share: float) -> str:
    return _("%(n)s %%") % {"n": f"{share * 100:.1f}"}


def _hindrance(at: Situation) -> Decision | None:
    if at.going_on:
        return _skip(
            Reason.BUSY, _("Skipped because %(chain)s has not finished.") % {"chain": at.going_on}
        )
    until = quiet_hours_end(
        now=at.now, time_zone=at.time_zone, begin=at.quiet_from, end=at.quiet_until
    )
    if until is not None:
        words = _("Delayed until %(time)s because of quiet hours.") % {
            "time": _clock(until, at.time_zone)
        }
        return Decision(runs=False, reason=Reason.QUIET, sentence=words, held_until=until)
    if at.last_ran_at is not None and at.now - at.last_ran_at < at.min_interval:
        hours = at.min_interval // timedelta(hours=1)
        words = ngettext(
            "Skipped because it ran %(ago)s ago and the minimum is %(n)s hour between runs.",
            "Skipped because it ran %(ago)s ago and the minimum is %(n)s hours between runs.",
            hours,
        )
        return _skip(Reason.TOO_SOON, words % {"ago": _ago(at.now - at.last_ran_at), "n": hours})
    if (
        at.max_runs_a_week is not None
        and at.n_runs_this_week + at.n_runs_planned > at.max_runs_a_week
    ):
        words = _(
            "Skipped because of the budget: %(n)s of %(max)s runs started in the last 7 days, and"
            " this would add %(more)s."
        )
        return _skip(
            Reason.BUDGET,
            words
            % {
                "n": at.n_runs_this_week,
                "max": at.max_runs_a_week,
                "more": at.n_runs_planned,
            },
        )
    if at.skips_nothing_new and at.n_new == 0:
        return _skip(
            Reason.NOTHING_NEW,
            _("Skipped because there are no new %(what)s since the last run.") % {"what": at.what},
        )
    return None


def _run_decision(at: Situation) -> Decision:
    counted = {
        "n": at.n_new,
        "what": at.what,
        "wanted": at.n_wanted,
        "time": _clock(at.now, at.time_zone),
    }
    if at.n_wanted:
        words = _("Ran because there are %(n)s new %(what)s (%(wanted)s needed).") % counted
        return Decision(runs=True, reason=Reason.NEW_JUDGMENTS, sentence=words)
    words = _("Ran at its scheduled time (%(time)s), with %(n)s new %(what)s.") % counted
    return Decision(runs=True, reason=Reason.DUE, sentence=words)


def _skip(reason: Reason, sentence: str) -> Decision:
    return Decision(runs=False, reason=reason, sentence=sentence)


def _clock(at: datetime, time_zone: str) -> str:
    return f"{at.astimezone(ZoneInfo(time_zone)):%H:%M} {time_zone}"


def _ago(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    return _("%(n)s h") % {"n": minutes // 60} if minutes >= 60 else _("%(n)s min") % {"n": minutes}
