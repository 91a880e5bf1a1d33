"""The queue of runs, dry runs, and runs that continue from another's final state; a stand-in child
does the work.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings

from accounts.models import User
from tests.training.conftest import NOW
from training.models import Run, TrainedModel
from training.processes import run_dir
from training.runs import run_queue
from training.runs import selectors as runs_selectors
from training.runs import services as runs_services
from training.runs.supervisor import supervise

pytestmark = pytest.mark.django_db(transaction=True)


def supervised(run: Run, node: str = "node-1") -> Run:
    supervise.supervise(run_id=run.pk, node=node)
    run.refresh_from_db()
    return run


def in_line() -> list[int]:
    return runs_selectors.queued_run_ids()


def test_a_run_moves_past_its_neighbour_and_back(queue: Callable[..., Run], noor: User) -> None:
    first, second, third = (queue() for _ in range(3))

    run_queue.move_run(run=third, places=-1, by=noor, now=NOW)
    assert in_line() == [first.pk, third.pk, second.pk]

    run_queue.move_run(run=first, places=1, by=noor, now=NOW)
    assert in_line() == [third.pk, first.pk, second.pk]


def test_the_first_in_line_has_nobody_to_pass(queue: Callable[..., Run], noor: User) -> None:
    first, second = queue(), queue()

    assert not run_queue.move_run(run=first, places=-1, by=noor, now=NOW)
    assert in_line() == [first.pk, second.pk]


def test_a_later_run_goes_behind_those_that_were_moved(
    queue: Callable[..., Run], noor: User
) -> None:
    first, second = queue(), queue()
    run_queue.move_run(run=second, places=-1, by=noor, now=NOW)

    third = queue()

    assert in_line() == [second.pk, first.pk, third.pk]


def test_a_run_that_goes_on_is_not_moved(queue: Callable[..., Run], noor: User) -> None:
    run = queue()
    runs_services.claim_run(run_id=run.pk, node="node-1", now=NOW)

    assert not run_queue.move_run(run=run, places=-1, by=noor, now=NOW)


def test_a_dry_run_leaves_no_model_and_no_responses(queue: Callable[..., Run]) -> None:
    run = queue(n_steps=2)
    Run.objects.filter(pk=run.pk).update(is_dry=True)

    supervised(run)

    assert (run.outcome, run.kept_step) == ("succeeded", None)
    assert not TrainedModel.objects.filter(run=run).exists()
    assert run_dir.read_job(folder_of(run)).is_dry
    assert not (folder_of(run) / "model").exists()


def test_a_finished_run_keeps_its_last_state_and_no_other(queue: Callable[..., Run]) -> None:
    run = supervised(queue(n_steps=4, checkpoint_every=2))

    assert run.kept_step == 4
    assert [path.name for path in (folder_of(run) / "checkpoints").iterdir()] == ["step-4"]


def test_a_state_that_is_behind_the_model_is_not_kept(queue: Callable[..., Run]) -> None:
    run = supervised(queue(n_steps=4, checkpoint_every=3))

    assert run.kept_step is None
    assert list((folder_of(run) / "checkpoints").iterdir()) == []


def test_an_extension_goes_on_from_the_last_state(queue: Callable[..., Run], noor: User) -> None:
    run = supervised(queue(n_steps=4, checkpoint_every=2))

    longer = run_queue.extend_run(run=run, name="Longer", amount=3, by=noor, now=NOW)
    (folder_of(longer)).mkdir()
    (folder_of(longer) / "script.json").write_text('{"n_steps": 6}')
    supervised(longer)

    assert (longer.outcome, longer.made_from, longer.made_as, longer.config["n_epochs"]) == (
        "succeeded",
        run,
        "extension",
        3,
    )
    assert (folder_of(longer) / "resumed-1-at-4").exists()
    assert list(longer.points.order_by("step").values_list("step", flat=True)) == [5, 6]
    assert TrainedModel.objects.get(run=longer).parent == run.base_model


def test_an_extension_goes_on_in_the_precision_of_the_run_that_it_extends(
    queue: Callable[..., Run], noor: User
) -> None:
    run = supervised(queue(n_steps=2, checkpoint_every=1, measures=["bfloat16"]))

    longer = run_queue.extend_run(run=run, name="Longer", amount=3, by=noor, now=NOW)
    (folder_of(longer)).mkdir()
    (folder_of(longer) / "script.json").write_text('{"n_steps": 3, "measures": ["float32"]}')
    supervised(longer)

    assert longer.auto_dtype == "bfloat16"


def test_an_extension_waits_for_the_node_that_has_the_state(
    queue: Callable[..., Run], noor: User
) -> None:
    run = supervised(queue(n_steps=2, checkpoint_every=1))
    longer = run_queue.extend_run(run=run, name="Longer", amount=3, by=noor, now=NOW)

    supervised(longer, node="node-2")

    assert (longer.state, longer.wanted_node) == ("queued", "node-1")


def test_an_extension_whose_state_is_gone_says_so(queue: Callable[..., Run], noor: User) -> None:
    run = supervised(queue(n_steps=2, checkpoint_every=1))
    longer = run_queue.extend_run(run=run, name="Longer", amount=3, by=noor, now=NOW)
    run_dir.remove(folder_of(run))

    supervised(longer)

    assert longer.outcome == "failed"
    assert "no longer exists. Duplicate the run instead." in longer.error


def test_a_run_without_a_state_cannot_be_extended(queue: Callable[..., Run], noor: User) -> None:
    run = supervised(queue(n_steps=2))

    with pytest.raises(run_queue.UnableToExtend, match="kept no state"):
        run_queue.extend_run(run=run, name="Longer", amount=3, by=noor, now=NOW)


def test_an_extension_must_ask_for_more(queue: Callable[..., Run], noor: User) -> None:
    run = supervised(queue(n_steps=2, checkpoint_every=1))

    with pytest.raises(run_queue.UnableToExtend, match="has already done 2"):
        run_queue.extend_run(run=run, name="Longer", amount=2, by=noor, now=NOW)


def folder_of(run: Run) -> Path:
    return Path(settings.RUNS_DIR) / str(run.pk)
