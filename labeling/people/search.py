"""Raters, people and pools for the search. Raters who have withdrawn are not found by name."""

from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.shell.search import Finder, SearchQuery, SearchResult, best, shortened
from labeling.models import Pool, Rater


def pools(query: SearchQuery) -> list[SearchResult]:
    return [
        SearchResult(
            pool.pk, pool.name, _now("paused") if pool.paused_at else shortened(pool.description)
        )
        for pool in best(Pool.objects.all(), query=query)
    ]


def raters(query: SearchQuery) -> list[SearchResult]:
    matching = best(
        Rater.people.filter(withdrawn_at=None).select_related("user"),
        query=query,
        names=("alias", "user__name", "user__email"),
    )
    return [
        SearchResult(rater.pk, rater.alias, rater.user.name if rater.user else rater.origin)
        for rater in matching
    ]


def people(query: SearchQuery) -> list[SearchResult]:
    matching = best(
        User.objects.exclude(rater__withdrawn_at__isnull=False),
        query=query,
        names=("name", "email"),
    )
    return [
        SearchResult(
            person.pk, str(person), person.email if person.is_active else _now("login closed")
        )
        for person in matching
    ]


FINDERS = (
    Finder(_("Raters"), _("Rater"), "rater", raters, list_page="roster"),
    Finder(_("People"), _("person"), "person", people, list_page="people"),
    Finder(_("Pools"), _("Pool"), "pool", pools),
)
