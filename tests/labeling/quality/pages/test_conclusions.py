"""The sentence at the top of a campaign of rankings claims no more than its interval carries."""

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from arithmetic.agreement import alpha as alphas
from arithmetic.agreement import pairs
from arithmetic.figures import Figure
from labeling.models import Campaign, QualityReport
from labeling.quality.pages import conclusions
from labeling.votes.arrays import as_record

N_CAMPAIGNS = 300
CLAIMS = (
    *("Raters hardly agree beyond", "Raters agree beyond", "Raters agree fairly"),
    *("Raters agree well", "Raters give nearly"),
)


def concluded(alpha: Figure, raw: Figure) -> conclusions.Conclusion:
    measured = {"alpha_ordinal": as_record(alpha), "raw_half": as_record(raw)}
    report = cast(QualityReport, SimpleNamespace(results={"agreement": measured}))
    return conclusions.of_comparisons(Campaign(pk=7), report, [])


def of_random_raters(
    random: Any, *, n_items: int, n_raters: int, n_answers: int, skill: float
) -> str:
    """The sentence on raters who see the true ranking of an item with probability `skill`, and
    otherwise rank at random.
    """
    units, labels, prompts = [], [], []
    for item in range(n_items):
        truth = random.permutation(n_answers)
        for _rater in range(n_raters):
            seen = truth if random.random() < skill else random.permutation(n_answers)
            for one in range(n_answers):
                for other in range(one):
                    units.append(item * 100 + one * 10 + other)
                    labels.append(1 if seen[one] < seen[other] else -1)
                    prompts.append(item)
    columns: Any = {"units": units, "labels": labels, "prompts": prompts}
    figure = alphas.krippendorff(**columns, metric="ordinal")
    return concluded(figure, pairs.raw(**columns, ties="half")).sentence


@pytest.mark.parametrize(
    ("n_items", "n_raters", "n_answers"), [(6, 3, 4), (15, 3, 2), (40, 2, 4), (60, 5, 2)]
)
def test_raters_who_guess_are_hardly_ever_said_to_agree(
    n_items: int, n_raters: int, n_answers: int
) -> None:
    random = np.random.default_rng(11)
    sentences = [
        of_random_raters(random, n_items=n_items, n_raters=n_raters, n_answers=n_answers, skill=0.0)
        for _campaign in range(N_CAMPAIGNS)
    ]

    n_claims = sum(sentence.startswith(CLAIMS) for sentence in sentences)

    assert n_claims / N_CAMPAIGNS <= 0.05


def test_raters_who_agree_are_said_to() -> None:
    random = np.random.default_rng(12)
    sentences = [
        of_random_raters(random, n_items=60, n_raters=3, n_answers=4, skill=0.7)
        for _campaign in range(100)
    ]

    assert sum(sentence.startswith(CLAIMS) for sentence in sentences) >= 95


@pytest.mark.parametrize(
    ("alpha", "starts", "step"),
    [
        (
            Figure(-0.07, 45, -0.16, 0.02),
            "Agreement can't be told from chance: on 52 %",
            "Read the",
        ),
        (Figure(0.1, 12, -0.2, 0.4), "Too few to tell whether raters agree beyond", "Have more"),
        (Figure(0.1, 12), "Too few to tell how far raters agree: two judged", "Have more"),
        (Figure(0.1, 400, 0.05, 0.15), "Raters hardly agree beyond chance: on 52 %", "Read the"),
        (Figure(0.36, 400, 0.3, 0.42), "Raters agree fairly: on 52 % of 300 pairs", "Export"),
    ],
)
def test_each_case_says_what_its_interval_allows_and_one_thing_to_do(
    alpha: Figure, starts: str, step: str
) -> None:
    result = concluded(alpha, Figure(0.52, 300, 0.45, 0.6))

    assert result.sentence.startswith(starts)
    assert result.step.startswith(step)
    assert result.url.startswith("/")


def test_nothing_in_common_is_said() -> None:
    result = concluded(Figure(None, 0), Figure(None, 0))

    assert result.sentence.startswith("No pair of responses was judged by two raters")
