"""What every test shares. Services are started before pytest, by scripts/run_with_services.py (`make test`)."""

import math
import os
from collections.abc import Iterator

import pytest
from django.utils import timezone, translation

if not os.environ.get("DATABASE_URL"):
    pytest.exit("Tests run on a real PostgreSQL: use `make test`, or scripts/run_with_services.py pytest …", returncode=4)

from tests.cast import (  # noqa: F401  # after the check above: the cast imports models
    alice,
    comparison_campaign,
    day_shift,
    demonstration_campaign,
    guideline,
    noor,
    raul,
    rita,
    rosa,
    signed_in,
)


@pytest.fixture(autouse=True)
def _nobodys_language() -> Iterator[None]:
    """A request leaves its reader's language and time zone behind in the thread, where the next test would speak them."""
    yield
    translation.deactivate()
    timezone.deactivate()


@pytest.fixture(autouse=True)
def _figures_of_the_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the machine is, what a page counts is not kept for its next look; tests/labeling/test_kept.py keeps it."""
    monkeypatch.setattr("labeling.selectors.kept.QUICK_S", math.inf)


# Under xdist these stay in one process: two trainings at once would slow each other down, and so would two browsers.
TOGETHER = {"trainer": "trainer", "browser": "browser"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        room = item.path.relative_to(item.config.rootpath / "tests").parts[0]
        group = TOGETHER.get(room) or ("trainer" if item.get_closest_marker("slow") else None)
        if group:
            item.add_marker(pytest.mark.xdist_group(group))
