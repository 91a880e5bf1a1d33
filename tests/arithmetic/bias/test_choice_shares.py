"""Shares of choices for the first, the left and the longer response, and wins with length taken
out: against published shares.
"""

import json
import math

import numpy as np
import pytest
from scipy.optimize import minimize

from arithmetic.bias import habits as bias_habits
from arithmetic.bias import shares
from tests.arithmetic import oracles

PAIRS = oracles.DATA / "llmfao_pairs.jsonl"


# Shares


def test_votes_that_belong_together_make_a_wider_interval() -> None:
    chosen = np.repeat([1, 0, 1, 1, 0, 1, 0, 1, 1, 1], 20)

    alone, together = (
        shares.share(chosen, prompts=np.arange(200)),
        shares.share(chosen, prompts=np.repeat(np.arange(10), 20)),
    )

    assert together.value == alone.value
    assert together.high - together.low > 3 * (alone.high - alone.low)


def test_sums_of_what_belongs_together_give_the_same_share_and_interval() -> None:
    random = np.random.default_rng(4)
    prompts, raters = random.integers(0, 20, 500), random.integers(0, 9, 500)
    chosen = (random.random(500) < 0.3 + 0.05 * raters).astype(float)
    together = prompts * 9 + raters
    cells = np.unique(together)
    sums = [chosen[together == cell].sum() for cell in cells]
    counts = [int((together == cell).sum()) for cell in cells]

    found = shares.share(sums, counts=counts, prompts=cells // 9, raters=cells % 9)

    expected = shares.share(chosen, prompts=prompts, raters=raters)
    assert (found.n, found.value) == (500, pytest.approx(expected.value))
    assert (found.low, found.high) == (
        pytest.approx(expected.low),
        pytest.approx(expected.high),
    )


def test_nothing_to_count_is_a_sentence() -> None:
    assert shares.share([], prompts=[]).note == "Nothing to count yet."


@oracles.needs_crowd
def test_the_crowd_s_left_share_is_the_published_one() -> None:
    units, _, labels = oracles.crowd_votes()

    decided = labels != 0
    found = shares.share(labels[decided] == -1, prompts=units[decided])

    assert (found.value, found.n) == (pytest.approx(0.533, abs=5e-4), 5_460)
    assert found.low > 0.5


@oracles.needs_crowd
def test_the_crowd_preferred_the_shorter_answer() -> None:
    texts = {}
    for line in PAIRS.read_text(encoding="utf-8").strip().split("\n"):
        row = json.loads(line)
        texts[row["id"]] = {
            row["model_x"]: len(row["result_x"]),
            row["model_y"]: len(row["result_y"]),
        }
    units, raters, labels = oracles.crowd_votes()
    sides = oracles.crowd_sides()
    left, right = (
        np.array([texts[unit][model] for unit, model in zip(units.tolist(), side, strict=True)])
        for side in sides
    )
    won = np.where(labels == 0, 0.5, labels == -1)

    found = shares.longer(won=won, n_chars=left, n_chars_other=right, prompts=units, raters=raters)

    assert (found.share.value, found.share.n) == (
        pytest.approx(0.410, abs=5e-4),
        5_460,
    )
    assert found.share.high < 0.5


def test_longer_needs_thirty_characters() -> None:
    found = shares.longer(
        won=[1, 1, 0, 0.5],
        n_chars=[100, 131, 100, 900],
        n_chars_other=[70, 100, 200, 1],
        prompts=[1, 2, 3, 4],
        raters=[1] * 4,
    )

    assert (found.share.value, found.share.n) == (1.0, 2)


# Length taken out


def test_length_control_is_the_two_term_fit() -> None:
    random = np.random.default_rng(6)
    own, other = random.integers(50, 2_000, (2, 400))
    apart = np.tanh((own - other) / np.std(own - other))
    won = (random.random(400) < 1 / (1 + np.exp(-(-0.4 + 1.5 * apart)))).astype(float)
    won[:20] = 0.5
    loss = lambda at: float(  # noqa: E731
        (np.logaddexp(0, at[0] + at[1] * apart) - won * (at[0] + at[1] * apart)).sum()
    )
    theta, phi = minimize(loss, [0.0, 0.0], tol=1e-10).x

    found = bias_habits.length_controlled(
        won=won, n_chars=own, n_chars_other=other, prompts=np.arange(400)
    )

    assert found.raw.value == pytest.approx(100 * won.mean())
    assert found.controlled.value == pytest.approx(100 / (1 + math.exp(-theta)), abs=1e-3)
    assert found.slope == pytest.approx(phi, abs=1e-3)
    assert found.controlled.low < found.controlled.value < found.controlled.high


def test_a_model_that_wins_by_length_alone_wins_half_when_it_is_taken_out() -> None:
    random = np.random.default_rng(7)
    own, other = random.integers(600, 2_000, 3_000), random.integers(50, 1_400, 3_000)
    apart = (own - other) / np.std(own - other)
    won = random.random(3_000) < 1 / (1 + np.exp(-1.5 * np.tanh(apart)))

    found = bias_habits.length_controlled(
        won=won, n_chars=own, n_chars_other=other, prompts=np.arange(3_000)
    )

    assert found.raw.value > 60
    assert found.controlled.low < 50 < found.controlled.high


@pytest.mark.parametrize(("won", "chars"), [([], []), ([1, 1], [5, 9]), ([1, 0], [5, 5])])
def test_length_control_gives_a_number_or_a_sentence(won: list[float], chars: list[int]) -> None:
    found = bias_habits.length_controlled(
        won=won, n_chars=chars, n_chars_other=[5] * len(won), prompts=range(len(won))
    )

    for figure in (found.raw, found.controlled):
        assert (figure.low is None) == (figure.note != "")
        assert figure.value is None or math.isfinite(figure.value)


@pytest.mark.parametrize(
    ("vote", "sentence"), [(0.5, "Every vote is a tie"), (1, "The same side won every vote")]
)
def test_votes_that_are_all_alike_are_told_as_a_person_would(vote: float, sentence: str) -> None:
    found = bias_habits.length_controlled(
        won=[vote] * 6, n_chars=[4, 9, 2, 7, 1, 5], n_chars_other=[5] * 6, prompts=range(6)
    )

    assert found.controlled.note.startswith(sentence)


# Swapped repeats


def test_swaps_tell_the_same_response_from_the_same_place() -> None:
    found = shares.swaps(before=[-1, -1, 1, 0, 1], after=[1, -1, 1, 0, -1], prompts=range(5))

    assert (found.consistent.value, found.first_twice.value, found.second_twice.value) == (
        0.6,
        0.2,
        0.2,
    )


def test_no_swaps_are_a_sentence() -> None:
    assert shares.swaps(before=[], after=[], prompts=[]).consistent.note.endswith(".")
