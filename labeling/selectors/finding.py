"""What the search of the top line finds here: one query a kind, bounded by accounts.finding.best.

Who has withdrawn is not found by name. A prompt is found by its number: no index serves its words,
so these are left to the search of the prompts' own page.
"""

from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from accounts.finding import Finder, Found, Wanted, best
from accounts.models import User
from labeling.models import Campaign, Guideline, Pool, Prompt, Rater
from labeling.selectors.prompts import visible

N_CHARACTERS = 100


def campaigns(wanted: Wanted) -> list[Found]:
    return [
        Found(
            campaign.pk,
            campaign.name,
            f"{campaign.get_kind_display()} · {campaign.get_state_display()}",
        )
        for campaign in best(Campaign.objects.all(), wanted=wanted)
    ]


def pools(wanted: Wanted) -> list[Found]:
    return [
        Found(
            pool.pk, pool.name, _now("paused") if pool.paused_at else _shortened(pool.description)
        )
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


def guidelines(wanted: Wanted) -> list[Found]:
    return [
        Found(guideline.pk, guideline.name)
        for guideline in best(Guideline.objects.all(), wanted=wanted)
    ]


def prompts(wanted: Wanted) -> list[Found]:
    """By number only; of one that may upset, no more than why."""
    if wanted.number is None:
        return []
    found = visible(Prompt.objects.filter(pk=wanted.number)).only("messages", "sensitive")
    return [
        Found(
            prompt.pk,
            _now("Prompt %(number)d") % {"number": prompt.pk},
            prompt.upset_words or _shortened(str(prompt)),
        )
        for prompt in found
    ]


def _shortened(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= N_CHARACTERS else f"{words[:N_CHARACTERS]}…"


FINDERS = (
    Finder(_("Campaigns"), _("campaign"), "campaign", campaigns),
    Finder(_("Raters"), _("rater"), "rater", raters, list_page="roster"),
    Finder(_("People"), _("person"), "person", people, list_page="people"),
    Finder(_("Pools"), _("pool"), "pool", pools),
    Finder(_("Guidelines"), _("guideline"), "guideline_history", guidelines),
    Finder(
        _("Prompts"), _("prompt"), "prompt", prompts, list_page="prompts", is_searched_there=True
    ),
)
