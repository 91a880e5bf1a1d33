"""What a schedule's form expects of its gate: which raters count, and how many votes."""

from typing import Any

import pytest

from labeling.models import Pool, PoolMembership, Rater
from tests.training.conftest import NOW
from training.schedules.forms.power import PowerForm

pytestmark = pytest.mark.django_db
FIELDS = {
    "n_judged": 100,
    "overlap": 1,
    "n_responses": 2,
    "n_looks": 1,
    "confidence": 95,
    "min_win_rate": 50,
}


@pytest.mark.parametrize(
    "change", [{"is_active": False}, {"paused_at": NOW}, {"rater__withdrawn_at": NOW}]
)
def test_only_raters_who_can_answer_count(
    day_shift: Pool, rosa: Rater, raul: Rater, rita: Rater, change: dict[str, Any]
) -> None:
    fields = FIELDS | {"pool": day_shift.pk}
    assert "and 3 raters" in PowerForm(fields).in_words()
    if "rater__withdrawn_at" in change:
        Rater.everyone.filter(pk=rita.pk).update(withdrawn_at=NOW)
    else:
        PoolMembership.objects.filter(pool=day_shift, rater=rita).update(**change)

    assert "fewer than three raters" in PowerForm(fields).in_words()


def promoted(**changes: int) -> str:
    """How often a better model is promoted, as the form says it."""
    return PowerForm(FIELDS | changes).in_words().partition(" A chain asks ")[0]


def test_pairs_of_responses_are_votes_as_raters_are() -> None:
    """Two raters of two responses, or one who compares two of each model."""
    assert promoted(overlap=2) == promoted(n_responses=4) == promoted(n_responses=5)
    assert promoted(overlap=2) != promoted()
