"""Finds prompts for the search, by number only, because their text has no index."""

from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from accounts.search.search import Finder, Found, Wanted, shortened
from labeling.access import visible
from labeling.models import Prompt


def prompts(wanted: Wanted) -> list[Found]:
    """Finds a prompt by number. If it may upset, shows only its kinds of content."""
    if wanted.number is None:
        return []
    found = visible(Prompt.objects.filter(pk=wanted.number)).only("messages", "sensitive")
    return [
        Found(
            prompt.pk,
            _now("Prompt %(number)d") % {"number": prompt.pk},
            prompt.upset_words or shortened(str(prompt)),
        )
        for prompt in found
    ]


FINDERS = (
    Finder(
        _("Prompts"), _("Prompt"), "prompt", prompts, list_page="prompts", is_searched_there=True
    ),
)
