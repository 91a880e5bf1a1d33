"""Raters, people and pools for the search. Raters who have withdrawn are not found by name."""

from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.search.search import Finder, Found, Wanted, best, shortened
from labeling.models import Pool, Rater


def pools(wanted: Wanted) -> list[Found]:
    return [
        Found(pool.pk, pool.name, _now("paused") if pool.paused_at else shortened(pool.description))
        for pool in best(Pool.objects.all(), wanted=wanted)
    ]


def raters(wanted: Wanted) -> list[Found]:
    found = best(
        Rater.objects.filter(withdrawn_at=None).select_related("user"),
        wanted=wanted,
        names=("alias", "user__name", "user__email"),
    )
    return [
        Found(rater.pk, rater.alias, rater.user.name if rater.user else rater.origin)
        for rater in found
    ]


def people(wanted: Wanted) -> list[Found]:
    found = best(
        User.objects.exclude(rater__withdrawn_at__isnull=False),
        wanted=wanted,
        names=("name", "email"),
    )
    return [
        Found(person.pk, str(person), person.email if person.is_active else _now("login closed"))
        for person in found
    ]


FINDERS = (
    Finder(_("Raters"), _("Rater"), "rater", raters, list_page="roster"),
    Finder(_("People"), _("person"), "person", people, list_page="people"),
    Finder(_("Pools"), _("Pool"), "pool", pools),
)
