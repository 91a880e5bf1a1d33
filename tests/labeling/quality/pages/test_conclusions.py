"""The sentence at the top of a campaign of rankings claims no more than its interval carries."""

from types import SimpleNamespace
from typing import cast

import pytest

from arithmetic.figures import Figure
from labeling.models import Campaign, QualityReport
from labeling.quality.pages import conclusions
from labeling.votes.arrays import as_record
from pages.verdicts import Verdict


def concluded(alpha: Figure, raw: Figure) -> Verdict:
    measured = {"alpha_ordinal": as_record(alpha), "raw_half": as_record(raw)}
    report = cast(QualityReport, SimpleNamespace(results={"agreement": measured}))
    return conclusions.of_comparisons(Campaign(pk=7), report, [])


@pytest.mark.parametrize(
    ("alpha", "starts", "step"),
    [
        (
            Figure(-0.07, 45, -0.16, 0.02),
            "Agreement can't be told from chance: on 52 %",
            "Read the disputed items",
        ),
        (
            Figure(0.1, 12, -0.2, 0.4),
            "Too few to tell whether raters agree beyond",
            "See the items",
        ),
        (Figure(0.1, 12), "Too few to tell how far raters agree: two judged", "See the items"),
        (
            Figure(0.1, 400, 0.05, 0.15),
            "Raters hardly agree beyond chance: on 52 %",
            "Read the disputed items",
        ),
        (
            Figure(0.36, 400, 0.3, 0.42),
            "Raters agree fairly: on 52 % of 300 pairs",
            "Export the answers",
        ),
    ],
)
def test_each_case_says_what_its_interval_allows_and_one_thing_to_do(
    alpha: Figure, starts: str, step: str
) -> None:
    result = concluded(alpha, Figure(0.52, 300, 0.45, 0.6))

    assert result.sentence.startswith(starts)
    assert result.action is not None
    assert result.action.label == step
    assert result.action.url.startswith("/")


def test_nothing_in_common_is_said() -> None:
    result = concluded(Figure(None, 0), Figure(None, 0))

    assert result.sentence.startswith("No pair of responses was judged by two raters")
