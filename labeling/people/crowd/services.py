"""External crowds: links for a platform's workers, and their visits. A visit that ends unfinished
frees its place and its items.
"""

import secrets
from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from accounts import audit_log
from accounts.models import User
from accounts.notices import services as notices_services
from accounts.people import services as people_services
from accounts.refusals import Refusal
from jobs import guard
from labeling.models import Campaign, CrowdLink, CrowdVisit, PoolMembership, Rater, Slot
from labeling.people.accounts import services as accounts_services
from labeling.people.crowd import completion, selectors, worker_ids
from labeling.people.pools import services as pools_services
from labeling.queue import items, slots

State = CrowdVisit.State
ENDED_BATCH = 200


class UnableToVisit(Refusal):
    """Raised when a worker cannot start or continue; the text says why."""


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
    """Create a link that turns any worker whom the platform sends, with their id, into a rater of
    the campaign's pool.
    """
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
        audit_log.record(by, "create", link, after=after, now=now)
    return link


def close_crowd_link(*, link: CrowdLink, by: User | None, now: datetime) -> bool:
    """Stop new visits through the link; current ones continue. False when it was closed already."""
    with transaction.atomic():
        if not guard.update_one(CrowdLink.objects.filter(pk=link.pk, is_open=True), is_open=False):
            return False
        audit_log.record(by, "close", link, now=now)
    return True


def begin_visit(
    *, link: CrowdLink, external_id: str, known: Collection[int] = (), now: datetime
) -> CrowdVisit:
    """The worker's current visit, or a new one. Their first visit through any link creates a login
    without a password. `known` are the raters as whom this browser has worked: an ID alone, which
    others may know or guess, opens nobody's work.

    Raises UnableToVisit when the link is closed or full, when the worker's visit has ended
    unfinished, when it belongs to another browser, or when they may not work here.
    """
    with transaction.atomic():
        stored = (
            CrowdLink.objects.select_for_update(of=("self",))
            .select_related("campaign__pool")
            .get(pk=link.pk)
        )
        same_worker = stored.visits.filter(external_id__in=worker_ids.as_stored(external_id))
        visit = same_worker.select_related("rater__user").first()
        if visit is not None:
            return _resume(visit, known=known)
        if not stored.is_open or stored.campaign.state != Campaign.State.OPEN:
            raise UnableToVisit(_("This study is closed. Return it on the platform you came from."))
        if selectors.is_full(link=stored, now=now):
            raise UnableToVisit(
                _(
                    "All places are taken. Return the study on the platform you came from, or come"
                    " back later."
                )
            )
        rater = _returning_rater(link=stored, external_id=external_id, known=known)
        rater = rater or _new_worker(now=now)
        _join_pool(rater, link=stored, now=now)
        return CrowdVisit.objects.create(
            link=stored,
            external_id=external_id,
            rater=rater,
            started_at=now,
            expires_at=now + timedelta(minutes=stored.max_minutes),
        )


def _resume(visit: CrowdVisit, *, known: Collection[int]) -> CrowdVisit:
    """The visit, in the browser that works on it. Before it has taken an item, it moves to the
    browser that opens it last, and ends in the others: there is nothing yet to be seen or lost.
    """
    if visit.state in {State.RETURNED, State.TIMED_OUT, State.SCREENED_OUT}:
        raise UnableToVisit(
            _("Your visit has ended. Return the study on the platform you came from.")
        )
    if visit.rater_id in known:
        return visit
    if selectors.has_begun(rater=visit.rater):
        raise UnableToVisit(_elsewhere())
    _move(visit.rater)
    return visit


def _move(rater: Rater) -> None:
    """To the browser at hand."""
    assert rater.user is not None
    people_services.end_sessions(user=rater.user)


def _elsewhere() -> str:
    return _(
        "Someone has already worked with this ID in another browser. Continue there, or return"
        " the study on the platform you came from."
    )


def complete_visit(*, visit: CrowdVisit, is_asked: bool = False, now: datetime) -> bool:
    """Whether the worker has completed what the link asks for, now or before, and so gets the code.

    A worker who asks for it (`is_asked`) also gets it when nothing is left for them and they have
    judged at least as many items as they skipped.
    """
    with transaction.atomic():
        stored = (
            CrowdVisit.objects.select_for_update(of=("self",))
            .select_related("link__campaign", "rater")
            .get(pk=visit.pk)
        )
        if stored.state == State.COMPLETE:
            return True
        is_done = selectors.n_given(visit=stored) >= stored.link.n_items
        if not is_done and not (
            is_asked and selectors.has_finished_available_work(visit=stored, now=now)
        ):
            return False
        # an answer after the time was up still counts as work
        code = completion.code_of(link=stored.link, is_done=is_done)
        CrowdVisit.objects.filter(pk=stored.pk).update(
            state=State.COMPLETE, ended_at=now, code=code
        )
        _release_items(stored, now=now)
    return True


def finish_visit(*, visit: CrowdVisit, now: datetime) -> bool:
    """A worker asks for their code: whether they get one, for finishing, for running out of work,
    or for not passing the onboarding of a study on Prolific.
    """
    if complete_visit(visit=visit, is_asked=True, now=now):
        return True
    study = completion.study_of(link=visit.link)
    return (
        study is not None
        and completion.is_screened_out(visit=visit)
        and _end_visit(visit=visit, state=State.SCREENED_OUT, code=study.screen_out_code, now=now)
    )


def time_out_visit(*, visit: CrowdVisit, now: datetime) -> bool:
    """The platform has given the worker's place away: their held items are free at once. A worker
    who has answered everything gets the code all the same. False when the visit had ended already.
    """
    return not complete_visit(visit=visit, now=now) and _end_visit(
        visit=visit, state=State.TIMED_OUT, now=now
    )


def return_visit(*, visit: CrowdVisit, now: datetime) -> bool:
    """End the visit because the worker leaves; its place and held items are free at once. False
    when it had ended already.
    """
    return _end_visit(visit=visit, state=State.RETURNED, now=now)


def end_expired_visits(*, now: datetime) -> int:
    """End visits whose time is up. Returns how many. Completed visits keep their place."""
    expired = (
        CrowdVisit.objects.filter(state=State.WORKING, expires_at__lte=now)
        .select_related("link__campaign", "rater")
        .order_by("pk")
    )
    return sum(time_out_visit(visit=visit, now=now) for visit in expired[:ENDED_BATCH])


def _returning_rater(*, link: CrowdLink, external_id: str, known: Collection[int]) -> Rater | None:
    """The rater of a worker who came from the same platform before. One person is one rater, so
    that they never judge an item twice.

    Raises UnableToVisit in another browser, if that rater may not work here or has judged in this
    campaign. None otherwise: then they become another rater.
    """
    earlier = Rater.people.filter(
        crowd_visits__external_id__in=worker_ids.as_stored(external_id),
        crowd_visits__link__id_parameter=link.id_parameter,
    )
    raters = list(earlier.select_related("user").distinct().order_by("-pk"))
    for rater in raters:
        if rater.pk in known:
            return rater
        if not selectors.has_begun(rater=rater):
            _move(rater)
            return rater
    for rater in raters:
        _refuse_barred(rater, link=link)
        if rater.judgments.filter(campaign=link.campaign_id).exists():
            raise UnableToVisit(_elsewhere())
    return None


def _new_worker(*, now: datetime) -> Rater:
    key = secrets.token_hex(8)
    user = accounts_services.create_person(
        email=f"{key}@crowd.invalid", name=_("Crowd worker"), roles=["rater"], by=None, now=now
    )
    notices_services.choose_mail(
        person=user, mailed=User.MailedNotices.NONE
    )  # the address belongs to nobody
    people_services.end_tour(user=user, role="rater")  # paid for a visit, not to look around
    return user.rater


def _join_pool(rater: Rater, *, link: CrowdLink, now: datetime) -> None:
    """Raises UnableToVisit. The pause at the end of a visit ends here."""
    _refuse_barred(rater, link=link)
    _ended_pauses(rater, link=link).update(paused_at=None)
    pools_services.add_raters(pool=link.campaign.pool, raters=[rater], by=None, now=now)


def _refuse_barred(rater: Rater, *, link: CrowdLink) -> None:
    """Raises UnableToVisit for a worker whom an admin removed or paused. The pause at the end of a
    visit does not count.
    """
    memberships = PoolMembership.objects.filter(rater=rater, pool=link.campaign.pool_id)
    barred = memberships.filter(Q(paused_at__isnull=False) | Q(is_active=False))
    is_barred = barred.exclude(pk__in=_ended_pauses(rater, link=link)).exists()
    if is_barred or rater.withdrawn_at or rater.user is None or not rater.user.is_active:
        raise UnableToVisit(
            _("You can't take part in this study. Return it on the platform you came from.")
        )


def _ended_pauses(rater: Rater, *, link: CrowdLink) -> QuerySet[PoolMembership]:
    ends = CrowdVisit.objects.filter(rater=rater, ended_at__isnull=False).values("ended_at")
    return PoolMembership.objects.filter(
        rater=rater, pool=link.campaign.pool_id, is_active=True, paused_at__in=ends
    )


def _end_visit(
    *, visit: CrowdVisit, state: CrowdVisit.State, code: str = "", now: datetime
) -> bool:
    with transaction.atomic():
        if not guard.update_one(
            CrowdVisit.objects.filter(pk=visit.pk, state=State.WORKING),
            state=state,
            ended_at=now,
            code=code,
        ):
            return False
        _release_items(visit, now=now)
    return True


def _release_items(visit: CrowdVisit, *, now: datetime) -> None:
    """Release held items and end the membership; a late answer is stored, or kept as an extra, like
    anybody's.
    """
    rater = visit.rater
    PoolMembership.objects.filter(
        rater=rater, pool=visit.link.campaign.pool_id, paused_at=None
    ).update(paused_at=now)
    leases = Slot.objects.filter(rater=rater, state=Slot.State.LEASED, lease__isnull=False)
    for lease in leases.values_list("lease", flat=True):
        if lease is not None:
            slots.release(lease=lease, rater=rater, now=now)
    items.level_pool_calibration(pool=visit.link.campaign.pool, now=now)
