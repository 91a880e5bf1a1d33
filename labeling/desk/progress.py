"""How far a rater has come in a campaign, and what they have earned today."""

import datetime as dt
from dataclasses import dataclass

from labeling.desk.open_campaigns import MOST_COUNTED
from labeling.models import Campaign, Judgment, Rater, Slot
from labeling.pay.timesheets import selectors as timesheets_selectors
from labeling.queue.claiming import work_left


@dataclass(frozen=True)
class Progress:
    n_done: int
    """answers by this rater in the campaign"""
    n_left: int | None
    """items that this rater can still get, with the one they hold; None for more than are
    counted
    """
    earned: str
    """today, in UTC like timesheets; empty without a rate"""


def progress(*, rater: Rater, campaign: Campaign, now: dt.datetime) -> Progress:
    """The cost does not depend on the number of slots. The open page asks for this by itself, at
    most once a minute: it is no part of a submit.
    """
    judgments = Judgment.of_everyone.filter(rater=rater, campaign=campaign, import_batch=None)
    return Progress(judgments.count(), _n_left(campaign, rater), _earned(rater, now))


def _n_left(campaign: Campaign, rater: Rater) -> int | None:
    n_items = work_left.n_items(campaign=campaign, rater=rater, most=MOST_COUNTED)
    if n_items is None:
        return None
    held = Slot.objects.filter(campaign=campaign, rater=rater, state=Slot.State.LEASED)
    return n_items + held.count()


def _earned(rater: Rater, now: dt.datetime) -> str:
    today = now.astimezone(dt.UTC).date()
    sheet = timesheets_selectors.timesheet(rater=rater, since=today, until=today)
    return sheet.total_words if sheet.totals else ""
