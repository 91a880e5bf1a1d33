"""The items of a campaign: which prompts with which responses, and which of them are repeated."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from hashlib import sha256
from itertools import islice

from arithmetic import chats
from labeling.campaigns.selection import usable
from labeling.models import Campaign, Item, ItemResponse, Prompt, Response, Slot
from labeling.queue.claiming import order as claiming_order

BATCH = 2_000


def batches_of(prompts: Iterable[Prompt]) -> Iterator[list[Prompt]]:
    remaining = iter(prompts)
    while batch := list(islice(remaining, BATCH)):
        yield batch


def add_items(
    *,
    campaign: Campaign,
    prompts: Sequence[Prompt],
    first_position: int,
    source_ids: Sequence[int],
    response_ids: Collection[int] = (),
    now: datetime,
) -> int:
    """Create the items, slots and responses for one batch of prompts. Returns how many items were
    created.
    """
    chosen: dict[int, list[int]] = {}
    if campaign.about.compares_stored:
        chosen = _choose_responses(
            prompts=prompts,
            n=campaign.n_responses or 0,
            source_ids=source_ids,
            response_ids=response_ids,
        )
        prompts = [prompt for prompt in prompts if prompt.pk in chosen]
    made = Item.objects.bulk_create(
        Item(
            campaign=campaign,
            prompt=prompt,
            position=position,
            is_calibration=_is_drawn(position, campaign.calibration_percent),
            created_at=now,
        )
        for position, prompt in enumerate(prompts, start=first_position)
    )
    ItemResponse.objects.bulk_create(
        (
            ItemResponse(item=item, response_id=response_id)
            for item in made
            for response_id in chosen.get(item.prompt_id, ())
        ),
        batch_size=BATCH,
    )
    Slot.objects.bulk_create(
        (
            Slot(
                item=item,
                campaign=campaign,
                number=number,
                queue_rank=claiming_order.fresh_rank(
                    order=campaign.order, position=item.position, number=number
                ),
            )
            for item in made
            # it needs as many slots as there are raters: items.level_calibration adds them
            if not item.is_calibration
            for number in range(campaign.overlap)
        ),
        batch_size=BATCH,
    )
    return len(made)


def add_repeats(*, campaign: Campaign, first_position: int, now: datetime) -> None:
    """Add a second item, after all others, for the share of items that is repeated. It gets a slot
    for a rater once they have judged the original.
    """
    if not campaign.repeat_percent:
        return
    plain = campaign.items.filter(is_calibration=False).order_by("position")
    drawn = [item for place, item in enumerate(plain) if _is_drawn(place, campaign.repeat_percent)]
    for start in range(0, len(drawn), BATCH):
        originals = drawn[start : start + BATCH]
        made = Item.objects.bulk_create(
            Item(
                campaign=campaign,
                prompt_id=item.prompt_id,
                position=position,
                repeat_of=item,
                created_at=now,
            )
            for position, item in enumerate(originals, start=first_position + start)
        )
        repeat_of = {repeat.repeat_of_id: repeat for repeat in made}
        shown = ItemResponse.objects.filter(item__in=originals)
        ItemResponse.objects.bulk_create(
            ItemResponse(item=repeat_of[row.item_id], response_id=row.response_id)
            for row in shown.iterator(chunk_size=BATCH)
        )


def _is_drawn(place: int, percent: int) -> bool:
    """Whether this position is among the `percent` that are spread evenly over all positions,
    including the first.
    """
    return place * percent % 100 < percent


def _choose_responses(
    *,
    prompts: Sequence[Prompt],
    n: int,
    source_ids: Sequence[int],
    response_ids: Collection[int],
) -> dict[int, list[int]]:
    """Choose `n` responses for each prompt that has enough: each source's first, then each source's
    second, and so on.

    A hash decides between equals, so that neither age nor source is favoured. Duplicate texts come
    last.
    """
    responses = usable(Response.objects.filter(prompt__in=[prompt.pk for prompt in prompts]))
    if source_ids:
        responses = responses.filter(source__in=source_ids)
    if response_ids:
        responses = responses.filter(pk__in=response_ids)
    candidates: dict[int, list[Response]] = {}
    for response in responses.order_by("prompt_id", "number", "pk"):
        candidates.setdefault(response.prompt_id, []).append(response)
    return {
        prompt_id: [response.pk for response in _in_even_turns(fitting)[:n]]
        for prompt_id, fitting in candidates.items()
        if len(fitting) >= n
    }


def _in_even_turns(responses: Sequence[Response]) -> list[Response]:
    turn: dict[int, int] = {}
    texts: set[str] = set()
    keyed = []
    for response in responses:
        text = chats.answer_key(response.text.strip(), tool_calls=response.tool_calls)
        taken = turn.setdefault(response.source_id, 0)
        turn[response.source_id] += 1
        keyed.append(
            ((text in texts, taken, sha256(str(response.pk).encode()).hexdigest()), response)
        )
        texts.add(text)
    return [response for _key, response in sorted(keyed, key=lambda pair: pair[0])]
