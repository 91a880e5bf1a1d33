"""Builds the database rows of an answer, and the refusals of answers that cannot be stored."""

from collections.abc import Callable, Sequence
from datetime import datetime

from django.db.models import Max
from django.utils.translation import gettext as _

from accounts.refusals import Refusal
from arithmetic import response_orders
from config.performance.compiled import insert
from labeling.desk.judgments import checked_answers
from labeling.desk.judgments.checked_answers import Answer, AnswerProblem, Checked, Code
from labeling.guidelines import rating_form
from labeling.guidelines import selectors as guidelines_selectors
from labeling.models import (
    Campaign,
    Comparison,
    Demonstration,
    Judgment,
    RankedResponse,
    Rater,
    Response,
    Source,
)
from labeling.queue import admission


class UnableToSubmit(Refusal):
    """Raised when an answer cannot be stored. The text tells the rater what to do; their input is
    not lost.
    """

    def __init__(self, sentence: str, *, position: int | None = None, question: str = "") -> None:
        super().__init__(sentence)
        self.position = position
        """`position` is that of the response in question, 0 = shown first."""
        self.question = question


def checked(
    answer: Answer,
    *,
    campaign: Campaign,
    guideline_version: int | None,
    read_shown: Callable[[], Sequence[Response]],
) -> Checked:
    """The answer after checking it, unless it is checked already. Raises UnableToSubmit for its
    first problem.
    """
    outcome: Checked | list[AnswerProblem]
    match answer:
        case checked_answers.ComparisonAnswer():
            form = guidelines_selectors.form_of(guideline_version)
            outcome = checked_answers.check_comparison(answer, shown=read_shown(), form=form)
        case checked_answers.DemonstrationAnswer():
            is_dialogue = campaign.asks_dialogue
            outcome = checked_answers.check_demonstration(answer, is_dialogue=is_dialogue)
        case _:
            return answer
    if not isinstance(outcome, list):
        return outcome
    problem = outcome[0]
    raise UnableToSubmit(
        _sentence(problem),
        position=problem.position,
        question=problem.rating.question if problem.rating else "",
    )


def withdrawn_sentence() -> str:
    return _("You have withdrawn, so your answers can't be added to or changed.")


def refuse_withdrawn(*, rater: Rater) -> None:
    """Raises UnableToSubmit if the rater has withdrawn. See admission.has_withdrawn."""
    if admission.has_withdrawn(rater_id=rater.pk):
        raise UnableToSubmit(withdrawn_sentence())


def store_judgment(*, judgment: Judgment, answer: Checked) -> None:
    """Store a new judgment with the rows of its answer."""
    insert(judgment)
    if isinstance(answer, checked_answers.CheckedDemonstration):
        demonstration = Demonstration(
            judgment=judgment,
            text=answer.given.text,
            further=list(answer.given.further),
            sources=answer.given.sources,
        )
        insert(demonstration)
        return
    comparison = Comparison(
        judgment=judgment,
        strength=answer.given.strength,
        reason=answer.given.reason,
        is_all_bad=answer.given.is_all_bad,
    )
    ranked = [
        RankedResponse(
            comparison=comparison,
            response=response,
            position=position,
            rank=answer.ranks.get(position),
            ratings=answer.given.ratings[position],
        )
        for position, response in enumerate(answer.shown)
    ]
    insert(comparison)
    insert(*ranked)


def store_edit(*, judgment: Judgment, answer: Checked, now: datetime) -> None:
    """Store an improved response as a demonstration of this judgment, and as a response by the
    rater, preferred to the original. It keeps the original's tool calls, and not its thinking.
    """
    if isinstance(answer, checked_answers.CheckedDemonstration) or answer.given.edit is None:
        return
    edit = answer.given.edit
    original = answer.shown[edit.position]
    source = source_of_rater(rater=judgment.rater, now=now)
    own = Response.objects.filter(prompt=judgment.prompt_id, source=source)
    number = own.aggregate(last=Max("number"))["last"]
    response = Response.objects.create(
        prompt_id=judgment.prompt_id,
        source=source,
        text=edit.text,
        tool_calls=original.tool_calls,
        number=0 if number is None else number + 1,
        created_at=now,
    )
    Demonstration.objects.create(
        judgment=judgment,
        text=edit.text,
        tool_calls=original.tool_calls,
        edit_of=original,
        response=response,
    )


def source_of_rater(*, rater: Rater, now: datetime) -> Source:
    """The source of what this rater writes in campaigns, by their alias."""
    defaults = {"kind": Source.Kind.PERSON, "person_id": rater.user_id, "created_at": now}
    name = f"rater {rater.alias}"
    source, _created = Source.objects.get_or_create(name=name, defaults=defaults)
    return source


def _sentence(problem: AnswerProblem) -> str:
    if problem.rating is not None:
        return _rating_sentence(problem.rating, problem.position or 0)
    sentences = {
        Code.NO_SUCH_RESPONSE: _("This item has no response %(letter)s."),
        Code.RANK_BELOW_ONE: _("Ranks start at 1, the best."),
        Code.NOTHING_RANKED: _("No response is ranked. Rank at least one, or skip the item."),
        Code.NO_SUCH_STRENGTH: _("The strength of a preference must be a number from 1 to 4."),
        Code.EDIT_EMPTY: _("The edit is empty. Write it or discard it."),
        Code.EDIT_UNCHANGED: _(
            "The edit changes nothing. Improve the response or discard the edit."
        ),
        Code.EDIT_MASKED: _(
            "Replace “[name hidden]” in the edit: it stands for a name that is hidden from you."
        ),
        Code.TEXT_EMPTY: _("The answer is empty. Write one, or skip the item."),
        Code.NOT_A_DIALOGUE: _("This campaign asks for a single answer, not a dialogue."),
        Code.TURNS_OUT_OF_ORDER: _(
            "A dialogue must alternate between user and assistant and end with the assistant."
        ),
        Code.TURN_EMPTY: _("A turn of the dialogue is empty. Write it or remove it."),
    }
    return sentences[problem.code] % {"letter": response_orders.letter(problem.position or 0)}


def _rating_sentence(problem: rating_form.RatingProblem, position: int) -> str:
    values = {
        "letter": response_orders.letter(position),
        "label": problem.label,
        "low": problem.low,
        "high": problem.high,
    }
    sentences = {
        "required": _("Response %(letter)s: rate “%(label)s” (%(low)d–%(high)d)."),
        "not_a_number": _(
            "Response %(letter)s: “%(label)s” must be a whole number from %(low)d to %(high)d."
        ),
        "out_of_range": _("Response %(letter)s: “%(label)s” must be between %(low)d and %(high)d."),
        "not_a_flag": _("Response %(letter)s: “%(label)s” must be set or not set."),
        "unknown": _(
            "Response %(letter)s: “%(label)s” is not part of this rating form. Reload the page."
        ),
    }
    return sentences[problem.code] % values
