"""Campaigns: made whole, with their items and slots, then opened, paused and closed."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from hashlib import sha256
from itertools import islice

from django.db import transaction
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from labeling import queue
from labeling.models import Campaign, Guideline, Item, ItemResponse, Pool, Prompt, Response, Slot
from labeling.selectors.prompts import visible

BATCH = 2_000
RESPONSES = range(2, 10)


class UnableToCreateCampaign(Exception):
    """A campaign that nobody could work on; the text says what is missing."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def create_campaign(
    *,
    name: str,
    kind: str,
    pool: Pool,
    guideline: Guideline,
    prompts: Iterable[Prompt],
    overlap: int = 1,
    n_responses: int | None = None,
    source_ids: Sequence[int] = (),
    lease_minutes: int = 30,
    order: str = Campaign.Order.FINISH_FIRST,
    priority: int = 0,
    asks_strength: bool = False,
    asks_reason: bool = True,
    min_words: int = 20,
    max_words: int = 600,
    by: User | None,
    now: datetime,
) -> Campaign:
    """A campaign in state draft with an item for each prompt, `overlap` slots an item.

    Comparisons take `n_responses` published responses of each prompt, of `source_ids` where any are named, evenly over the
    sources; a prompt with fewer is left out. Raises UnableToCreateCampaign when no item comes of it.
    """
    version = guideline.versions.order_by("-number").first()
    if version is None:
        raise UnableToCreateCampaign(_("The guideline has no version yet. Write its text first."))
    if kind == Campaign.Kind.COMPARISON and n_responses not in RESPONSES:
        raise UnableToCreateCampaign(_("Say how many responses a rater compares: 2 to 9."))
    if Campaign.objects.filter(name=name).exists():
        raise UnableToCreateCampaign(_("Another campaign has this name. Choose one that tells them apart."))
    with transaction.atomic():
        campaign = Campaign.objects.create(
            name=name,
            kind=kind,
            pool=pool,
            guideline=guideline,
            guideline_version=version,
            overlap=overlap,
            n_responses=n_responses if kind == Campaign.Kind.COMPARISON else None,
            lease_minutes=lease_minutes,
            order=order,
            priority=priority,
            asks_strength=asks_strength,
            asks_reason=asks_reason,
            min_words=min_words,
            max_words=max_words,
            created_by=by,
            created_at=now,
        )
        n_items = 0
        for batch in _batches(prompts):
            n_items += _add_items(campaign=campaign, prompts=batch, first_position=n_items, source_ids=source_ids, now=now)
        if n_items == 0:
            raise UnableToCreateCampaign(_nothing_to_do(campaign))
        audit.record(by=by, action="create", target=campaign, after={"name": name, "n_items": n_items}, now=now)
    return campaign


def open_campaign(*, campaign: Campaign, by: User | None, now: datetime) -> bool:
    """Let the pool work on it. False when it is open or closed already."""
    with transaction.atomic():
        is_moved = _move(campaign, Campaign.State.OPEN, (Campaign.State.DRAFT, Campaign.State.PAUSED), by=by, now=now)
        if is_moved:
            Campaign.objects.filter(pk=campaign.pk, opened_at=None).update(opened_at=now)
    campaign.refresh_from_db(fields=["state", "opened_at"])
    return is_moved


def pause_campaign(*, campaign: Campaign, by: User | None, now: datetime) -> bool:
    """Hand out nothing more for now. Items that raters hold can still be submitted. False unless it is open."""
    with transaction.atomic():
        is_moved = _move(campaign, Campaign.State.PAUSED, (Campaign.State.OPEN,), by=by, now=now)
    campaign.refresh_from_db(fields=["state"])
    return is_moved


def close_campaign(*, campaign: Campaign, by: User | None, now: datetime) -> bool:
    """Hand out nothing more, for good. Items that raters hold can still be submitted. False when it is closed already."""
    live = (Campaign.State.DRAFT, Campaign.State.OPEN, Campaign.State.PAUSED)
    with transaction.atomic():
        is_moved = _move(campaign, Campaign.State.CLOSED, live, by=by, now=now)
        if is_moved:
            Campaign.objects.filter(pk=campaign.pk).update(closed_at=now)
    campaign.refresh_from_db(fields=["state", "closed_at"])
    return is_moved


def _move(campaign: Campaign, to: Campaign.State, start: Sequence[str], *, by: User | None, now: datetime) -> bool:
    before = campaign.state
    if Campaign.objects.filter(pk=campaign.pk, state__in=start).update(state=to) != 1:
        return False
    audit.record(by=by, action=f"state:{to}", target=campaign, before={"state": before}, after={"state": to}, now=now)
    return True


def _batches(prompts: Iterable[Prompt]) -> Iterator[list[Prompt]]:
    remaining = iter(prompts)
    while batch := list(islice(remaining, BATCH)):
        yield batch


def _add_items(
    *, campaign: Campaign, prompts: Sequence[Prompt], first_position: int, source_ids: Sequence[int], now: datetime
) -> int:
    """Items, their slots and their responses for one batch of prompts; how many items came of it."""
    chosen: dict[int, list[int]] = {}
    if campaign.n_responses is not None:
        chosen = _choose_responses(prompts=prompts, n=campaign.n_responses, source_ids=source_ids)
        prompts = [prompt for prompt in prompts if prompt.pk in chosen]
    items = Item.objects.bulk_create(
        Item(campaign=campaign, prompt=prompt, position=position, created_at=now)
        for position, prompt in enumerate(prompts, start=first_position)
    )
    ItemResponse.objects.bulk_create(
        (ItemResponse(item=item, response_id=response_id) for item in items for response_id in chosen.get(item.prompt_id, ())),
        batch_size=BATCH,
    )
    Slot.objects.bulk_create(
        (
            Slot(
                item=item,
                campaign=campaign,
                number=number,
                queue_rank=queue.fresh_rank(order=campaign.order, position=item.position, number=number),
            )
            for item in items
            for number in range(campaign.overlap)
        ),
        batch_size=BATCH,
    )
    return len(items)


def _choose_responses(*, prompts: Sequence[Prompt], n: int, source_ids: Sequence[int]) -> dict[int, list[int]]:
    """For each prompt with enough of them, `n` responses: each source's first, then each one's second, and so on.

    Among equals a hash decides, so that neither age nor source is favoured. Texts that are there already come last.
    """
    responses = visible(Response.objects.filter(prompt__in=[prompt.pk for prompt in prompts]))
    if source_ids:
        responses = responses.filter(source__in=source_ids)
    candidates: dict[int, list[Response]] = {}
    for response in responses.order_by("prompt_id", "number", "pk"):
        candidates.setdefault(response.prompt_id, []).append(response)
    return {
        prompt_id: [response.pk for response in _evenly(found)[:n]] for prompt_id, found in candidates.items() if len(found) >= n
    }


def _evenly(responses: Sequence[Response]) -> list[Response]:
    turn: dict[int, int] = {}
    texts: set[str] = set()
    keyed = []
    for response in responses:
        text = response.text.strip()
        taken = turn.setdefault(response.source_id, 0)
        turn[response.source_id] += 1
        keyed.append(((text in texts, taken, sha256(str(response.pk).encode()).hexdigest()), response))
        texts.add(text)
    return [response for _key, response in sorted(keyed, key=lambda pair: pair[0])]


def _nothing_to_do(campaign: Campaign) -> str:
    if campaign.n_responses is None:
        return _("No prompt was chosen. Choose at least one.")
    sentence = _("No prompt has %(n)d responses to compare. Sample more, or compare fewer.")
    return sentence % {"n": campaign.n_responses}
