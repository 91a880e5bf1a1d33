"""An answer is checked once, and every problem is reported."""

import pytest

from labeling.desk.judgments import checked_answers, submit
from labeling.desk.judgments import rows as judgments_rows
from labeling.desk.judgments.checked_answers import (
    AnswerProblem,
    CheckedComparison,
    CheckedDemonstration,
    Code,
    ComparisonAnswer,
    DemonstrationAnswer,
    Edit,
)
from labeling.guidelines.rating_form import RatingForm, Scale
from labeling.models import Campaign, Judgment, Rater, Response
from labeling.queue.claiming import claim
from tests.cast import NOON, lease_of

FORM = RatingForm((Scale("overall", "Overall", is_required=True),))
SHOWN = [Response(pk=pk, text=f"Response {pk}") for pk in (11, 12, 13)]


def check(given: ComparisonAnswer) -> CheckedComparison | list[AnswerProblem]:
    return checked_answers.check_comparison(given, shown=SHOWN, form=FORM)


def checked(given: ComparisonAnswer) -> CheckedComparison:
    """One without a problem."""
    outcome = check(given)
    assert isinstance(outcome, CheckedComparison)
    return outcome


def problems_of(outcome: object) -> list[AnswerProblem]:
    assert isinstance(outcome, list)
    return outcome


def test_every_problem_of_a_comparison_is_found_at_once() -> None:
    rated: dict[int, dict[str, object]] = {0: {"overall": "4"}, 2: {"overall": 9}}

    outcome = check(
        ComparisonAnswer(ranks={0: 0, 5: None}, ratings=rated, strength=7, edit=Edit(1, " "))
    )

    assert [(problem.code, problem.position) for problem in problems_of(outcome)] == [
        (Code.NO_SUCH_RESPONSE, 5),
        (Code.RANK_BELOW_ONE, 0),
        (Code.RATING, 1),
        (Code.RATING, 2),
        (Code.NO_SUCH_STRENGTH, None),
        (Code.EDIT_EMPTY, 1),
    ]


def test_ranks_are_stored_without_gaps_and_ratings_as_numbers() -> None:
    rated = {place: {"overall": "4"} for place in range(3)}

    answer = checked(ComparisonAnswer(ranks={0: 5, 1: None, 2: 2}, ratings=rated))

    assert answer.ranks_by_response == {11: 2, 12: None, 13: 1}
    assert answer.given.ratings[0] == {"overall": 4}


def test_nothing_is_ranked_where_all_are_bad() -> None:
    rated = {place: {"overall": 1} for place in range(3)}

    answer = checked(ComparisonAnswer(ranks={0: 1}, ratings=rated, is_all_bad=True))

    assert answer.ranks == {}


def test_no_scale_is_required_where_all_are_bad_but_a_wrong_rating_is_still_found() -> None:
    assert checked(ComparisonAnswer(ranks={}, is_all_bad=True)).ranks == {}

    (problem,) = problems_of(
        check(ComparisonAnswer(ranks={}, ratings={1: {"overall": 9}}, is_all_bad=True))
    )
    assert (problem.code, problem.position) == (Code.RATING, 1)


def test_every_empty_turn_of_a_dialogue_is_found() -> None:
    turns = [("user", " "), ("assistant", "Six."), ("user", "And 4 + 4?"), ("assistant", "")]
    further = [{"role": role, "content": content} for role, content in turns]

    outcome = checked_answers.check_demonstration(
        DemonstrationAnswer(text="Four.", further=further), is_dialogue=True
    )

    assert [(problem.code, problem.turn) for problem in problems_of(outcome)] == [
        (Code.TURN_EMPTY, 1),
        (Code.TURN_EMPTY, 4),
    ]


@pytest.mark.django_db
def test_an_answer_with_a_problem_is_refused_and_one_that_was_checked_is_stored_as_it_is(
    demonstration_campaign: Campaign, rosa: Rater
) -> None:
    slot = claim.claim(campaign=demonstration_campaign, rater=rosa, now=NOON)
    assert slot is not None
    empty = DemonstrationAnswer(text=" ")
    written = checked_answers.check_demonstration(
        DemonstrationAnswer(text="Four."), is_dialogue=False
    )
    assert isinstance(written, CheckedDemonstration)

    with pytest.raises(judgments_rows.UnableToSubmit, match="empty"):
        submit.submit(lease=lease_of(slot), rater=rosa, answer=empty, now=NOON)
    submit.submit(lease=lease_of(slot), rater=rosa, answer=written, now=NOON)

    assert Judgment.of_people.get().demonstration.text == "Four."
