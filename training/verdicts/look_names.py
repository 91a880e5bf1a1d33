"""What a look is called: the same on its judge's page and where a verdict counts by it."""

from collections.abc import Collection
from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _

from labeling.models import Prompt
from training.models import TrustLook, TrustRule
from training.verdicts import calibration


@dataclass(frozen=True)
class NamedLook:
    name: str
    url: str
    """of its judge's page, which admins may open"""


def named(*, looks: Collection[int]) -> dict[int, NamedLook]:
    """By id."""
    rows = TrustLook.objects.filter(pk__in=looks).select_related("version__judge")
    split_of = dict(
        TrustRule.objects.filter(version__trust_looks__in=looks).values_list("version", "split")
    )
    return {
        look.pk: NamedLook(
            look_name(look, split_of.get(look.version_id, TrustRule.Split.NONE)),
            f"{reverse('campaign_judges', args=[look.version.judge.campaign_id])}#look-{look.pk}",
        )
        for look in rows
    }


def look_name(look: TrustLook, split: str) -> str:
    """Its number within its judge, and the part of the pairs that it looked at."""
    if split == TrustRule.Split.NONE:
        return _("look %(number)s") % {"number": look.number}
    values = {"number": look.number, "part": slice_name(split, look.slice)}
    return _("look %(number)s (%(part)s)") % values


def slice_name(split: str, name: str) -> str:
    if split == TrustRule.Split.CATEGORY:
        return str(dict(Prompt.Category.choices).get(name, name))
    if split == TrustRule.Split.LENGTH:
        return {
            "short": _("below 500 characters"),
            "medium": _("500 to 2,000 characters"),
            calibration.LONGEST: _("longer than 2,000 characters"),
        }[name]
    if split == TrustRule.Split.LANGUAGE:
        return name or _("no language")
    return _("all pairs")
