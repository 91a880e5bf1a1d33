"""Finds guidelines for the search in the top bar."""

from django.utils.translation import gettext_lazy as _

from accounts.search.search import Finder, Found, Wanted, best
from labeling.models import Guideline


def guidelines(wanted: Wanted) -> list[Found]:
    return [
        Found(guideline.pk, guideline.name)
        for guideline in best(Guideline.objects.all(), wanted=wanted)
    ]


FINDERS = (Finder(_("Guidelines"), _("Guideline"), "guideline_history", guidelines),)
