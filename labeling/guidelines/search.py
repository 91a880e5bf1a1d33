"""Finds guidelines for the search in the top bar."""

from django.utils.translation import gettext_lazy as _

from accounts.shell.search import Finder, SearchQuery, SearchResult, best
from labeling.models import Guideline


def guidelines(query: SearchQuery) -> list[SearchResult]:
    return [
        SearchResult(guideline.pk, guideline.name)
        for guideline in best(Guideline.objects.all(), query=query)
    ]


FINDERS = (Finder(_("Guidelines"), _("Guideline"), "guideline_history", guidelines),)
