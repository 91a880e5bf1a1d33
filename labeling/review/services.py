"""Review: decide the order of an item, score demonstrations, give raters feedback, and answer
appeals.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import audit_log
from accounts.models import Notice, User
from accounts.notices import services as notices_services
from accounts.refusals import Refusal
from arithmetic import response_orders
from jobs import guard
from labeling.models import (
    AdjudicatedRank,
    Adjudication,
    Campaign,
    Gold,
    Item,
    Judgment,
    JudgmentReview,
    ReviewRequest,
)
from labeling.queue.gold import services as gold_services
from labeling.review import decisions, set_aside

SCORES = range(1, 8)


class UnableToReview(Refusal):
    """Raised when a decision cannot be stored; the text says what is missing."""


@dataclass(frozen=True)
class Remark:
    """A comment on one answer: a demonstration's score from 1 to 7, and feedback to its rater."""

    score: int | None = None
    feedback: str = ""


def adjudicate(
    *,
    item: Item,
    ranks: Mapping[int, int | None],
    reason: str,
    note: str = "",
    remarks: Mapping[int, Remark] | None = None,
    promotes: bool = False,
    by: User | None,
    now: datetime,
) -> Adjudication:
    """Store the decided order of `item`'s responses (id → rank), replacing an earlier decision.

    `remarks` (by judgment id) are sent to the raters; `promotes` also makes the order a gold of the
    campaign. Gaps in the ranks are closed. An order may be left open (no ranks) unless it becomes a
    gold. Raises UnableToReview.
    """
    if reason not in Adjudication.Reason.values:
        raise UnableToReview(_("Choose a cause of the disagreement."))
    dense = _dense(item, ranks)
    with transaction.atomic():
        before = dict(
            AdjudicatedRank.objects.filter(adjudication__item=item).values_list(
                "response_id", "rank"
            )
        )
        stored = _store_decision(item=item, ranks=dense, reason=reason, note=note, by=by, now=now)
        remarked = _store_remarks(item=item, remarks=remarks or {}, by=by, now=now)
        notified = {judgment for judgment, is_notified in remarked.items() if is_notified}
        decisions.notify_decided(
            item=item, before=before, after=dense, notified=notified, by=by, now=now
        )
        if promotes:
            _promote(item=item, ranks=dense, note=note, by=by, now=now)
    return stored


def review_demonstrations(
    *, item: Item, remarks: Mapping[int, Remark], by: User | None, now: datetime
) -> int:
    """Score the demonstrations of an item and notify their writers; returns how many. Raises
    UnableToReview.
    """
    if not any(remark.score is not None or remark.feedback for remark in remarks.values()):
        raise UnableToReview(_("Enter at least one score or some feedback."))
    with transaction.atomic():
        return len(_store_remarks(item=item, remarks=remarks, by=by, now=now))


def appeal(*, review: JudgmentReview, text: str, now: datetime) -> bool:
    """File the rater's appeal against a review; one per review. False when there is one already."""
    with transaction.atomic():
        if not guard.update_one(
            JudgmentReview.objects.filter(pk=review.pk, appealed_at=None),
            appeal=text,
            appealed_at=now,
        ):
            return False
        alias = review.judgment.rater.alias
        notices_services.notify(
            people=[review.by] if review.by else User.objects.filter(is_admin=True, is_active=True),
            key=f"appeal:{review.pk}",
            kind=Notice.Kind.APPROVAL,
            words=lambda: _("%(alias)s appeals against a review.") % {"alias": alias},
            path=reverse("appeals"),
            now=now,
        )
    return True


def answer_appeal(*, review: JudgmentReview, text: str, by: User | None, now: datetime) -> None:
    """Store the answer, which the rater finds under My work; a later answer replaces it."""
    with transaction.atomic():
        JudgmentReview.objects.filter(pk=review.pk).update(
            answer=text, answered_by=by, answered_at=now
        )
        audit_log.record(
            by,
            "answer_appeal",
            review,
            before={"answer": review.answer},
            after={"answer": text},
            now=now,
        )
        words = decisions.NoticeText(review.judgment.campaign).answered
        decisions.notify(
            review.judgment.rater,
            key=f"appeal-answer:{review.pk}:{now.isoformat()}",
            words=words,
            now=now,
        )


# --- decisions ------------------------------------------------------------------------------------


def _dense(item: Item, ranks: Mapping[int, int | None]) -> dict[int, int | None]:
    """Ranks without gaps for every response of the item; empty when none is ranked."""
    responses = set(item.item_responses.values_list("response_id", flat=True))
    if not ranks.keys() <= responses:
        raise UnableToReview(
            _("The ranking includes a response that is not in this item. Reload the page.")
        )
    if all(rank is None for rank in ranks.values()):
        return {}
    return response_orders.dense({response: ranks.get(response) for response in sorted(responses)})


def _store_decision(
    *,
    item: Item,
    ranks: Mapping[int, int | None],
    reason: str,
    note: str,
    by: User | None,
    now: datetime,
) -> Adjudication:
    earlier = Adjudication.objects.select_for_update().filter(item=item).first()
    before = {} if earlier is None else _as_recorded(earlier)
    version = Campaign.objects.values_list("guideline_version", flat=True).get(pk=item.campaign_id)
    stored, _is_new = Adjudication.objects.update_or_create(
        item=item,
        defaults={
            "reason": reason,
            "note": note,
            "guideline_version_id": version,
            "by": by,
            "at": now,
        },
    )
    stored.ranks.all().delete()
    AdjudicatedRank.objects.bulk_create(
        AdjudicatedRank(adjudication=stored, response_id=response, rank=rank)
        for response, rank in ranks.items()
    )
    after = _as_recorded(stored) | {"campaign": item.campaign.name, "item": item.position + 1}
    audit_log.record(by, "adjudicate", stored, before=before, after=after, now=now)
    set_aside.outdate(campaign_id=item.campaign_id)
    ReviewRequest.objects.filter(judgment__item=item, done_at=None).update(done_at=now)
    return stored


def _as_recorded(decision: Adjudication) -> dict[str, object]:
    """For the audit log, which keeps replaced decisions: the responses by rank, each as its source
    and number.
    """
    ranks = decision.ranks.select_related("response__source").order_by(
        F("rank").asc(nulls_last=True), "response_id"
    )
    order = [
        f"{'–' if row.rank is None else f'{row.rank}.'} {row.response.source} {row.response.number}"
        for row in ranks
    ]
    return {"reason": decision.reason, "note": decision.note, "ranks": order}


def _promote(
    *, item: Item, ranks: Mapping[int, int | None], note: str, by: User | None, now: datetime
) -> None:
    try:
        gold_services.make_gold(
            item=item, ranks=ranks, origin=Gold.Origin.ADJUDICATION, note=note, by=by, now=now
        )
    except gold_services.UnableToMakeGold as problem:
        raise UnableToReview(problem.sentence) from problem


# --- feedback to raters ---------------------------------------------------------------------------


def _store_remarks(
    *, item: Item, remarks: Mapping[int, Remark], by: User | None, now: datetime
) -> dict[int, bool]:
    """Store the remarks. Returns, for each judgment with one, whether its rater is notified: an
    unchanged remark notifies nobody.
    """
    chosen = {
        pk: remark for pk, remark in remarks.items() if remark.score is not None or remark.feedback
    }
    judgments = list(
        Judgment.of_people.filter(pk__in=chosen, item=item).select_related(
            "rater__user", "campaign"
        )
    )
    notified = {
        judgment.pk: _store_remark(judgment=judgment, remark=chosen[judgment.pk], by=by, now=now)
        for judgment in judgments
    }
    ReviewRequest.objects.filter(judgment__in=judgments, done_at=None).update(done_at=now)
    return notified


def _store_remark(*, judgment: Judgment, remark: Remark, by: User | None, now: datetime) -> bool:
    if remark.score is not None and remark.score not in SCORES:
        raise UnableToReview(_("The score must be a number from 1 to 7."))
    values = {"score": remark.score, "feedback": remark.feedback}
    earlier = JudgmentReview.objects.filter(judgment=judgment).first()
    if earlier is not None and {"score": earlier.score, "feedback": earlier.feedback} == values:
        return False
    before = {} if earlier is None else {"score": earlier.score, "feedback": earlier.feedback}
    review, _is_new = JudgmentReview.objects.update_or_create(
        judgment=judgment, defaults=values | {"by": by, "at": now}
    )
    audit_log.record(by, "review", review, before=before, after=values, now=now)
    words = decisions.NoticeText(judgment.campaign).reviewed
    decisions.notify(
        judgment.rater, key=f"review:{review.pk}:{now.isoformat()}", words=words, now=now
    )
    return True
