"""Decides where a rater goes next: to an item, or to what they have to read or finish first."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.desk import work
from labeling.guidelines import selectors as guidelines_selectors
from labeling.models import Campaign, Rater, Slot
from labeling.people.crowd import selectors as crowd_selectors
from labeling.people.crowd import services as crowd_services
from labeling.queue import admission
from labeling.queue.claiming import claim


@dataclass(frozen=True)
class Step:
    """Where to go. `slot` is the item that was claimed, if any."""

    address: str
    slot: Slot | None = None


def next_address(
    request: HttpRequest, *, campaign: Campaign, rater: Rater, last_version_id: int | None = None
) -> str:
    return next_step(
        request, campaign=campaign, rater=rater, last_version_id=last_version_id
    ).address


def next_step(
    request: HttpRequest, *, campaign: Campaign, rater: Rater, last_version_id: int | None = None
) -> Step:
    """Claim the next item and return where to go. When nothing is left, that is the desk, with a
    message.

    A changed guideline has to be read first. `worked_by` is the guideline version of the rater's
    last item: if it is the current version, that check needs no query.
    """
    if last_version_id != campaign.guideline_version_id and _reads_first(campaign, rater):
        return Step(f"{reverse('my_guideline', args=[campaign.guideline_id])}?for={campaign.pk}")
    entry = admission.entry(rater=rater, campaign=campaign)
    visit = (
        crowd_selectors.visit_at_work(rater=rater, campaign=campaign) if entry.is_visiting else None
    )
    if visit is not None and crowd_services.complete_visit(visit=visit, now=timezone.now()):
        return Step(reverse("crowd_done"))
    try:
        slot = claim.claim(campaign=campaign, rater=rater, entry=entry, now=timezone.now())
    except claim.UnableToClaim as problem:
        messages.warning(request, problem.sentence)
        return Step(blocker_address(problem.blocker))
    if slot is not None:
        return Step(reverse("desk_item", args=[slot.lease]), slot)
    if visit is not None:
        return Step(reverse("crowd_done"))
    messages.info(
        request, _("Nothing left for you in “%(name)s” right now.") % {"name": campaign.name}
    )
    return Step(reverse("desk"))


def blocker_address(blocker: admission.Blocker) -> str:
    """Where a rater can see what blocks them: onboarding has its own page."""
    if blocker.reason == admission.BlockReason.ONBOARDING:
        return reverse("onboarding", args=[blocker.pool_id])
    return reverse("desk")


def _reads_first(campaign: Campaign, rater: Rater) -> bool:
    """Whether the rater has to read the guideline now. A held item keeps the version it was claimed
    under.
    """
    return (
        guidelines_selectors.needs_reading(rater=rater, campaign=campaign)
        and work.lease_held(rater=rater, campaign=campaign) is None
    )
