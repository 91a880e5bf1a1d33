"""One run on several machines: they gather, start together, and none continues alone."""

import json
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from accounts.models import User
from tests.html import squeezed
from tests.training.runs.multi_node.conftest import assert_one_curve_and_one_model
from tests.training.runs.processes import (
    Processes,
    descendants,
    is_alive,
    kill,
    processes,
    until,
)
from training.models import Run, RunPoint, Seat
from training.nodes import services as nodes_services
from training.processes import launch as processes_launch
from training.processes.launch import Launch, Rendezvous
from training.processes.machine import Report
from training.runs import lost_runs, placement
from training.runs import services as runs_services
from training.runs.multi_node import selectors as multi_node_selectors
from training.runs.multi_node import services as multi_node_services
from training.runs.run_queue import UnableToQueue

TWO = Launch(n_machines=2)


@pytest.fixture
def shared(settings: LazySettings, tmp_path: Path) -> str:
    settings.ARTIFACT_STORE = f"file://{tmp_path}/shared"
    return str(settings.ARTIFACT_STORE)


@pytest.fixture
def queue_spread(shared: str, queue_real: Callable[..., Run]) -> Callable[..., Run]:
    """A run, on two machines by default."""
    return lambda launch=TWO, kind="sft", **changes: queue_real(kind, launch, **changes)


def announce(*names: str) -> None:
    for name in names:
        nodes_services.record_node_heartbeat(
            name=name, report=Report(8, 64.0, 32.0, (), {}), now=timezone.now()
        )


def claimed(run: Run, node: str = "a") -> Run:
    found = runs_services.claim_run(run_id=run.pk, node=node, now=timezone.now())
    assert found is not None
    return found


def test_the_launcher_gets_the_rank_of_its_machine() -> None:
    config = processes_launch.config_of(
        Launch(4, n_machines=2), n_gpus=4, rendezvous=Rendezvous("10.0.0.7", 29500, rank=1)
    )

    told = [
        config[name]
        for name in (
            "num_machines",
            "machine_rank",
            "num_processes",
            "main_process_ip",
            "main_process_port",
        )
    ]
    assert told == [2, 1, 8, "10.0.0.7", 29500]


@pytest.mark.django_db
def test_several_machines_need_a_store_that_all_see(
    queue_spread: Callable[..., Run], settings: LazySettings, tmp_path: Path
) -> None:
    settings.ARTIFACT_STORE = str(tmp_path / "own")

    with pytest.raises(UnableToQueue, match="an artifact store that all of them can reach"):
        queue_spread()


@pytest.mark.django_db
class TestTheLine:
    def test_a_run_waits_until_as_many_nodes_are_free_and_holds_back_what_is_behind_it(
        self, queue_spread: Callable[..., Run]
    ) -> None:
        spread, behind = queue_spread(), queue_spread(processes_launch.SINGLE_PROCESS)
        announce("a")
        assert placement.next_run_id(node="a", now=timezone.now()) == behind.pk  # there are not two

        announce("b")
        assert placement.next_run_id(node="a", now=timezone.now()) == spread.pk

        claimed(behind, "b")
        assert placement.next_run_id(node="a", now=timezone.now()) is None

    def test_machines_gather_for_one_run_at_a_time(self, queue_spread: Callable[..., Run]) -> None:
        first, _second = queue_spread(), queue_spread()
        announce("a", "b", "c", "d")
        claimed(first)

        assert placement.next_run_id(node="b", now=timezone.now()) is None
        assert multi_node_selectors.gathering_run_ids() == [first.pk]

        assert multi_node_services.take_seat(node="b", now=timezone.now()) is not None
        assert multi_node_selectors.gathering_run_ids() == []
        assert placement.next_run_id(node="c", now=timezone.now()) == _second.pk

    def test_the_page_of_a_waiting_run_says_how_many_machines_are_missing(
        self, queue_spread: Callable[..., Run]
    ) -> None:
        run = queue_spread()
        announce("a")

        sentence = placement.why_waiting(run=run, now=timezone.now())

        assert (
            sentence
            == "It needs 2 machines, and only these are online and large enough: a. Add nodes."
        )


@pytest.mark.django_db
class TestSeats:
    def test_each_machine_is_another_node_and_has_one_seat(
        self, queue_spread: Callable[..., Run]
    ) -> None:
        run = claimed(queue_spread(Launch(n_machines=3)))

        taken = [
            multi_node_services.take_seat(node=node, now=timezone.now())
            for node in ("a", "b", "c", "d")
        ]

        assert [seat and (seat.rank, seat.node) for seat in taken] == [
            None,
            (1, "b"),
            (2, "c"),
            None,
        ]
        assert [seat.node for seat in multi_node_selectors.seats_of(run=run)] == ["a", "b", "c"]

    def test_a_node_that_is_too_small_or_drains_takes_none(
        self, queue_spread: Callable[..., Run], noor: User
    ) -> None:
        run = queue_spread()
        Run.objects.filter(pk=run.pk).update(memory_gb=128)
        claimed(run)
        announce("b")
        assert multi_node_services.take_seat(node="b", now=timezone.now()) is None

        Run.objects.filter(pk=run.pk).update(memory_gb=64)
        nodes_services.drain_node(
            node=placement.nodes(now=timezone.now())[0].node, by=noor, now=timezone.now()
        )
        assert multi_node_services.take_seat(node="b", now=timezone.now()) is None

    def test_they_meet_once_all_are_ready(self, queue_spread: Callable[..., Run]) -> None:
        run = claimed(queue_spread())
        multi_node_services.mark_seat_ready(run=run, rank=0, address="10.0.0.7", port=29500)
        assert multi_node_selectors.rendezvous(run=run) is None

        multi_node_services.take_seat(node="b", now=timezone.now())
        assert multi_node_selectors.rendezvous(run=run) is None
        multi_node_services.mark_seat_ready(run=run, rank=1, address="10.0.0.8")

        assert multi_node_selectors.rendezvous(run=run) == Rendezvous("10.0.0.7", 29500)

    def test_a_machine_learns_that_the_attempt_is_over(
        self, queue_spread: Callable[..., Run]
    ) -> None:
        run = claimed(queue_spread())
        seat = multi_node_services.take_seat(node="b", now=timezone.now())
        assert seat is not None
        assert multi_node_services.record_seat_heartbeat(seat=seat, now=timezone.now())

        lost_runs.return_to_queue(run_id=run.pk, attempt=run.attempt, now=timezone.now())

        assert not multi_node_services.record_seat_heartbeat(seat=seat, now=timezone.now())
        assert multi_node_services.take_seat(node="c", now=timezone.now()) is None

    def test_a_machine_is_lost_when_it_says_so_or_falls_silent(
        self, queue_spread: Callable[..., Run]
    ) -> None:
        run = claimed(queue_spread(Launch(n_machines=3)))
        silent, failed = (
            multi_node_services.take_seat(node=node, now=timezone.now()) for node in "bc"
        )
        assert silent is not None
        assert failed is not None
        assert multi_node_selectors.lost_machine(run=run, now=timezone.now()) is None

        later = timezone.now() + 2 * multi_node_selectors.silence()
        assert multi_node_selectors.lost_machine(
            run=run, now=later
        ) == multi_node_selectors.LostMachine("b", "")
        multi_node_services.close_seat(
            seat=failed, ending=Seat.Ending.FAILED, error="The disk is full."
        )
        assert multi_node_selectors.lost_machine(
            run=run, now=later
        ) == multi_node_selectors.LostMachine("c", "The disk is full.")
        earlier = timezone.now() - 2 * multi_node_selectors.silence()  # a clock was set back
        assert multi_node_selectors.lost_machine(
            run=run, now=earlier
        ) == multi_node_selectors.LostMachine("c", "The disk is full.")
        Seat.objects.filter(pk=failed.pk).update(ending="", error="", heartbeat_at=earlier)
        assert multi_node_selectors.lost_machine(
            run=run, now=earlier
        ) == multi_node_selectors.LostMachine("b", "")
        multi_node_services.close_seat(
            seat=failed, ending=Seat.Ending.FAILED, error="The disk is full."
        )
        multi_node_services.close_seat(seat=silent, ending=Seat.Ending.DONE)
        assert multi_node_selectors.lost_machine(
            run=run, now=later
        ) == multi_node_selectors.LostMachine("c", "The disk is full.")


@pytest.mark.django_db
def test_the_page_of_a_run_names_its_machines(
    queue_spread: Callable[..., Run], noor: User, signed_in: Callable[..., Client]
) -> None:
    run = claimed(queue_spread(Launch(n_machines=3)))
    multi_node_services.mark_seat_ready(run=run, rank=0, address="10.0.0.7", port=29500)
    multi_node_services.take_seat(node="b", now=timezone.now())

    page = squeezed(signed_in(noor).get(f"/runs/{run.pk}/").content.decode())

    lines = re.findall(r'<br><span class="quiet">(.*?)</span>', page)
    assert lines == ["a", "b preparing", "waiting for a node"]


# --- real machines, as far as one has two ---------------------------------------------------------


@pytest.fixture
def site(tmp_path: Path, warm_trainer: list[str]) -> Iterator[Processes]:
    with processes(tmp_path) as running:
        running.trainer = " ".join(warm_trainer)
        yield running


def start_node(site: Processes, name: str, store: str) -> Any:
    """A separate machine: others only see what is in the store."""
    home = site.home / name
    home.mkdir(exist_ok=True)
    return site.start_worker(
        name,
        node=name,
        PREFERABLY_HOME=str(home),
        PREFERABLY_ARTIFACTS=store,
        PREFERABLY_NODE_ADDRESS="127.0.0.1",
        PREFERABLY_RUN_REAP_AFTER_S="5",
    )


def assert_shared(run: Run, site: Processes) -> None:
    """One curve and one model of both nodes."""
    assert_one_curve_and_one_model(run)
    seats = multi_node_selectors.seats_of(run=run)
    assert sorted(seat.node for seat in seats) == ["left", "right"]
    configs = [*site.home.glob(f"*/runs/{run.pk}/{processes_launch.CONFIG}")]
    assert {json.loads(config.read_text())["num_machines"] for config in configs} == {2}


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
class TestTwoNodes:
    def test_a_run_shared_by_two_nodes_ends_with_one_curve_and_one_model(
        self, site: Processes, queue_spread: Callable[..., Run], shared: str
    ) -> None:
        """PPO. SFT in the next test."""
        run = queue_spread(kind="ppo")
        site.start_broker()
        for name in ("left", "right"):
            start_node(site, name, shared)
        until(
            lambda: len(placement.nodes(now=timezone.now())) == 2, "both nodes announce themselves"
        )

        site.ring(run.pk)
        until(lambda: Run.objects.filter(pk=run.pk, state="finished").exists(), "the end")

        run.refresh_from_db()
        assert_shared(run, site)
        assert len([*site.home.glob(f"*/runs/{run.pk}/{processes_launch.CONFIG}")]) == 1

    def test_when_one_machine_dies_the_run_resumes_from_a_checkpoint_on_all(
        self, site: Processes, queue_spread: Callable[..., Run], shared: str
    ) -> None:
        run = queue_spread(max_steps=40, n_epochs=20)
        site.start_broker()
        workers = {name: start_node(site, name, shared) for name in ("left", "right")}
        until(
            lambda: len(placement.nodes(now=timezone.now())) == 2, "both nodes announce themselves"
        )
        site.ring(run.pk)
        until(lambda: Run.objects.get(pk=run.pk).step >= 5, "step 5")
        other = Seat.objects.get(run=run, rank=1).node
        until(
            lambda: [*site.home.glob(f"*/runs/{run.pk}/checkpoints/step-*/rng_state_1.pth")],
            "the other's random numbers",
        )

        worker = workers[other]
        for pid in [*descendants(worker.pid), worker.pid]:
            kill(pid)
        until(lambda: not is_alive(worker.pid), "the end of one worker")
        start_node(site, other, shared)
        site.ring(run.pk)
        until(lambda: Run.objects.filter(pk=run.pk, attempt=2).exists(), "another attempt")
        site.ring(run.pk)
        until(
            lambda: Run.objects.filter(pk=run.pk, state="finished").exists(),
            "the end of the second attempt",
        )

        run.refresh_from_db()
        assert (run.outcome, run.attempt, run.step) == ("succeeded", 2, 40), run.log_tail
        assert_shared(run, site)
        first = RunPoint.objects.filter(run=run, attempt=2).order_by("step").first()
        assert first is not None
        assert first.step > 2

    def test_when_one_machine_is_stopped_the_run_is_saved_and_goes_back_and_that_is_no_crash(
        self, site: Processes, queue_spread: Callable[..., Run], shared: str
    ) -> None:
        run = queue_spread(max_steps=400, n_epochs=100)
        site.start_broker()
        workers = {name: start_node(site, name, shared) for name in ("left", "right")}
        until(
            lambda: len(placement.nodes(now=timezone.now())) == 2, "both nodes announce themselves"
        )
        site.ring(run.pk)
        until(lambda: Run.objects.get(pk=run.pk).step >= 3, "step 3")
        other = Seat.objects.get(run=run, rank=1)

        workers[other.node].send_signal(signal.SIGTERM)
        workers[other.node].wait(timeout=240)

        until(
            lambda: Run.objects.get(pk=run.pk).error, "back in the queue"
        )  # and out of it: the first takes it again
        run.refresh_from_db()
        other.refresh_from_db()
        assert (run.n_crashes, run.error) == (0, f"{other.node} shut down cleanly."), run.log_tail
        # Gone, if the first machine had the run again before the other one said that it is done.
        assert other.ending in (Seat.Ending.DONE, Seat.Ending.GONE)
        saved = max(
            int(path.name.removeprefix("step-"))
            for path in site.home.glob(f"*/runs/{run.pk}/checkpoints/step-*")
        )
        assert saved >= run.step
