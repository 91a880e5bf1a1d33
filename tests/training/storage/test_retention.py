"""What is kept and what is freed: the best, the last, what is pinned or needed stays; the rest
goes, asked for or by night.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import AuditEvent, User
from labeling.models import Rater
from tests.training.conftest import NOW
from training.models import Chain, Link, Run, Snapshot, TrainedModel
from training.models.chain_plans import Plan
from training.processes import run_dir
from training.runs import run_queue
from training.runs.run_queue import UnableToQueue
from training.schedules import chains
from training.schedules import services as schedules_services
from training.schedules.services import Terms
from training.storage import selectors as storage_selectors
from training.storage import services as storage_services
from training.storage import store
from training.storage import tasks as storage_tasks

pytestmark = pytest.mark.django_db
Made = Callable[..., tuple[Run, TrainedModel]]


@pytest.fixture
def made(
    base_model: TrainedModel,
    make_snapshot: Callable[..., Snapshot],
    noor: User,
    settings: LazySettings,
    tmp_path: Path,
) -> Made:
    """A run that has succeeded `days` ago, with a kept state and a model of a kilobyte each; the
    loss tells the best.
    """

    def make(loss: float, *, days: int = 60, **fields: Any) -> tuple[Run, TrainedModel]:
        values: dict[str, Any] = {
            "kind": "sft",
            "base_model": base_model,
            "kept_step": 10,
            "outcome": "succeeded",
        } | fields
        at = NOW - timedelta(days=days)
        metrics = {"held_out_loss_after": loss}
        snapshot = Snapshot.objects.first() or make_snapshot()
        run = Run.objects.create(
            name=f"loss {loss}",
            state="finished",
            snapshot=snapshot,
            metrics=metrics,
            created_by=noor,
            created_at=at,
            finished_at=at,
            **values,
        )
        checkpoint = settings.RUNS_DIR / str(run.pk) / run_dir.CHECKPOINTS / "step-10"
        checkpoint.mkdir(parents=True)
        (checkpoint / "weights").write_bytes(bytes(1000))
        (settings.RUNS_DIR / str(run.pk) / run_dir.LOG).write_bytes(bytes(50))
        folder = tmp_path / "artifacts" / "models" / f"run-{run.pk}-1"
        folder.mkdir(parents=True)
        (folder / "model.safetensors").write_bytes(bytes(2000))
        model = TrainedModel.objects.create(
            name=f"sft-{run.pk}",
            kind="policy",
            location=str(folder),
            parent=run.base_model,
            run=run,
            metrics=metrics,
            created_at=at,
        )
        return run, model

    return make


def freeable() -> set[str]:
    return {one.key for one in storage_selectors.overview().freeable}


def key(row: Run | TrainedModel) -> str:
    return f"{'run' if isinstance(row, Run) else 'model'}-{row.pk}"


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


# --- given up by hand -----------------------------------------------------------------------------


def failed(made: Made, **fields: Any) -> Run:
    """Twelve steps made, and no model left."""
    run, model = made(
        1.5,
        **(
            {"outcome": "failed", "kept_step": None, "attempt": 1, "step": 12, "node": "gpu-2"}
            | fields
        ),
    )
    model.delete()
    return run


def chain_of(run: Run, by: User, state: str) -> Chain:
    plan, terms = (
        Plan("fine-tune", base_model=run.base_model_id),
        Terms(trigger="hand", time_zone="UTC"),
    )
    schedule = schedules_services.create_schedule(
        name="Weekly", plan=plan, terms=terms, by=by, now=NOW
    )
    chain = Chain.objects.create(
        schedule=schedule, number=1, plan=plan.as_json(), base_model=run.base_model, state=state
    )
    Link.objects.create(chain=chain, position=0, step="sft", state="failed", run=run)
    return chain


@pytest.mark.parametrize("outcome", ["failed", "lost", "stopped"])
def test_the_checkpoints_of_a_run_that_did_not_succeed_are_given_up(
    made: Made, noor: User, settings: LazySettings, outcome: str
) -> None:
    run = failed(made, outcome=outcome)
    assert [
        one.can_be_given_up for one in storage_selectors.overview().holdings if one.key == key(run)
    ] == [True]

    assert storage_services.give_up_run(run=run, by=noor, now=NOW) == 3000

    run.refresh_from_db()
    assert (run.freed_at, run.kept_step) == (NOW, None)
    assert [path.name for path in (settings.RUNS_DIR / str(run.pk)).iterdir()] == [run_dir.LOG]
    (event,) = AuditEvent.objects.filter(action="free", by=noor)
    assert (event.target_id, event.before["bytes"]) == (run.pk, 3000)
    with pytest.raises(storage_services.UnableToGiveUp, match="no saved state"):
        storage_services.give_up_run(run=run, by=noor, now=NOW)


def test_a_stopped_runs_state_goes_and_its_model_stays(made: Made, noor: User) -> None:
    run, model = made(1.5, outcome="stopped", attempt=1, config={"n_epochs": 1})

    storage_services.give_up_run(run=run, by=noor, now=NOW)

    assert Path(model.location).exists()
    with pytest.raises(UnableToQueue, match="kept no state"):
        run_queue.extend_run(
            run=Run.objects.get(pk=run.pk), name="longer", amount=9, by=noor, now=NOW
        )


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"outcome": "succeeded"}, "Only checkpoints of failed, lost and stopped runs"),
        ({"pinned_at": NOW}, "Unpin it first"),
        ({"attempt": 0}, "no saved state"),
    ],
)
def test_what_is_not_given_up_says_why(
    made: Made, noor: User, fields: dict[str, Any], sentence: str
) -> None:
    run = failed(made, **fields)

    with pytest.raises(storage_services.UnableToGiveUp, match=sentence):
        storage_services.give_up_run(run=run, by=noor, now=NOW)
    assert not any(one.can_be_given_up for one in storage_selectors.overview().holdings)


def test_a_running_runs_checkpoints_are_not_given_up(made: Made, noor: User) -> None:
    run = failed(made)
    Run.objects.filter(pk=run.pk).update(state="running", outcome="")

    with pytest.raises(storage_services.UnableToGiveUp, match="Stop it first"):
        storage_services.give_up_run(run=run, by=noor, now=NOW)


def test_what_an_extension_waits_for_is_not_given_up(made: Made, noor: User) -> None:
    run, _model = made(1.5, outcome="stopped", attempt=1, config={"n_epochs": 1})
    run_queue.extend_run(run=run, name="longer", amount=9, by=noor, now=NOW)

    with pytest.raises(storage_services.UnableToGiveUp, match="A run that extends it"):
        storage_services.give_up_run(run=run, by=noor, now=NOW)
    assert not any(one.can_be_given_up for one in storage_selectors.overview().holdings)


def test_what_a_chain_could_go_on_with_is_given_up_once_the_chain_is_stopped(
    made: Made, noor: User
) -> None:
    run = failed(made)
    chain = chain_of(run, noor, state="failed")

    with pytest.raises(
        storage_services.UnableToGiveUp, match="The chain “Weekly 1” could continue with it"
    ):
        storage_services.give_up_run(run=run, by=noor, now=NOW)
    assert not any(one.can_be_given_up for one in storage_selectors.overview().holdings)
    chains.stop_chain(chain=chain, by=noor, now=NOW)

    assert storage_services.give_up_run(run=run, by=noor, now=NOW) > 0


def test_a_new_try_after_that_says_that_it_begins_anew(
    signed_in: Callable[..., Client], noor: User, made: Made
) -> None:
    run, client = failed(made), signed_in(noor)

    asked = client.get(f"/runs/{run.pk}/give-up").content.decode()
    done = client.post(f"/runs/{run.pk}/give-up", follow=True).content.decode()
    again = client.post(f"/runs/{run.pk}/retry", follow=True).content.decode()

    assert "repeats 12 steps" in asked
    assert "A retry starts at the first step because" in done
    assert "starts at its first step, because its checkpoints were deleted" in again
    assert "to-give-up" not in done


def test_who_asks_to_give_up_what_is_held_is_told_on_the_runs_page(
    signed_in: Callable[..., Client], noor: User, made: Made
) -> None:
    run, client = failed(made, pinned_at=NOW), signed_in(noor)

    asked = client.get(f"/runs/{run.pk}/give-up", follow=True).content.decode()

    assert "Unpin it first" in asked
    assert "to-give-up" not in asked
    assert "Unpin it first" in client.post(f"/runs/{run.pk}/give-up", follow=True).content.decode()


# --- pages ----------------------------------------------------------------------------------------


def test_the_page_says_what_takes_space_and_the_dry_run_frees_nothing(
    signed_in: Callable[..., Client], noor: User, made: Made
) -> None:
    made(1.0)
    _run, model = made(1.5)
    made(1.2)
    client = signed_in(noor)

    page = client.get("/storage/").content.decode()
    dry = client.get("/storage/free/").content.decode()

    assert "the best of its kind" in page
    assert "Can be deleted" in page
    assert f'value="{key(model)}"' in dry
    assert Path(model.location).exists()
    answer = client.post("/storage/free/", {"key": [key(model)]}, follow=True).content.decode()
    assert "1 run or model" in answer
    assert not Path(model.location).exists()


def test_an_empty_site_has_an_empty_page(signed_in: Callable[..., Client], noor: User) -> None:
    client = signed_in(noor)

    assert "Nothing stored yet" in client.get("/storage/").content.decode()
    assert "Nothing to delete" in client.get("/storage/free/").content.decode()


def test_raters_and_admins_are_refused(
    signed_in: Callable[..., Client], alice: User, rosa: Rater
) -> None:
    for person in (alice, rosa):
        assert signed_in(person).post("/storage/free/").status_code == 403


def test_pins_are_set_and_taken_off_on_the_pages(
    signed_in: Callable[..., Client], noor: User, made: Made
) -> None:
    run, model = made(1.0)
    client = signed_in(noor)

    for row, path in ((run, f"/runs/{run.pk}/"), (model, f"/models/{model.pk}/")):
        client.post(f"{path}pin")
        assert type(row)._default_manager.filter(pk=row.pk, pinned_at__isnull=False).exists()
        assert "Unpin" in client.get(path).content.decode()
        client.post(f"{path}pin", {"unpin": "1"})
        assert type(row)._default_manager.filter(pk=row.pk, pinned_at=None).exists()


def test_the_page_costs_the_same_for_one_run_and_for_ten(
    signed_in: Callable[..., Client],
    noor: User,
    made: Made,
    django_assert_num_queries: DjangoAssertNumQueries,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    client = signed_in(noor)
    made(1.0)
    client.get("/storage/")
    with django_assert_max_num_queries(30) as few:
        client.get("/storage/")
    for number in range(9):
        made(2.0 + number)

    with django_assert_num_queries(len(few)):
        client.get("/storage/")
