"""Where a day starts."""

import datetime as dt
from zoneinfo import ZoneInfo

from arithmetic import days

BERLIN = ZoneInfo("Europe/Berlin")


def test_a_day_begins_at_midnight_in_its_time_zone() -> None:
    begun = days.midnight(dt.date(2026, 7, 1), BERLIN)

    assert begun == dt.datetime(2026, 6, 30, 22, tzinfo=dt.UTC)


def test_the_last_midnight_is_that_of_the_day_it_is_there() -> None:
    now = dt.datetime(2026, 7, 1, 23, 30, tzinfo=dt.UTC)  # 1:30 on the second in Berlin

    assert days.last_midnight(now, BERLIN) == dt.datetime(2026, 7, 1, 22, tzinfo=dt.UTC)
    assert days.last_midnight(now, dt.UTC) == dt.datetime(2026, 7, 1, tzinfo=dt.UTC)


def test_a_day_with_a_change_of_clocks_begins_at_its_own_midnight() -> None:
    now = dt.datetime(2026, 10, 25, 12, tzinfo=dt.UTC)  # the clocks went back at 3:00

    assert days.last_midnight(now, BERLIN) == dt.datetime(2026, 10, 24, 22, tzinfo=dt.UTC)
