"""The line of models in Chromium: its page in both themes and on a phone, and its picture as a
file.
"""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from accounts.models import User
from labeling.models import Rater
from tests.training import conftest as training_conftest
from tests.training.schedules import conftest as schedules_conftest
from tests.training.schedules import test_gates
from training.models import Chain

PNG = b"\x89PNG"

own_folders = training_conftest.own_folders
base_model = training_conftest.base_model
begin = schedules_conftest.begin
at_gate = test_gates.at_gate


@pytest.fixture
def line(at_gate: Callable[..., Chain], rosa: Rater) -> Chain:
    """A promoted model, and one that was not."""
    first = at_gate()
    test_gates.judge(first, rosa, 20)
    test_gates.goes_on(first)
    second = at_gate()
    test_gates.judge(second, rosa, 12)
    return test_gates.goes_on(second)


def test_the_line_passes_axe_fits_a_phone_and_is_saved_as_a_picture(
    line: Chain,
    open_page: Callable[..., Page],
    noor: User,
    look_over_each: Callable[..., None],
) -> None:
    page = open_page("/lines/", noor)
    paths = {"line": f"/schedules/{line.schedule_id}/line/", "lines": "/lines/"}

    look_over_each(page, paths, widths=(1440, 390))
    with page.expect_download() as saved:
        page.get_by_role("link", name="PNG").click()

    assert saved.value.suggested_filename == "line.png"
    assert saved.value.path().read_bytes().startswith(PNG)


def test_the_empty_start_page_passes_axe(
    open_page: Callable[..., Page], noor: User, look_over_each: Callable[..., None]
) -> None:
    look_over_each(open_page("/", noor), {"lines-none": "/lines/"}, widths=(1440, 390))
