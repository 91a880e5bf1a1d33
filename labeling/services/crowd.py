"""External crowds: links for a platform's workers, and their visits. One that ends unfinished frees its place and its items."""

import secrets
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from accounts import audit, notices
from accounts.models import User
from labeling.models import Campaign, CrowdLink, CrowdVisit, Judgment, PoolMembership, Slot
from labeling.services import people, slots

State = CrowdVisit.State
ENDED_BATCH = 200


class UnableToVisit(Exception):
    """A worker who cannot begin or go on; the text says why."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def create_crowd_link(
    *,
    campaign: Campaign,
    name: str,
    id_parameter: str,
    completion_code: str,
    return_url: str = "",
    n_items: int = 10,
    n_places: int = 20,
    max_minutes: int = 60,
    by: User | None,
    now: datetime,
) -> CrowdLink:
    """An address that makes a rater in the campaign's pool of whoever the platform sends with an id of theirs."""
    with transaction.atomic():
        link = CrowdLink.objects.create(
            campaign=campaign,
            name=name,
            token=secrets.token_urlsafe(18),
            id_parameter=id_parameter,
            completion_code=completion_code,
            return_url=return_url,
            n_items=n_items,
            n_places=n_places,
            max_minutes=max_minutes,
            created_by=by,
            created_at=now,
        )
        after = {"name": name, "campaign": campaign.name, "n_items": n_items, "n_places": n_places}
        audit.record(by=by, action="create", target=link, after=after, now=now)
    return link


def close_crowd_link(*, link: CrowdLink, by: User | None, now: datetime) -> bool:
    """Nobody begins through it any more; who is at work goes on. False when it was closed."""
    with transaction.atomic():
        if CrowdLink.objects.filter(pk=link.pk, is_open=True).update(is_open=False) != 1:
            return False
        audit.record(by=by, action="close", target=link, now=now)
    return True


def begin_visit(*, link: CrowdLink, external_id: str, now: datetime) -> CrowdVisit:
    """The worker's visit: the one that goes on, or a new one with a login of its own that has no password.

    Raises UnableToVisit when the link is closed or full, or the worker's visit has ended unfinished.
    """
    with transaction.atomic():
        stored = CrowdLink.objects.select_for_update(of=("self",)).select_related("campaign__pool").get(pk=link.pk)
        visit = stored.visits.select_related("rater__user").filter(external_id=external_id).first()
        if visit is not None:
            if visit.state in {State.RETURNED, State.TIMED_OUT}:
                raise UnableToVisit(_("Your visit has ended. Return the study on the platform you came from."))
            return visit
        if not stored.is_open or stored.campaign.state != Campaign.State.OPEN:
            raise UnableToVisit(_("This study is closed. Return it on the platform you came from."))
        if stored.visits.filter(state__in=[State.WORKING, State.COMPLETE]).count() >= stored.n_places:
            raise UnableToVisit(_("Every place is taken. Return the study on the platform you came from, or come back later."))
        key = secrets.token_hex(8)
        user = people.create_person(email=f"{key}@crowd.invalid", name=_("Crowd worker"), roles=["rater"], by=None, now=now)
        notices.choose_mail(person=user, mailed=User.MailedNotices.NONE)  # the address is nobody's
        people.add_raters(pool=stored.campaign.pool, raters=[user.rater], by=None, now=now)
        return CrowdVisit.objects.create(
            link=stored,
            external_id=external_id,
            rater=user.rater,
            started_at=now,
            expires_at=now + timedelta(minutes=stored.max_minutes),
        )


def complete_visit(*, visit: CrowdVisit, now: datetime) -> bool:
    """True when the worker has done what the link asks, now or before: the code is theirs."""
    with transaction.atomic():
        stored = CrowdVisit.objects.select_for_update(of=("self",)).select_related("link__campaign", "rater").get(pk=visit.pk)
        if stored.state == State.COMPLETE:
            return True
        n_given = Judgment.objects.filter(rater=stored.rater_id, campaign=stored.link.campaign_id).count()
        if n_given < stored.link.n_items:
            return False
        # Who gives the last answer after the time was up has worked all the same.
        CrowdVisit.objects.filter(pk=stored.pk).update(state=State.COMPLETE, ended_at=now)
        _give_back(stored, now=now)
    return True


def return_visit(*, visit: CrowdVisit, now: datetime) -> bool:
    """The worker leaves: the place and the items in hand are free at once. False when the visit had ended."""
    return _end(visit=visit, state=State.RETURNED, now=now)


def end_expired_visits(*, now: datetime) -> int:
    """Ends visits whose time is up; how many. Those that are complete keep their place."""
    expired = (
        CrowdVisit.objects.filter(state=State.WORKING, expires_at__lte=now)
        .select_related("link__campaign", "rater")
        .order_by("pk")
    )
    return sum(
        not complete_visit(visit=visit, now=now) and _end(visit=visit, state=State.TIMED_OUT, now=now)
        for visit in expired[:ENDED_BATCH]
    )


def _end(*, visit: CrowdVisit, state: CrowdVisit.State, now: datetime) -> bool:
    with transaction.atomic():
        if CrowdVisit.objects.filter(pk=visit.pk, state=State.WORKING).update(state=state, ended_at=now) != 1:
            return False
        _give_back(visit, now=now)
    return True


def _give_back(visit: CrowdVisit, *, now: datetime) -> None:
    """What is still in hand, and no more is given; an answer that comes late is taken or kept as an extra, as anybody's."""
    rater = visit.rater
    PoolMembership.objects.filter(rater=rater, pool=visit.link.campaign.pool_id, paused_at=None).update(paused_at=now)
    leases = Slot.objects.filter(rater=rater, state=Slot.State.LEASED, lease__isnull=False)
    for lease in leases.values_list("lease", flat=True):
        if lease is not None:
            slots.release(lease=lease, rater=rater, now=now)
