"""Items that wait in a campaign but do not suit one rater: upsetting content that they have not
agreed to, or a language or field that they do not know.
"""

from dataclasses import dataclass, replace

from django.db.models import Exists, OuterRef, QuerySet

from labeling.models import Campaign, Item, Prompt, Rater, Slot
from labeling.queue import routing

MOST_COUNTED = 200
"""A page counts no more items than this."""
_FREE = Slot.objects.filter(item=OuterRef("pk"), state=Slot.State.FREE, reserved_for=None)


@dataclass(frozen=True)
class Withheld:
    """Items that wait; `kinds` are Prompt.Upset values that the rater has not agreed to."""

    n_upsetting: int = 0
    kinds: tuple[str, ...] = ()
    n_unknown: int = 0
    """in a language or a field that the rater has not said to know"""

    @property
    def kind_words(self) -> str:
        words = dict(Prompt.Upset.choices)
        return ", ".join(str(words[kind]) for kind in self.kinds)


def withheld(*, campaign: Campaign, rater: Rater) -> Withheld:
    """For a campaign that has nothing for this rater. Searches the whole line, up to MOST_COUNTED
    items.
    """
    suits = routing.fit(campaign=campaign, rater=rater)
    agreed = replace(suits, accepts=frozenset(Prompt.Upset.values))
    found: list[list[str]] = []
    if suits.refused:
        upsetting = _waiting(campaign, suits).filter(_has_slot_for(agreed))
        upsetting = upsetting.exclude(suits.care_test.of("pk"))
        found = list(upsetting.values_list("prompt__sensitive", flat=True)[:MOST_COUNTED])
    kinds = sorted({kind for kinds in found for kind in kinds} & set(suits.refused))
    if suits.languages is None and suits.categories is None:
        return Withheld(len(found), tuple(kinds))
    unknown = _waiting(campaign, suits).exclude(_has_slot_for(agreed))
    return Withheld(len(found), tuple(kinds), unknown[:MOST_COUNTED].count())


def _has_slot_for(suits: routing.Fit) -> Exists:
    """On items: a free slot, of an item that suits such a rater."""
    return Exists(_FREE.filter(suits.test.of("item")))


def _waiting(campaign: Campaign, suits: routing.Fit) -> QuerySet[Item]:
    """Items with a free slot that this rater has not met."""
    items = Item.objects.filter(campaign=campaign, held_at=None)
    return items.filter(Exists(_FREE), suits.not_met.of("pk"))
