"""What is freed and what stays: the best model, the last one, and what is pinned or needed stay."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from django.conf import LazySettings

from accounts.models import AuditEvent, User
from tests.training.conftest import NOW
from tests.training.storage.storage_rows import key
from training.models import Chain, Run, Snapshot, TrainedModel
from training.processes import run_dir
from training.runs import run_queue
from training.runs.run_queue import UnableToQueue
from training.schedules import services as schedules_services
from training.schedules.plans.chain_plans import Plan
from training.schedules.services import Terms
from training.storage import selectors as storage_selectors
from training.storage import services as storage_services
from training.storage import store
from training.storage import tasks as storage_tasks

pytestmark = pytest.mark.django_db
Made = Callable[..., tuple[Run, TrainedModel]]


def freeable() -> set[str]:
    return {one.key for one in storage_selectors.overview().freeable}


def free_all(by: User | None = None) -> storage_services.Freed:
    return storage_services.free(keys=freeable(), by=by, now=NOW)


def test_the_best_and_the_last_stay_and_what_is_between_can_go(made: Made) -> None:
    made(1.0)
    run, model = made(1.5)
    made(1.2)

    assert freeable() == {key(run), key(model)}


def test_each_kind_in_each_line_has_its_own_best_and_last(made: Made) -> None:
    made(1.0)
    made(2.0, kind="dpo")

    assert freeable() == set()


def test_freeing_removes_weights_and_checkpoints_and_leaves_rows_and_logs(
    made: Made, noor: User, settings: LazySettings
) -> None:
    made(1.0)
    run, model = made(1.5)
    made(1.2)

    done = free_all(noor)

    run.refresh_from_db()
    model.refresh_from_db()
    assert (done.n_bytes, done.n_done, done.n_kept) == (3000, 2, 0)
    assert (run.kept_step, run.freed_at, model.freed_at) == (None, NOW, NOW)
    assert not Path(model.location).exists()
    assert [path.name for path in (settings.RUNS_DIR / str(run.pk)).iterdir()] == [run_dir.LOG]
    assert set(
        AuditEvent.objects.filter(action="free", by=noor).values_list("target_type", flat=True)
    ) == {
        "training.run",
        "training.trainedmodel",
    }


def test_what_is_pinned_or_approved_stays(made: Made, noor: User) -> None:
    made(1.0)
    pinned, approved = made(1.5), made(1.6)
    made(1.2)
    storage_services.pin_run(run=pinned[0], by=noor, now=NOW)
    storage_services.pin_model(model=pinned[1], by=noor, now=NOW)
    TrainedModel.objects.filter(pk=approved[1].pk).update(stage="approved")

    assert freeable() == {key(approved[0])}
    storage_services.unpin_model(model=pinned[1], by=noor, now=NOW)
    assert key(pinned[1]) in freeable()


def test_a_model_that_a_waiting_run_begins_with_stays(made: Made) -> None:
    made(1.0)
    _run, needed = made(1.5)
    made(1.2)
    Run.objects.create(
        name="next", kind="sft", state="queued", base_model=needed, snapshot=Snapshot.objects.get()
    )

    assert key(needed) not in freeable()


def test_a_failed_runs_checkpoints_stay_until_a_new_try_of_it_has_succeeded(made: Made) -> None:
    failed, model = made(1.5, outcome="failed", kept_step=None)
    model.delete()

    assert key(failed) not in freeable()
    retried, _model = made(1.2, made_from=failed, made_as="retry")
    assert freeable() == {key(failed)}
    assert retried.made_from == failed


def test_a_state_that_an_extension_waits_for_stays(made: Made) -> None:
    made(1.0)
    run, _model = made(1.5)
    made(1.2)
    Run.objects.create(
        name="longer",
        kind="sft",
        state="queued",
        base_model=run.base_model,
        snapshot=run.snapshot,
        made_from=run,
        made_as="extension",
    )

    assert key(run) not in freeable()


def test_a_model_that_a_schedule_begins_with_stays(made: Made, noor: User) -> None:
    made(1.0)
    _run, model = made(1.5)
    made(1.2)
    plan, terms = Plan("fine-tune", base_model=model.pk), Terms(trigger="hand", time_zone="UTC")
    schedules_services.create_schedule(name="Weekly", plan=plan, terms=terms, by=noor, now=NOW)

    assert key(model) not in freeable()


def test_a_model_that_a_chain_measures_its_kl_to_stays(made: Made, noor: User) -> None:
    made(1.0)
    _run, model = made(1.5)
    run, _last = made(1.2)
    made(2.0)
    assert key(model) in freeable()
    base = run.base_model_id
    plan, terms = Plan("fine-tune", base_model=base), Terms(trigger="hand", time_zone="UTC")
    schedule = schedules_services.create_schedule(
        name="Weekly", plan=plan, terms=terms, by=noor, now=NOW
    )
    chain = schedules_services.fire_now(schedule=schedule, by=noor, now=NOW)
    chain.links.filter(step="sft").update(run=run)
    Chain.objects.filter(pk=chain.pk).update(state="finished")
    assert key(model) in freeable()

    Run.objects.filter(pk=run.pk).update(reference_model=model)

    assert key(model) not in freeable()


def test_a_state_that_is_extended_since_it_was_looked_at_stays(
    made: Made, noor: User, settings: LazySettings
) -> None:
    made(1.0)
    run, _model = made(1.5, config={"n_epochs": 1})
    made(1.2)
    seen = next(one for one in storage_selectors.overview().freeable if one.key == key(run))
    run_queue.extend_run(run=run, name="longer", amount=9, by=noor, now=NOW)

    assert not storage_services._free_holding(seen, noor, NOW)
    assert (settings.RUNS_DIR / str(run.pk) / run_dir.CHECKPOINTS).exists()


def test_a_run_whose_state_was_freed_meanwhile_is_not_extended(made: Made, noor: User) -> None:
    made(1.0)
    run, _model = made(1.5, config={"n_epochs": 1})
    made(1.2)
    free_all(noor)

    with pytest.raises(UnableToQueue, match="kept no state"):
        run_queue.extend_run(run=run, name="longer", amount=9, by=noor, now=NOW)


def test_a_reward_model_that_a_schedule_or_an_open_chain_names_stays(
    made: Made, noor: User, base_model: TrainedModel
) -> None:
    models = [made(1.0 + number)[1] for number in range(4)]
    judge, older = models[1], models[2]
    TrainedModel.objects.filter(pk__in=[judge.pk, older.pk]).update(kind="reward")
    plan = Plan("rejection-ppo", base_model=base_model.pk, reward_model=judge.pk)
    schedule = schedules_services.create_schedule(
        name="W", plan=plan, terms=Terms("hand", "UTC"), by=noor, now=NOW
    )
    begun_with = replace(plan, reward_model=older.pk).as_json()

    assert {key(judge), key(older)} & freeable() == {key(older)}
    chain = Chain.objects.create(
        schedule=schedule, number=1, plan=begun_with, base_model=base_model
    )
    assert {key(judge), key(older)} & freeable() == set()
    Chain.objects.filter(pk=chain.pk).update(state="finished")
    assert {key(judge), key(older)} & freeable() == {key(older)}


def test_a_running_runs_folder_is_never_offered(made: Made) -> None:
    made(1.0)
    run, _model = made(1.5)
    made(1.2)
    Run.objects.filter(pk=run.pk).update(state="running", outcome="")

    assert key(run) not in freeable()


def test_what_is_needed_since_it_was_looked_at_stays(made: Made, noor: User) -> None:
    made(1.0)
    run, model = made(1.5)
    made(1.2)
    asked = freeable()
    storage_services.pin_run(run=run, by=noor, now=NOW)
    storage_services.pin_model(model=model, by=noor, now=NOW)

    done = storage_services.free(keys=asked, by=noor, now=NOW)

    assert (done.n_done, done.n_kept) == (0, 2)
    assert Path(model.location).exists()


def test_no_run_begins_with_a_model_whose_weights_are_gone(made: Made, noor: User) -> None:
    made(1.0)
    run, model = made(1.5)
    made(1.2)
    free_all()

    with pytest.raises(UnableToQueue, match="were deleted"):
        run_queue.queue_run(
            kind="sft",
            name="x",
            config={},
            snapshot=run.snapshot,
            base_model=model,
            by=noor,
            now=NOW,
        )


def test_by_night_only_what_is_old_goes_and_twice_does_no_more(
    made: Made, settings: LazySettings
) -> None:
    settings.KEEP_DAYS = 36_500
    made(1.0)
    _old, young = made(1.5, days=37_000), made(1.6, days=5)
    made(1.2, days=1)

    storage_tasks.free_by_night()
    storage_tasks.free_by_night()

    assert set(AuditEvent.objects.filter(action="free").values_list("by", flat=True)) == {None}
    assert AuditEvent.objects.filter(action="free").count() == 2
    assert freeable() == {key(young[0]), key(young[1])}


def test_with_no_days_nothing_is_freed_by_itself(made: Made, settings: LazySettings) -> None:
    settings.KEEP_DAYS = 0
    made(1.0)
    made(1.5, days=900)
    made(1.2)

    assert storage_services.free_old(now=NOW).n_done == 0


def test_a_model_in_a_shared_store_is_freed_there_and_its_copy_here(
    made: Made, settings: LazySettings, tmp_path: Path
) -> None:
    settings.ARTIFACT_STORE = f"file://{tmp_path}/artifacts"
    made(1.0)
    run, model = made(1.5)
    made(1.2)
    TrainedModel.objects.filter(pk=model.pk).update(location=f"file://{model.location}")
    copy = settings.MODELS_DIR / "fetched" / f"run-{run.pk}-1"
    copy.mkdir(parents=True)
    (copy / "model.safetensors").write_bytes(bytes(2000))
    broken_off = store.partial_path(copy)
    broken_off.mkdir()

    free_all()

    assert not Path(model.location).exists()
    assert not copy.exists()
    assert not broken_off.exists()


def test_a_node_removes_what_was_freed_elsewhere(made: Made, settings: LazySettings) -> None:
    run, model = made(1.5)
    Run.objects.filter(pk=run.pk).update(freed_at=NOW, kept_step=None)
    TrainedModel.objects.filter(pk=model.pk).update(freed_at=NOW)
    kept, _model = made(1.0)

    storage_services.remove_freed_files()

    assert not (settings.RUNS_DIR / str(run.pk) / run_dir.CHECKPOINTS).exists()
    assert (settings.RUNS_DIR / str(kept.pk) / run_dir.CHECKPOINTS).exists()
    assert not Path(model.location).exists()


def test_folders_of_old_runs_go_after_the_days_that_the_setting_says(
    made: Made, settings: LazySettings
) -> None:
    """A run that could be continued, a pinned one and one that goes on keep theirs."""
    old, young, kept, pinned, going = (
        made(1.0 + days / 1000, days=days)[0] for days in (60, 5, 61, 62, 63)
    )
    Run.objects.exclude(pk=kept.pk).update(kept_step=None)
    Run.objects.filter(pk=pinned.pk).update(pinned_at=NOW)
    Run.objects.filter(pk=going.pk).update(state="running", outcome="")
    everybody = {run.pk for run in (old, young, kept, pinned, going)}

    def left_after(days: int) -> set[int]:
        settings.KEEP_LOGS_DAYS = days
        storage_services.remove_old_run_folders(now=NOW)
        return {int(path.name) for path in settings.RUNS_DIR.iterdir()}

    assert left_after(0) == everybody
    assert left_after(61) == everybody
    assert left_after(30) == everybody - {old.pk}
