"""The page of what is recorded, in a browser."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from labeling.models import Rater

OpenPage = Callable[..., Page]

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_is_recorded_fits_and_passes_axe(
    rosa: Rater, open_page: OpenPage, look_over_each: Callable[..., None]
) -> None:
    page = open_page("/my-work/", rosa)

    look_over_each(page, {"recorded": "/help/recorded/"}, widths=(1440, 390))
