"""Checkpoints of runs that did not succeed, given up by hand."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client

from accounts.models import AuditEvent, User
from tests.training.conftest import NOW
from tests.training.storage.storage_rows import failed, key
from training.models import Chain, Link, Run, TrainedModel
from training.processes import run_dir
from training.runs import run_queue
from training.runs.run_queue import UnableToQueue
from training.schedules import chains
from training.schedules import services as schedules_services
from training.schedules.plans.chain_plans import Plan
from training.schedules.services import Terms
from training.storage import selectors as storage_selectors
from training.storage import services as storage_services

pytestmark = pytest.mark.django_db
Made = Callable[..., tuple[Run, TrainedModel]]


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
