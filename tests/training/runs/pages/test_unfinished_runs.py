"""Pages of runs without a result: where they are, what they will do, and what a person can do."""

import html
import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from tests.html import text_of
from tests.training import cast
from training.models import Run
from training.runs import selectors

pytestmark = pytest.mark.django_db
SignIn = Callable[..., Client]
ESTIMATE = {"n_steps": 400, "n_tokens": 1_000_000, "n_parameters": 100_000_000}


def page_of(client: Client, run: Run) -> str:
    return html.unescape(text_of(client, f"/runs/{run.pk}/"))


def head_of(page: str) -> str:
    """The buttons at the top, without those in the menu."""
    actions = page[page.index('id="live"') :]
    actions = actions[actions.index('class="actions"') :]
    return actions[: actions.index('class="menu-body"')]


def test_a_queued_run_says_its_place_and_what_it_will_take(signed_in: SignIn, noor: User) -> None:
    past = cast.finished(cast.a_run(noor, state="running", n_points=4), "succeeded")
    Run.objects.filter(pk=past.pk).update(
        estimate=ESTIMATE | {"n_tokens": 500_000},
        metrics={"seconds": 300.0},
        versions={"device": "H100"},
    )
    for name in ("first", "second"):
        cast.a_run(noor, name=name)
    run = cast.a_run(noor, name="third", estimate=ESTIMATE)
    client = signed_in(noor)

    page = page_of(client, run)

    assert "Number 3 of 3 in the queue." in page
    assert "It takes 400 steps: about 10 min on H100." in page
    assert "Charts appear" not in page
    client.post(f"/runs/{run.pk}/first")
    moved = page_of(client, run)
    assert "Number 1 of 3 in the queue." in moved
    assert "Move to front" not in moved


def test_nobody_is_told_how_long_a_run_takes_that_is_about_to_stop(
    signed_in: SignIn, noor: User
) -> None:
    run = cast.a_run(noor, state="running", n_points=100)
    client = signed_in(noor)
    assert " left<" in page_of(client, run)

    Run.objects.filter(pk=run.pk).update(stop_requested_at=timezone.now())

    page = page_of(client, run)
    assert " left<" not in page
    assert "It stops after its current step and saves its state." in page


def test_nobody_is_told_how_long_a_silent_run_takes(noor: User) -> None:
    run = cast.a_run(noor, state="running", n_points=100)
    now = timezone.now()

    assert selectors.live(run=run, now=now).left_s is not None
    silent = selectors.live(run=run, now=now + timedelta(hours=1))
    assert (silent.is_silent, silent.left_s) == (True, None)


@pytest.mark.parametrize("outcome", ["failed", "lost"])
def test_a_run_that_broke_off_says_where_and_offers_to_go_on(
    signed_in: SignIn, noor: User, outcome: str
) -> None:
    run = cast.finished(cast.a_run(noor, state="running", n_points=100), outcome, "Memory ran out.")
    client = signed_in(noor)

    page = page_of(client, run)

    assert "Memory ran out." in page
    assert "It ended at step 100 of 400." in page
    assert "“Try again” goes on from its last checkpoint." in page
    assert ("Mend the cause first" in page) == (outcome == "failed")
    for label in ("Try again", "Retry with changes", "Read the log"):
        assert re.search(rf">\s*{label}\s*<", page), label
    client.post(f"/runs/{run.pk}/retry")
    run.refresh_from_db()
    assert run.state == "queued"


def test_a_run_without_a_step_begins_again(signed_in: SignIn, noor: User) -> None:
    run = cast.finished(cast.a_run(noor, state="running"), "failed", "The model is missing.")

    page = page_of(signed_in(noor), run)

    assert "It ended before its first step." in page
    assert "“Try again” begins at the first step." in page


@pytest.mark.parametrize(
    ("state", "labels"),
    [
        ("queued", {"Cancel", "Compare…"}),
        ("running", {"Stop and save", "Compare…"}),
        ("failed", {"Compare…", "Duplicate"}),
        ("succeeded", {"Compare…", "Duplicate"}),
    ],
)
def test_two_buttons_fit_the_state_and_the_rest_is_a_menu(
    signed_in: SignIn, noor: User, state: str, labels: set[str]
) -> None:
    if state in ("queued", "running"):
        points = 100 if state == "running" else 0
        run = cast.a_run(noor, state=state, n_points=points, progress_at=timezone.now())
    else:
        run = cast.finished(cast.a_run(noor, state="running", n_points=100), state)

    page = page_of(signed_in(noor), run)

    shown = re.findall(r'class="button"[^>]*>\s*([^<]*?)\s*<', head_of(page))
    assert {*shown} == labels | {"…"}
    for label in ("Download", "Pin"):
        assert re.search(rf'class="menu-item"[^>]*>\s*{label}\s*<', page), label


def test_a_run_that_may_hang_offers_to_end_it(signed_in: SignIn, noor: User) -> None:
    run = cast.a_run(noor, state="running", n_points=9, stop_requested_at=timezone.now())

    head = head_of(page_of(signed_in(noor), run))

    assert re.findall(r">\s*(Stop and save|Force stop…|Compare…)\s*<", head) == [
        "Stop and save",
        "Force stop…",
    ]
