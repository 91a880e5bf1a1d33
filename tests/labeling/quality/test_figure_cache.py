"""Cached figures: quick ones never, slow ones with their time, recomputed by a worker."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial

import pytest
import services as servers
from django.conf import LazySettings
from django.core.cache import cache
from django.test import Client

from accounts.models import User
from labeling.campaigns import board
from labeling.campaigns import tasks as campaigns_tasks
from labeling.models import Campaign, Rater, Slot, Source
from labeling.quality import figure_cache
from labeling.quality.figure_cache import cached_figures, known_figures, refresh
from labeling.queue import slots
from labeling.queue.claiming import claim
from tests.cast import NOON
from tests.labeling.answers import words
from training.registry.lineage import collected_data

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(minutes=5)


class Counter:
    """Figures that say how often they were computed."""

    def __init__(self) -> None:
        self.n = 0

    def __call__(self, ids: Collection[int], _now: datetime) -> dict[int, int]:
        self.n += 1
        return dict.fromkeys(ids, self.n)


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything counts as slow."""
    monkeypatch.setattr(figure_cache, "QUICK_S", -1.0)


@pytest.fixture
def rings(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    rung: list[tuple[str, int]] = []
    for message in (figure_cache.REFRESH, collected_data.REFRESH_SNAPSHOTS):
        monkeypatch.setattr(message, "send", lambda *, name, pk: rung.append((name, pk)))
    return rung


def test_what_is_quick_is_computed_at_each_look(rings: list[tuple[str, int]]) -> None:
    compute = Counter()

    assert [
        cached_figures(name="n", kind=int, ids=[7], compute=compute, now=NOON)[7].value
        for _look in range(3)
    ] == [
        1,
        2,
        3,
    ]
    assert rings == []


def test_what_is_slow_is_kept_until_it_is_old_and_then_rung_for_once(
    slow: None, rings: list[tuple[str, int]]
) -> None:
    compute = Counter()
    look = [
        cached_figures(name="n", kind=int, ids=[7, 8], compute=compute, now=at)
        for at in (NOON, NOON + timedelta(seconds=20), LATER, LATER)
    ]

    assert [{pk: entry.value for pk, entry in found.items()} for found in look] == [
        {7: 1, 8: 1}
    ] * 4
    assert look[-1][7].at == NOON, "it says how old it is"
    assert rings == [("n", 7), ("n", 8)]

    refresh(name="n", ids=[7], compute=compute, now=LATER)
    again = cached_figures(name="n", kind=int, ids=[7, 8, 9], compute=compute, now=LATER)
    assert ({pk: entry.value for pk, entry in again.items()}, again[7].at) == (
        {7: 2, 8: 1, 9: 3},
        LATER,
    )
    cached_figures(name="n", kind=int, ids=[7], compute=compute, now=LATER + timedelta(minutes=5))
    assert rings[2:] == [("n", 7)], "a recomputed figure is requested again"


def test_what_took_long_rests_long(
    slow: None, rings: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    times = iter([0.0, 6.0])
    monkeypatch.setattr(figure_cache, "perf_counter", lambda: next(times))
    compute = Counter()
    cached_figures(name="n", kind=int, ids=[7], compute=compute, now=NOON)

    cached_figures(name="n", kind=int, ids=[7], compute=compute, now=NOON + timedelta(seconds=119))
    assert rings == []
    cached_figures(name="n", kind=int, ids=[7], compute=compute, now=NOON + timedelta(seconds=121))
    assert rings == [("n", 7)]


def test_a_figure_of_the_future_is_old(slow: None, rings: list[tuple[str, int]]) -> None:
    cached_figures(name="n", kind=int, ids=[7], compute=Counter(), now=LATER)

    cached_figures(name="n", kind=int, ids=[7], compute=Counter(), now=NOON)

    assert rings == [("n", 7)]


def test_while_redis_is_away_a_slow_figure_is_kept_by_the_process(
    slow: None, settings: LazySettings
) -> None:
    away = f"redis://127.0.0.1:{servers.free_port()}/0"
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": away}}
    compute = Counter()

    values = [
        cached_figures(name="n", kind=int, ids=[7], compute=compute, now=NOON)[7].value
        for _look in range(2)
    ]

    assert values == [1, 1]


@dataclass(frozen=True)
class Everything:
    """Each kind of value that a figure may hold."""

    at: datetime | None
    rows: list[tuple[str, int]]
    amounts: Mapping[str, Decimal]
    inner: "Everything | None" = None
    share: float = 0.5


def test_figures_are_kept_as_plain_values_and_read_back_as_they_were(
    slow: None, rings: list[tuple[str, int]]
) -> None:
    inner = Everything(None, [], {})
    whole = Everything(NOON, [("a model", 3)], {"EUR": Decimal("12.3400")}, inner)

    for _look in range(2):
        found = cached_figures(
            name="n", kind=Everything, ids=[7], compute=lambda ids, _now: {7: whole}, now=NOON
        )
        assert found[7].value == whole


def test_what_has_no_plain_form_is_refused() -> None:
    with pytest.raises(AssertionError, match="no plain form"):
        figure_cache.plain(object())


def test_a_page_never_counts_a_large_campaign(
    large: None, comparison_campaign: Campaign, rings: list[tuple[str, int]]
) -> None:
    pk, compute = comparison_campaign.pk, Counter()
    known = partial(known_figures, name="n", kind=int, ids=[pk], compute=compute)

    assert (known(now=NOON), known(now=NOON), compute.n, rings) == ({}, {}, 0, [("n", pk)])

    refresh(name="n", ids=[pk], compute=compute, now=NOON)
    assert (known(now=LATER)[pk].value, known(now=LATER)[pk].at) == (1, NOON)
    assert rings == [("n", pk), ("n", pk)], "asked again, once it is old"


def test_a_page_counts_the_smaller_campaigns_beside_large_ones(
    comparison_campaign: Campaign,
    demonstration_campaign: Campaign,
    rings: list[tuple[str, int]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    n_slots = Slot.objects.filter(campaign=comparison_campaign).count()
    n_rows = n_slots + comparison_campaign.items.count()
    assert demonstration_campaign.items.count() < n_rows
    monkeypatch.setattr(figure_cache, "QUICK_ROWS", n_rows - 1)
    ids = [comparison_campaign.pk, demonstration_campaign.pk]

    known = known_figures(name="n", kind=int, ids=ids, compute=Counter(), now=NOON)

    assert (list(known), rings) == ([demonstration_campaign.pk], [("n", comparison_campaign.pk)])


def test_campaigns_that_are_large_together_are_not_all_counted(
    comparison_campaign: Campaign,
    demonstration_campaign: Campaign,
    rings: list[tuple[str, int]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    both = [comparison_campaign, demonstration_campaign]
    n_rows = [campaign.items.count() + campaign.slots.count() for campaign in both]
    monkeypatch.setattr(figure_cache, "QUICK_ROWS", sum(n_rows) - 1)
    assert max(n_rows) < figure_cache.QUICK_ROWS
    ids = [campaign.pk for campaign in both]

    known = known_figures(name="n", kind=int, ids=ids, compute=Counter(), now=NOON)

    assert (list(known), rings) == ([demonstration_campaign.pk], [("n", comparison_campaign.pk)])


def test_what_a_worker_counts_slowly_is_kept_for_the_pages(
    slow: None, comparison_campaign: Campaign
) -> None:
    pk, compute = comparison_campaign.pk, Counter()

    refresh(name="n", ids=[pk], compute=compute, now=NOON)

    known = known_figures(name="n", kind=int, ids=[pk], compute=compute, now=NOON)
    assert (known[pk].value, compute.n) == (1, 1)


def test_what_was_slow_once_is_counted_on_each_page_when_it_is_quick_again(
    comparison_campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    pk, compute = comparison_campaign.pk, Counter()
    known = partial(known_figures, name="n", kind=int, ids=[pk], compute=compute, now=NOON)
    with monkeypatch.context() as busy:
        busy.setattr(figure_cache, "QUICK_S", -1.0)
        known()
    assert known()[pk].value == 1

    refresh(name="n", ids=[pk], compute=compute, now=LATER)

    assert [known()[pk].value for _look in range(2)] == [3, 4]


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every campaign counts as large."""
    monkeypatch.setattr(figure_cache, "QUICK_ROWS", 0)


OPENED = [
    "/campaigns/{pk}/",
    "/campaigns/",
    "/campaigns/{pk}/set-up/",
    "/campaigns/{pk}/close",
    "/lineage/campaigns/{pk}/",
    "/snapshots/new/?kind=comparisons",
]


@pytest.mark.parametrize("path", OPENED)
def test_a_page_says_that_a_large_campaign_is_being_counted(
    large: None,
    rings: list[tuple[str, int]],
    comparison_campaign: Campaign,
    signed_in: Callable[..., Client],
    path: str,
) -> None:
    both = User.objects.create_user(email="both@example.org", is_admin=True, is_researcher=True)
    pk, client = comparison_campaign.pk, signed_in(both)
    address = path.format(pk=pk)

    assert "being counted" in words(client.get(address)).lower()

    assert rings
    for name, _pk in rings:
        count = (
            collected_data.refresh_snapshots if name == "in_snapshots" else board.refresh_figures
        )
        count(name=name, pk=pk, now=NOON)
    assert "being counted" not in words(client.get(address)).lower()


def test_until_licences_are_known_all_of_the_site_are_offered(
    large: None,
    rings: list[tuple[str, int]],
    comparison_campaign: Campaign,
    alice: User,
    signed_in: Callable[..., Client],
) -> None:
    Source.objects.create(name="elsewhere", kind=Source.Kind.MODEL, licence="CC0-1.0")
    pk, client = comparison_campaign.pk, signed_in(alice)

    assert 'value="CC0-1.0"' in client.get(f"/campaigns/{pk}/export/").content.decode()

    board.refresh_figures(name="licences", pk=pk, now=NOON)
    assert 'value="CC0-1.0"' not in client.get(f"/campaigns/{pk}/export/").content.decode()


def test_a_large_campaigns_pages_show_what_was_counted_and_when(
    slow: None,
    rings: list[tuple[str, int]],
    comparison_campaign: Campaign,
    rosa: Rater,
    alice: User,
    signed_in: Callable[..., Client],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pk, client = comparison_campaign.pk, signed_in(alice)
    monkeypatch.setattr("labeling.campaigns.views.timezone.now", lambda: NOON)
    monkeypatch.setattr(figure_cache, "QUICK_ROWS", 0)
    for name in ("board", "standing", "sources"):
        board.refresh_figures(name=name, pk=pk, now=NOON)
    for path in (f"/campaigns/{pk}/", "/campaigns/", f"/campaigns/{pk}/set-up/"):
        assert client.get(path).status_code == 200
    assert "as of" not in words(client.get(f"/campaigns/{pk}/"))
    slot = claim.claim(campaign=comparison_campaign, rater=rosa, now=NOON)
    assert slot is not None
    assert slot.lease is not None
    slots.skip(lease=slot.lease, rater=rosa, reason="not_my_field", now=NOON)

    monkeypatch.setattr("labeling.campaigns.views.timezone.now", lambda: LATER)
    page = words(client.get(f"/campaigns/{pk}/"))
    client.get("/campaigns/")
    client.get(f"/campaigns/{pk}/set-up/")

    assert ("No skips" in page, "as of" in page) == (True, True)
    assert rings == [("board", pk), ("standing", pk), ("sources", pk)]
    for name, _pk in rings:
        board.refresh_figures(name=name, pk=pk, now=LATER)
    assert "Outside my expertise" in words(client.get(f"/campaigns/{pk}/"))


def test_the_task_computes_them_again(slow: None, comparison_campaign: Campaign) -> None:
    campaigns_tasks.refresh_figures(name="standing", pk=comparison_campaign.pk)

    (row,) = board.campaign_rows(campaigns=[comparison_campaign], now=NOON)
    assert row.progress.n_slots > 0
