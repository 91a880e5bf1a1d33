"""Finds prompts for the search, by number only, because their text has no index."""

from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from accounts.shell.search import Finder, SearchQuery, SearchResult, shortened
from labeling.access import visible
from labeling.models import Prompt


def prompts(query: SearchQuery) -> list[SearchResult]:
    """Finds prompts by number only. Of a prompt that may upset, the result only says why."""
    if query.number is None:
        return []
    matching = visible(Prompt.objects.filter(pk=query.number)).only("messages", "sensitive")
    return [
        SearchResult(
            prompt.pk,
            _now("Prompt %(number)d") % {"number": prompt.pk},
            prompt.upset_words or shortened(str(prompt)),
        )
        for prompt in matching
    ]


FINDERS = (
    Finder(
        _("Prompts"), _("Prompt"), "prompt", prompts, list_page="prompts", is_searched_there=True
    ),
)
