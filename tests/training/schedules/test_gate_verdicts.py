"""What a gate decides about figures, and the level of each of its looks: without a database."""

import pytest
from scipy.special import ndtri

from arithmetic.figures import Figure, absent
from training.schedules.gate import looks
from training.schedules.gate.verdict import Bars, Evidence, SuiteChange, judged
from training.schedules.plans.settings import PlanSettings

RATES = {
    "ahead": Figure(0.7, 40, low=0.55, high=0.85, se=0.07),
    "undecided": Figure(0.52, 40, low=0.4, high=0.64, se=0.06),
    "behind": Figure(0.4, 40, low=0.28, high=0.52, se=0.06),
    "one lost vote": Figure(0.0, 1),
    "no vote": absent(""),
}
FALLEN = SuiteChange("facts", -0.2, -0.3, -0.1, 50, has_fallen=True)


@pytest.mark.parametrize(
    ("rate", "has_fallen", "with_more", "at_the_end"),
    [
        ("ahead", False, "passed", "passed"),
        ("ahead", True, "waits", "waits"),
        ("undecided", False, "more", "undecided"),
        ("undecided", True, "more", "failed"),
        ("behind", False, "failed", "failed"),
        ("behind", True, "failed", "failed"),
        ("one lost vote", False, "more", "waits"),
        ("one lost vote", True, "more", "waits"),
        ("no vote", False, "more", "waits"),
        ("no vote", True, "more", "waits"),
    ],
)
def test_what_a_gate_decides_while_it_may_ask_for_more_and_then(
    rate: str, has_fallen: bool, with_more: str, at_the_end: str
) -> None:
    suites = (FALLEN,) if has_fallen else ()
    seen = Evidence(RATES[rate], 0, None, None, None, None, None, suites)

    outcomes = [
        judged(Bars(0.5, None, None, may_ask=may_ask, goes_on=True), seen).outcome
        for may_ask in (True, False)
    ]

    assert outcomes == [with_more, at_the_end]


def test_each_look_has_its_own_level() -> None:
    """The boundaries of two looks, Lan and DeMets (1983): 2.963 and 1.969."""
    plan = PlanSettings(template="weekly", base_model=1, confidence=97.5, n_looks=2)

    quantiles = [float(-ndtri(looks.error_of(plan, number))) for number in (1, 2, 3)]

    assert quantiles == pytest.approx([2.963, 1.969, 1.969], abs=5e-4)
