"""Nodes and the queue of runs through HTTP: draining a node, and moving a run up."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from tests.html import text_of
from tests.training import cast
from training.configs import kinds
from training.models import Node, Run
from training.runs import selectors as runs_selectors

pytestmark = pytest.mark.django_db
SignIn = Callable[..., Client]


def a_node(name: str = "gpu-1", gpus: int = 1, memory_gb: float = 79.6, **fields: Any) -> Node:
    card = {
        "name": "NVIDIA H100",
        "memory_gb": memory_gb,
        "used_gb": 3.0,
        "load": 0.42,
        "temperature_c": 51,
    }
    values: dict[str, Any] = {
        "seen_at": timezone.now(),
        "n_cores": 16,
        "memory_gb": 125.7,
        "versions": {"torch": "2.13.0"},
    }
    return Node.objects.create(name=name, gpus=[card] * gpus, **(values | fields))


def test_the_page_of_nodes_tells_what_each_has_and_does(signed_in: SignIn, noor: User) -> None:
    a_node("gpu-2")
    a_node("gpu-9", seen_at=timezone.now() - timedelta(hours=1))
    run = cast.a_run(noor, state="running", n_points=3)

    text = text_of(signed_in(noor), "/nodes/")

    assert all(
        words in text
        for words in (
            "NVIDIA H100",
            "3 of 80 GB",
            "42 %",
            "51 °C",
            "torch 2.13.0",
            run.name,
            "Offline",
        )
    )


def test_a_node_is_drained_and_resumed_by_post(signed_in: SignIn, noor: User) -> None:
    node, client = a_node(), signed_in(noor)

    client.post(f"/nodes/{node.pk}/drain")
    assert "Draining" in text_of(client, "/nodes/")
    client.post(f"/nodes/{node.pk}/resume")

    node.refresh_from_db()
    assert node.draining_since is None


def test_a_run_that_no_node_can_take_says_so_on_its_page(signed_in: SignIn, noor: User) -> None:
    a_node(gpus=1, memory_gb=23.6)
    run = cast.a_run(noor, n_gpus=2, memory_gb=40)

    text = text_of(signed_in(noor), f"/runs/{run.pk}/")

    assert (
        "No online node has 2 GPUs with 40 GB each. Available: gpu-1 with 1 × NVIDIA H100 24 GB."
        in text
    )


def test_a_run_without_any_worker_says_so_on_its_page(signed_in: SignIn, noor: User) -> None:
    run = cast.a_run(noor)

    assert "No GPU worker has sent a heartbeat in the last minute." in text_of(
        signed_in(noor), f"/runs/{run.pk}/"
    )


def test_a_run_is_put_first_in_line(signed_in: SignIn, noor: User) -> None:
    for name in ("first come", "second come"):
        cast.a_run(noor, name=name)
    later = Run.objects.get(name="second come")

    signed_in(noor).post(f"/runs/{later.pk}/first")

    text = text_of(signed_in(noor), "/nodes/")
    assert text.index("second come") < text.index("first come")


def test_a_long_line_says_how_long_it_is_and_is_read_to_its_end(
    signed_in: SignIn, noor: User
) -> None:
    for number in range(23):
        cast.a_run(noor, name=f"Waiting {number:02}")
    client = signed_in(noor)

    first, rest = text_of(client, "/nodes/"), text_of(client, "/nodes/?page=2")
    fragment = client.get("/nodes/?page=2", headers={"HX-Target": "nodes"}).content.decode()

    assert "23 runs queued, in this order" in first
    assert ("Waiting 19" in first, "Waiting 20" in first) == (True, False)
    assert ("Waiting 19" in rest, "Waiting 22" in rest) == (False, True)
    assert 'hx-get="/nodes/?page=2"' in rest
    assert "Waiting 22" in fragment
    # The last of a page can go back, and the first of a later one forward.
    assert 'Move down<span class="unseen">: Waiting 19' in first
    assert 'Move up<span class="unseen">: Waiting 20' in rest


def a_long_line(noor: User) -> list[Run]:
    """Of two pages, 20 runs on the first."""
    return [cast.a_run(noor, name=f"Waiting {number:02}") for number in range(23)]


def test_who_puts_a_run_first_from_further_down_the_line_stays_there(
    signed_in: SignIn, noor: User
) -> None:
    run, client = a_long_line(noor)[21], signed_in(noor)
    assert '<input type="hidden" name="page" value="2">' in text_of(client, "/nodes/?page=2")

    answer = client.post(f"/runs/{run.pk}/first", {"page": "2"})

    assert answer.headers["Location"] == "/nodes/?page=2"
    assert "“Waiting 21” is now first in the queue." in text_of(client, "/nodes/?page=2")
    assert runs_selectors.queued_run_ids()[0] == run.pk


def test_who_moves_a_run_is_led_to_the_page_on_which_it_stands_then(
    signed_in: SignIn, noor: User
) -> None:
    waiting, client = a_long_line(noor), signed_in(noor)

    def led_to(run: Run, places: int, page: int) -> str:
        return client.post(f"/runs/{run.pk}/move", {"places": places, "page": page}).headers[
            "Location"
        ]

    assert led_to(waiting[22], -1, page=2) == "/nodes/?page=2"
    assert led_to(waiting[20], -1, page=2) == "/nodes/"
    assert led_to(waiting[20], 1, page=1) == "/nodes/?page=2"
    assert led_to(waiting[0], -1, page=1) == "/nodes/"


def test_draining_a_node_keeps_the_page_of_the_line(signed_in: SignIn, noor: User) -> None:
    client, node = signed_in(noor), a_node()

    assert (
        client.post(f"/nodes/{node.pk}/drain", {"page": "2"}).headers["Location"]
        == "/nodes/?page=2"
    )
    assert (
        client.post(f"/nodes/{node.pk}/resume", {"page": "elsewhere"}).headers["Location"]
        == "/nodes/"
    )


def test_what_a_run_asks_for_comes_from_its_form(signed_in: SignIn, noor: User) -> None:
    model, snapshot = cast.a_model(noor), cast.a_snapshot(noor)
    values = kinds.as_json(kinds.PRESETS["sft"]["small"])
    sent = {
        name: "" if value is None else value for name, value in values.items() if value is not False
    }

    signed_in(noor).post(
        "/runs/new/sft/",
        sent
        | {
            "name": "Big",
            "base_model": model.pk,
            "snapshot": snapshot.pk,
            "n_gpus": 2,
            "n_processes": 2,
            "memory_gb": 40,
        },
    )

    run = Run.objects.get()
    assert (run.n_gpus, run.memory_gb) == (2, 40)
