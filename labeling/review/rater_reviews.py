"""Reviews and decisions as raters see them: what happened to their answers, and why."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Prefetch, TextChoices
from django.db.models.functions import Coalesce, Greatest
from django.utils.translation import gettext_lazy as _

from arithmetic.agreement import orders
from labeling.access import on_withdrawn
from labeling.models import (
    AdjudicatedRank,
    Adjudication,
    Gold,
    Judgment,
    JudgmentReview,
    RankedResponse,
    Rater,
)
from labeling.queue.gold.selectors import in_letters

MOST_LISTED = 20


class Verdict(TextChoices):
    """What happened to an answer, as a label for its rater. Reveals nothing about golds or other
    answers.
    """

    SET_ASIDE = (
        "set_aside",
        _("Set aside by a reviewer. It stays paid, but is not used for statistics or training."),
    )
    CORRECTED = (
        "corrected",
        _(
            "A reviewer excluded this answer. You have corrected it since, and the new version"
            " counts."
        ),
    )
    DECIDED = (
        "decided",
        _("A reviewer decided on a different ranking. Your answer stays saved and paid."),
    )
    COUNTS = "counts", _("It counts again: the decision against it was reversed.")


@dataclass(frozen=True)
class RaterReview:
    """A review as its rater sees it, with the letters of their own page."""

    review: JudgmentReview
    given: str
    decided: str
    """empty if nothing was decided, or if the item is now used as a gold"""
    state: "Verdict | None" = None
    """what was decided about the answer, in addition to the feedback"""

    @property
    def may_appeal(self) -> bool:
        return self.review.appealed_at is None and self.state != Verdict.COUNTS


def is_against(decided: Mapping[int, int | None], answer: Mapping[int, int | None]) -> bool:
    """Whether `decided` (response → rank) orders a pair differently than the rater did."""
    match = orders.match(decided, answer)
    return match.agreed < match.n


def reviews_of(*, rater: Rater) -> list[RaterReview]:
    """Reviews and decisions on the rater's answers, latest first."""
    of_anyone = Judgment.versions_of_everyone.condition("comparison__judgment__")
    ranked = RankedResponse.objects.filter(of_anyone).order_by("position")
    decided = AdjudicatedRank.objects.all()
    is_gold = Exists(Gold.objects.filter(made_from=OuterRef("judgment__item"), retired_at=None))
    reviews = (
        JudgmentReview.objects.filter(judgment__rater=rater)
        .annotate(is_gold=is_gold, is_on_withdrawn=on_withdrawn("judgment__prompt"))
        .select_related(
            "judgment__campaign",
            "judgment__prompt",
            "judgment__comparison",
            "judgment__item__adjudication",
        )
        .select_related("judgment__set_aside")
        .prefetch_related(
            Prefetch("judgment__comparison__ranked", ranked),
            Prefetch("judgment__item__adjudication__ranks", decided),
        )
        .order_by(Greatest("at", Coalesce("judgment__set_aside__at", "at")).desc(), "-pk")
    )
    return [_rater_review(review) for review in reviews[:MOST_LISTED]]


def verdicts_on(*, judgments: Iterable[Judgment]) -> dict[int, Verdict]:
    """Decisions on a page of answers, by judgment; those without a decision are left out."""
    shown = JudgmentReview.objects.filter(judgment__in=[judgment.pk for judgment in judgments])
    reviews = shown.select_related(
        "judgment__set_aside", "judgment__comparison", "judgment__item__adjudication"
    ).prefetch_related("judgment__comparison__ranked", "judgment__item__adjudication__ranks")
    return {
        review.judgment_id: verdict
        for review in reviews
        if (verdict := _verdict(review)) not in (None, Verdict.COUNTS)
    }


def _verdict(review: JudgmentReview) -> Verdict | None:
    judgment = review.judgment
    if hasattr(judgment, "set_aside"):
        return Verdict.SET_ASIDE if judgment.is_current else Verdict.CORRECTED
    if is_against(_decided(judgment), _given(judgment)):
        return Verdict.DECIDED
    return None if review.score or review.feedback else Verdict.COUNTS


def _given(judgment: Judgment) -> dict[int, int | None]:
    is_order = judgment.kind == Judgment.Kind.COMPARISON
    return (
        {row.response_id: row.rank for row in judgment.comparison.ranked.all()} if is_order else {}
    )


def _decided(judgment: Judgment) -> dict[int, int | None]:
    adjudication: Adjudication | None = getattr(judgment.item, "adjudication", None)
    return {row.response_id: row.rank for row in adjudication.ranks.all()} if adjudication else {}


def _rater_review(review: JudgmentReview) -> RaterReview:
    answer, decided = _given(review.judgment), _decided(review.judgment)
    is_secret = review.is_gold  # type: ignore[attr-defined]  # annotated
    return RaterReview(
        review,
        given=in_letters(list(answer.values())) if answer else "",
        decided=(
            ""
            if is_secret or not decided
            else in_letters([decided.get(response) for response in answer])
        ),
        state=_verdict(review),
    )
