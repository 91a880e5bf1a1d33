"""The page of what is recorded, in a browser."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from labeling.models import Rater

OpenPage = Callable[..., Page]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_what_is_recorded_fits_and_passes_axe(
    width: int,
    theme: str,
    rosa: Rater,
    open_page: OpenPage,
    look_over: Callable[[Page, str], None],
) -> None:
    page = open_page("/help/recorded/", rosa, width=width, theme=theme)

    look_over(page, f"recorded-{width}-{theme}")
