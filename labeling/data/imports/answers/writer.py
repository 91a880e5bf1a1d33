"""Writes the answers of a file into campaigns of their own: one for what was compared or rated, one
for what was written. They are closed, and hidden until the import is published.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Count, Max, Min

from arithmetic import chats
from labeling.guidelines.rating_form import RatingForm
from labeling.importers.annotations.plans import Plan
from labeling.importers.drafts import Answer, ImportDraft, Reply
from labeling.kinds.comparison import ComparisonSettings
from labeling.kinds.demonstration import DemonstrationSettings
from labeling.models import (
    Campaign,
    Comparison,
    Demonstration,
    Guideline,
    GuidelineVersion,
    Import,
    Item,
    ItemResponse,
    Judgment,
    Pool,
    PoolMembership,
    Prompt,
    RankedResponse,
    Rater,
    Response,
    Slot,
)
from labeling.queue.claiming import order as claiming_order

Shown = Sequence[tuple[Response, Reply]]
Given = tuple[ImportDraft, Prompt, Rater, Shown]
"""A draft with its prompt and rater, and the responses that were judged."""
MAX_NAME = 120
_MAX_SLOTS = 30_000
"""A slot's number is a small integer. Judgments beyond it have no slot."""
_NO_ANSWER = Answer()


@dataclass(frozen=True)
class _Wanted:
    """An answer to write: what it is about, the item it belongs to, and what it says."""

    draft: ImportDraft
    prompt: Prompt
    rater: Rater
    shown: Shown
    key: tuple[object, ...]
    said: object
    reply: Reply | None = None
    """the written text, if it is one"""

    @property
    def answer(self) -> Answer:
        return self.draft.answer or _NO_ANSWER

    @property
    def is_identified(self) -> bool:
        """Whether an equal one must be the same answer, because it has the same ID, time or text.
        Without them an equal answer is a second one, as a different answer would be.
        """
        return bool(self.reply or self.answer.id or self.answer.at)


@dataclass
class _Target:
    """One of the two campaigns, and what has been written into it so far."""

    campaign: Campaign
    items: dict[object, Item] = field(default_factory=dict)
    """by the file's name of the item, the prompt and the responses"""
    by_content: dict[object, list[Item]] = field(default_factory=dict)
    """by the prompt and the responses"""
    given: set[tuple[int, int]] = field(default_factory=set)
    """(item, rater) of each answer"""
    latest: dict[tuple[int, int], Item] = field(default_factory=dict)
    """(item, rater) → the item, or the repeat of it, with the rater's latest answer"""
    lines: set[tuple[int, int, object]] = field(default_factory=set)
    """(item, rater, what the answer says)"""
    repeats: dict[int, Item] = field(default_factory=dict)
    """item → the one that repeats it"""
    by_id: dict[str, Judgment] = field(default_factory=dict)
    """by the file's name of the answer"""
    n_slots: Counter[int] = field(default_factory=Counter)
    n_items: int = 0


class AnswerWriter:
    """Writes one import's answers, batch by batch, in the caller's transactions."""

    def __init__(self, *, batch: Import, plan: Plan, now: datetime) -> None:
        self._batch, self._plan, self._now = batch, plan, now
        self._targets: dict[str, _Target] = {}
        self._members: set[int] = set()

    def write(self, rows: Sequence[Given], counts: dict[str, int]) -> None:
        """Comparisons and demonstrations of these drafts. An answer that is there twice, with its
        ID or time, is counted as repeated; a second answer of the same rater to the same item
        becomes a repeat.
        """
        edits = [row for row in rows if (row[0].answer or _NO_ANSWER).is_edit]
        compared = [
            _Wanted(
                draft, prompt, rater, shown, _item_key(draft, prompt, shown), _said(draft, shown)
            )
            for draft, prompt, rater, shown in rows
            if _is_compared(draft)
        ]
        self._comparisons(compared, counts)
        self._edits(edits)
        self._demonstrations(
            [
                _Wanted(
                    *(draft, prompt, rater, ()),
                    *(((draft.answer or _NO_ANSWER).item, prompt.pk), _written(draft, reply)),
                    reply=reply,
                )
                for draft, prompt, rater, _shown in rows
                for reply in draft.replies
                if reply.is_human
            ],
            counts,
        )

    def finish(self) -> None:
        """Set what is only known at the end: how many answers an item has, and when they came."""
        for target in self._targets.values():
            campaign = target.campaign
            times = Judgment.of_people.filter(campaign=campaign).aggregate(
                first=Min("submitted_at"), last=Max("submitted_at")
            )
            campaign.overlap = max(1, *target.n_slots.values(), 1)
            campaign.opened_at, campaign.closed_at = times["first"], times["last"]
            if campaign.compares:
                sizes = campaign.items.annotate(n_shown=Count("responses"))
                campaign.n_responses = sizes.aggregate(most=Max("n_shown"))["most"] or 1
            campaign.save(update_fields=["overlap", "opened_at", "closed_at", "n_responses"])

    # --- comparisons ------------------------------------------------------------------------------

    def _comparisons(self, wanted: Sequence["_Wanted"], counts: dict[str, int]) -> None:
        if not wanted:
            return
        target = self._target(ComparisonSettings.kind)
        placed = self._placed(target, wanted, counts)
        comparisons: list[Comparison] = []
        ranked: list[RankedResponse] = []
        for judgment, (_item, row) in zip(self._judgments(target, placed), placed, strict=True):
            answer = row.answer
            comparison = Comparison(
                judgment=judgment,
                strength=answer.strength,
                reason=answer.reason,
                is_all_bad=answer.is_all_bad,
            )
            comparisons.append(comparison)
            ranked += _ranked(comparison, answer, row.shown)
            if answer.id:
                target.by_id[answer.id] = judgment
        Comparison.objects.bulk_create(comparisons)
        RankedResponse.objects.bulk_create(ranked)
        counts["comparisons"] += len(comparisons)

    def _edits(self, rows: Sequence[Given]) -> None:
        """What a rater made of a response belongs to their comparison of it."""
        written = []
        for draft, _prompt, _rater, shown in rows:
            judgment = self._target(ComparisonSettings.kind).by_id.get(
                (draft.answer or _NO_ANSWER).id
            )
            if judgment is not None and len(shown) == 2:
                (edit, reply), (original, _reply) = shown
                written.append(
                    Demonstration(
                        judgment=judgment, edit_of=original, response=edit, **reply.columns
                    )
                )
        Demonstration.objects.bulk_create(written, ignore_conflicts=True)

    # --- demonstrations ---------------------------------------------------------------------------

    def _demonstrations(self, wanted: Sequence["_Wanted"], counts: dict[str, int]) -> None:
        if not wanted:
            return
        target = self._target(DemonstrationSettings.kind)
        placed = self._placed(target, wanted, counts)
        written = [
            Demonstration(judgment=judgment, further=list(row.draft.further), **row.reply.columns)
            for judgment, (_item, row) in zip(self._judgments(target, placed), placed, strict=True)
            if row.reply is not None
        ]
        Demonstration.objects.bulk_create(written)
        counts["demonstrations"] += len(written)

    # --- both -------------------------------------------------------------------------------------

    def _target(self, kind: str) -> "_Target":
        if kind not in self._targets:
            self._targets[kind] = _Target(_campaign(self._batch, self._plan, kind, self._now))
        return self._targets[kind]

    def _placed(
        self, target: "_Target", wanted: Sequence["_Wanted"], counts: dict[str, int]
    ) -> list[tuple[Item, "_Wanted"]]:
        """Each wanted answer with its item, after the new items are written."""
        placed: list[tuple[Item, _Wanted]] = []
        new: list[tuple[Item, Shown]] = []
        for entry in wanted:
            item = target.items.get(entry.key)
            if item is None:
                item = self._new_item(target, entry)
                target.items[entry.key] = item
                new.append((item, entry.shown))
            about = (id(item), entry.rater.pk)
            line = (*about, entry.said)
            if entry.is_identified and line in target.lines:
                counts["repeated_judgments"] += 1
                continue
            item = target.latest.get(about, item)
            while (id(item), entry.rater.pk) in target.given:
                if id(item) not in target.repeats:
                    target.repeats[id(item)] = self._new_item(target, entry, repeat_of=item)
                    new.append((target.repeats[id(item)], entry.shown))
                item = target.repeats[id(item)]
            target.given.add((id(item), entry.rater.pk))
            target.latest[about] = item
            target.lines.add(line)
            placed.append((item, entry))
        _create(new)
        return placed

    def _new_item(
        self, target: "_Target", wanted: "_Wanted", *, repeat_of: Item | None = None
    ) -> Item:
        """An item, and for an answer that the file calls a repeat, the repeat of the item with the
        same responses that the same rater has answered.
        """
        content = wanted.key[1:]
        if wanted.answer.is_repeat and repeat_of is None:
            repeat_of = next(
                (
                    item
                    for item in target.by_content.get(content, ())
                    if (id(item), wanted.rater.pk) in target.given
                    and id(item) not in target.repeats
                ),
                None,
            )
        item = Item(
            campaign=target.campaign,
            prompt_id=wanted.prompt.pk,
            position=target.n_items,
            repeat_of=repeat_of,
            created_at=self._now,
        )
        target.n_items += 1
        if repeat_of is not None:
            target.repeats[id(repeat_of)] = item
        target.by_content.setdefault(content, []).append(item)
        return item

    def _judgments(
        self, target: "_Target", placed: Sequence[tuple[Item, "_Wanted"]]
    ) -> list[Judgment]:
        campaign = target.campaign
        self._join(campaign.pool_id, [wanted.rater for _item, wanted in placed])
        slots = self._slots(target, placed)
        return Judgment.of_people.bulk_create(
            Judgment(
                kind=campaign.kind,
                rater=wanted.rater,
                prompt_id=item.prompt_id,
                campaign=campaign,
                item=item,
                slot=slot,
                guideline_version_id=campaign.guideline_version_id,
                import_batch=self._batch,
                presentation=_presentation(wanted),
                warnings=list(wanted.answer.warnings),
                active_s=wanted.answer.active_s,
                is_extra=wanted.answer.is_extra,
                submitted_at=wanted.answer.at or self._now,
            )
            for (item, wanted), slot in zip(placed, slots, strict=True)
        )

    def _slots(
        self, target: "_Target", placed: Sequence[tuple[Item, "_Wanted"]]
    ) -> list[Slot | None]:
        """A taken slot for each answer, for the campaign's pages to count; none for an extra."""
        slots: list[Slot | None] = []
        for item, wanted in placed:
            number = target.n_slots[item.pk]
            if wanted.answer.is_extra or number >= _MAX_SLOTS:
                slots.append(None)
                continue
            target.n_slots[item.pk] += 1
            slots.append(
                Slot(
                    item=item,
                    campaign=target.campaign,
                    number=number,
                    state=Slot.State.SUBMITTED,
                    rater=wanted.rater,
                    guideline_version_id=target.campaign.guideline_version_id,
                    queue_rank=claiming_order.fresh_rank(
                        order=target.campaign.order, position=item.position, number=number
                    ),
                )
            )
        Slot.objects.bulk_create(slot for slot in slots if slot is not None)
        return slots

    def _join(self, pool_id: int, raters: Sequence[Rater]) -> None:
        new = {rater.pk for rater in raters} - self._members
        PoolMembership.objects.bulk_create(
            [PoolMembership(pool_id=pool_id, rater_id=pk, joined_at=self._now) for pk in new],
            ignore_conflicts=True,
        )
        self._members |= new


def _campaign(batch: Import, plan: Plan, kind: str, now: datetime) -> Campaign:
    """A closed and hidden campaign with a pool and a guideline of the same name."""
    is_writing = kind == DemonstrationSettings.kind
    name = campaign_name(batch, kind)
    pool, _is_new = Pool.objects.get_or_create(
        name=f"{batch.source.name} (imported)"[:MAX_NAME],
        defaults={"description": "", "created_at": now},
    )
    guideline, _is_new = Guideline.objects.get_or_create(
        name=f"{name[: MAX_NAME - 11]} (imported)", defaults={"created_at": now}
    )
    number = guideline.versions.count() + 1
    version = GuidelineVersion.objects.create(
        guideline=guideline,
        number=number,
        text="",
        form=(RatingForm() if is_writing else plan.form).as_json,
        created_by=batch.created_by,
        created_at=now,
    )
    return Campaign.every.create(
        name=name,
        kind=kind,
        state=Campaign.State.CLOSED,
        pool=pool,
        guideline=guideline,
        guideline_version=version,
        n_responses=None if is_writing else 1,
        review_share=0,
        asks_strength=False,
        import_batch=batch,
        is_hidden=True,
        created_by=batch.created_by,
        created_at=now,
    )


def campaign_name(batch: Import, kind: str) -> str:
    """The name that was wanted; what was written has a campaign beside that of the ratings."""
    name: str = batch.annotations["campaign"][:MAX_NAME]
    return f"{name[: MAX_NAME - 8]} (texts)" if kind == DemonstrationSettings.kind else name


def _is_compared(draft: ImportDraft) -> bool:
    answer = draft.answer or _NO_ANSWER
    return draft.is_compared or answer.is_all_bad or any(answer.ratings)


def judged_replies(draft: ImportDraft) -> tuple[Reply, ...]:
    """The replies that were judged: a text that the rater wrote is not among them."""
    return tuple(
        reply
        for reply in draft.replies
        if not (reply.is_human or reply.is_typed) or reply.rank is not None
    )


def _item_key(draft: ImportDraft, prompt: Prompt, shown: Shown) -> tuple[object, ...]:
    item = (draft.answer or _NO_ANSWER).item
    return item, prompt.pk, frozenset(response.pk for response, _reply in shown)


def _said(draft: ImportDraft, shown: Shown) -> tuple[object, ...]:
    """What an answer says, to tell a line that is there twice from a second opinion."""
    answer = draft.answer or _NO_ANSWER
    ratings = answer.ratings or ({},) * len(shown)
    answers = frozenset(
        (response.pk, reply.rank, tuple(sorted(rating.items(), key=str)))
        for (response, reply), rating in zip(shown, ratings, strict=True)
    )
    return answers, answer.at, answer.id, answer.reason, answer.is_all_bad


def _written(draft: ImportDraft, reply: Reply) -> tuple[object, ...]:
    """The same for a written answer, with the turns after it."""
    return reply.key, chats.as_json(draft.further)


def _create(new: Sequence[tuple[Item, Shown]]) -> None:
    """Write new items. A repeat comes later: its original may be new as well."""
    Item.objects.bulk_create(item for item, _shown in new if item.repeat_of is None)
    for item, _shown in new:
        if item.repeat_of is not None:
            item.repeat_of_id = item.repeat_of.pk
            item.save()
    ItemResponse.objects.bulk_create(
        ItemResponse(item=item, response=response)
        for item, shown in new
        for response, _reply in shown
    )


def _ranked(comparison: Comparison, answer: Answer, shown: Shown) -> Iterator[RankedResponse]:
    ratings: Sequence[Mapping[str, object]] = answer.ratings or ({},) * len(shown)
    positions = answer.positions or tuple(range(len(shown)))
    for (response, reply), rating, position in zip(shown, ratings, positions, strict=True):
        yield RankedResponse(
            comparison=comparison,
            response=response,
            position=position,
            rank=reply.rank,
            ratings=dict(rating),
        )


def _presentation(wanted: _Wanted) -> dict[str, object]:
    """The names that the file has for the item, the answer, its guideline and its writer."""
    answer = wanted.answer
    presentation = {
        "item": answer.item,
        "id": answer.id,
        "guideline": answer.guideline,
        "source": answer.source,
        "licence": wanted.draft.licence_of_reply(wanted.reply) if wanted.reply else "",
    }
    return {name: value for name, value in presentation.items() if value}
