"""Means from people and a judge, against slow twins, a textbook's example and simulated votes."""

import itertools

import numpy as np
import pytest

from arithmetic.judges import with_people

OUTCOMES = np.array([0.0, 0.5, 1.0])
Votes = tuple[list[float], list[float | None], list[int]]


def drawn(
    rng: np.random.Generator, correlation: float, n_answered: int, n_alike: int = 1, n: int = 600
) -> Votes:
    """(the judge's answers, people's, prompts): losses, ties and wins. Pairs of one prompt mostly
    end alike, and the judge repeats a person in a share `correlation` of pairs.
    """
    prompts = np.arange(n) // n_alike
    usual = rng.choice(OUTCOMES, n, p=[0.3, 0.3, 0.4])[prompts]
    truth = np.where(rng.random(n) < 0.6, usual, rng.choice(OUTCOMES, n, p=[0.3, 0.3, 0.4]))
    judge = np.where(rng.random(n) < correlation, truth, rng.choice(OUTCOMES, n, p=[0.3, 0.3, 0.4]))
    people: list[float | None] = [None] * n
    for place in rng.choice(n, n_answered, replace=False):
        people[place] = float(truth[place])
    return judge.tolist(), people, prompts.tolist()


def test_people_are_moved_by_what_the_judge_says_of_the_rest() -> None:
    judge, people, prompts = drawn(np.random.default_rng(1), 0.6, 120)
    f, y = zip(*((a, b) for a, b in zip(judge, people, strict=True) if b is not None), strict=True)
    slope = np.polyfit(f, y, 1)[0]
    twin = np.mean(y) + slope * (np.mean(judge) - np.mean(f))

    found = with_people.estimate(judge, people, prompts)

    assert found is not None
    assert not found.judge_added_nothing
    assert found.value == pytest.approx(twin, abs=1e-12)
    assert found.correlation == pytest.approx(np.corrcoef(f, y)[0, 1])


def test_the_weight_of_peaches_by_example() -> None:
    """Cochran 1977, Sampling Techniques, exercise 7.1: a farmer's guesses for 200 trees come to
    11,600 pounds, and ten trees were weighed. Their slope on his guesses is above 1, so his error
    is taken off as it is: 54.3 + 58 − 56.9 pounds a tree.
    """
    weighed = [61, 42, 50, 58, 67, 45, 39, 57, 71, 53]
    guessed = [59, 47, 52, 60, 67, 48, 44, 58, 76, 58]
    rest = (11_600 - sum(guessed)) / 190

    found = with_people.corrected(
        [pounds / 100 for pounds in (*guessed, *[rest] * 190)],
        [*(pounds / 100 for pounds in weighed), *[None] * 190],
        range(200),
    )

    assert found is not None
    assert 100 * found.value == pytest.approx(55.4)
    assert found.low < found.value < found.high


def test_scores_from_one_to_five_are_the_same_on_their_own_scale() -> None:
    judge, people, prompts = drawn(np.random.default_rng(2), 0.6, 120)
    small = with_people.estimate(judge, people, prompts)

    large = with_people.estimate(
        [1 + 4 * answer for answer in judge],
        [None if answer is None else 1 + 4 * answer for answer in people],
        prompts,
        bounds=(1, 5),
    )

    assert small is not None
    assert large is not None
    assert [large.value, large.low, large.high] == pytest.approx(
        [1 + 4 * end for end in (small.value, small.low, small.high)]
    )
    assert large.n_worth == pytest.approx(small.n_worth)


@pytest.mark.parametrize("kind", ["constant", "random", "inverted"])
def test_a_judge_that_adds_nothing_leaves_people_alone(kind: str) -> None:
    judge, people, prompts = drawn(np.random.default_rng(3), 0.0 if kind == "random" else 0.8, 60)
    if kind == "inverted":
        judge = [1 - answer for answer in judge]
    if kind == "constant":
        judge = [1.0] * len(judge)

    found = with_people.estimate(judge, people, prompts)

    assert found is not None
    assert found.judge_added_nothing
    assert found.n_worth == found.n == 60
    assert found.value == pytest.approx(np.mean([y for y in people if y is not None]))


def test_a_random_judge_is_said_to_add_nothing() -> None:
    rng, n_silent = np.random.default_rng(4), 0
    for _run in range(300):
        found = with_people.estimate(*drawn(rng, 0.0, 100))
        assert found is not None
        n_silent += found.judge_added_nothing

    assert 0.9 * 300 <= n_silent < 300


@pytest.mark.parametrize(("n", "least"), [(12, 0.4973), (30, 0.3061), (100, 0.1654)])
def test_the_least_correlation_is_that_of_tables(n: int, least: float) -> None:
    """One-sided at 5 %, by n − 2 degrees of freedom (Fisher and Yates, Statistical Tables, VII)."""
    assert with_people.least_correlation(n) == pytest.approx(least, abs=5e-4)


def test_answers_with_a_good_judge_are_worth_what_theory_says() -> None:
    rng, worth = np.random.default_rng(5), []
    for _run in range(100):
        found = with_people.estimate(*drawn(rng, 0.7, 100))
        assert found is not None
        worth.append(found.n_worth / found.n)

    theory = 1 / (1 - 0.7**2 * (1 - 100 / 600))
    assert np.median(worth) == pytest.approx(theory, rel=0.08)


@pytest.mark.parametrize(("correlation", "n_answered"), [(0.0, 300), (0.7, 300), (0.7, 30)])
def test_intervals_of_pairs_that_share_prompts_cover(correlation: float, n_answered: int) -> None:
    rng, n_covered, n_without = np.random.default_rng(6), 0, 0
    for _run in range(300):
        judge, people, prompts = drawn(rng, correlation, n_answered, n_alike=10)
        found = with_people.estimate(judge, people, prompts)
        apart = with_people.estimate(judge, people, range(600))
        assert found is not None
        assert apart is not None
        n_covered += found.low <= 0.55 <= found.high
        n_without += apart.low <= 0.55 <= apart.high

    assert 0.92 * 300 <= n_covered <= 0.985 * 300
    assert n_without < n_covered


def test_nothing_is_said_of_few_prompts_or_answers() -> None:
    judge, people, prompts = drawn(np.random.default_rng(7), 0.5, 60)
    few = [answer if place < 50 else None for place, answer in enumerate(people)]
    assert 0 < sum(answer is not None for answer in few) < 10

    assert with_people.estimate(judge, people, [prompt % 4 for prompt in prompts]) is None
    assert with_people.estimate(judge, few, prompts) is None
    assert with_people.estimate([], [], []) is None


def test_the_correlation_of_two_people_is_over_all_two_that_answered_a_pair() -> None:
    rng = np.random.default_rng(8)
    pairs = np.repeat(np.arange(80), rng.integers(1, 6, 80))
    easy = rng.random(80)
    answers = np.where(rng.random(len(pairs)) < easy[pairs], 1.0, rng.choice(OUTCOMES, len(pairs)))
    twos = [
        (answers[a], answers[b])
        for a, b in itertools.permutations(range(len(pairs)), 2)
        if pairs[a] == pairs[b]
    ]

    found = with_people.correlation_between_people(answers.tolist(), pairs.tolist())

    assert found == pytest.approx(np.corrcoef(np.array(twos).T)[0, 1])
    assert with_people.correlation_between_people([0.0, 1.0], [1, 2]) is None
    assert with_people.correlation_between_people([1.0, 1.0], [1, 1]) is None


def test_no_judge_is_worth_more_than_the_one_that_knows_all_people() -> None:
    """A third of pairs each win with .2, .5 and .9: the best judge says just that."""
    shares = np.array([0.2, 0.5, 0.9])
    mean = shares.mean()
    between_people = shares.var() / (mean * (1 - mean))
    square = (shares.var() / np.sqrt(shares.var() * mean * (1 - mean))) ** 2

    assert with_people.ceiling(between_people) == pytest.approx(1 / (1 - square))
    assert with_people.ceiling(-0.1) == 1
    # Two people who agree in all they say can be replaced by a machine that does too.
    assert with_people.ceiling(1.0) == float("inf")
