"""The campaigns to train on, and the chains that learn from one."""

from django.db.models import QuerySet

from labeling.models import Campaign
from training.models import Chain


def campaigns() -> QuerySet[Campaign]:
    """Those that raters have been asked in, newest first."""
    asked = Campaign.objects.exclude(state=Campaign.State.DRAFT)
    return asked.select_related("pool").order_by("-pk")


def newest_chain(*, campaign: Campaign) -> Chain | None:
    """Of the chains that learn from this campaign alone."""
    chains = Chain.objects.filter(schedule__plan__filters__campaigns=[campaign.pk])
    return chains.select_related("schedule").order_by("-pk").first()
