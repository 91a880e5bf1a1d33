"""An admin looks at the operations page while things are stuck, full and old."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask
from playwright.sync_api import Page, expect

from accounts.models import User
from tests.training import cast
from training.models import Node
from training.operations import figures

pytestmark = pytest.mark.browser
COLUMNS = """() => [...document.querySelectorAll("#operations thead tr")].map(
    row => [...row.cells].map(cell => Math.round(cell.getBoundingClientRect().left)))"""


@pytest.fixture(autouse=True)
def _own_figures() -> Iterator[None]:
    figures.forget()
    yield
    figures.forget()


@pytest.mark.parametrize("width", [1440, 390])
def test_an_admin_sees_what_is_stuck_and_then_that_it_works_again(
    open_page: Callable[..., Page],
    alice: User,
    noor: User,
    look_over: Callable[..., None],
    axe_clean: Callable[[Page], None],
    width: int,
) -> None:
    now = timezone.now()
    every = IntervalSchedule.objects.create(every=10, period="seconds")
    beat = PeriodicTask.objects.create(
        name="sent", task="a", interval=every, last_run_at=now - timedelta(hours=1)
    )
    PeriodicTask.objects.update(total_run_count=1)
    figures.note_worker(now=now - timedelta(hours=1))
    Node.objects.create(name="gpu-1", seen_at=now - timedelta(hours=2))
    cast.a_run(noor, created_at=now - timedelta(hours=9), heartbeat_at=None)
    cast.a_run(noor, state="running", heartbeat_at=now - timedelta(hours=1))
    page = open_page("/operations/", alice, width=width)
    axe_clean(page)
    if width == 1440:
        assert len({tuple(table) for table in page.evaluate(COLUMNS)}) == 1, "they align"
    expect(page.locator("#operations")).to_contain_text("Stopped.")
    look_over(page, f"operations-{width}")

    PeriodicTask.objects.filter(pk=beat.pk).update(last_run_at=timezone.now())

    expect(page.locator("#operations")).not_to_contain_text("Stopped.", timeout=30_000)
