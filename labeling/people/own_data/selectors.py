"""Everything stored about one rater, as records for their own download. It does not say which items
were golds, where a response came from, or what others answered.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Prefetch, QuerySet

from labeling.access import on_withdrawn
from labeling.models import (
    Conversation,
    CrowdVisit,
    Demonstration,
    Draft,
    GuidelineReading,
    ItemQuestion,
    Judgment,
    JudgmentReview,
    Pass,
    PayDispute,
    Payment,
    Pool,
    ProlificSubmission,
    RankedResponse,
    Rater,
    StepAttempt,
)
from labeling.people.crowd import worker_ids
from labeling.votes import counting, withdrawn_texts

Record = dict[str, object]
CHUNK = 500


@dataclass(frozen=True)
class WithdrawalEffect:
    """What the rater would lose."""

    n_judgments: int
    pools: list[Pool]
    came_through_platform: bool


def withdrawal_effect(*, rater: Rater) -> WithdrawalEffect:
    return WithdrawalEffect(
        n_judgments=Judgment.of_everyone.filter(rater=rater).count(),
        pools=list(
            Pool.objects.filter(memberships__rater=rater, memberships__is_active=True).order_by(
                "name"
            )
        ),
        came_through_platform=rater.crowd_visits.exists(),
    )


def own_data(*, rater: Rater) -> Iterator[Record]:
    """One record after the other; `type` says what it is."""
    yield _profile(rater)
    yield from _judgments(rater)
    yield from _conversations(rater)
    yield from _work_in_progress(rater)
    yield from _onboarding(rater)
    yield from _pay(rater)
    yield from _crowd(rater)


def _profile(rater: Rater) -> Record:
    record: Record = {
        "type": "profile",
        "alias": rater.alias,
        "created_at": rater.created_at,
        "withdrawn_at": rater.withdrawn_at,
        "agreed_to_see": rater.accepts,
        "pools": list(rater.memberships.values("pool__name", "joined_at", "is_active")),
        "skills": list(rater.skills.values("axis", "code", "basis", "at")),
        "profile_answers": list(rater.profile_answers.values("question", "answer")),
        "guidelines_read": list(
            GuidelineReading.objects.filter(rater=rater).values(
                "version__guideline__name", "version__number", "read_at"
            )
        ),
    }
    if rater.user is not None:
        names = ("email", "name", "language", "time_zone", "created_at")
        record["login"] = {name: getattr(rater.user, name) for name in names}
    return record


def _conversations(rater: Rater) -> Iterator[Record]:
    """What the rater wrote, turn by turn, and what they said of the whole; how they rated the
    answers is in their judgments.
    """
    held = Conversation.objects.filter(rater=rater).select_related("item__campaign", "attack")
    conversations = list(held.prefetch_related("turns__prompt").order_by("pk"))
    said = [turn.prompt for conversation in conversations for turn in conversation.turns.all()]
    withdrawn_texts.cover(said, rater=rater)
    for conversation in conversations:
        yield {
            "type": "conversation",
            "campaign": str(conversation.item.campaign),
            "state": conversation.state,
            "started_at": conversation.started_at,
            "finished_at": conversation.finished_at,
            "goal_rating": conversation.goal_rating,
            "ratings": conversation.ratings,
            "remark": conversation.remark,
            "messages": [
                turn.prompt.messages[-1]["content"]
                for turn in sorted(conversation.turns.all(), key=lambda turn: turn.number)
            ],
            "attack": _attack(conversation),
        }


def _attack(conversation: Conversation) -> Record | None:
    """What the rater said of it at its end; None if it was not an attack."""
    if not hasattr(conversation, "attack"):
        return None
    names = ("success", "severity", "tags", "tried", "ended_at")
    return {name: getattr(conversation.attack, name) for name in names}


def _judgments(rater: Rater) -> Iterator[Record]:
    """Every version of every answer."""
    ranked = (
        RankedResponse.objects.select_related("response")
        .annotate(is_by_withdrawn=counting.by_withdrawn("response__"))
        .order_by("position")
    )
    judgments = (
        Judgment.versions_of_everyone.filter(rater=rater)
        .select_related(
            "campaign", "prompt", "demonstration", "comparison", "set_aside", "guideline_version"
        )
        .annotate(is_on_withdrawn=on_withdrawn("prompt"))
        .prefetch_related(Prefetch("comparison__ranked", ranked))
        .order_by("pk")
    )
    reviews = {
        review.judgment_id: review
        for review in JudgmentReview.objects.filter(judgment__rater=rater)
    }
    for judgment in judgments.iterator(chunk_size=CHUNK):
        _cover_withdrawn(judgment, rater)
        yield _judgment(judgment) | _review(reviews.get(judgment.pk))


def _cover_withdrawn(judgment: Judgment, rater: Rater) -> None:
    """Others' texts that are no longer shown; rare, so a query each does no harm."""
    if judgment.is_on_withdrawn:  # type: ignore[attr-defined]  # annotated
        withdrawn_texts.cover([judgment.prompt], rater=rater)
    if judgment.kind == Judgment.Kind.COMPARISON:
        withdrawn_texts.cover_ranked(judgment.comparison.ranked.all(), rater=rater)


def _judgment(judgment: Judgment) -> Record:
    # a reverse one-to-one raises when there is none
    written: Demonstration | None = getattr(judgment, "demonstration", None)
    set_aside = getattr(judgment, "set_aside", None)
    record: Record = {
        "type": "answer",
        "id": judgment.pk,
        "version": judgment.version,
        "is_current": judgment.is_current,
        "campaign": str(judgment.campaign or ""),
        "guideline": str(judgment.guideline_version or ""),
        "prompt": judgment.prompt.messages,
        "given_at": judgment.corrected_at or judgment.submitted_at,
        "active_s": judgment.active_s,
        "warnings": judgment.warnings,
        "recorded": judgment.presentation,
        "set_aside_at": set_aside.at if set_aside else None,
    }
    if written is not None:
        record["text"] = written.text
        record["tool_calls"] = written.tool_calls
        record["further_turns"] = written.further
        record["sources"] = written.sources
    if judgment.kind == Judgment.Kind.COMPARISON:
        comparison = judgment.comparison
        record |= {
            "strength": comparison.strength,
            "reason": comparison.reason,
            "all_bad": comparison.is_all_bad,
            "responses": [
                {
                    "text": row.response.text,
                    "tool_calls": row.response.tool_calls,
                    "rank": row.rank,
                    "ratings": row.ratings,
                }
                for row in comparison.ranked.all()
            ],
        }
    return record


def _review(review: JudgmentReview | None) -> Record:
    if review is None:
        return {}
    return {
        "review": {
            "score": review.score,
            "feedback": review.feedback,
            "appeal": review.appeal,
            "answer": review.answer,
        }
    }


def _work_in_progress(rater: Rater) -> Iterator[Record]:
    drafts = Draft.objects.filter(rater=rater).order_by("pk")
    for draft in drafts.values("content", "saved_at", "item__campaign__name"):
        yield {"type": "draft"} | draft
    skips = Pass.objects.filter(rater=rater).order_by("pk")
    for skip in skips.values("reason", "note", "created_at", "item__campaign__name"):
        yield {"type": "skip"} | skip
    questions = ItemQuestion.objects.filter(rater=rater).order_by("pk")
    for question in questions.values("text", "asked_at", "answer", "answered_at"):
        yield {"type": "question"} | question


def _onboarding(rater: Rater) -> Iterator[Record]:
    attempts = StepAttempt.objects.filter(rater=rater).order_by("pk")
    fields = ("version__title", "state", "answers", "score", "submitted_at", "decision")
    for attempt in attempts.values(*fields):
        yield {"type": "onboarding"} | attempt


def _pay(rater: Rater) -> Iterator[Record]:
    payments = Payment.objects.filter(rater=rater).order_by("pk")
    for payment in payments.values("since", "until", "totals", "lines", "note", "paid_at"):
        yield {"type": "payment"} | payment
    disputes = PayDispute.objects.filter(rater=rater).order_by("pk")
    for dispute in disputes.values("since", "until", "text", "raised_at", "answer", "answered_at"):
        yield {"type": "pay question"} | dispute


def _crowd(rater: Rater) -> Iterator[Record]:
    """Visits from a crowd platform. IDs are null once they were removed after a withdrawal."""
    visits = CrowdVisit.objects.filter(rater=rater).select_related("link__campaign").order_by("pk")
    for visit in visits:
        yield {
            "type": "visit",
            "campaign": str(visit.link.campaign),
            "study": visit.link.name,
            "id_parameter": visit.link.id_parameter,
            "worker_id": worker_ids.shown(visit.external_id),
            "state": visit.state,
            "code": visit.code,
            "started_at": visit.started_at,
            "ended_at": visit.ended_at,
        }
    for submission in _submissions(rater):
        yield {
            "type": "submission",
            "study": submission.study.link.name,
            "submission_id": worker_ids.shown(submission.prolific_id),
            "participant_id": worker_ids.shown(submission.participant_id),
            "status": submission.status,
            "code": submission.code,
            "started_at": submission.started_at,
            "completed_at": submission.completed_at,
            "return_asked_at": submission.return_asked_at,
            "currency": submission.study.currency,
            "bonuses": list(submission.bonuses.values("amount", "is_paid", "batch__sent_at")),
        }


def _submissions(rater: Rater) -> QuerySet[ProlificSubmission]:
    submissions = ProlificSubmission.objects.filter(visit__rater=rater)
    return submissions.select_related("study__link").order_by("pk")
