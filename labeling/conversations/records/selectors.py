"""Read queries of admins: the conversations of a campaign, and one with its turns, its sources and
what went wrong.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from django.db.models import (
    Count,
    Exists,
    F,
    IntegerField,
    OuterRef,
    Prefetch,
    QuerySet,
    Subquery,
    Sum,
)
from django.db.models.functions import Coalesce

from labeling.models import (
    Conversation,
    ConversationTurn,
    Judgment,
    Response,
    Source,
    TurnRequest,
)

_FAILED = TurnRequest.State.FAILED


@dataclass(frozen=True)
class ShownAnswer:
    """An answer that the rater compared."""

    response: Response
    is_chosen: bool


@dataclass(frozen=True)
class Failure:
    """A source that was asked twice for an answer and gave none."""

    place: int
    """which of the turn's answers, from 0"""
    round: int
    source: Source
    error: str
    answered_by: Source | None
    """the source that answered in its place; None if none did"""


@dataclass(frozen=True)
class TurnRecord:
    turn: ConversationTurn
    message: str
    answers: tuple[ShownAnswer, ...]
    """of the last round; those that were replaced before are stored, but not shown"""
    edit: Response | None
    """the rater's own text, which went on in place of the answers"""
    judgment: Judgment | None
    failures: tuple[Failure, ...]


def conversations(*, campaign_id: int | None = None, state: str = "") -> QuerySet[Conversation]:
    """Newest first, with `n_regenerated` and `n_failed` requests. Without those of raters who have
    withdrawn.
    """
    failed = (
        TurnRequest.objects.filter(turn__conversation=OuterRef("pk"), state=_FAILED)
        .order_by()
        .values("turn__conversation")
        .annotate(n=Count("pk"))
        .values("n")
    )
    queryset = Conversation.objects.filter(rater__withdrawn_at=None).select_related(
        "rater", "item__prompt", "item__campaign"
    )
    if campaign_id is not None:
        queryset = queryset.filter(item__campaign=campaign_id)
    if state == "failed":
        queryset = queryset.filter(
            Exists(TurnRequest.objects.filter(turn__conversation=OuterRef("pk"), state=_FAILED))
        )
    elif state:
        queryset = queryset.filter(state=state)
    return queryset.annotate(
        n_regenerated=Coalesce(Sum("turns__n_regenerated"), 0),
        n_failed=Coalesce(Subquery(failed, output_field=IntegerField()), 0),
        campaign_id=F("item__campaign"),
        prompt_id=F("item__prompt"),
    ).order_by("-pk")


def turn_records(*, conversations: Sequence[Conversation]) -> dict[int, tuple[TurnRecord, ...]]:
    """The turns of each, in order. The number of queries does not depend on how many there are."""
    requests = TurnRequest.objects.select_related("source__trained_model").order_by(
        "round", "place", "draw"
    )
    turns = (
        ConversationTurn.objects.filter(conversation__in=conversations)
        .select_related("prompt", "chosen__source")
        .prefetch_related(
            Prefetch("requests", requests),
            Prefetch(
                "item__responses",
                Response.objects.select_related("source__trained_model").order_by("pk"),
            ),
        )
        .order_by("conversation", "number")
    )
    judgments = {
        judgment.item_id: judgment
        for judgment in Judgment.of_people.filter(item__in=[turn.item_id for turn in turns])
    }
    records: dict[int, tuple[TurnRecord, ...]] = {
        conversation.pk: () for conversation in conversations
    }
    for key, group in groupby(turns, key=lambda turn: turn.conversation_id):
        records[key] = tuple(_record(turn, judgments.get(turn.item_id)) for turn in group)
    return records


def _record(turn: ConversationTurn, judgment: Judgment | None) -> TurnRecord:
    shown = tuple(
        ShownAnswer(response, is_chosen=response.pk == turn.chosen_id)
        for response in turn.item.responses.all()
    )
    is_edited = turn.chosen is not None and not any(answer.is_chosen for answer in shown)
    return TurnRecord(
        turn=turn,
        message=turn.prompt.messages[-1]["content"],
        answers=shown,
        edit=turn.chosen if is_edited else None,
        judgment=judgment,
        failures=_failures(list(turn.requests.all())),
    )


def _failures(requests: Sequence[TurnRequest]) -> tuple[Failure, ...]:
    answered = {
        (request.round, request.place): request.source
        for request in requests
        if request.state == TurnRequest.State.ANSWERED
    }
    return tuple(
        Failure(
            place=request.place,
            round=request.round,
            source=request.source,
            error=request.error,
            answered_by=answered.get((request.round, request.place)),
        )
        for request in requests
        if request.state == _FAILED
    )
