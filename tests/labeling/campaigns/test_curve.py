"""The chart of a campaign: its projection and its labels."""

from dataclasses import replace
from datetime import datetime, timedelta

from labeling.campaigns.board import Board, CampaignProgress, CurvePoint, Pace
from labeling.campaigns.pages.curve import progress_chart
from labeling.kinds.units import ANSWERS, CONVERSATIONS
from labeling.queue.spending.budgets import Spending
from labeling.queue.stuck import Stuck
from tests.cast import NOON

DAY = timedelta(days=1)
GOES_ON = Stuck(n_lapsed=0, n_held=0, n_nobody=0, n_unfit=0)
NOTHING_SPENT = Spending(n_judgments=0, active_s=0.0)


def board(
    *, n: int, n_slots: int, start: datetime, done_at: datetime | None, per_hour: float | None
) -> Board:
    return Board(
        progress=CampaignProgress(n_slots=n_slots, n_submitted=n, n_in_hand=0),
        pace=Pace(per_hour=per_hour, since=start) if per_hour else None,
        done_at=done_at,
        curve=[CurvePoint(start, 0), CurvePoint(NOON, n)],
        raters=[],
        skips=[],
        stuck=GOES_ON,
        spending=NOTHING_SPENT,
        at=NOON,
    )


def test_nothing_is_drawn_before_the_first_judgment() -> None:
    empty = replace(board(n=0, n_slots=5, start=NOON, done_at=None, per_hour=None), curve=[])

    assert progress_chart(board=empty, unit=ANSWERS, is_open=True, now=NOON) is None


def test_an_open_campaign_is_drawn_to_its_end() -> None:
    half = board(n=24, n_slots=48, start=NOON - DAY, done_at=NOON + DAY, per_hour=1.0)

    chart = progress_chart(board=half, unit=ANSWERS, is_open=True, now=NOON)

    assert chart is not None
    assert [curve.is_projection for curve in chart.curves] == [False, True]
    assert chart.curves[1].name.startswith("48 about ")


def test_a_far_end_is_not_drawn_at_the_cost_of_the_curve() -> None:
    barely = board(n=24, n_slots=2_400, start=NOON - DAY, done_at=NOON + 99 * DAY, per_hour=1.0)

    chart = progress_chart(board=barely, unit=ANSWERS, is_open=True, now=NOON)

    assert chart is not None
    assert chart.curves[1].name == ""
    assert chart.x_ticks[-1].label == "Wed 12:00"


def test_a_closed_campaign_has_no_projection() -> None:
    over = board(n=24, n_slots=48, start=NOON - DAY, done_at=None, per_hour=None)

    chart = progress_chart(board=over, unit=ANSWERS, is_open=False, now=NOON)

    assert chart is not None
    assert (len(chart.curves), chart.title) == (1, "24 answers so far")


def test_round_times_stand_between_the_ends() -> None:
    half = board(n=24, n_slots=48, start=NOON - DAY, done_at=NOON + DAY, per_hour=1.0)

    chart = progress_chart(board=half, unit=ANSWERS, is_open=True, now=NOON)

    assert chart is not None
    assert [tick.label for tick in chart.x_ticks] == ["Sun 12:00", "Mon 12:00", "Tue 12:00"]


def test_conversations_are_called_so() -> None:
    half = board(n=24, n_slots=48, start=NOON - DAY, done_at=None, per_hour=2.0)
    done = board(n=6, n_slots=6, start=NOON - DAY, done_at=None, per_hour=None)

    charts = [
        progress_chart(board=shown, unit=CONVERSATIONS, is_open=is_open, now=NOON)
        for shown, is_open in ((half, True), (half, False), (done, False))
    ]

    titles = [chart.title if chart else "" for chart in charts]
    assert titles[0].startswith("2 conversations per hour since ")
    assert titles[1:] == ["24 conversations so far", "All 6 conversations are in"]
