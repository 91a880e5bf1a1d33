"""What raters read about the work and about what is recorded, in a browser."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from accounts.models import User
from labeling.models import Rater

OpenPage = Callable[..., Page]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("language", ["en", "de"])
def test_the_guides_fit_and_pass_axe(
    language: str, rosa: Rater, open_page: OpenPage, look_over_each: Callable[..., None]
) -> None:
    User.objects.update(language=language)
    page = open_page("/my-work/", rosa)
    guides = {f"{name}-{language}": f"/help/{name}/" for name in ("recorded", "raters")}

    look_over_each(page, guides, widths=(1440, 390))
