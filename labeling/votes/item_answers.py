"""An item with all its answers, and letters for its responses."""

from dataclasses import dataclass

from django.db.models import Prefetch

from arithmetic import response_orders
from labeling.access import on_withdrawn
from labeling.guidelines import rating_form
from labeling.models import (
    Demonstration,
    GuidelineVersion,
    Item,
    Judgment,
    Pass,
    RankedResponse,
    Response,
)
from labeling.votes import counting


@dataclass(frozen=True)
class LetteredResponse:
    letter: str
    response: Response


@dataclass(frozen=True)
class ItemAnswer:
    """One judgment on an item. `tiers` has the letters of the responses, best first; those in one
    tier are tied.
    """

    judgment: Judgment
    alias: str
    text: str | None
    sources: str
    tiers: list[list[str]]
    unranked: list[str]
    reason: str
    ratings: list[tuple[str, list[tuple[str, object]]]]
    """letter of the response, and (question, answer) for every answered question"""
    edited: str = ""
    """letter of the response that the rater edited; `edit` is their text"""
    edit: str = ""


@dataclass(frozen=True)
class ItemAnswers:
    responses: list[LetteredResponse]
    answers: list[ItemAnswer]
    passes: list[Pass]


def item_answers(*, item: Item) -> ItemAnswers:
    """The item's responses with letters, and every judgment and skip on it, oldest first."""
    written = item.responses.select_related("source__trained_model").order_by("pk")
    responses = list(written.annotate(is_by_withdrawn=counting.by_withdrawn()))
    lettered = [
        LetteredResponse(letter=response_orders.letter(index), response=response)
        for index, response in enumerate(responses)
    ]
    letters = {entry.response.pk: entry.letter for entry in lettered}
    ranked = RankedResponse.objects.annotate(
        is_by_withdrawn=counting.by_withdrawn("response__")
    ).order_by("rank", "position")
    judgments = (
        Judgment.of_people.filter(item=item)
        .annotate(is_on_withdrawn=on_withdrawn("prompt"))
        .select_related(
            "rater", "demonstration", "comparison", "guideline_version", "set_aside__by"
        )
        .prefetch_related(Prefetch("comparison__ranked", queryset=ranked))
        .order_by("submitted_at", "pk")
    )
    return ItemAnswers(
        responses=lettered,
        answers=[_answer(judgment=judgment, letters=letters) for judgment in judgments],
        passes=list(item.passes.select_related("rater").order_by("created_at")),
    )


def _answer(*, judgment: Judgment, letters: dict[int, str]) -> ItemAnswer:
    written: Demonstration | None = getattr(
        judgment, "demonstration", None
    )  # a comparison has one if a response was edited
    if judgment.kind == Judgment.Kind.DEMONSTRATION:
        assert written is not None
        return ItemAnswer(
            judgment, judgment.rater.alias, written.whole, written.sources, [], [], "", []
        )
    labels = _labels(judgment.guideline_version)
    ranked = list(judgment.comparison.ranked.all())
    tiers: dict[int, list[str]] = {}
    for entry in ranked:
        if entry.rank is not None:
            tiers.setdefault(entry.rank, []).append(letters[entry.response_id])
    return ItemAnswer(
        judgment=judgment,
        alias=judgment.rater.alias,
        text=None,
        sources="",
        tiers=[sorted(tiers[rank]) for rank in sorted(tiers)],
        unranked=sorted(letters[entry.response_id] for entry in ranked if entry.rank is None),
        reason=judgment.comparison.reason or "",
        ratings=sorted(
            (letters[entry.response_id], _labelled(entry.ratings, labels)) for entry in ranked
        ),
        edited=letters.get(written.edit_of_id or 0, "") if written else "",
        edit=written.text if written else "",
    )


def _labels(version: GuidelineVersion | None) -> dict[str, str]:
    """Question name → label, as in the rater's form; an imported judgment has no form."""
    if version is None:
        return {}
    return {question.name: question.label for question in rating_form.parse(version.form).questions}


def _labelled(ratings: dict[str, object], labels: dict[str, str]) -> list[tuple[str, object]]:
    return [(labels.get(name, name), answer) for name, answer in ratings.items()]
