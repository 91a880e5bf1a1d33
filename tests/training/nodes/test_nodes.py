"""Nodes: what they report, and which runs they take."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.db import connection
from django.utils import timezone

from accounts.models import User
from config.monitoring import release
from tests.training.conftest import NOW
from tests.training.runs.processes import Processes, processes, run_folder, until
from training.models import Node, Run
from training.nodes import services as nodes_services
from training.processes import machine
from training.processes.machine import Gpu, Report
from training.runs import placement, run_queue
from training.runs import selectors as runs_selectors
from training.runs import services as runs_services
from training.runs import tasks as runs_tasks

pytestmark = pytest.mark.django_db

TWO_CARDS = """0, GPU-aaa, NVIDIA H100 80GB HBM3, 81559, 1024, 97, 61
1, GPU-bbb, NVIDIA H100 80GB HBM3, 81559, 0, [N/A], 33
"""


def announce(name: str, *memories: float, now: datetime = NOW) -> Node:
    gpus = tuple(
        Gpu("card", memory, 0.0, 0.0, None, f"GPU-{number}")
        for number, memory in enumerate(memories)
    )
    nodes_services.record_node_heartbeat(name=name, report=Report(4, 15.6, 8.0, gpus, {}), now=now)
    return Node.objects.get(name=name)


def test_a_node_says_which_build_it_ran_when_it_reported(settings: LazySettings) -> None:
    settings.BUILD = "abc"
    node = announce("gpu-1", 80.0)
    assert release.of_node(node.versions) == release.running()

    settings.BUILD = "def"

    assert release.of_node(node.versions).endswith("+abc")


def asking(run: Run, n_gpus: int, memory_gb: int) -> Run:
    Run.objects.filter(pk=run.pk).update(n_gpus=n_gpus, memory_gb=memory_gb)
    run.refresh_from_db()
    return run


def test_cards_are_read_from_the_drivers_table() -> None:
    assert machine.parse(TWO_CARDS) == (
        Gpu("NVIDIA H100 80GB HBM3", 79.6, 1.0, 0.97, 61.0, "GPU-aaa"),
        Gpu("NVIDIA H100 80GB HBM3", 79.6, 0.0, None, 33.0, "GPU-bbb"),
    )


@pytest.mark.parametrize(
    ("visible", "n"), [("all", 2), ("1", 1), ("GPU-aaa", 1), ("", 0), ("0,1", 2)]
)
def test_gpus_that_this_process_may_not_use_are_not_reported(visible: str, n: int) -> None:
    assert len(machine.parse(TWO_CARDS, visible=visible)) == n


@pytest.mark.parametrize(
    ("n", "visible", "chosen"),
    [
        (1, "all", "GPU-bbb"),
        (1, "0", "0"),
        (1, "0,1", "1"),
        (2, "GPU-aaa,GPU-bbb", "GPU-bbb,GPU-aaa"),
        (1, "MIG-a,MIG-b", "MIG-a"),
        (1, "", ""),
    ],
)
def test_a_run_sees_as_many_cards_as_it_needs_the_emptiest_of_the_nodes_own(
    n: int, visible: str, chosen: str
) -> None:
    assert machine.choose(TWO_CARDS, n, visible=visible) == chosen


def test_a_run_sees_no_card_that_is_smaller_than_it_asked_for() -> None:
    small_and_empty = TWO_CARDS.replace(
        "1, GPU-bbb, NVIDIA H100 80GB HBM3, 81559", "1, GPU-bbb, NVIDIA L4, 23034"
    )

    assert machine.choose(small_and_empty, 1, memory_gb=80) == "GPU-aaa"


def test_a_machine_reports_its_cores_and_memory_without_torch() -> None:
    report = machine.report()

    assert report.n_cores >= 1
    assert report.memory_gb > report.memory_free_gb > 0


def test_announcing_again_leaves_the_draining_alone(noor: User) -> None:
    node = announce("gpu-1", 80)
    nodes_services.drain_node(node=node, by=noor, now=NOW)

    assert announce("gpu-1", 80).draining_since == NOW


@pytest.mark.parametrize(
    ("n_gpus", "memory_gb", "takers"),
    [
        (0, 0, ["big", "cpu", "small"]),
        (0, 16, ["big", "cpu", "small"]),
        (0, 64, []),
        (1, 0, ["big", "small"]),
        (1, 80, ["big"]),
        (2, 40, ["big"]),
        (2, 80, []),
        (3, 0, []),
    ],
)
def test_only_a_node_that_has_what_a_run_asks_for_claims_it(
    queue: Callable[..., Run], n_gpus: int, memory_gb: int, takers: list[str]
) -> None:
    announce("small", 23.7)
    announce("big", 79.6, 44.5)
    announce("cpu")
    run = asking(queue(), n_gpus, memory_gb)

    claimed_by = []
    for node in ("big", "cpu", "small"):
        if runs_services.claim_run(run_id=run.pk, node=node, now=NOW):
            claimed_by.append(node)
            Run.objects.filter(pk=run.pk).update(state="queued", node="")

    assert claimed_by == takers


def claimed(run: Run, node: str) -> list[str] | None:
    """The cards it got; None if the node had no room."""
    found = runs_services.claim_run(run_id=run.pk, node=node, now=NOW)
    return found.cards if found else None


def test_a_node_takes_as_many_runs_as_it_has_cards_and_no_card_has_two(
    queue: Callable[..., Run],
) -> None:
    announce("box", *[80] * 8)
    runs = [asking(queue(), 1, 0) for _run in range(9)]

    cards = [claimed(run, "box") for run in runs[:8]]

    assert sorted(card for found in cards for card in found or []) == [
        f"GPU-{number}" for number in range(8)
    ]
    assert claimed(runs[8], "box") is None
    Run.objects.filter(pk=runs[3].pk).update(state="finished", outcome="stopped")
    assert claimed(runs[8], "box") == cards[3]


def test_a_run_gets_the_smallest_free_cards_that_are_large_enough(
    queue: Callable[..., Run],
) -> None:
    announce("box", 80, 24, 80)

    assert claimed(asking(queue(), 1, 40), "box") == ["GPU-0"]
    assert claimed(asking(queue(), 1, 0), "box") == ["GPU-1"]
    assert claimed(asking(queue(), 2, 0), "box") is None
    assert claimed(queue(), "box") == ["GPU-2"]  # asks for none, and would use one


def test_a_run_that_needs_more_cards_than_are_free_is_not_overtaken_for_ever(
    queue: Callable[..., Run], noor: User
) -> None:
    announce("box", 80, 80)
    first, both, behind = (asking(queue(), n, 0) for n in (1, 2, 1))
    claimed(first, "box")
    assert placement.next_run_id(node="box", now=NOW) is None
    assert placement.why_waiting(run=both, now=NOW).startswith("Waiting for box")

    announce("other", 80, 80)
    assert placement.next_run_id(node="box", now=NOW) == behind.pk
    assert placement.next_run_id(node="other", now=NOW) == both.pk


def test_a_node_without_cards_takes_one_run_at_a_time(queue: Callable[..., Run]) -> None:
    announce("cpu")

    assert claimed(queue(), "cpu") == []
    assert claimed(queue(), "cpu") is None


def test_a_run_claimed_by_an_earlier_release_has_its_node_for_itself(
    queue: Callable[..., Run],
) -> None:
    announce("box", 80, 80)
    claimed(old := queue(), "box")
    Run.objects.filter(pk=old.pk).update(cards=[])

    assert claimed(queue(), "box") is None


@pytest.mark.django_db(transaction=True)
def test_two_processes_that_claim_at_the_same_moment_get_different_cards(
    queue: Callable[..., Run],
) -> None:
    announce("box", 80, 80, now=timezone.now())
    runs = [asking(queue(), 1, 0) for _run in range(4)]

    def claim(run: Run) -> list[str] | None:
        try:
            return claimed(run, "box")
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        found = [cards for cards in pool.map(claim, runs) if cards is not None]

    assert sorted(found) == [["GPU-0"], ["GPU-1"]]


def test_a_draining_node_claims_nothing_until_it_is_resumed(
    queue: Callable[..., Run], noor: User
) -> None:
    run, node = queue(), announce("gpu-1")
    nodes_services.drain_node(node=node, by=noor, now=NOW)

    assert runs_services.claim_run(run_id=run.pk, node="gpu-1", now=NOW) is None
    nodes_services.resume_node(node=node, by=noor, now=NOW)
    assert runs_services.claim_run(run_id=run.pk, node="gpu-1", now=NOW) is not None


def test_the_highest_priority_goes_first_and_what_does_not_fit_is_passed_over(
    queue: Callable[..., Run], noor: User
) -> None:
    announce("small", 24)
    too_large, usual, urgent = asking(queue(), 1, 80), queue(), queue()
    run_queue.set_priority(run=urgent, priority=5, by=noor, now=NOW)
    run_queue.set_priority(run=too_large, priority=9, by=noor, now=NOW)

    assert placement.next_run_id(node="small", now=timezone.now()) == urgent.pk
    assert runs_selectors.queued_run_ids() == [too_large.pk, urgent.pk, usual.pk]


@pytest.mark.parametrize(
    ("changes", "unknown"),
    [
        ({"kind": "dream"}, "dream"),
        ({"config": {"dreams": 3}}, "dreams"),
        ({"launch": {"n_processes": 1, "n_dreams": 3}}, "n_dreams"),
    ],
)
def test_a_run_of_a_later_release_is_left_to_a_node_that_knows_it(
    queue: Callable[..., Run], changes: dict[str, object], unknown: str
) -> None:
    """During an upgrade, the site is ahead of its nodes."""
    announce("gpu-1")
    of_later_release, usual = queue(), queue()
    Run.objects.filter(pk=of_later_release.pk).update(**changes)
    of_later_release.refresh_from_db()

    assert placement.next_run_id(node="gpu-1", now=NOW) == usual.pk
    assert placement.why_waiting(run=of_later_release, now=NOW) == (
        f"This release does not know its setting {unknown}. Start the run again without it."
    )


def test_a_ring_is_passed_on_only_while_another_node_is_free_for_the_run(
    queue: Callable[..., Run],
) -> None:
    run = asking(queue(), 1, 80)
    announce("small", 24)
    assert not placement.can_run_elsewhere(run_id=run.pk, node="small", now=NOW)

    announce("big", 80)
    assert placement.can_run_elsewhere(run_id=run.pk, node="small", now=NOW)
    assert not placement.can_run_elsewhere(
        run_id=run.pk, node="small", now=NOW + timedelta(hours=1)
    )


def test_a_waiting_run_names_the_nodes_it_waits_for(queue: Callable[..., Run], noor: User) -> None:
    first, second = queue(), queue()
    node = announce("gpu-1")
    runs_services.claim_run(run_id=first.pk, node="gpu-1", now=NOW)

    assert placement.why_waiting(run=second, now=NOW) == "Waiting for gpu-1 (“sft run”)."
    nodes_services.drain_node(node=node, by=noor, now=NOW)
    assert "Every node that could take it is draining: gpu-1." in placement.why_waiting(
        run=second, now=NOW
    )
    assert placement.why_waiting(run=first, now=NOW) != ""


@pytest.mark.django_db(transaction=True)
def test_a_node_that_loses_the_race_for_a_run_takes_the_next(
    queue: Callable[..., Run], settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = queue(n_steps=1), queue(n_steps=1)
    claim_run = runs_services.claim_run

    def claim_late(*, run_id: int, node: str, now: datetime) -> Run | None:
        claim_run(run_id=first.pk, node="faster", now=now)
        return claim_run(run_id=run_id, node=node, now=now)

    monkeypatch.setattr(runs_services, "claim_run", claim_late)
    settings.NODE_NAME = "slower"
    runs_tasks.execute_run(run_id=second.pk)

    assert list(Run.objects.order_by("pk").values_list("node", "outcome")) == [
        ("faster", ""),
        ("slower", "succeeded"),
    ]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Processes]:
    with processes(tmp_path) as running:
        yield running


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_two_workers_on_one_machine_are_two_nodes_that_share_the_line(
    site: Processes, queue: Callable[..., Run], noor: User
) -> None:
    runs = [queue(n_steps=2, waits_after=1), queue(n_steps=2, waits_after=1)]
    site.start_broker()
    for name in ("left", "right"):
        site.start_worker(name, node=name)
    until(lambda: Node.objects.count() == 2, "both nodes announce themselves")

    for run in runs:
        site.ring(run.pk)
    until(lambda: Run.objects.filter(state="running").count() == 2, "both runs at the same time")
    nodes = {one.node.name: one for one in placement.nodes(now=timezone.now())}
    for run in runs:
        (run_folder(run.pk) / "go").touch()
    until(lambda: Run.objects.filter(outcome="succeeded").count() == 2, "the end of both")

    assert all(one.is_alive and one.runs for one in nodes.values())
    assert sorted(Run.objects.values_list("node", flat=True)) == ["left", "right"]


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_node_that_drains_leaves_a_run_to_the_other(
    site: Processes, queue: Callable[..., Run], noor: User
) -> None:
    run = queue(n_steps=3)
    site.start_broker()
    site.start_worker("left", node="left")
    until(lambda: Node.objects.filter(name="left").exists(), "the first node announces itself")
    nodes_services.drain_node(node=Node.objects.get(name="left"), by=noor, now=timezone.now())
    site.start_worker("right", node="right")
    until(lambda: Node.objects.filter(name="right").exists(), "the second node announces itself")

    site.ring(run.pk)
    until(
        lambda: Run.objects.filter(pk=run.pk, outcome="succeeded").exists(),
        "the run ends on the other node",
    )

    assert Run.objects.get(pk=run.pk).node == "right"


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_one_worker_runs_several_at_once_each_on_a_card_of_its_own(
    site: Processes, queue: Callable[..., Run], tmp_path: Path
) -> None:
    driver = tmp_path / "driver" / "nvidia-smi"
    driver.parent.mkdir()
    driver.write_text(f"#!/bin/sh\ncat <<'TABLE'\n{TWO_CARDS}TABLE\n")
    driver.chmod(0o755)
    runs = [asking(queue(n_steps=2, waits_after=1), 1, 0) for _run in range(3)]
    site.start_broker()
    site.start_worker(n_processes=3, node="box", PATH=f"{driver.parent}:{os.environ['PATH']}")
    until(lambda: Node.objects.filter(name="box").exists(), "the node announces itself")

    for run in runs:
        site.ring(run.pk)
    running = Run.objects.filter(state="running")
    until(lambda: running.count() == 2, "two runs at the same time")
    cards = sorted(card for run in running for card in run.cards)
    for run in runs:
        (run_folder(run.pk) / "go").parent.mkdir(exist_ok=True)
        (run_folder(run.pk) / "go").touch()
    until(lambda: Run.objects.filter(outcome="succeeded").count() == 3, "the end of all three")

    assert cards == ["GPU-aaa", "GPU-bbb"]
