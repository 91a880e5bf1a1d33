"""What a campaign counts, in the reader's language."""

from django.utils import translation

from labeling.kinds.units import ANSWERS
from pages.numbers import grouped


def test_numbers_are_grouped_as_in_the_readers_language() -> None:
    said = {}
    for language in ("en", "de"):
        with translation.override(language):
            said[language] = (ANSWERS.words(ANSWERS.some, 12345), grouped(999), grouped(1234567))

    assert said["en"] == ("12,345 answers", "999", "1,234,567")
    assert said["de"] == ("12.345 Urteile", "999", "1.234.567")
