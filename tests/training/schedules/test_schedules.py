"""Schedules: when they fire, what stops them, and that one moment fires once."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import AuditEvent, Notice, User
from labeling.models import Campaign, Rater
from tests.training.conftest import NOW
from tests.training.snapshots.test_freezing import demonstrate, on_split
from training.models import Chain, Firing, Schedule, TrainedModel
from training.processes.messages import CHAINS
from training.schedules import selectors as schedules_selectors
from training.schedules import services as schedules_services
from training.schedules import tasks as schedules_tasks
from training.schedules import timing
from training.schedules.plans import chain_plans
from training.schedules.plans.chain_plans import Plan
from training.schedules.plans.steps import STEPS
from training.schedules.services import Terms, UnableToFire, UnableToSchedule
from training.schedules.timing import InvalidCron, Reason, Situation

MONDAY = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
CALM = Situation(now=MONDAY, time_zone="UTC", what="comparisons", n_new=12)


def due(cron: str, after: datetime, zone: str = "UTC") -> str:
    return timing.next_due(cron=cron, time_zone=zone, after=after).isoformat()


# --- the clock ------------------------------------------------------------------------------------


def test_a_weekly_time_comes_in_its_own_time_zone() -> None:
    assert due("0 3 * * mon", MONDAY, "Europe/Berlin") == "2026-11-30T02:00:00+00:00"
    assert (
        due("0 3 * * mon", MONDAY - timedelta(minutes=1), "Europe/Berlin")
        == "2026-11-23T02:00:00+00:00"
    )


def test_an_hour_that_the_clocks_leave_out_passes_by() -> None:
    before = datetime(2026, 3, 28, 12, tzinfo=UTC)

    assert due("30 2 * * *", before, "Europe/Berlin") == "2026-03-30T00:30:00+00:00"


def test_an_hour_that_comes_twice_counts_once() -> None:
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)

    assert due("30 2 * * *", first - timedelta(minutes=1), "Europe/Berlin") == first.isoformat()
    assert due("30 2 * * *", first, "Europe/Berlin") == "2026-10-26T01:30:00+00:00"


@pytest.mark.parametrize("cron", ["", "every monday", "61 * * * *", "0 3 * *", "0 0 31 2 *"])
def test_what_is_no_time_is_refused_with_an_example(cron: str) -> None:
    with pytest.raises(InvalidCron, match="0 3 \\* \\* mon"):
        timing.parse_cron(cron)


def test_a_day_that_never_comes_is_refused() -> None:
    with pytest.raises(InvalidCron, match="No day"):
        due("0 0 29 2 mon", MONDAY)


@pytest.mark.parametrize(
    ("begin", "end", "hour", "over"),
    [
        (22, 6, 23, "2026-11-24T06:00:00+00:00"),
        (22, 6, 2, "2026-11-23T06:00:00+00:00"),
        (22, 6, 12, None),
        (8, 18, 18, None),
    ],
)
def test_quiet_hours_may_reach_over_midnight(
    begin: int, end: int, hour: int, over: str | None
) -> None:
    ends = timing.quiet_hours_end(
        now=MONDAY.replace(hour=hour), time_zone="UTC", begin=time(begin), end=time(end)
    )

    assert (ends.isoformat() if ends else None) == over


# --- the decision ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "reason", "sentence"),
    [
        ({}, Reason.DUE, "Ran at its scheduled time (02:00 UTC), with 12 new comparisons."),
        (
            {"n_wanted": 10},
            Reason.NEW_JUDGMENTS,
            "Ran because there are 12 new comparisons (10 needed).",
        ),
        ({"going_on": "Weekly 4"}, Reason.BUSY, "Skipped because Weekly 4 has not finished."),
        (
            {"quiet_from": time(22), "quiet_until": time(6)},
            Reason.QUIET,
            "Delayed until 06:00 UTC because of quiet hours.",
        ),
        (
            {"last_ran_at": MONDAY - timedelta(hours=5), "min_interval": timedelta(hours=24)},
            Reason.TOO_SOON,
            ("Skipped because it ran 5 h ago and the minimum is 24 hours between runs."),
        ),
        (
            {"max_runs_a_week": 8, "n_runs_this_week": 6, "n_runs_planned": 4},
            Reason.BUDGET,
            (
                "Skipped because of the budget: 6 of 8 runs started in the last 7 days, and this"
                " would add 4."
            ),
        ),
        (
            {"n_new": 0, "skips_nothing_new": True},
            Reason.NOTHING_NEW,
            "Skipped because there are no new comparisons since the last run.",
        ),
    ],
)
def test_every_decision_says_why(changes: dict[str, Any], reason: Reason, sentence: str) -> None:
    decision = timing.decide(replace(CALM, **changes))

    assert (decision.reason, decision.sentence) == (reason, sentence)


# --- firing ---------------------------------------------------------------------------------------

pytestmark = pytest.mark.django_db


@pytest.fixture
def schedule(noor: User, base_model: TrainedModel) -> Callable[..., Schedule]:
    def make(name: str = "Weekly", template: str = "fine-tune", **terms: Any) -> Schedule:
        values: dict[str, Any] = {
            "trigger": "clock",
            "time_zone": "UTC",
            "cron": "0 3 * * *",
            "skips_nothing_new": False,
        } | terms
        plan = Plan(template=template, base_model=base_model.pk)
        return schedules_services.create_schedule(
            name=name, plan=plan, terms=Terms(**values), by=noor, now=NOW
        )

    return make


def moment_of(schedule: Schedule) -> datetime:
    """When a schedule by clock is due."""
    assert schedule.due_at is not None
    return schedule.due_at


def fire(now: datetime) -> int:
    return schedules_services.fire_due_schedules(now=now)


def test_a_schedule_by_clock_begins_a_chain_when_it_is_due_and_not_before(
    schedule: Callable[..., Schedule],
) -> None:
    one = schedule()

    assert fire(NOW) == 0
    assert fire(moment_of(one)) == 1

    chain = Chain.objects.get()
    assert [link.step for link in chain.links.order_by("position")] == ["demonstrations", "sft"]
    assert chain.firing.outcome == "ran"


def test_one_moment_fires_once_however_often_it_is_looked_at(
    schedule: Callable[..., Schedule],
) -> None:
    one = schedule()

    assert [fire(moment_of(one)), fire(moment_of(one))] == [1, 0]

    one.refresh_from_db()
    assert (one.n_firings, one.due_at) == (1, datetime(2026, 11, 27, 3, tzinfo=UTC))


def test_two_that_look_at_the_same_time_begin_one_chain(
    schedule: Callable[..., Schedule], noor: User
) -> None:
    seen_by_both = schedule()

    schedules_services.fire_now(schedule=seen_by_both, by=noor, now=NOW)
    Chain.objects.update(state="finished")

    with pytest.raises(UnableToFire, match="just run"):
        schedules_services.fire_now(schedule=seen_by_both, by=noor, now=NOW)


def test_quiet_hours_put_it_off_to_their_end(schedule: Callable[..., Schedule]) -> None:
    one = schedule(quiet_from=time(1), quiet_until=time(7))

    assert fire(moment_of(one)) == 0
    one.refresh_from_db()
    assert one.due_at == datetime(2026, 11, 26, 7, tzinfo=UTC)
    assert fire(moment_of(one)) == 1


def test_by_data_it_waits_for_enough_and_then_counts_from_zero(
    schedule: Callable[..., Schedule], rosa: Rater, demonstration_campaign: Campaign
) -> None:
    one = schedule(trigger="data", cron="", n_new=2)
    later = datetime.now(UTC) + timedelta(hours=1)
    prompts = on_split("train", 2)

    demonstrate(prompts[0], rosa, campaign=demonstration_campaign)
    assert fire(later) == 0
    assert not Firing.objects.exists()
    demonstrate(prompts[1], rosa, campaign=demonstration_campaign)
    assert fire(later) == 1

    one.refresh_from_db()
    assert one.firings.get().sentence == "Ran because there are 2 new demonstrations (2 needed)."
    assert schedules_selectors.n_new(schedule=one) == 0


def test_what_holds_back_one_by_data_is_written_down_once(
    schedule: Callable[..., Schedule], rosa: Rater, demonstration_campaign: Campaign
) -> None:
    one = schedule(trigger="data", cron="", n_new=1, max_runs_a_week=0)
    demonstrate(on_split("train")[0], rosa, campaign=demonstration_campaign)
    later = datetime.now(UTC) + timedelta(hours=1)

    fire(later)
    fire(later + timedelta(minutes=1))

    assert [firing.reason for firing in one.firings.all()] == ["budget"]


def test_nothing_new_is_skipped_with_a_reason(
    schedule: Callable[..., Schedule], noor: User
) -> None:
    one = schedule(skips_nothing_new=True)

    fire(moment_of(one))

    assert one.firings.get().outcome == "skipped"
    notice = Notice.objects.get(person=noor)
    assert (notice.kind, notice.path) == ("nothing", f"/schedules/{one.pk}/")


def test_a_paused_schedule_does_not_fire_and_does_not_make_up_for_it(
    schedule: Callable[..., Schedule], noor: User
) -> None:
    one = schedule()
    schedules_services.pause_schedule(schedule=one, by=noor, now=NOW)

    assert fire(NOW + timedelta(days=9)) == 0
    schedules_services.resume_schedule(schedule=one, by=noor, now=NOW + timedelta(days=9))
    assert fire(NOW + timedelta(days=9)) == 0


def test_a_person_fires_it_in_quiet_hours_but_not_while_a_chain_goes_on(
    schedule: Callable[..., Schedule], noor: User
) -> None:
    one = schedule(quiet_from=time(0), quiet_until=time(23, 59))
    schedules_services.fire_now(schedule=one, by=noor, now=NOW)
    one.refresh_from_db()

    assert one.firings.get().sentence == "Ran because Noor started it."
    with pytest.raises(UnableToFire, match="Weekly 1 has not finished"):
        schedules_services.fire_now(schedule=one, by=noor, now=NOW)


def test_a_change_keeps_what_was_and_what_is(
    schedule: Callable[..., Schedule], noor: User, base_model: TrainedModel
) -> None:
    one = schedule(quiet_from=time(1), quiet_until=time(7))
    plan = Plan(
        template="fine-tune",
        base_model=base_model.pk,
        n_prompts=50,
        configs={"sft": {"learning_rate": 1e-5}},
    )
    terms = Terms(trigger="clock", time_zone="UTC", cron="0 4 * * *", skips_nothing_new=False)

    for _again in range(2):
        schedules_services.change_schedule(
            schedule=one, name="Weekly", plan=plan, terms=terms, by=noor, now=NOW
        )

    change = AuditEvent.objects.get(
        action="change", target_type="training.schedule", target_id=one.pk
    )
    assert change.before == {
        "cron": "0 3 * * *",
        "quiet_from": "01:00",
        "quiet_until": "07:00",
        "plan.n_prompts": None,
    }
    assert change.after == {
        "cron": "0 4 * * *",
        "quiet_from": None,
        "quiet_until": None,
        "plan.n_prompts": 50,
        "plan.configs.sft.learning_rate": 1e-5,
    }


def test_who_began_a_chain_is_written_down(schedule: Callable[..., Schedule], noor: User) -> None:
    one = schedule()

    schedules_services.fire_now(schedule=one, by=noor, now=NOW)

    event = AuditEvent.objects.get(action="fire")
    assert (event.by, event.target_id, event.after) == (noor, one.pk, {"chain": "Weekly 1"})


def test_a_time_that_never_comes_is_refused(schedule: Callable[..., Schedule]) -> None:
    with pytest.raises(UnableToSchedule, match="is not a valid time"):
        schedule(cron="soon")


def test_two_schedules_of_one_name_are_refused(schedule: Callable[..., Schedule]) -> None:
    schedule()

    with pytest.raises(UnableToSchedule, match="already"):
        schedule()


def test_the_tasks_run_twice_have_no_second_effect(schedule: Callable[..., Schedule]) -> None:
    one = schedule()
    Schedule.objects.filter(pk=one.pk).update(due_at=NOW - timedelta(days=3650))

    schedules_tasks.fire_due_schedules()
    schedules_tasks.fire_due_schedules()
    CHAINS.wake_waiting(now=NOW)
    CHAINS.wake_waiting(now=NOW)

    assert (Chain.objects.count(), Firing.objects.count()) == (1, 1)


@pytest.mark.parametrize("template", chain_plans.TEMPLATES)
def test_every_step_of_every_template_has_words_and_follows_what_it_needs(template: str) -> None:
    steps = [step.name for step in chain_plans.TEMPLATES[template].steps]
    needs = {
        "sft": "demonstrations",
        "reward": "comparisons",
        "ppo": "reward",
        "sample": "held_out",
        "campaign": "sample",
    }
    needs |= {
        "dpo": "comparisons",
        "rloo": "reward",
        "evaluate": "prompts",
        "gate": "campaign",
        "campaign_first": "sample_first",
    }

    assert all(STEPS[step].words for step in steps)
    assert all(steps.index(needs[step]) < steps.index(step) for step in steps if step in needs)


@pytest.mark.django_db
def test_a_schedule_that_is_broken_says_so_and_holds_no_other_up(
    noor: User, base_model: TrainedModel, signed_in: Callable[..., Client]
) -> None:
    terms = Terms(trigger="clock", time_zone="UTC", cron="0 3 * * *", skips_nothing_new=False)
    gone, sound = (
        schedules_services.create_schedule(
            name=name, plan=Plan("fine-tune", base_model=pk), terms=terms, by=noor, now=NOW
        )
        for name, pk in (("gone", 10**9), ("sound", base_model.pk))
    )

    for _time in range(2):
        schedules_services.fire_due_schedules(now=NOW + timedelta(days=1))

    firing = Firing.objects.get(schedule=gone)
    assert (firing.outcome, firing.reason, firing.chain) == ("skipped", Reason.BROKEN, None)
    assert "its settings have a problem (DoesNotExist: TrainedModel" in firing.sentence
    assert Schedule.objects.get(pk=gone.pk).due_at == NOW.replace(hour=3) + timedelta(days=2)
    assert Chain.objects.get().schedule == sound
    assert Notice.objects.get(person=noor).kind == "failed"
    assert (
        "its settings have a problem"
        in signed_in(noor).get(f"/schedules/{gone.pk}/").content.decode()
    )


def test_a_plan_of_an_earlier_version_leaves_out_what_is_no_setting_any_more() -> None:
    kept = Plan("fine-tune", base_model=1, n_gpus=2).as_json()

    assert Plan.from_json(kept | {"gone_setting": 1}) == Plan.from_json(kept)
