"""Scores answers to golds, and acts on the score: warn, pause and resume a rater."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import audit_log
from accounts.models import Notice, User
from accounts.notices import services as notices_services
from arithmetic import clustering
from arithmetic.agreement import orders
from jobs import guard
from labeling.models import (
    Campaign,
    Gold,
    GoldAnswer,
    Judgment,
    Rater,
    RaterStanding,
    ReviewRequest,
)
from labeling.queue import items

RECENT = 30
"""How many of a paused rater's latest judgments go to review."""


def note_answer(
    *, judgment: Judgment, ranks: Mapping[int, int | None], now: datetime
) -> GoldAnswer | None:
    """Score a rater's first answer (response id → rank) to a gold, then warn or pause them if they
    fail too many. None when they answered it before.

    Runs inside the transaction that stores the judgment.
    """
    assert judgment.campaign is not None
    gold = Gold.objects.get(uses__item=judgment.item_id)
    match = orders.match(dict(gold.ranks.values_list("response_id", "rank")), ranks)
    answer, is_new = GoldAnswer.objects.get_or_create(
        gold=gold,
        rater=judgment.rater,
        defaults={
            "campaign": judgment.campaign,
            "judgment": judgment,
            "agreed": match.agreed,
            "n_pairs": match.n,
            "has_passed": match.reaches(judgment.campaign.gold_tolerance),
            "at": now,
        },
    )
    if not is_new:
        return None
    _follow_up(campaign=judgment.campaign, rater=judgment.rater, now=now)
    return answer


def pause_rater(*, campaign: Campaign, rater: Rater, by: User | None, now: datetime) -> bool:
    """Give the rater no more items of this campaign, and send their recent work in it to review.
    False when they are paused already. They can still submit items they hold.
    """
    with transaction.atomic():
        standing, _is_new = RaterStanding.objects.get_or_create(campaign=campaign, rater=rater)
        if not guard.update_one(
            RaterStanding.objects.filter(pk=standing.pk, paused_at=None), paused_at=now
        ):
            return False
        recent = Judgment.of_everyone.filter(
            campaign=campaign, rater=rater, is_gold=False, review__isnull=True
        )
        requests = [
            ReviewRequest(judgment=judgment, at=now)
            for judgment in recent.order_by("-submitted_at", "-pk")[:RECENT]
        ]
        ReviewRequest.objects.bulk_create(requests, ignore_conflicts=True)
        after = {"campaign": campaign.name, "n_to_review": len(requests)}
        items.level_calibration(campaign=campaign, now=now)
        audit_log.record(by, "pause", rater, after=after, now=now)
        _notify_of_pause(campaign=campaign, rater=rater, now=now)
    return True


def resume_rater(*, campaign: Campaign, rater: Rater, by: User | None, now: datetime) -> bool:
    """Let the rater work in the campaign again. Golds answered until now no longer count towards a
    pause.
    """
    with transaction.atomic():
        paused = RaterStanding.objects.filter(
            campaign=campaign, rater=rater, paused_at__isnull=False
        )
        if not guard.update_one(paused, paused_at=None, warned_at=None, resumed_at=now):
            return False
        items.level_calibration(campaign=campaign, now=now)
        audit_log.record(by, "resume", rater, after={"campaign": campaign.name}, now=now)
        words = gettext_lazy("You can work in “%(name)s” again.")
        _notify(
            rater,
            key=f"resumed:{campaign.pk}:{now.isoformat()}",
            kind=Notice.Kind.FEEDBACK,
            words=words,
            campaign=campaign,
            now=now,
        )
    return True


def _follow_up(*, campaign: Campaign, rater: Rater, now: datetime) -> None:
    standing = RaterStanding.objects.filter(campaign=campaign, rater=rater).first()
    answers = GoldAnswer.objects.filter(campaign=campaign, rater=rater, gold__retired_at=None)
    if standing is not None and standing.resumed_at is not None:
        answers = answers.filter(at__gt=standing.resumed_at)
    passed = list(answers.values_list("has_passed", flat=True))
    if len(passed) < campaign.gold_min:
        return
    score = clustering.independent(sum(passed), max(1, len(passed)))
    assert score.value is not None
    if score.high is not None and 100 * score.high < campaign.gold_pause_below:
        pause_rater(campaign=campaign, rater=rater, by=None, now=now)
    elif 100 * score.value < campaign.gold_warn_below and (
        standing is None or standing.warned_at is None
    ):
        _warn(campaign=campaign, rater=rater, now=now)


def _warn(*, campaign: Campaign, rater: Rater, now: datetime) -> None:
    RaterStanding.objects.update_or_create(
        campaign=campaign, rater=rater, defaults={"warned_at": now}
    )
    audit_log.record(None, "warn", rater, after={"campaign": campaign.name}, now=now)
    words = gettext_lazy(
        "Your answers in “%(name)s” often differ from the agreed answers. Read the guideline again,"
        " and ask if you are unsure."
    )
    _notify(
        rater,
        key=f"warned:{campaign.pk}:{now.isoformat()}",
        kind=Notice.Kind.WARNING,
        words=words,
        campaign=campaign,
        now=now,
    )


def _notify_of_pause(*, campaign: Campaign, rater: Rater, now: datetime) -> None:
    key = f"paused:{campaign.pk}:{rater.pk}:{now.isoformat()}"
    words = gettext_lazy(
        "You are paused in “%(name)s” until an admin has checked your recent answers. The work you"
        " have done still counts."
    )
    _notify(rater, key=key, kind=Notice.Kind.PAUSED, words=words, campaign=campaign, now=now)
    notices_services.notify(
        people=User.objects.filter(is_admin=True, is_active=True),
        key=key,
        kind=Notice.Kind.PAUSED,
        words=lambda: (
            _("%(alias)s is paused in “%(name)s”. Recent answers need review.")
            % {
                "alias": rater.alias,
                "name": campaign.name,
            }
        ),
        path=reverse("campaign_gold", args=[campaign.pk]),
        now=now,
    )


def _notify(
    rater: Rater, *, key: str, kind: Notice.Kind, words: Promise, campaign: Campaign, now: datetime
) -> None:
    if rater.user is not None:
        people = [rater.user]
        path = reverse("my_work")
        notices_services.notify(
            people=people,
            key=key,
            kind=kind,
            words=lambda: str(words) % {"name": campaign.name},
            path=path,
            now=now,
        )
