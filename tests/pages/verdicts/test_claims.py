"""No verdict claims an effect where there is none, but in one table of twenty, and one that is
there is claimed.
"""

import numpy as np
import pytest

from pages.verdicts import Effect, Verdict, effect_of
from tests.pages.verdicts.subjects import SUBJECTS, Draw, Subject
from training.benchmarks.scorecards.pages import model_verdict
from training.results import uses

N_TABLES = 400
ALLOWED = 0.05 + 2.5 * (0.05 * 0.95 / N_TABLES) ** 0.5
"""The highest rate that chance makes of 5 % in this many draws."""


def drawn(draw: Draw, n: int, seed: int) -> list[Verdict]:
    return [draw(np.random.default_rng([seed, number])) for number in range(n)]


def share_of_claims(verdicts: list[Verdict]) -> float:
    return sum(verdict.effect != Effect.UNCLEAR for verdict in verdicts) / len(verdicts)


@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.name)
def test_nothing_is_claimed_where_nothing_happened(subject: Subject) -> None:
    shares = [share_of_claims(drawn(draw, N_TABLES, 3)) for draw in subject.nothing]

    assert max(shares) <= ALLOWED, shares


@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.name)
def test_an_effect_on_enough_data_is_claimed_the_right_way_round(subject: Subject) -> None:
    verdicts = drawn(subject.effect, 100, 4)

    assert sum(verdict.effect == Effect.BETTER for verdict in verdicts) >= 95


@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.name)
def test_a_verdict_is_a_sentence_whatever_was_drawn(subject: Subject) -> None:
    for draw in (*subject.nothing, subject.effect):
        for verdict in drawn(draw, 20, 5):
            assert verdict.sentence.endswith((".", "?")), verdict
            assert "%(" not in verdict.sentence + verdict.advice


@pytest.mark.parametrize("kind", ["policy", "reward"])
def test_a_model_that_got_worse_is_never_offered_for_use(kind: str) -> None:
    for subject in SUBJECTS:
        for draw in (*subject.nothing, subject.effect):
            for verdict in drawn(draw, 60, 6):
                is_usable = uses.is_usable(kind=kind, metrics={}, effect=verdict.effect)
                assert is_usable is (verdict.effect != Effect.WORSE)


def test_what_says_worse_is_said_whatever_says_better() -> None:
    worse = Verdict("Worse on 1 suite.", "Read the answers.", Effect.WORSE)
    better = Verdict("The loss fell.", effect=Effect.BETTER)
    gate = {"outcome": "passed", "sentence": "Promoted."}

    found = model_verdict.of_evidence(gate=gate, by_suites=worse, by_run=better)

    assert (found.sentence, found.effect) == ("Promoted.", Effect.WORSE)
    assert found.advice == "Worse on 1 suite. Read the answers."


def test_of_several_that_know_something_raters_come_first() -> None:
    by_suites, by_run = Verdict("Scored."), Verdict("The loss fell.", effect=Effect.BETTER)

    found = model_verdict.of_evidence(gate={}, by_suites=by_suites, by_run=by_run)

    assert found is by_suites
    assert model_verdict.of_evidence(gate={}, by_suites=Verdict(""), by_run=by_run) is by_run


@pytest.mark.parametrize(
    ("ends", "effect"),
    [
        ((0.1, 0.2), Effect.BETTER),
        ((-0.2, -0.1), Effect.WORSE),
        ((-0.1, 0.2), Effect.UNCLEAR),
        ((0.0, 0.2), Effect.UNCLEAR),
        ((None, 0.2), Effect.UNCLEAR),
    ],
)
def test_an_interval_with_the_bar_in_it_shows_nothing(
    ends: tuple[float | None, float | None], effect: Effect
) -> None:
    assert effect_of(*ends) == effect
    assert effect_of(*(end and end + 0.5 for end in ends), bar=0.5) in (effect, Effect.UNCLEAR)
