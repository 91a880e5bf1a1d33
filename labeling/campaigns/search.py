"""Finds campaigns for the search in the top bar."""

from django.utils.translation import gettext_lazy as _

from accounts.shell.search import Finder, SearchQuery, SearchResult, best
from labeling.models import Campaign


def campaigns(query: SearchQuery) -> list[SearchResult]:
    return [
        SearchResult(
            campaign.pk,
            campaign.name,
            f"{campaign.get_kind_display()} · {campaign.get_state_display()}",
        )
        for campaign in best(Campaign.objects.all(), query=query)
    ]


FINDERS = (Finder(_("Campaigns"), _("Campaign"), "campaign", campaigns),)
