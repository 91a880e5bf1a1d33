"""What the operations page says first, whatever is wrong."""

import random
from dataclasses import replace

import pytest

from pages.verdicts import Effect
from training.operations import verdicts
from training.operations.findings import DANGER, GOOD, ORDER, UNKNOWN, WARNING, Finding


def listed(*levels: str) -> list[Finding]:
    """A finding of each level, as the page sorts them. Every second one leads somewhere."""
    drawn = []
    for number, level in enumerate(levels):
        found = Finding(f"check {number}", level, "It waits.", advice=f"Start {number}.")
        drawn.append(found if number % 2 else replace(found, url_name="runs", link="Runs"))
    return sorted(drawn, key=lambda finding: ORDER.index(finding.level))


def test_only_what_is_wrong_is_said_to_be_and_all_of_it() -> None:
    chance = random.Random(3)
    for _draw in range(400):
        levels = chance.choices(ORDER, k=chance.randint(0, 9))
        drawn = listed(*levels)

        found = verdicts.of_site(drawn)

        named = {finding.about for finding in drawn if finding.about in found.sentence}
        assert named == {finding.about for finding in drawn if finding.level != GOOD}
        assert (found.effect == Effect.WORSE) is any(one.is_wrong for one in drawn)
        assert found.effect != Effect.BETTER, "nothing is compared"
        worst = drawn[0] if drawn and drawn[0].is_wrong else None
        assert (found.action.url if found.action else "") == (worst.url if worst else "")
        assert found.advice == (f"{worst.about}: {worst.advice}" if worst else "")


@pytest.mark.parametrize(
    ("levels", "sentence"),
    [
        ([GOOD, GOOD], "Nothing needs attention."),
        ([GOOD, UNKNOWN], "Nothing needs attention. Could not be measured: check 1."),
        ([GOOD, WARNING, DANGER], "1 problem: check 2. 1 warning: check 1."),
        ([DANGER, WARNING, DANGER], "2 problems: check 0, check 2. 1 warning: check 1."),
    ],
)
def test_problems_come_before_warnings(levels: list[str], sentence: str) -> None:
    assert verdicts.of_site(listed(*levels)).sentence == sentence


def test_a_problem_without_a_page_has_no_button() -> None:
    assert verdicts.of_site(listed(GOOD, DANGER)).action is None
    found = verdicts.of_site(listed(DANGER))
    assert found.action is not None
    assert found.action.label == "See “check 0”"
