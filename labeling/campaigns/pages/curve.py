"""The chart of what a campaign counts over time, with a projection at the current pace."""

from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from labeling.campaigns.board import Board
from labeling.campaigns.pages.template_filters import about, rate
from labeling.kinds.units import Unit
from pages import charts

HOUR = timedelta(hours=1)
STEPS = [
    *(timedelta(minutes=minutes) for minutes in (1, 5, 15, 30)),
    *(timedelta(hours=hours) for hours in (1, 3, 6, 12)),
    *(timedelta(days=days) for days in (1, 2, 7, 14, 30, 90, 365)),
]
MOST_TICKS = 4
END_SHARE = 0.28
"""The share of the x-axis kept free for the label at either end."""


def progress_chart(
    *, board: Board, unit: Unit, is_open: bool, now: datetime
) -> charts.LineChart | None:
    """The chart, or None while there is nothing to count. The x-axis is in hours since the first,
    labelled with the reader's local time.
    """
    if not board.curve:
        return None
    start = board.curve[0].at
    points = [((point.at - start) / HOUR, float(point.n)) for point in board.curve]
    if is_open:
        points.append(((now - start) / HOUR, points[-1][1]))
    series = [charts.Series(str(unit.name), points, has_area=True)]
    end = start + points[-1][0] * HOUR
    if is_open and board.pace and board.done_at:
        # A projection longer than twice the measured time would only flatten the curve.
        end = min(board.done_at, now + 2 * max(now - start, HOUR))
        reached = points[-1][1] + board.pace.per_hour * ((end - now) / HOUR)
        name = _("%(n)d about %(when)s") % {
            "n": board.progress.n_slots,
            "when": about(board.done_at),
        }
        series.append(
            charts.Series(
                name if end == board.done_at else "",
                [points[-1], ((end - start) / HOUR, reached)],
                is_projection=True,
            )
        )
    return charts.line_chart(
        title=_title(board, unit, is_open=is_open),
        series=series,
        x_unit=str(unit.since_first),
        y_unit=str(unit.name),
        x_ticks=[((moment - start) / HOUR, label) for moment, label in _ticks(start, end)],
        from_zero=True,
    )


def _title(board: Board, unit: Unit, *, is_open: bool) -> str:
    n = board.progress.n_submitted
    if board.progress.is_done:
        every = unit.words(unit.every, board.progress.n_slots)
        words = ngettext("%(all)s is in", "%(all)s are in", board.progress.n_slots)
        return words % {"all": every}
    if not is_open:
        return _("%(n)s so far") % {"n": unit.words(unit.some, n)}
    if board.pace is None:
        return str(unit.too_few)
    return _("%(rate)s %(unit)s per hour since %(since)s") % {
        "rate": rate(board.pace.per_hour),
        "unit": unit.name,
        "since": about(board.pace.since),
    }


def _ticks(start: datetime, end: datetime) -> list[tuple[datetime, str]]:
    """Both ends to the minute, and between them round local times that leave room for the labels of
    the ends.
    """
    first, last = timezone.localtime(start), timezone.localtime(end)
    ends = [(first, date_format(first, "D H:i")), (last, date_format(last, "D H:i"))]
    if last - first < timedelta(minutes=1):
        return ends[:1]
    room = (last - first) * END_SHARE
    step = next((step for step in STEPS if (last - first) / step <= MOST_TICKS), STEPS[-1])
    moment, between = _first_round(first, step), []
    while moment <= last - room:
        if moment >= first + room:
            between.append((moment, _tick_label(moment, step)))
        moment += step
    return [ends[0], *between, ends[1]]


def _first_round(local: datetime, step: timedelta) -> datetime:
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - (midnight - local) // step * step


def _tick_label(moment: datetime, step: timedelta) -> str:
    if step >= timedelta(days=7):
        return date_format(moment, "j M")
    if moment.hour == moment.minute == 0:
        return date_format(moment, "D")
    return date_format(moment, "D H:i" if step >= timedelta(hours=12) else "H:i")
