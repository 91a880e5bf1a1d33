"""What the sources of a campaign are called: the name of each source, the name under which its
model is registered, and those that its weights or its server have. Raters see none of them.
"""

import re
from collections.abc import Iterable, Mapping

from django.db.models import QuerySet

from labeling.models import Campaign, Response, Source

NAMES = (
    "name",
    "trained_model__name",
    "trained_model__location",
    "trained_model__endpoint__served_name",
)
_WORD = re.compile(r"[^\W\d_A-Z]+")


def own_names(responses: QuerySet[Response]) -> Mapping[int, tuple[str, ...]]:
    """The names of each response's own source."""
    paths = [f"source__{name}" for name in NAMES]
    return {pk: _forms(names) for pk, *names in responses.values_list("pk", *paths)}


def names_in_campaign(campaign: Campaign) -> tuple[str, ...]:
    """Of all sources that answer in the campaign, or in the one whose attacks it reviews. A name
    that is an ordinary word, such as “first”, is left to the answers of that source.
    """
    attacks = getattr(campaign, "reviews_attacks_of", None)
    campaigns = [campaign.pk, attacks.campaign_id if attacks else None]
    rows = Source.objects.filter(pk__in=_shared(campaigns)).values_list(*NAMES)
    names = {form for row in rows for form in _forms(row)}
    return tuple(sorted(name for name in names if not _WORD.fullmatch(name)))


def _shared(campaigns: Iterable[int | None]) -> QuerySet[Campaign, int]:
    plans = Campaign.every.filter(pk__in=[pk for pk in campaigns if pk is not None])
    return plans.values_list("conversation_plan__sources__source", flat=True)


def _forms(names: Iterable[str | None]) -> tuple[str, ...]:
    """Each name, and its last part: “Qwen2.5-7B” of “Qwen/Qwen2.5-7B”. Of a folder only that, and
    of an address nothing.
    """
    forms: set[str] = set()
    for name in filter(None, names):
        last = name.rstrip("/").rpartition("/")[2]
        if name.startswith("/"):
            forms |= {last} if re.search(r"[A-Za-z].*\d", last) else set()
        elif not name.startswith(("http://", "https://")):
            forms |= {name, last}
    return tuple(sorted(form for form in forms if len(form) > 2))
