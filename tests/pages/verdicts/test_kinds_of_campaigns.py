"""What campaigns of demonstrations and conversations say, and what they offer first."""

import pytest

from arithmetic.figures import Figure
from labeling.models import Campaign
from labeling.quality.contests import Contest
from labeling.quality.pages import verdicts_by_kind
from labeling.quality.selectors import QualityRow
from labeling.votes.demonstrations import DemonstrationStats
from pages.verdicts import Verdict
from tests.pages.verdicts.subjects import NOW

CAMPAIGN = Campaign(pk=7, name="Answers")
NOTHING = Figure(None, 0)


def label(verdict: Verdict) -> str:
    return verdict.action.label if verdict.action else ""


@pytest.mark.parametrize(
    ("ends", "words", "button"),
    [
        ((5.1, 5.7), "5.4 of 7 (5.1–5.7) on 40 reviewed answers of 120: better than", "Export the"),
        ((3.6, 5.7), "on 40 reviewed answers of 120: they may as well be middling.", "Review the"),
        ((2.1, 3.7), "on 40 reviewed answers of 120: worse than middling.", "Review the answers"),
    ],
)
def test_answers_are_offered_only_where_reviewers_found_them_good(
    ends: tuple[float, float], words: str, button: str
) -> None:
    written = DemonstrationStats(120, 40, 5.4, 0, Figure(5.4, 40, *ends))

    found = verdicts_by_kind.of_demonstrations(CAMPAIGN, written, [])

    assert words in found.sentence
    assert label(found).startswith(button)
    marked = verdicts_by_kind.of_demonstrations(CAMPAIGN, written, ["Rater 7"])
    assert (label(marked), "Rater 7" in marked.advice) == ("Review the answers", True)


def test_too_few_reviewed_demonstrations_are_said_to_be_too_few() -> None:
    written = DemonstrationStats(120, 3, 5.4, 0, Figure(None, 3))

    found = verdicts_by_kind.of_demonstrations(CAMPAIGN, written, [])

    assert found.sentence.startswith("Too few to tell how good the answers are: 3 of 120 have a")
    assert label(found) == "Review the answers"


def test_a_conversation_names_the_model_that_raters_prefer_whichever_side_it_is_on() -> None:
    for one, other, rate in (
        ("old", "new", Figure(30, 200, 24, 37)),
        ("new", "old", Figure(70, 200, 63, 76)),
    ):
        found = verdicts_by_kind.of_conversations(
            CAMPAIGN, [Contest(one, other, rate, NOTHING)], []
        )

        assert found.sentence == "Raters prefer new to old: it won 70 % (63–76) of 200 votes."


@pytest.mark.parametrize(
    ("rate", "words"),
    [
        (
            Figure(52, 31, 35, 69),
            "won 52 % of 31 votes. About 740 would show a difference",
        ),
        (Figure(52, 4), "Too few to tell which model raters prefer: 4 votes."),
    ],
)
def test_models_that_cannot_be_told_apart_are_said_to_be(rate: Figure, words: str) -> None:
    found = verdicts_by_kind.of_conversations(CAMPAIGN, [Contest("a", "b", rate, NOTHING)], [])

    assert words in found.sentence
    assert label(found) == "Read the conversations"


def test_attackers_choose_the_model_that_gives_in_and_prefer_none() -> None:
    for one, other, rate in (
        ("weak", "firm", Figure(30, 200, 24, 37)),
        ("firm", "weak", Figure(70, 200, 63, 76)),
    ):
        found = verdicts_by_kind.of_attacks(CAMPAIGN, [Contest(one, other, rate, NOTHING)], [])

        assert found.sentence == (
            "weak gives in more often than firm: attackers chose it in 70 % (63–76) of 200 choices."
        )
        assert label(found) == "See how attacks end"


@pytest.mark.parametrize(
    ("rate", "words"),
    [
        (Figure(40, 31, 25, 58), "whether a or b gives in more often: attackers chose b in 40 %"),
        (Figure(40, 4), "Too few to tell which model gives in more often: 4 choices."),
    ],
)
def test_models_that_give_in_alike_are_not_told_apart(rate: Figure, words: str) -> None:
    found = verdicts_by_kind.of_attacks(CAMPAIGN, [Contest("a", "b", rate, NOTHING)], [])

    assert words in found.sentence
    assert "prefer" not in found.sentence


def test_all_campaigns_lead_to_the_one_that_needs_somebody_most() -> None:
    def row(number: int, alpha: float, n_flagged: int) -> QualityRow:
        figure = Figure(alpha, 300, alpha - 0.1, alpha + 0.1)
        campaign = Campaign(pk=number, name=f"Campaign {number}")
        return QualityRow(campaign, NOW, 300, figure, figure, n_flagged)

    fine, flagged, contradicting = row(1, 0.5, 0), row(2, 0.05, 1), row(3, -0.5, 0)

    assert verdicts_by_kind.of_all([fine]).action is None
    assert label(verdicts_by_kind.of_all([fine, flagged])) == "Look at Campaign 2"
    found = verdicts_by_kind.of_all([fine, flagged, contradicting])
    assert label(found) == "Look at Campaign 3"
    assert found.sentence == (
        "Raters agree beyond chance in 1 of 3 campaigns. In 1 that can't be told. In 1 they"
        " contradict each other. 1 campaign has raters to check."
    )
