"""Read queries of the rater's pages: counts of a day, history, drafts, the item under a lease."""

import datetime as dt
import uuid
from dataclasses import dataclass

from django.db import models
from django.db.models import (
    BigAutoField,
    Case,
    Count,
    DateTimeField,
    Exists,
    F,
    FilteredRelation,
    Max,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    UUIDField,
    When,
)
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from arithmetic import chats
from arithmetic.chats import Message
from config.performance.compiled import Compiled
from labeling.access import on_withdrawn
from labeling.desk.texts import masking, source_names
from labeling.guidelines import rating_form
from labeling.guidelines import selectors as guidelines_selectors
from labeling.models import (
    Campaign,
    Draft,
    GuidelineVersion,
    Item,
    Judgment,
    PastLease,
    Rater,
    Response,
    Slot,
)
from labeling.queue.claiming import order
from labeling.votes import withdrawn_texts

UNDO_WITHIN = dt.timedelta(seconds=10)
_SLOT = Compiled(
    lambda lease, user: Slot.objects.filter(lease=lease, rater__user=user).select_related(
        "rater", "campaign__reviews_attacks_of", "item__gold_use"
    ),
    lease=UUIDField(),
    user=BigAutoField(),
)
_ITEM_WITH_PROMPT = Compiled(
    lambda item, rater: (
        Item.objects.filter(pk=item)
        .select_related("prompt")
        .annotate(
            is_on_withdrawn=on_withdrawn("prompt"),
            mine=FilteredRelation("drafts", condition=Q(drafts__rater=rater, drafts__version=0)),
        )
        .annotate(draft=F("mine__content"), draft_saved_at=F("mine__saved_at"))
    ),
    item=BigAutoField(),
    rater=BigAutoField(),
)
_TALLY = Compiled[Judgment](
    # Both ends are given: with one, a kept plan expects a third of what the rater has ever done,
    # and reads all of it.
    lambda rater, since, until: (
        Judgment.of_everyone.filter(rater=rater, submitted_at__gte=since, submitted_at__lt=until)
        .values("rater")
        .annotate(n=Count("pk"), s=Sum("active_s"), last_at=Max("submitted_at"))
        .order_by()
        .values_list("n", "s", "last_at")
    ),
    rater=BigAutoField(),
    since=DateTimeField(),
    until=DateTimeField(),
)


@dataclass(frozen=True)
class Tally:
    """How many judgments a rater gave since a moment."""

    n_judgments: int
    active_s: float
    last_at: dt.datetime | None = None


class HistoryState(models.TextChoices):
    """The state of an answer, as its rater sees it."""

    FIRST = "first", _("Original")
    CORRECTED = "corrected", _("Edited")
    EXTRA = "extra", _("Extra")


@dataclass(frozen=True)
class HistoryFilter:
    """Filters on the list of a rater's own answers; without any, all are listed."""

    campaign_id: int | None = None
    kind: str = ""
    state: str = ""
    since: dt.datetime | None = None
    before: dt.datetime | None = None


class LeaseState(models.TextChoices):
    """The state of a lease, for the person who holds or held it."""

    OPEN = "open"
    LAPSED = "lapsed"
    """Somebody else has the item now; a late answer is still accepted."""
    STORED = "stored"
    ENDED = "ended"
    """Skipped or released."""
    SAMPLE = "sample"
    """Belongs to no rater: an admin's preview of the page."""


@dataclass(frozen=True)
class TurnPlace:
    """Which turn of a conversation this is, and what its page offers."""

    number: int
    most: int
    brief: str
    round: int = 1
    may_regenerate: bool = False
    is_attack: bool = False
    """red teaming: the worse answer goes on"""
    rule: str = ""
    """that an attacker tries to break"""


@dataclass(frozen=True)
class Work:
    """One item under one lease. claiming.order takes the order of responses from `shown`."""

    lease: uuid.UUID
    lease_state: LeaseState
    shown: Slot | PastLease
    rater: Rater
    campaign: Campaign
    version: GuidelineVersion
    leased_at: dt.datetime | None
    expires_at: dt.datetime | None
    turn: TurnPlace | None = None

    @property
    def has_scale(self) -> bool:
        """Whether a rater compares the answers on one scale: the two of a turn."""
        return self.turn is not None and len(self.responses) == 2

    @cached_property
    def responses(self) -> list[Response]:
        """In the order of this lease, as the rater reads them. Not for saving: see `as_shown`."""
        ordered = order.presented(self.shown)
        withdrawn_texts.cover_shown(ordered, rater=self.rater)
        if not self.campaign.shows_thinking:
            for response in ordered:
                response.reasoning_content = ""
        if not self._hides_names:
            return ordered
        sources = Response.objects.filter(pk__in=[shown.pk for shown in ordered])
        names = source_names.own_names(sources)
        for response in ordered:
            own = [*names[response.pk], *self._source_names]
            response.text = masking.masked(response.text, names=own)
        return ordered

    @cached_property
    def _source_names(self) -> tuple[str, ...]:
        return source_names.names_in_campaign(self.campaign)

    @property
    def messages(self) -> list[Message]:
        """The prompt's, as the rater reads them."""
        prompt = self.item.prompt
        withdrawn_texts.cover_on([(self.item, prompt)], rater=self.rater)
        return [self.as_read(turn) for turn in prompt.messages]

    def as_read(self, turn: Message) -> Message:
        """A turn with the text and the parts that the rater may read."""
        read = chats.reworded(turn, self.as_shown)
        if not self.campaign.shows_thinking:
            read.pop("reasoning_content", None)
        return read

    def as_shown(self, text: str) -> str:
        """In a conversation, without the names that models give themselves."""
        return masking.masked(text, names=self._source_names) if self._hides_names else text

    @property
    def _hides_names(self) -> bool:
        """Also where others rate how far an attack got."""
        return self.campaign.about.talks or hasattr(self.campaign, "reviews_attacks_of")

    @cached_property
    def item(self) -> Item:
        """With its prompt and the rater's draft. Loaded on first use, because a submit is checked
        without it.
        """
        stored = _ITEM_WITH_PROMPT.first(item=self.shown.item_id, rater=self.rater.pk)
        assert stored is not None  # a slot refers to it
        return stored

    @property
    def draft(self) -> Draft | None:
        saved_at = self.item.draft_saved_at  # type: ignore[attr-defined]  # annotated
        if saved_at is None:
            return None
        return Draft(item=self.item, rater=self.rater, content=self.item.draft, saved_at=saved_at)  # type: ignore[attr-defined]

    @property
    def form(self) -> rating_form.RatingForm:
        return guidelines_selectors.form_of(self.version.pk)

    @property
    def is_open(self) -> bool:
        return self.lease_state in {LeaseState.OPEN, LeaseState.LAPSED}

    @property
    def is_skipped(self) -> bool:
        return isinstance(self.shown, PastLease) and self.shown.end == PastLease.End.SKIPPED


def work(*, user_id: int, lease: uuid.UUID) -> Work | None:
    """The work under `lease`, if this user holds or held it. One query while the lease lives, three
    afterwards.
    """
    slot = _SLOT.first(lease=lease, user=user_id)
    if slot is not None:
        lease_state = LeaseState.OPEN if slot.state == Slot.State.LEASED else LeaseState.STORED
        return _work(slot, lease, lease_state, slot.expires_at)
    past = (
        PastLease.objects.filter(lease=lease, rater__user=user_id)
        .select_related("rater", "campaign__reviews_attacks_of")
        .first()
    )
    if past is None:
        return None
    is_stored = Judgment.of_everyone.filter(lease=lease).exists()
    ended = LeaseState.LAPSED if past.end == PastLease.End.LAPSED else LeaseState.ENDED
    return _work(past, lease, LeaseState.STORED if is_stored else ended, None)


def sample(*, campaign: Campaign, now: dt.datetime) -> Work | None:
    """An item of the campaign as a rater would see it; None if there is none. Writes nothing to the
    database.
    """
    items = (
        campaign.items.filter(repeat_of=None, gold_use=None)
        .select_related("prompt")
        .order_by("position")
    )
    item = items.first()
    if item is None:
        return None
    rater = Rater(alias="sample")
    shown = Slot(item=item, campaign=campaign, rater=rater, seed=item.pk, number=0)
    lasts = now + dt.timedelta(hours=12)
    version = campaign.guideline_version
    return Work(uuid.uuid4(), LeaseState.SAMPLE, shown, rater, campaign, version, now, lasts)


def work_taken(*, slot: Slot, last: Work) -> Work:
    """What the rater was given after `last`, in the same campaign."""
    assert slot.lease is not None  # it is leased
    return Work(
        lease=slot.lease,
        lease_state=LeaseState.OPEN,
        shown=slot,
        rater=last.rater,
        campaign=last.campaign,
        version=guidelines_selectors.version(
            slot.guideline_version_id or last.campaign.guideline_version_id
        ),
        leased_at=slot.leased_at,
        expires_at=slot.expires_at,
    )


def _work(
    shown: Slot | PastLease,
    lease: uuid.UUID,
    lease_state: LeaseState,
    expires_at: dt.datetime | None,
) -> Work:
    assert shown.rater is not None
    return Work(
        lease=lease,
        lease_state=lease_state,
        shown=shown,
        rater=shown.rater,
        campaign=shown.campaign,
        version=guidelines_selectors.version(
            shown.guideline_version_id or shown.campaign.guideline_version_id
        ),
        leased_at=shown.leased_at,
        expires_at=expires_at,
    )


def judgment_under(*, work: Work) -> Judgment | None:
    """The current version of the judgment."""
    parts = ("campaign", "comparison", "demonstration__edit_of")
    return (
        Judgment.of_everyone.filter(lease=work.lease, rater=work.rater)
        .select_related(*parts)
        .first()
    )


def lease_held(*, rater: Rater, campaign: Campaign) -> uuid.UUID | None:
    return (
        Slot.objects.filter(rater=rater, campaign=campaign, state=Slot.State.LEASED)
        .values_list("lease", flat=True)
        .first()
    )


def held_slots(*, rater: Rater) -> dict[int, Slot]:
    """The slots a rater holds, by campaign."""
    held = (
        Slot.objects.filter(rater=rater, state=Slot.State.LEASED)
        .select_related("item__prompt")
        .annotate(is_on_withdrawn=on_withdrawn("item__prompt"))
    )
    return {slot.campaign_id: slot for slot in held}


def tally(*, rater: Rater, since: dt.datetime) -> Tally:
    """What the rater has done since `since`, the start of their day or week."""
    until = since + dt.timedelta(days=8)
    for n, active_s, last_at in _TALLY.rows(rater=rater.pk, since=since, until=until):
        return Tally(n_judgments=n, active_s=active_s or 0.0, last_at=last_at)
    return Tally(n_judgments=0, active_s=0.0)


def undoable(*, rater: Rater, last_at: dt.datetime | None, now: dt.datetime) -> Judgment | None:
    """The judgment given at `last_at` (from a Tally) while it can still be undone. Runs no query
    when it is too old.
    """
    if last_at is None or last_at < now - UNDO_WITHIN:
        return None
    judgments = Judgment.of_everyone.filter(
        rater=rater, submitted_at=last_at, version=1, lease__isnull=False
    )
    # A turn of a conversation has gone on from its answer.
    return judgments.exclude(item__is_turn=True).first()


def may_undo(judgment: Judgment, *, now: dt.datetime) -> bool:
    """Whether its rater could undo it at `now` if it is their latest."""
    return (
        judgment.version == 1
        and judgment.lease is not None
        and judgment.submitted_at >= now - UNDO_WITHIN
    )


def history(*, rater: Rater, filters: HistoryFilter | None = None) -> QuerySet[Judgment]:
    """The rater's own judgments, latest first."""
    filters = filters or HistoryFilter()
    asked: dict[str, object] = {
        "campaign": filters.campaign_id,
        "kind": filters.kind,
        "submitted_at__gte": filters.since,
        "submitted_at__lt": filters.before,
    }
    judgments = Judgment.of_everyone.filter(
        rater=rater,
        import_batch__isnull=True,
        **{name: value for name, value in asked.items() if value},
    )
    if filters.state == HistoryState.EXTRA:
        judgments = judgments.filter(is_extra=True)
    elif filters.state:
        judgments = judgments.filter(
            is_extra=False, corrected_at__isnull=filters.state == HistoryState.FIRST
        )
    parts = ("rater", "campaign__pool", "prompt", "demonstration", "item")
    judgments = judgments.select_related(*parts).annotate(is_on_withdrawn=on_withdrawn("prompt"))
    return judgments.order_by("-submitted_at", "-pk")


def campaigns_worked_in(*, rater: Rater) -> QuerySet[Campaign]:
    """Campaigns with an answer of this rater, by name."""
    judgments = Judgment.of_everyone.filter(rater=rater, import_batch=None, campaign=OuterRef("pk"))
    return Campaign.objects.filter(Exists(judgments)).order_by("name")


def drafts_of(*, rater: Rater, most: int = 50) -> list[tuple[Draft, uuid.UUID | None]]:
    """The rater's unsubmitted drafts, latest first, each with the lease that opens it, or None if
    that lapsed.

    The draft of a correction has the lease of its answer, while that answer's version is still the
    one being corrected.
    """
    mine = {"item": OuterRef("item"), "rater": rater}
    held = Slot.objects.filter(**mine, state=Slot.State.LEASED).values("lease")
    judgments = Judgment.of_everyone.filter(**mine, version=OuterRef("version")).values("lease")
    drafts = Draft.objects.filter(rater=rater, item__campaign__state=Campaign.State.OPEN)
    drafts = drafts.annotate(
        lease=Case(When(version=0, then=Subquery(held[:1])), default=Subquery(judgments[:1])),
        is_on_withdrawn=on_withdrawn("item__prompt"),
    )
    drafts = drafts.select_related("item__campaign", "item__prompt").order_by("-saved_at")
    return [(draft, draft.lease) for draft in drafts[:most]]


def correction_draft(*, judgment: Judgment) -> Draft | None:
    return Draft.objects.filter(
        item=judgment.item_id, rater=judgment.rater_id, version=judgment.version
    ).first()
