"""Dates and times as people write them, defined in one place per language."""

import pytest
from django.utils import formats, translation

from labeling.pay.forms import PeriodForm
from tests.cast import NOON


@pytest.mark.parametrize(
    ("language", "name", "words"),
    [
        ("en", "DATETIME_FORMAT", "2 March 2026, 12:00"),
        ("en", "SHORT_DATETIME_FORMAT", "2026-03-02 12:00"),
        ("en", "MONTH_DAY_FORMAT", "2 March"),
        ("de", "DATETIME_FORMAT", "2. März 2026, 12:00"),
        ("de", "SHORT_DATE_FORMAT", "02.03.2026"),
    ],
)
def test_a_moment_is_written_with_24_hours_and_the_day_first(
    language: str, name: str, words: str
) -> None:
    with translation.override(language):
        assert formats.date_format(NOON, name) == words


@pytest.mark.parametrize("language", ["en", "de"])
def test_a_browsers_field_for_a_day_gets_the_day_as_it_reads_it(language: str) -> None:
    with translation.override(language):
        assert 'value="2026-03-02"' in str(PeriodForm({"since": NOON.date()})["since"])
