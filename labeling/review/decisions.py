"""Notices to raters when their answer is set aside, counts again, or is decided against. Raters can
appeal each once. Notices never name golds or other raters' answers, and a reviewer's reason is for
reviewers only.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import Notice, User
from accounts.notices import services as notices_services
from labeling.models import Campaign, Item, Judgment, JudgmentReview, RankedResponse, Rater
from labeling.review.rater_reviews import is_against

Ranks = Mapping[int, int | None]


@dataclass(frozen=True)
class NoticeText:
    """The text of a notice in the language of its reader."""

    campaign: Campaign | None

    def reviewed(self) -> str:
        return _("One of your answers in “%(name)s” was reviewed.") % {"name": self.campaign}

    def answered(self) -> str:
        return _("Your appeal in “%(name)s” has been answered.") % {"name": self.campaign}

    def set_aside(self) -> str:
        return _("One of your answers in “%(name)s” was set aside. It stays paid.") % {
            "name": self.campaign
        }

    def counts_again(self) -> str:
        return _("One of your answers in “%(name)s” that was set aside counts again.") % {
            "name": self.campaign
        }

    def decided(self) -> str:
        return _("In “%(name)s”, a reviewer decided on a different ranking than yours.") % {
            "name": self.campaign
        }

    def not_decided(self) -> str:
        return _("In “%(name)s”, a reviewer's decision against your ranking was reversed.") % {
            "name": self.campaign
        }


def notify(rater: Rater, *, key: str, words: Callable[[], str], now: datetime) -> None:
    """Add the notice under My work. A rater without a login gets none."""
    if rater.user is not None:
        notices_services.notify(
            people=[rater.user],
            key=key,
            kind=Notice.Kind.FEEDBACK,
            words=words,
            path=reverse("my_work"),
            now=now,
        )


def notify_set_aside(*, judgment: Judgment, by: User | None, now: datetime) -> None:
    if judgment.rater.user_id is None:
        return
    _open_to_appeal(judgment, by=by, now=now)
    words = NoticeText(judgment.campaign).set_aside
    notify(judgment.rater, key=f"set-aside:{judgment.pk}:{now.isoformat()}", words=words, now=now)


def notify_counts_again(*, judgment: Judgment, now: datetime) -> None:
    words = NoticeText(judgment.campaign).counts_again
    notify(
        judgment.rater, key=f"counts-again:{judgment.pk}:{now.isoformat()}", words=words, now=now
    )


def notify_decided(
    *,
    item: Item,
    before: Ranks,
    after: Ranks,
    notified: Collection[int],
    by: User | None,
    now: datetime,
) -> None:
    """Notify raters whose order the decision `after` (response → rank) is newly against, and those
    whose order `before` was against and `after` no longer is.

    `notified` are judgments whose raters are notified by the same action anyway.
    """
    answers = item.judgments.filter(
        comparison__isnull=False, set_aside=None, is_gold=False, rater__user__isnull=False
    )
    judgments = list(answers.select_related("rater__user", "campaign"))
    orders = _orders(judgments)
    for judgment in judgments:
        order, sentence = orders.get(judgment.pk, {}), NoticeText(judgment.campaign)
        was_against, is_now = is_against(before, order), is_against(after, order)
        if is_now:
            _open_to_appeal(judgment, by=by, now=now)
        if was_against != is_now and judgment.pk not in notified:
            words = sentence.decided if is_now else sentence.not_decided
            notify(
                judgment.rater, key=f"decided:{judgment.pk}:{now.isoformat()}", words=words, now=now
            )


def _orders(judgments: Collection[Judgment]) -> dict[int, dict[int, int | None]]:
    orders: dict[int, dict[int, int | None]] = {}
    ranked = RankedResponse.objects.filter(comparison__judgment__in=judgments)
    for judgment, response, rank in ranked.values_list(
        "comparison__judgment_id", "response_id", "rank"
    ):
        orders.setdefault(judgment, {})[response] = rank
    return orders


def _open_to_appeal(judgment: Judgment, *, by: User | None, now: datetime) -> None:
    JudgmentReview.objects.get_or_create(judgment=judgment, defaults={"by": by, "at": now})
