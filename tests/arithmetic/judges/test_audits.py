"""When audits take trust back, against a slow twin, all sequences of ten and simulated judges."""

import itertools
import math

import numpy as np
import pytest

from arithmetic.judges import audits


def capital(agreements: list[float], least: float) -> float:
    """By its definition: what is remembered of each audit before fades by a thirtieth an audit."""
    product = 1.0
    for place, agreement in enumerate(agreements):
        weights = [(29 / 30) ** (place - 1 - before) for before in range(place)]
        seen = math.fsum(w * a for w, a in zip(weights, agreements[:place], strict=True))
        expected = (5 * least + seen) / (5 + math.fsum(weights))
        stake = max(0, least - expected) / (least * (1 - least))
        product *= 1 + stake * (least - agreement)
    return product


def test_the_evidence_follows_from_the_rows() -> None:
    rng = np.random.default_rng(1)
    rows = rng.choice([0.0, 0.5, 1.0], 300, p=[0.25, 0.05, 0.7]).tolist()

    evidence = [audits.state(rows[:n], least=0.8).evidence for n in (0, 1, 50, 300)]

    assert evidence[0] == 1
    assert evidence == pytest.approx([capital(rows[:n], 0.8) for n in (0, 1, 50, 300)], rel=1e-9)


def test_three_disagreements_by_hand() -> None:
    """.8 is wanted. The first bets nothing; after it .8 × 5 of 6 are expected, a likelihood ratio
    of 1 − 4/6 against 1 − .8, and so on.
    """
    expected = [4 / 5, 4 / 6, 4 / (6 + 29 / 30)]

    evidence = audits.state([0.0] * 3, least=0.8).evidence

    assert evidence == pytest.approx(math.prod((1 - share) / 0.2 for share in expected))


@pytest.mark.parametrize("rate", [0.7, 0.85])
def test_a_judge_as_good_as_wanted_wins_nothing_on_average(rate: float) -> None:
    """Over all sequences of ten audits. At exactly `least` the bets are fair."""
    mean = math.fsum(
        rate ** sum(rows) * (1 - rate) ** (10 - sum(rows)) * audits.state(rows, least=0.7).evidence
        for rows in itertools.product((0, 1), repeat=10)
    )

    assert mean <= 1 + 1e-12
    assert (mean > 1 - 1e-12) == (rate == 0.7)


def test_trust_stays_taken_back() -> None:
    rows = [1.0] * 20 + [0.0] * 11 + [1.0] * 200
    state = audits.state(rows, least=0.85)

    assert state.revoked_at is not None
    assert 20 < state.revoked_at <= 31
    at, before = (
        audits.state(rows[:n], least=0.85) for n in (state.revoked_at, state.revoked_at - 1)
    )
    assert before.evidence < 20 <= at.evidence
    assert before.revoked_at is None
    assert state.evidence < 20
    assert (state.n, state.n_agreed) == (231, 220)


def test_a_judge_as_good_as_wanted_rarely_loses_trust() -> None:
    rng = np.random.default_rng(2)

    n_revoked = sum(
        audits.state((rng.random(600) < 0.85).tolist(), least=0.85).revoked_at is not None
        for _run in range(300)
    )

    assert 0 < n_revoked <= 0.05 * 300


@pytest.mark.parametrize("n_good", [0, 500])
def test_a_judge_that_gets_worse_is_noticed_however_long_it_was_good(n_good: int) -> None:
    rng, needed = np.random.default_rng(3), []
    for _run in range(60):
        rows = [*(rng.random(n_good) < 0.9).tolist(), *(rng.random(600) < 0.7).tolist()]
        revoked_at = audits.state(rows, least=0.85).revoked_at
        assert revoked_at is not None
        needed.append(revoked_at - n_good)

    assert np.median(needed) < 110
