"""Finds campaigns for the search in the top bar."""

from django.utils.translation import gettext_lazy as _

from accounts.search.search import Finder, Found, Wanted, best
from labeling.models import Campaign


def campaigns(wanted: Wanted) -> list[Found]:
    return [
        Found(
            campaign.pk,
            campaign.name,
            f"{campaign.get_kind_display()} · {campaign.get_state_display()}",
        )
        for campaign in best(Campaign.objects.all(), wanted=wanted)
    ]


FINDERS = (Finder(_("Campaigns"), _("Campaign"), "campaign", campaigns),)
