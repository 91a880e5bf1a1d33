"""Read queries of crowd links and visits, for the admin's page and the worker's desk."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from labeling.models import Campaign, CrowdLink, CrowdVisit, Judgment, Pass, Pool, Rater, Slot
from labeling.people.crowd import completion
from labeling.queue.claiming import work_left

PLACE_HELD = timedelta(minutes=15)
"""How long a visit without an answer keeps its place. It may go on after that."""
PROLIFIC_MARGIN = 2
"""Prolific counts the places of a connected link, and fills a place that is free there minutes
before the site knows. The link refuses only beyond this many times its places, so that made-up IDs
cannot use up the campaign.
"""


@dataclass(frozen=True)
class LinkRow:
    link: CrowdLink
    n_working: int
    n_complete: int
    n_ended: int


def link_rows(*, pool: Pool) -> list[LinkRow]:
    """The pool's links with their visits by state, newest first, in one query."""
    return _rows(CrowdLink.objects.filter(campaign__pool=pool))


def rows_of(*, links: Iterable[CrowdLink]) -> list[LinkRow]:
    """The same for some links."""
    return _rows(CrowdLink.objects.filter(pk__in=[link.pk for link in links]))


def _rows(queryset: QuerySet[CrowdLink]) -> list[LinkRow]:
    states = CrowdVisit.State
    links: Iterable[CrowdLink] = (
        queryset.select_related("campaign", "prolific_study")
        .annotate(
            n_working=Count("visits", filter=Q(visits__state=states.WORKING)),
            n_complete=Count("visits", filter=Q(visits__state=states.COMPLETE)),
            n_ended=Count(
                "visits",
                filter=Q(
                    visits__state__in=[states.RETURNED, states.TIMED_OUT, states.SCREENED_OUT]
                ),
            ),
        )
        .order_by("-pk")
    )
    return [LinkRow(link, link.n_working, link.n_complete, link.n_ended) for link in links]  # type: ignore[attr-defined]


def has_begun(*, rater: Rater) -> bool:
    """Whether there is work of theirs that another browser would show or take: an item, something
    typed, a conversation, an answer.
    """
    held = rater.slots.filter(state=Slot.State.LEASED)
    return any(
        begun.exists()
        for begun in (
            *(held, rater.drafts, rater.judgments, rater.conversations),
            *(rater.step_attempts, rater.profile_answers),
        )
    )


def n_places_taken(*, link: CrowdLink, now: datetime) -> int:
    """Completed visits, and those in progress: one without an answer, only while it is new. So IDs
    that somebody made up free their places by themselves.
    """
    answers = Judgment.of_everyone.filter(
        rater=OuterRef("rater"),
        campaign=link.campaign_id,
        submitted_at__gte=OuterRef("started_at"),
    )
    holds = Q(started_at__gt=now - PLACE_HELD) | Exists(answers)
    states = CrowdVisit.State
    return link.visits.filter(Q(state=states.COMPLETE) | Q(holds, state=states.WORKING)).count()


def is_full(*, link: CrowdLink, now: datetime) -> bool:
    margin = PROLIFIC_MARGIN if completion.study_of(link=link) else 1
    return n_places_taken(link=link, now=now) >= link.n_places * margin


def visit_at_work(*, rater: Rater, campaign: Campaign | None = None) -> CrowdVisit | None:
    """The current visit of this rater, if they came through a link."""
    mine = rater.crowd_visits.filter(state=CrowdVisit.State.WORKING).select_related(
        "link__campaign", "rater"
    )
    return (mine.filter(link__campaign=campaign) if campaign is not None else mine).first()


def n_given(*, visit: CrowdVisit) -> int:
    """Judgments given in this visit; a worker may have visited the same campaign before."""
    return _given(visit).count()


def has_finished_available_work(*, visit: CrowdVisit, now: datetime) -> bool:
    """Whether nothing is left for the worker, and they have judged at least as many items as they
    skipped, and at least one: on Prolific also none, for whom it sent after the last item is gone.
    """
    campaign, rater = visit.link.campaign, visit.rater
    n = n_given(visit=visit)
    n_skipped = Pass.objects.filter(
        rater=rater, item__campaign=campaign, created_at__gte=visit.started_at
    ).count()
    is_empty = n == 0 and (n_skipped > 0 or completion.study_of(link=visit.link) is None)
    if (
        is_empty
        or n < n_skipped
        or rater.slots.filter(campaign=campaign, state=Slot.State.LEASED).exists()
    ):
        return False
    return campaign.state != Campaign.State.OPEN or not work_left.has_work(
        campaign=campaign, rater=rater, now=now
    )


def _given(visit: CrowdVisit) -> QuerySet[Judgment]:
    return Judgment.of_everyone.filter(
        rater=visit.rater_id, campaign=visit.link.campaign_id, submitted_at__gte=visit.started_at
    )


def campaigns_for_links(*, pool: Pool) -> QuerySet[Campaign]:
    return pool.campaigns.exclude(state=Campaign.State.CLOSED).order_by("name")
