"""Renders the texts of upcoming items to HTML before raters ask for them."""

from collections.abc import Iterable

from labeling.models import Campaign, Item, Response, Slot
from pages import rendered

N_ITEMS = 500
"""Items per open campaign: a few minutes of work for 50 raters."""
_BATCH = 100


def precompute_texts(*, campaigns: Iterable[Campaign] | None = None, n: int = N_ITEMS) -> int:
    """Render the texts of the first `n` waiting items of each open campaign into the shared cache.
    Returns how many texts were rendered.

    Texts that are in the cache already are skipped, so a second run does only what is missing.
    """
    campaigns = (
        Campaign.objects.filter(state=Campaign.State.OPEN) if campaigns is None else campaigns
    )
    return sum(_precompute(campaign, n) for campaign in campaigns)


def _precompute(campaign: Campaign, n: int) -> int:
    waiting = Slot.objects.filter(
        campaign=campaign, state=Slot.State.FREE, reserved_for=None
    ).order_by("queue_rank")
    items = list(dict.fromkeys(waiting.values_list("item_id", flat=True)[: n * campaign.overlap]))[
        :n
    ]
    return sum(
        rendered.make_ahead(_texts(items[start : start + _BATCH]))
        for start in range(0, len(items), _BATCH)
    )


def _texts(item_ids: list[int]) -> list[str]:
    responses = Response.objects.filter(item_responses__item__in=item_ids).values_list(
        "text", flat=True
    )
    prompts = Item.objects.filter(pk__in=item_ids).values_list("prompt__messages", flat=True)
    return [*responses, *(turn["content"] for messages in prompts for turn in messages)]
