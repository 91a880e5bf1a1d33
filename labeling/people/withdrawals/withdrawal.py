"""A rater withdraws, or is readmitted."""

from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import audit_log
from accounts.models import Notice, User
from accounts.notices import services as notices_services
from labeling.access import prompts_written_by
from labeling.models import (
    Campaign,
    Item,
    ItemResponse,
    Judgment,
    JudgmentEvent,
    Pool,
    PoolMembership,
    QualityReport,
    Rater,
)
from labeling.people.crowd import worker_ids
from labeling.people.withdrawals import withdrawn_work
from labeling.queue import items
from labeling.review import judgment_events, set_aside
from labeling.votes import counting


def withdraw_rater(*, rater: Rater, by: User | None, now: datetime) -> bool:
    """From now on, the rater's judgments do not count, what they wrote is shown to nobody, and they
    get no more items. False when they had withdrawn already.

    Their slots are free again, golds made of their answers are retired, quality reports are
    computed again, and consumers hear of it through webhooks and the API. Their ID on a crowd
    platform is removed for good. Pay does not change.
    Existing snapshots do not change either: training lists those affected.
    """
    with transaction.atomic():
        if Rater.everyone.filter(pk=rater.pk, withdrawn_at=None).update(withdrawn_at=now) == 0:
            return False
        left = PoolMembership.objects.filter(rater=rater, is_active=True)
        pools = list(Pool.objects.filter(memberships__in=left).order_by("name"))
        left.update(is_active=False)
        withdrawn_work.hold_texts(rater=rater, now=now)
        withdrawn_work.drop_unfinished(rater=rater)
        withdrawn_work.retire_golds(rater=rater, by=by, now=now)
        withdrawn_work.give_up_slots(rater=rater, now=now)
        worker_ids.remove(rater=rater)
        for pool in pools:
            items.level_pool_calibration(pool=pool, now=now)
        _record(rater, JudgmentEvent.Kind.WITHDRAWN, now=now)
        _outdate_reports(rater)
        names = [pool.name for pool in pools]
        audit_log.record(
            by,
            "withdraw",
            rater,
            before={"pools": names},
            after={"withdrawn_at": now.isoformat()},
            now=now,
        )
        if by is not None and by.pk == rater.user_id:
            _notify_admins(rater, now=now)
    return True


def readmit_rater(*, rater: Rater, by: User | None, now: datetime) -> bool:
    """Undo a withdrawal that was a mistake. Their judgments take slots that are still free; the
    others count as extras. An admin has to add the rater to pools again.
    """
    with transaction.atomic():
        stored = Rater.everyone.select_for_update(no_key=True).get(pk=rater.pk)
        withdrawn_at = stored.withdrawn_at
        if withdrawn_at is None:
            return False
        Rater.everyone.filter(pk=rater.pk).update(withdrawn_at=None)
        withdrawn_work.end_hold_of_texts(rater=rater, now=now)
        without_slot = Judgment.of_people.filter(
            rater=rater, slot=None, is_extra=False, item__isnull=False, set_aside=None
        )
        for judgment in without_slot.order_by("pk").iterator(chunk_size=500):
            set_aside.take_slot(judgment=judgment, now=now)
        withdrawn_work.take_back_openings(rater=rater)
        withdrawn_work.bring_back_golds(rater=rater, withdrawn_at=withdrawn_at, by=by, now=now)
        _record(rater, JudgmentEvent.Kind.RESTORED, now=now)
        _outdate_reports(rater)
        audit_log.record(by, "readmit", rater, after={"withdrawn_at": None}, now=now)
    return True


def _record(rater: Rater, kind: JudgmentEvent.Kind, *, now: datetime) -> None:
    """Also of others' judgments on what the rater wrote as a prompt. Judgments that a reviewer had
    set aside did not count before, and do not after.
    """
    judgments = Judgment.of_everyone.filter(rater=rater, is_gold=False, set_aside=None)
    ids = list(judgments.values_list("pk", flat=True))
    ids += withdrawn_work.judged_by_others(rater=rater).values_list("pk", flat=True)
    judgment_events.record(kind=kind, judgments=ids, rater_alias=rater.alias, now=now)


def _outdate_reports(rater: Rater) -> None:
    """Reports of campaigns where the rater judged, or where others judged their texts or answers to
    them, are computed again at once.
    """
    judged = Judgment.of_everyone.filter(campaign=OuterRef("pk"), rater=rater)
    shown = ItemResponse.objects.filter(
        counting.written_by([rater], "response__"), item__campaign=OuterRef("pk")
    )
    asked = Item.objects.filter(prompt__in=prompts_written_by(rater), campaign=OuterRef("pk"))
    affected = Campaign.objects.filter(Exists(judged) | Exists(shown) | Exists(asked))
    QualityReport.objects.filter(campaign__in=affected.values("pk")).update(
        is_outdated=True, rests_until=None
    )


def _notify_admins(rater: Rater, *, now: datetime) -> None:
    notices_services.notify(
        people=User.objects.filter(is_admin=True, is_active=True),
        key=f"withdrawn:{rater.pk}:{now.isoformat()}",
        kind=Notice.Kind.WARNING,
        words=lambda: _("%(alias)s has withdrawn.") % {"alias": rater.alias},
        path=reverse("withdrawal", args=[rater.pk]),
        now=now,
    )
