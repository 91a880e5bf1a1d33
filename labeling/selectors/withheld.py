"""What waits in a campaign and is not given to one rater: upsetting content they have not agreed
to, what they do not know.
"""

from dataclasses import dataclass, replace

from django.db.models import Exists, OuterRef, QuerySet

from labeling import routing
from labeling.models import Campaign, Item, Judgment, Pass, Prompt, Rater, Slot

MOST_COUNTED = 200
"""More items than this are not counted for a page."""


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
    """For a campaign that has nothing for this rater: asks the whole line, as far as
    MOST_COUNTED.
    """
    suits = routing.fit(campaign=campaign, rater=rater)
    agreed = replace(suits, accepts=frozenset(Prompt.Upset.values))
    upsetting = _waiting(campaign, rater).filter(slot_fits(agreed), prompt__in=suits.upsetting)
    found = list(upsetting.values_list("prompt__sensitive", flat=True)[:MOST_COUNTED])
    kinds = sorted({kind for kinds in found for kind in kinds} & set(suits.refused))
    if suits.languages is None and suits.categories is None:
        return Withheld(len(found), tuple(kinds))
    unknown = _waiting(campaign, rater).exclude(slot_fits(agreed))
    return Withheld(len(found), tuple(kinds), unknown[:MOST_COUNTED].count())


def slot_fits(suits: routing.Fit) -> Exists:
    """On items: a free slot that such a rater may have."""
    free = Slot.objects.filter(item=OuterRef("pk"), state=Slot.State.FREE, reserved_for=None)
    return Exists(free.filter(suits.condition))


def _waiting(campaign: Campaign, rater: Rater) -> QuerySet[Item]:
    """Items with a free slot that this rater has not met."""
    items = Item.objects.filter(campaign=campaign, held_at=None)
    items = items.filter(
        Exists(Slot.objects.filter(item=OuterRef("pk"), state=Slot.State.FREE, reserved_for=None))
    )
    for meeting in (Slot, Pass, Judgment):
        items = items.exclude(Exists(meeting.objects.filter(item=OuterRef("pk"), rater=rater)))
    return items
