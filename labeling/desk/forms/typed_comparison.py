"""Parses the comparison on a posted desk page: ranks, ratings, edit and strength of the responses
A, B, …
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from arithmetic import plain_text, response_orders
from labeling.desk.forms import preference_scale
from labeling.desk.forms.answer_fields import LONGEST_TEXT, Fields, PageProblem, first
from labeling.desk.judgments.checked_answers import (
    AnswerProblem,
    CheckedComparison,
    Code,
    ComparisonAnswer,
    Edit,
    as_typed,
    check_comparison,
)
from labeling.guidelines import rating_form
from labeling.models import Response

STRENGTHS = ("1", "2", "3", "4")

PAGE_PROBLEMS = {
    Code.NOTHING_RANKED: (
        "rank-A",
        gettext_lazy(
            "Nothing is ranked yet. Give each response a rank; use the same rank for a tie."
        ),
    ),
    Code.EDIT_EMPTY: (
        "edit",
        gettext_lazy("The edit of %(letter)s is empty. Write it or discard the edit."),
    ),
    Code.EDIT_UNCHANGED: (
        "edit",
        gettext_lazy("The edit changes nothing. Improve the response or discard the edit."),
    ),
}
"""The check's findings on a page of responses: where each is shown, and its text."""


@dataclass(frozen=True)
class Asks:
    """What a campaign asks for in addition to the ranking."""

    strength: bool
    reason: bool
    is_turn: bool = False
    """of a conversation: what is written in place of bad answers says why they are bad"""
    no_choice: str = ""
    """the problem of a page with a scale on which nothing is chosen"""


@dataclass(frozen=True)
class TypedComparison:
    """The comparison on a page before checking, and what could not be read of it."""

    answer: ComparisonAnswer
    unreadable: Mapping[int, PageProblem]
    """positions whose rank is no number"""
    edit_problems: Sequence[PageProblem]
    strength_problems: Sequence[PageProblem]
    asks: Asks


def read_comparison(
    posted: Fields, *, form: rating_form.RatingForm, n_shown: int, asks: Asks
) -> TypedComparison:
    """The posted ranks and ratings of A, B, … before checking. `all_bad` leaves none ranked."""
    posted = preference_scale.as_ranking(posted)
    letters = response_orders.LETTERS[:n_shown]
    is_all_bad = first(posted, "all_bad") == "true"
    ranks, unreadable = _read_ranks(posted, letters)
    if is_all_bad:
        ranks = dict.fromkeys(ranks)
    edit, edit_problems = _read_edit(posted, letters)
    strength, strength_problems = _read_strength(posted, ranks, asks)
    answer = ComparisonAnswer(
        ranks=ranks,
        ratings=_read_ratings(posted, letters, form),
        reason=first(posted, "reason").strip() if asks.reason or is_all_bad else None,
        strength=strength,
        is_all_bad=is_all_bad,
        edit=edit,
    )
    return TypedComparison(answer, unreadable, edit_problems, strength_problems, asks)


def parse_comparison(
    typed: TypedComparison, *, form: rating_form.RatingForm, shown: Sequence[Response]
) -> CheckedComparison | list[PageProblem]:
    """The comparison, checked; or what is wrong with it, in the order of the page.

    The list is empty when only a service has a sentence for what is wrong.
    """
    outcome = check_comparison(typed.answer, shown=shown, form=form)
    wrong = outcome if isinstance(outcome, list) else []
    problems = [
        *_problems_by_response(wrong, typed.unreadable, n_shown=len(shown)),
        *([] if typed.asks.is_turn else _reason_problems(typed.answer)),
        *([] if typed.unreadable else _nothing_ranked(wrong, typed.asks)),
        *_problems_with(wrong, Code.EDIT_EMPTY),
        *typed.edit_problems,
        *typed.strength_problems,
        *_problems_with(wrong, Code.EDIT_UNCHANGED),
    ]
    return problems if problems or isinstance(outcome, list) else outcome


def _read_ranks(
    posted: Fields, letters: str
) -> tuple[dict[int, int | None], dict[int, PageProblem]]:
    """Ranks by position, and a problem for each position whose rank is not a valid number."""
    ranks: dict[int, int | None] = {}
    unreadable = {}
    for position, letter in enumerate(letters):
        written = first(posted, f"rank-{letter}").strip()
        rank = plain_text.whole_number(written)
        ranks[position] = None
        if rank is not None and 1 <= rank <= len(letters):
            ranks[position] = rank
        elif written:
            sentence = _("%(letter)s: the rank must be a number from 1 to %(n)s.")
            unreadable[position] = PageProblem(
                f"rank-{letter}", sentence % {"letter": letter, "n": len(letters)}
            )
    return ranks, unreadable


def _read_ratings(
    posted: Fields, letters: str, form: rating_form.RatingForm
) -> dict[int, dict[str, str]]:
    return {
        position: {
            question.name: first(posted, f"rate-{letter}-{question.name}")
            for question in form.questions
        }
        for position, letter in enumerate(letters)
    }


def _problems_by_response(
    wrong: Sequence[AnswerProblem], unreadable: Mapping[int, PageProblem], *, n_shown: int
) -> list[PageProblem]:
    problems = []
    for position in range(n_shown):
        problems += [
            _rating_problem(response_orders.LETTERS[position], problem.rating)
            for problem in wrong
            if problem.rating is not None and problem.position == position
        ]
        if position in unreadable:
            problems.append(unreadable[position])
    return problems


def _rating_problem(letter: str, problem: rating_form.RatingProblem) -> PageProblem:
    return PageProblem(f"rate-{letter}-{problem.question}", _rating_sentence(letter, problem))


def _rating_sentence(letter: str, problem: rating_form.RatingProblem) -> str:
    named = {"letter": letter, "label": problem.label, "low": problem.low, "high": problem.high}
    if problem.code == "required":
        return _("%(letter)s: rate %(label)s (%(low)s–%(high)s).") % named
    if problem.code in {"not_a_number", "out_of_range"}:
        return _("%(letter)s: %(label)s must be a number from %(low)s to %(high)s.") % named
    return _("%(letter)s: %(label)s must be set or not set.") % named


def _reason_problems(answer: ComparisonAnswer) -> list[PageProblem]:
    if not answer.is_all_bad or answer.reason:
        return []
    return [PageProblem("reason", _("Explain briefly why all responses are bad."))]


def _nothing_ranked(wrong: Sequence[AnswerProblem], asks: Asks) -> list[PageProblem]:
    problems = _problems_with(wrong, Code.NOTHING_RANKED)
    if problems and asks.no_choice:
        return [PageProblem(preference_scale.FIELD, asks.no_choice)]
    return problems


def _problems_with(wrong: Sequence[AnswerProblem], code: Code) -> list[PageProblem]:
    """The check's problems with this `code`, with the texts of the page."""
    where, sentence = PAGE_PROBLEMS[code]
    return [
        PageProblem(
            where, str(sentence) % {"letter": response_orders.LETTERS[problem.position or 0]}
        )
        for problem in wrong
        if problem.code == code
    ]


def _read_strength(
    posted: Fields, ranks: Mapping[int, int | None], asks: Asks
) -> tuple[int | None, list[PageProblem]]:
    """Strength is read only for a ranking with a winner."""
    if not asks.strength or len({rank for rank in ranks.values() if rank is not None}) < 2:
        return None, []
    chosen = first(posted, "strength")
    if chosen in STRENGTHS:
        return int(chosen), []
    if asks.no_choice:
        return None, [PageProblem(preference_scale.FIELD, asks.no_choice)]
    return None, [PageProblem("strength", _("Choose how much better the best response is."))]


def _read_edit(posted: Fields, letters: str) -> tuple[Edit | None, list[PageProblem]]:
    letter = first(posted, "edit_of")
    if len(letter) != 1 or letter not in letters:
        return None, []
    text = as_typed(first(posted, "edit"))
    problems = []
    if text.strip() and len(text) > LONGEST_TEXT:
        sentence = _("The edit is longer than %(n)s characters. Shorten it.")
        problems.append(PageProblem("edit", sentence % {"n": LONGEST_TEXT}))
    return Edit(letters.index(letter), text), problems
