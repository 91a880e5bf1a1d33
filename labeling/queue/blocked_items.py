"""Waiting items that one rater cannot get: they contain upsetting content that the rater has not
agreed to, or need a language or field that the rater does not know.
"""

from dataclasses import dataclass, replace

from django.db.models import Exists, OuterRef, QuerySet

from labeling.models import Campaign, Item, Prompt, Rater, Slot
from labeling.queue.claiming import routing

MOST_COUNTED = 200
"""Pages count blocked items only up to this number."""
_FREE = Slot.objects.filter(item=OuterRef("pk"), state=Slot.State.FREE, reserved_for=None)


@dataclass(frozen=True)
class BlockedItems:
    """Counts of waiting items. `kinds` are Prompt.Upset values that the rater has not agreed to."""

    n_upsetting: int = 0
    kinds: tuple[str, ...] = ()
    n_unknown: int = 0
    """in a language or field that is not among the rater's skills"""

    @property
    def kind_words(self) -> str:
        words = dict(Prompt.Upset.choices)
        return ", ".join(str(words[kind]) for kind in self.kinds)


def blocked_items(*, campaign: Campaign, rater: Rater) -> BlockedItems:
    """For a campaign that has nothing for this rater. Searches the whole queue, up to MOST_COUNTED
    items.
    """
    fit = routing.fit(campaign=campaign, rater=rater)
    agreed = replace(fit, accepts=frozenset(Prompt.Upset.values))
    prompts: list[list[str]] = []
    if fit.refused:
        upsetting = _waiting(campaign, fit).filter(_has_slot_for(agreed))
        upsetting = upsetting.exclude(fit.care_test.of("pk"))
        prompts = list(upsetting.values_list("prompt__sensitive", flat=True)[:MOST_COUNTED])
    kinds = sorted({kind for kinds in prompts for kind in kinds} & set(fit.refused))
    if fit.languages is None and fit.categories is None:
        return BlockedItems(len(prompts), tuple(kinds))
    unknown = _waiting(campaign, fit).exclude(_has_slot_for(agreed))
    return BlockedItems(len(prompts), tuple(kinds), unknown[:MOST_COUNTED].count())


def _has_slot_for(fit: routing.Fit) -> Exists:
    """On items: has a free slot and matches such a rater."""
    return Exists(_FREE.filter(fit.test.of("item")))


def _waiting(campaign: Campaign, fit: routing.Fit) -> QuerySet[Item]:
    """Items with a free slot that this rater has not met."""
    items = Item.objects.filter(campaign=campaign, held_at=None)
    return items.filter(Exists(_FREE), fit.not_met.of("pk"))
