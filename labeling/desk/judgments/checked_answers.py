"""A rater's answer as typed data, from the desk's form to the database, and the check of it.

An answer is checked once, against what its rater was shown. The check returns the checked answer,
or every problem as a code. The caller turns codes into text: the desk next to the field, a service
as a refusal.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from labeling.desk.texts import masking
from labeling.guidelines import rating_form
from labeling.models import Judgment, Response

STRENGTHS = range(1, 5)


@dataclass(frozen=True)
class Edit:
    """The rater's improved version of a response: the response's position on the page (0 = shown
    first), and the new text.
    """

    position: int
    text: str


@dataclass(frozen=True)
class ComparisonAnswer:
    """A ranking, by position on the rater's page (0 = shown first).

    `ranks` may leave responses unranked (None); equal ranks are ties. `is_all_bad` means that no
    response deserves a rank.
    """

    ranks: Mapping[int, int | None]
    ratings: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    reason: str | None = None
    """None when not asked"""
    strength: int | None = None
    is_all_bad: bool = False
    edit: Edit | None = None

    kind = Judgment.Kind.COMPARISON

    @property
    def as_draft(self) -> dict[str, object]:
        return {
            "ranks": dict(self.ranks),
            "ratings": {position: dict(rating) for position, rating in self.ratings.items()},
            "reason": self.reason,
        }


@dataclass(frozen=True)
class DemonstrationAnswer:
    """A text; for dialogue campaigns also the turns that follow, as chat messages in pairs of user
    and assistant.
    """

    text: str
    further: Sequence[Mapping[str, str]] = ()
    sources: str = ""

    kind = Judgment.Kind.DEMONSTRATION

    @property
    def as_draft(self) -> dict[str, object]:
        return {"text": self.text, "further": list(self.further), "sources": self.sources}

    @property
    def lengths(self) -> list[int]:
        """Number of words of each answer in the dialogue."""
        answers = [
            self.text,
            *(message["content"] for message in self.further if message["role"] == "assistant"),
        ]
        return [len(answer.split()) for answer in answers]

    @property
    def n_words(self) -> int:
        return sum(self.lengths)


@dataclass(frozen=True)
class Recorded:
    """Measurements of how an answer was given. Empty for a page without JavaScript."""

    presentation: Mapping[str, object] = field(default_factory=dict)
    active_s: float | None = None
    warnings: Sequence[str] = ()
    """names of the warnings that the rater overrode"""


class Code(StrEnum):
    NO_SUCH_RESPONSE = "no_such_response"
    RANK_BELOW_ONE = "rank_below_one"
    NOTHING_RANKED = "nothing_ranked"
    RATING = "rating"
    NO_SUCH_STRENGTH = "no_such_strength"
    EDIT_EMPTY = "edit_empty"
    EDIT_UNCHANGED = "edit_unchanged"
    EDIT_MASKED = "edit_masked"
    TEXT_EMPTY = "text_empty"
    NOT_A_DIALOGUE = "not_a_dialogue"
    TURNS_OUT_OF_ORDER = "turns_out_of_order"
    TURN_EMPTY = "turn_empty"


@dataclass(frozen=True)
class AnswerProblem:
    """One reason why an answer cannot be stored."""

    code: Code
    position: int | None = None
    """of the response in question"""
    rating: rating_form.RatingProblem | None = None
    turn: int | None = None
    """of a dialogue: 1 is the first after the text"""


@dataclass(frozen=True)
class CheckedComparison:
    """A comparison that can be stored. The ratings in `given` are clean."""

    given: ComparisonAnswer
    shown: tuple[Response, ...]

    @property
    def kind(self) -> str:
        return self.given.kind

    @property
    def ranks(self) -> dict[int, int | None]:
        """Ranks without gaps: 1, 1, 3 becomes 1, 1, 2. All None when all responses are bad."""
        if self.given.is_all_bad:
            return {}
        ranks = self.given.ranks
        used = sorted({rank for rank in ranks.values() if rank is not None})
        return {
            position: None if rank is None else used.index(rank) + 1
            for position, rank in ranks.items()
        }

    @property
    def ranks_by_response(self) -> dict[int, int | None]:
        ranks = self.ranks
        return {response.pk: ranks.get(position) for position, response in enumerate(self.shown)}


@dataclass(frozen=True)
class CheckedDemonstration:
    """A demonstration that can be stored."""

    given: DemonstrationAnswer

    @property
    def kind(self) -> str:
        return self.given.kind


Checked = CheckedComparison | CheckedDemonstration
Answer = ComparisonAnswer | DemonstrationAnswer | Checked
"""What the services accept. A checked answer is not checked again."""


def check_comparison(
    answer: ComparisonAnswer, *, shown: Sequence[Response], form: rating_form.RatingForm
) -> CheckedComparison | list[AnswerProblem]:
    ratings, rating_problems = _clean_ratings(answer.ratings, form=form, n_shown=len(shown))
    if answer.is_all_bad:  # the reason says why, so no scale is required
        rating_problems = [problem for problem in rating_problems if not _is_missing(problem)]
    problems = [
        *_rank_problems(answer, n_shown=len(shown)),
        *rating_problems,
        *_strength_problems(answer.strength),
        *_edit_problems(answer.edit, shown=shown),
    ]
    return problems or CheckedComparison(replace(answer, ratings=ratings), tuple(shown))


def with_clean_ratings(
    given: ComparisonAnswer, *, form: rating_form.RatingForm, n_shown: int
) -> ComparisonAnswer:
    """Without the ratings that cannot be read."""
    ratings, _problems = _clean_ratings(given.ratings, form=form, n_shown=n_shown)
    return replace(given, ratings=ratings)


def check_demonstration(
    answer: DemonstrationAnswer, *, is_dialogue: bool
) -> CheckedDemonstration | list[AnswerProblem]:
    problems = [] if answer.text.strip() else [AnswerProblem(Code.TEXT_EMPTY)]
    if answer.further and not is_dialogue:
        problems.append(AnswerProblem(Code.NOT_A_DIALOGUE))
    expected = ("user", "assistant") * (len(answer.further) // 2)
    if tuple(message["role"] for message in answer.further) != expected:
        problems.append(AnswerProblem(Code.TURNS_OUT_OF_ORDER))
    problems += [
        AnswerProblem(Code.TURN_EMPTY, turn=number)
        for number, message in enumerate(answer.further, 1)
        if not message["content"].strip()
    ]
    return problems or CheckedDemonstration(answer)


def as_typed(text: str) -> str:
    """`text` as a browser's text area would return it."""
    return text.replace("\r\n", "\n")


def _rank_problems(answer: ComparisonAnswer, *, n_shown: int) -> list[AnswerProblem]:
    if answer.is_all_bad:
        return []
    problems = _unknown_positions(answer.ranks, n_shown=n_shown)
    problems += [
        AnswerProblem(Code.RANK_BELOW_ONE, position)
        for position, rank in answer.ranks.items()
        if rank is not None and rank < 1
    ]
    if all(rank is None for rank in answer.ranks.values()):
        problems.append(AnswerProblem(Code.NOTHING_RANKED))
    return problems


def _clean_ratings(
    ratings: Mapping[int, Mapping[str, object]], *, form: rating_form.RatingForm, n_shown: int
) -> tuple[dict[int, dict[str, int | bool]], list[AnswerProblem]]:
    problems = _unknown_positions(ratings, n_shown=n_shown)
    cleaned = {}
    for position in range(n_shown):
        cleaned[position], rating_problems = rating_form.clean(form, ratings.get(position, {}))
        problems += [AnswerProblem(Code.RATING, position, problem) for problem in rating_problems]
    return cleaned, problems


def _is_missing(problem: AnswerProblem) -> bool:
    return problem.rating is not None and problem.rating.code == "required"


def _strength_problems(strength: int | None) -> list[AnswerProblem]:
    if strength is None or strength in STRENGTHS:
        return []
    return [AnswerProblem(Code.NO_SUCH_STRENGTH)]


def _edit_problems(edit: Edit | None, *, shown: Sequence[Response]) -> list[AnswerProblem]:
    if edit is None:
        return []
    unknown = _unknown_positions({edit.position: edit}, n_shown=len(shown))
    if unknown:
        return unknown
    if not edit.text.strip():
        return [AnswerProblem(Code.EDIT_EMPTY, edit.position)]
    if edit.text == as_typed(shown[edit.position].text):
        return [AnswerProblem(Code.EDIT_UNCHANGED, edit.position)]
    if masking.MASK in edit.text:
        return [AnswerProblem(Code.EDIT_MASKED, edit.position)]
    return []


def _unknown_positions(positions: Mapping[int, object], *, n_shown: int) -> list[AnswerProblem]:
    return [
        AnswerProblem(Code.NO_SUCH_RESPONSE, position)
        for position in positions
        if not 0 <= position < n_shown
    ]
