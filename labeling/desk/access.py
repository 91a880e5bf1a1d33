"""Access checks for raters at the desk: campaigns, guidelines, and the item under a lease."""

from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils import timezone

from accounts.models import User
from labeling.access import campaign
from labeling.desk import open_campaigns
from labeling.desk import work as desk_work
from labeling.guidelines import selectors as guidelines_selectors
from labeling.models import Campaign, Guideline, Rater


def my_guideline(*, user: User | AnonymousUser, rater: Rater | None, pk: int) -> Guideline:
    """Admins may read any guideline; raters only those of their campaigns."""
    if user.is_authenticated and user.is_admin:
        return get_object_or_404(Guideline, pk=pk)
    mine = guidelines_selectors.guidelines_of(rater=rater) if rater else []
    match = next((guideline for guideline in mine if guideline.pk == pk), None)
    if match is None:
        raise Http404
    return match


def campaign_to_work_in(*, rater: Rater, pk: int) -> Campaign:
    return get_object_or_404(open_campaigns.campaigns_open_to(rater=rater), pk=pk)


def work(*, user: User | AnonymousUser, lease: UUID) -> desk_work.Work:
    """The item under a lease that this user holds or held, in any state."""
    assigned = desk_work.work(user_id=user.pk or 0, lease=lease)
    if assigned is None:
        raise Http404
    return assigned


def sample_work(*, user: User | AnonymousUser, pk: int) -> desk_work.Work:
    """A preview of what the campaign's raters see, for an admin."""
    sample = desk_work.sample(campaign=campaign(user=user, pk=pk), now=timezone.now())
    if sample is None:
        raise Http404
    return sample
