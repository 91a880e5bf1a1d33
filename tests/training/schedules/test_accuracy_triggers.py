"""Schedules by accuracy: measured on judgments that the reward model has not seen, and every firing
says what it found.
"""

from collections.abc import Callable
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from accounts.models import Notice, User
from labeling.models import Judgment, Rater
from tests.accounts.sent_tasks import drop_sent, run_sent
from tests.training.conftest import NOW
from tests.training.snapshots.test_freezing import compare, on_split
from training.models import Chain, Firing, Run, Schedule, Snapshot, SnapshotJudgment, TrainedModel
from training.runs import services as runs_services
from training.runs.services import AttemptResult
from training.schedules import accuracy_triggers, timing
from training.schedules import selectors as schedules_selectors
from training.schedules import services as schedules_services
from training.schedules import tasks as schedules_tasks
from training.schedules.plans.chain_plans import Plan
from training.schedules.services import Terms
from training.schedules.timing import Accuracy, AccuracyCheck, Reason
from training.snapshots import freeze
from training.snapshots.services import Filters

pytestmark = pytest.mark.django_db
WATCH = AccuracyCheck(
    model="reward-12", before=0.712, n_pairs=312, n_wanted=100, points=3, before_low=0.68
)


# --- the decision ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "reason", "sentence"),
    [
        (
            0.579,
            Reason.FELL,
            (
                "Ran because the accuracy of reward-12 fell from 71.2 % to 57.9 % on 312 new pairs,"
                " more than chance explains."
            ),
        ),
        (
            0.70,
            Reason.HOLDS,
            (
                "Skipped because the accuracy of reward-12 has not dropped enough: 71.2 % before,"
                " 70.0 % on 312 new pairs. It runs after a drop of 3 points."
            ),
        ),
        (
            0.65,
            Reason.HOLDS,
            (
                "Skipped because the accuracy of reward-12 on 312 new pairs is 65.0 %, lower than"
                " 71.2 % before, but chance could explain it."
            ),
        ),
    ],
)
def test_a_measurement_says_what_it_found(now: float, reason: Reason, sentence: str) -> None:
    decision = timing.decide_by_accuracy(WATCH, seen=Accuracy(now, now - 0.05, now + 0.05))

    assert (decision.reason, decision.sentence) == (reason, sentence)


def test_without_an_interval_a_drop_cannot_be_told_from_chance() -> None:
    decision = timing.decide_by_accuracy(WATCH, seen=Accuracy(0.1, None, None))

    assert (decision.runs, decision.reason) == (False, Reason.UNMEASURED)
    assert "fewer than five prompts" in decision.sentence


def test_too_few_fresh_pairs_are_not_worth_a_run() -> None:
    few = AccuracyCheck(model="reward-12", before=0.712, n_pairs=12, n_wanted=100, points=3)

    decision = timing.decide_to_measure(few)

    assert not decision.runs
    assert decision.sentence == "Skipped because there are only 12 new pairs and 100 are needed."


def test_without_a_reward_model_there_is_nothing_to_measure() -> None:
    assert timing.decide_to_measure(None).reason == Reason.UNMEASURED


# --- from the clock to the chain ------------------------------------------------------------------


@pytest.fixture
def judge(
    base_model: TrainedModel, make_snapshot: Callable[..., Snapshot], rosa: Rater, noor: User
) -> TrainedModel:
    """A reward model, 71.2 % right, that has learned from one comparison of an hour ago."""
    old = compare(on_split("train")[0], rosa, [1, 2])
    Judgment.versions_of_people.update(submitted_at=NOW - timedelta(hours=3))
    snapshot = make_snapshot("comparisons")
    Snapshot.objects.filter(pk=snapshot.pk).update(created_at=NOW - timedelta(hours=1))
    SnapshotJudgment.objects.create(snapshot=snapshot, judgment=old)
    run = Run.objects.create(
        name="reward",
        kind="reward",
        state="finished",
        outcome="succeeded",
        snapshot=snapshot,
        base_model=base_model,
        config={"max_tokens": 256},
    )
    return TrainedModel.objects.create(
        name="reward-12",
        kind="reward",
        location=base_model.location,
        run=run,
        metrics={"held_out_accuracy_after": 0.712, "held_out_accuracy_low_after": 0.68},
        created_at=NOW,
    )


@pytest.fixture
def schedule(noor: User, base_model: TrainedModel, judge: TrainedModel) -> Callable[..., Schedule]:
    def make(**terms: Any) -> Schedule:
        values: dict[str, Any] = {
            "trigger": "accuracy",
            "time_zone": "UTC",
            "cron": "0 3 * * *",
            "accuracy_drop": 3,
            "n_fresh_pairs": 2,
            "judge": judge,
        }
        return schedules_services.create_schedule(
            name="AccuracyCheck",
            plan=Plan("reward", base_model=base_model.pk),
            terms=Terms(**values | terms),
            by=noor,
            now=NOW,
        )

    return make


@pytest.fixture
def fresh(rosa: Rater) -> list[Judgment]:
    found = [compare(prompt, rosa, [1, 2]) for prompt in on_split("train", 2)]
    Judgment.versions_of_people.filter(pk__in=[one.pk for one in found]).update(submitted_at=NOW)
    return found


def due(schedule: Schedule) -> datetime:
    assert schedule.due_at is not None
    return schedule.due_at


def measured(schedule: Schedule, accuracy: float | None, *, at: datetime) -> Firing:
    """Its moment comes, the worker cuts and queues, the run ends, and the beat looks again."""
    schedules_services.fire_due_schedules(now=due(schedule))
    firing = schedule.firings.get()
    accuracy_triggers.start_measurement(firing_id=firing.pk, now=at)
    firing.refresh_from_db()
    assert firing.run is not None
    claimed = runs_services.claim_run(run_id=firing.run.pk, node="gpu-1", now=at)
    assert claimed is not None
    outcome, metrics = Run.Outcome.FAILED, {}
    if accuracy is not None:
        outcome = Run.Outcome.SUCCEEDED
        metrics = {"held_out_accuracy": accuracy, "n_held_out_pairs": 2}
        ends = {"low": accuracy - 0.04, "high": accuracy + 0.04}
        metrics |= {f"held_out_accuracy_{end}": value for end, value in ends.items()}
    ending = AttemptResult(outcome, error="" if accuracy else "Out of memory.", metrics=metrics)
    runs_services.finish_run(run_id=claimed.pk, attempt=claimed.attempt, result=ending, now=at)
    schedules_services.fire_due_schedules(now=at)
    firing.refresh_from_db()
    return firing


def test_a_retired_reward_model_is_watched_no_more(
    schedule: Callable[..., Schedule], judge: TrainedModel
) -> None:
    watching = schedule()
    assert schedules_selectors.watched_model(schedule=watching) == judge

    TrainedModel.objects.filter(pk=judge.pk).update(stage="retired")

    assert schedules_selectors.watched_model(schedule=watching) is None


def test_a_fall_begins_a_chain_and_says_from_where_to_where(
    schedule: Callable[..., Schedule], fresh: list[Judgment], noor: User
) -> None:
    one = schedule()

    firing = measured(one, 0.579, at=due(one) + timedelta(minutes=9))

    one.refresh_from_db()
    assert firing.sentence == (
        "Ran because the accuracy of reward-12 fell from 71.2 % to 57.9 % on 2 new pairs, more than"
        " chance explains."
    )
    assert firing.chain == Chain.objects.get()
    assert firing.run is not None
    assert set(firing.run.snapshot.judgments.values_list("pk", flat=True)) == {j.pk for j in fresh}
    assert one.last_ran_at == due(one) - timedelta(days=1) + timedelta(minutes=9)
    assert not Notice.objects.filter(person=noor, kind="finished").exists()


def test_an_accuracy_that_holds_begins_nothing_and_is_written_down(
    schedule: Callable[..., Schedule], fresh: list[Judgment]
) -> None:
    one = schedule()

    firing = measured(one, 0.70, at=due(one) + timedelta(minutes=9))

    assert (firing.outcome, firing.reason) == ("skipped", "holds")
    assert not Chain.objects.exists()


def test_a_measurement_that_fails_is_a_skip_that_says_so(
    schedule: Callable[..., Schedule], fresh: list[Judgment]
) -> None:
    one = schedule()

    firing = measured(one, None, at=due(one) + timedelta(minutes=9))

    assert firing.sentence == "Skipped because the accuracy could not be measured. Out of memory."


def test_too_few_fresh_pairs_are_skipped_without_a_run(
    schedule: Callable[..., Schedule], fresh: list[Judgment]
) -> None:
    one = schedule(n_fresh_pairs=312)

    schedules_services.fire_due_schedules(now=due(one))

    assert (
        one.firings.get().sentence
        == "Skipped because there are only 2 new pairs and 312 are needed."
    )
    assert Run.objects.count() == 1


def test_fresh_is_what_came_after_on_items_that_the_snapshot_has_not(
    judge: TrainedModel, fresh: list[Judgment], settings: LazySettings, tmp_path: Path
) -> None:
    assert judge.run is not None
    frozen = freeze.freeze(
        kind="comparisons",
        filters=Filters(fresh_for=judge.run.snapshot_id),
        folder=tmp_path / "cut",
    )

    assert set(frozen.judgment_ids) == {judgment.pk for judgment in fresh}
    assert frozen.card["left_out"]["not fresh"] == 1


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        ({"max_runs_a_week": 1}, "budget"),
        ({"quiet_from": time(0), "quiet_until": time(6)}, "quiet"),
    ],
)
def test_quiet_hours_and_budget_hold_back_the_measurement_itself(
    schedule: Callable[..., Schedule], fresh: list[Judgment], terms: dict[str, Any], reason: str
) -> None:
    one = schedule(**terms)

    schedules_services.fire_due_schedules(now=due(one))

    assert one.firings.get().reason == reason
    assert Run.objects.count() == 1


def test_the_interval_since_the_last_chain_holds(
    schedule: Callable[..., Schedule], fresh: list[Judgment]
) -> None:
    one = schedule(min_interval_h=48)
    Schedule.objects.update(last_ran_at=due(one) - timedelta(hours=20))

    schedules_services.fire_due_schedules(now=due(one))

    assert (
        one.firings.get().sentence
        == "Skipped because it ran 20 h ago and the minimum is 48 hours between runs."
    )


def test_a_fall_found_in_quiet_hours_waits_for_their_end(
    schedule: Callable[..., Schedule], fresh: list[Judgment]
) -> None:
    one = schedule(quiet_from=time(4), quiet_until=time(6))

    firing = measured(one, 0.5, at=due(one).replace(hour=4, minute=30))
    assert firing.outcome == "measuring"
    schedules_services.fire_due_schedules(now=due(one).replace(hour=6, minute=1))

    firing.refresh_from_db()
    assert firing.outcome == "ran"


def test_a_paused_schedule_begins_nothing_when_its_measurement_ends(
    schedule: Callable[..., Schedule], fresh: list[Judgment], noor: User
) -> None:
    one = schedule()
    schedules_services.fire_due_schedules(now=due(one))
    schedules_services.pause_schedule(schedule=one, by=noor, now=NOW)
    firing = one.firings.get()
    accuracy_triggers.start_measurement(firing_id=firing.pk, now=NOW)
    Run.objects.filter(firing=firing).update(
        state="finished",
        outcome="succeeded",
        metrics={
            "held_out_accuracy": 0.1,
            "held_out_accuracy_low": 0.05,
            "held_out_accuracy_high": 0.2,
            "n_held_out_pairs": 2,
        },
    )

    schedules_services.fire_due_schedules(now=due(one) + timedelta(hours=1))

    assert not Chain.objects.exists()


def test_the_tasks_run_twice_have_no_second_effect(
    schedule: Callable[..., Schedule], fresh: list[Judgment], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = schedule()
    at = due(one)
    monkeypatch.setattr("django.utils.timezone.now", lambda: at)
    schedules_services.fire_due_schedules(now=at)
    firing = one.firings.get()

    schedules_tasks.measure(firing_id=firing.pk)
    schedules_tasks.measure(firing_id=firing.pk)
    schedules_tasks.fire_due_schedules()

    assert Run.objects.filter(kind="evaluate").count() == 1
    assert Firing.objects.count() == 1


def test_a_measurement_that_was_taken_before_the_clock_was_set_back_begins_again(
    schedule: Callable[..., Schedule], fresh: list[Judgment]
) -> None:
    schedules_services.fire_due_schedules(now=due(schedule()))
    Firing.objects.update(claimed_at=timezone.now() + timedelta(days=2))
    drop_sent()

    accuracy_triggers.finish_measurements(now=timezone.now())
    run_sent(accuracy_triggers.MEASUREMENTS.task)

    assert Firing.objects.get(outcome="measuring").run == Run.objects.get(kind="evaluate")


def test_the_newest_reward_model_of_the_schedule_is_watched(
    schedule: Callable[..., Schedule], judge: TrainedModel, noor: User
) -> None:
    one = schedule()
    chain = schedules_services.fire_now(schedule=one, by=noor, now=NOW)
    assert judge.run is not None
    run = Run.objects.create(
        name="next",
        kind="reward",
        state="finished",
        outcome="succeeded",
        snapshot=judge.run.snapshot,
        base_model=judge,
    )
    chain.links.filter(step="reward").update(run=run)
    own = TrainedModel.objects.create(name="reward-13", kind="reward", location="/x", run=run)

    assert schedules_selectors.watched_model(schedule=one) == own


# --- pages ----------------------------------------------------------------------------------------


def test_it_is_set_up_on_the_form_and_its_page_says_what_it_watches(
    signed_in: Callable[..., Client],
    noor: User,
    base_model: TrainedModel,
    judge: TrainedModel,
    fresh: list[Judgment],
) -> None:
    client = signed_in(noor)
    sent = {
        "name": "AccuracyCheck",
        "base_model": base_model.pk,
        "includes_imports": "on",
        "config_reward": "preset:small",
        "trigger": "accuracy",
        "cron": "0 3 * * *",
        "time_zone": "UTC",
        "accuracy_drop": "3",
        "n_fresh_pairs": "100",
        "judge": judge.pk,
        "min_interval_h": "0",
    }
    assert client.post("/schedules/new/reward/", sent | {"accuracy_drop": ""}).status_code == 422

    client.post("/schedules/new/reward/", sent)

    one = Schedule.objects.get()
    page = client.get(f"/schedules/{one.pk}/").content.decode()
    assert (one.trigger, one.accuracy_drop, one.n_fresh_pairs, one.judge) == (
        "accuracy",
        3.0,
        100,
        judge,
    )
    assert "2 of 100" in page
    assert "reward-12" in page
    assert (
        "When reward-model accuracy drops"
        not in client.get("/schedules/new/fine-tune/").content.decode()
    )
