"""Campaigns: the work given to a pool, divided into items, and items into slots."""

import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from labeling.models.examples import Example
from labeling.models.examples import parse as parse_examples
from labeling.models.pools import Pool, Rater
from labeling.models.prompts import Prompt, Response


class Guideline(models.Model):
    """A named set of instructions; its text and rating form are in its versions."""

    name = models.CharField(_("name"), max_length=120, unique=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return self.name


class GuidelineVersion(models.Model):
    """Instructions and rating form at one point in time. Immutable: an edit creates the next
    number.
    """

    guideline = models.ForeignKey(Guideline, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    text = models.TextField(_("text"), help_text=_("Markdown, shown beside the task."))
    form = models.JSONField(help_text="a labeling.guidelines.rating_form.RatingForm as JSON")
    examples = models.JSONField(
        default=list, blank=True, help_text="labeling.models.examples.Example rows as JSON"
    )
    is_major = models.BooleanField(
        _("raters must requalify"),
        default=False,
        help_text=_(
            "Raters onboarded with an earlier version repeat the guideline step before their next"
            " item."
        ),
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["guideline", "number"]
        constraints = [
            models.UniqueConstraint(fields=["guideline", "number"], name="guideline_version_once")
        ]

    def __str__(self) -> str:
        return f"{self.guideline} v{self.number}"

    @property
    def good_examples(self) -> list[Example]:
        return [example for example in parse_examples(self.examples) if example.is_good]

    @property
    def bad_examples(self) -> list[Example]:
        return [example for example in parse_examples(self.examples) if not example.is_good]


class GuidelineReading(models.Model):
    """A rater confirmed reading a version."""

    rater = models.ForeignKey(Rater, on_delete=models.CASCADE, related_name="readings")
    version = models.ForeignKey(GuidelineVersion, on_delete=models.CASCADE, related_name="readings")
    read_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["rater", "version"], name="guideline_reading_once")
        ]

    def __str__(self) -> str:
        return f"{self.rater} has read {self.version}"


class Campaign(models.Model):
    """The work that one pool does on a set of prompts."""

    class Kind(models.TextChoices):
        DEMONSTRATION = "demonstration", _("write demonstrations")
        COMPARISON = "comparison", _("compare responses")

    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        OPEN = "open", _("open")
        PAUSED = "paused", _("paused")
        CLOSED = "closed", _("closed")

    class Budget(models.TextChoices):
        NONE = "", _("no limit")
        JUDGMENTS = "judgments", _("answers")
        HOURS = "hours", _("hours of work")
        MONEY = "money", _("money")

    class Order(models.TextChoices):
        FINISH_FIRST = "finish_first", _("Depth first: complete each item before starting new ones")
        SPREAD = "spread", _("Breadth first: give every item one answer before any gets a second")

    name = models.CharField(_("name"), max_length=120, unique=True)
    kind = models.CharField(_("Kind"), max_length=16, choices=Kind)
    state = models.CharField(_("State"), max_length=16, choices=State, default=State.DRAFT)
    pool = models.ForeignKey(
        Pool, verbose_name=_("Pool"), on_delete=models.PROTECT, related_name="campaigns"
    )
    guideline = models.ForeignKey(
        Guideline, verbose_name=_("Guideline"), on_delete=models.PROTECT, related_name="campaigns"
    )
    guideline_version = models.ForeignKey(
        GuidelineVersion,
        on_delete=models.PROTECT,
        related_name="campaigns",
        help_text="in force now",
    )
    overlap = models.PositiveSmallIntegerField(
        _("overlap"),
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(50)],
        help_text=_("Number of answers per item."),
    )
    max_overlap = models.PositiveSmallIntegerField(
        _("maximum answers"),
        null=True,
        blank=True,
        validators=[MinValueValidator(2), MaxValueValidator(50)],
        help_text=_(
            "Items on which raters disagree get another answer, up to this number. Leave empty for"
            " a fixed overlap."
        ),
    )
    confidence = models.FloatField(
        _("confidence threshold"),
        default=0.9,
        validators=[MinValueValidator(0.5), MaxValueValidator(0.99)],
        help_text=(
            "with max_overlap: no judgment more for an item whose"
            " labeling.statistics.consensus.certainty is as high"
        ),
    )
    calibration_percent = models.PositiveSmallIntegerField(
        _("Calibration items (%)"),
        default=0,
        validators=[MaxValueValidator(50)],
        help_text=_(
            "Every rater in the pool answers these, so any two raters can be compared. 10 to 20 is"
            " usual."
        ),
    )
    repeat_percent = models.PositiveSmallIntegerField(
        _("repeated items (%)"),
        default=0,
        validators=[MaxValueValidator(30)],
        help_text=_(
            "Shown to the same rater again later, in reversed order, to measure self-agreement."
        ),
    )
    budget_unit = models.CharField(
        _("budget"), max_length=16, choices=Budget, default=Budget.NONE, blank=True
    )
    budget = models.DecimalField(
        _("limit"),
        max_digits=12,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_(
            "When the budget is spent, the campaign pauses and admins are notified. Raters can"
            " still submit items they have open."
        ),
    )
    spent_judgments = models.PositiveIntegerField(
        default=0, editable=False, help_text="kept while there is a budget"
    )
    spent_s = models.FloatField(
        default=0, editable=False, help_text="active seconds of those judgments, and of skips"
    )
    spent_amounts = models.JSONField(
        default=dict,
        editable=False,
        help_text=(
            "kept while the budget is money: currency → minor units, not rounded, as text, each act"
            " at its own rate"
        ),
    )
    selection = models.JSONField(
        default=dict, editable=False, help_text="what its prompts were chosen by, for a clone"
    )
    n_responses = models.PositiveSmallIntegerField(
        _("responses per item"),
        null=True,
        blank=True,
        validators=[MinValueValidator(2), MaxValueValidator(9)],
        help_text=_("Comparisons only, from 2 to 9."),
    )
    lease_minutes = models.PositiveSmallIntegerField(
        _("lease (minutes)"),
        default=30,
        validators=[MinValueValidator(1)],
        help_text=_("How long an inactive rater keeps an item."),
    )
    order = models.CharField(_("Order"), max_length=16, choices=Order, default=Order.FINISH_FIRST)
    priority = models.IntegerField(_("priority"), default=0)
    asks_strength = models.BooleanField(
        _("ask for strength of preference"),
        default=False,
        help_text=_(
            "Negligibly, slightly, clearly or significantly, comparing the best response with the"
            " next."
        ),
    )
    asks_reason = models.BooleanField(
        _("ask for a reason"),
        default=True,
        help_text=_(
            "Shows a text field for the reason. It is optional, except when all responses are bad."
        ),
    )
    asks_dialogue = models.BooleanField(
        _("full dialogue"),
        default=False,
        help_text=_(
            "Raters can continue after the answer: they write the user's next turn and the reply to"
            " it, as often as they like."
        ),
    )
    min_words = models.PositiveIntegerField(
        _("minimum words"),
        default=20,
        help_text=_("Raters are asked to confirm a shorter answer before it is saved."),
    )
    max_words = models.PositiveIntegerField(
        _("maximum words"),
        default=600,
        help_text=_("Raters are asked to confirm a longer answer before it is saved."),
    )
    gold_share = models.PositiveSmallIntegerField(
        _("gold share (%)"),
        default=0,
        validators=[MaxValueValidator(50)],
        help_text=_("Share of a rater's items that are gold items. 0 turns gold items off."),
    )
    gold_tolerance = models.PositiveSmallIntegerField(
        _("matching pairs needed (%)"),
        default=75,
        validators=[MinValueValidator(51), MaxValueValidator(100)],
        help_text=_(
            "A ranking passes when it orders at least this share of the gold item's decided pairs"
            " the same way."
        ),
    )
    gold_min = models.PositiveSmallIntegerField(
        _("minimum gold items"),
        default=5,
        validators=[MinValueValidator(3), MaxValueValidator(100)],
        help_text=_("No warnings or pauses before this many."),
    )
    gold_warn_below = models.PositiveSmallIntegerField(
        _("warn below (%)"),
        default=70,
        validators=[MaxValueValidator(100)],
        help_text=_(
            "Notifies raters whose share of passed gold items is below this. 0 turns warnings off."
        ),
    )
    gold_pause_below = models.PositiveSmallIntegerField(
        _("pause below (%)"),
        default=60,
        validators=[MaxValueValidator(100)],
        help_text=_(
            "Pauses raters whose share of passed gold items is below this, including the upper end"
            " of its interval (95 %). 0 turns pausing off."
        ),
    )
    gold_feedback = models.BooleanField(
        _("show raters their gold results"),
        default=False,
        help_text=_(
            "Shown under My work after they answer: the right ranking, the reason and their score."
        ),
    )
    review_share = models.PositiveSmallIntegerField(
        _("random review share (%)"),
        default=5,
        validators=[MaxValueValidator(100)],
        help_text=_("Share of answers drawn at random for the review queue."),
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    opened_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="demonstration", n_responses__isnull=True)
                | Q(kind="comparison", n_responses__range=(2, 9)),
                name="campaign_responses_fit_kind",
            ),
            models.CheckConstraint(
                condition=Q(min_words__lte=models.F("max_words")), name="campaign_words_in_order"
            ),
            # Two judgments are the fewest that can disagree and so call for another one.
            models.CheckConstraint(
                condition=Q(max_overlap__isnull=True)
                | Q(kind="comparison", overlap__gte=2, max_overlap__gt=models.F("overlap")),
                name="campaign_overlap_in_order",
            ),
            models.CheckConstraint(
                condition=Q(budget_unit="", budget__isnull=True)
                | ~Q(budget_unit="") & Q(budget__isnull=False),
                name="campaign_budget_is_whole",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Item(models.Model):
    """One prompt (with its responses) in a campaign."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="items")
    prompt = models.ForeignKey(Prompt, on_delete=models.PROTECT, related_name="items")
    responses = models.ManyToManyField(Response, through="ItemResponse", related_name="items")
    position = models.PositiveIntegerField(help_text="place in the campaign's own order")
    is_calibration = models.BooleanField(
        default=False, db_default=False, help_text="every rater of the pool judges it"
    )
    repeat_of = models.OneToOneField(
        "self",
        on_delete=models.CASCADE,
        null=True,
        related_name="repeat",
        help_text=(
            "the same again, for raters who judged the original: their responses come in reversed"
            " order"
        ),
    )
    held_at = models.DateTimeField(
        null=True, help_text="handed out no more: under question, or its prompt was retired"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign", "position"], name="item_position_once")
        ]
        indexes = [
            # Finds the few calibration items without scanning the campaign.
            models.Index(
                fields=["campaign", "position"],
                condition=Q(is_calibration=True),
                name="item_calibration",
            )
        ]

    def __str__(self) -> str:
        return f"item {self.pk}"


class ItemResponse(models.Model):
    """A response to be judged in an item."""

    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="item_responses")
    response = models.ForeignKey(Response, on_delete=models.PROTECT, related_name="item_responses")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["item", "response"], name="item_response_once")
        ]

    def __str__(self) -> str:
        return f"response {self.response_id} in item {self.item_id}"


class Slot(models.Model):
    """One of the judgments an item needs. Overlap cannot be exceeded, because every judgment that
    counts towards it takes a slot.
    """

    class State(models.TextChoices):
        FREE = "free", _("free")
        LEASED = "leased", _("leased")
        SUBMITTED = "submitted", _("submitted")

    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="slots")
    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="slots")
    number = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=16, choices=State, default=State.FREE)
    rater = models.ForeignKey(Rater, on_delete=models.PROTECT, null=True, related_name="slots")
    lease = models.UUIDField(
        null=True,
        unique=True,
        default=None,
        help_text="names the lease in URLs; a new one each time",
    )
    leased_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    seed = models.BigIntegerField(
        null=True, help_text="shuffles the responses; fixed when the slot is leased"
    )
    guideline_version = models.ForeignKey(
        GuidelineVersion,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        help_text="what the rater was shown; fixed when the slot is leased",
    )
    queue_rank = models.BigIntegerField(
        help_text=(
            "order in which free slots are handed out, low first; kept by labeling.queue.order"
        )
    )
    reserved_for = models.ForeignKey(
        Rater,
        on_delete=models.CASCADE,
        null=True,
        related_name="+",
        help_text="a repeat is for who judged the original",
    )
    reserved_at = models.DateTimeField(
        null=True, help_text="when the original was judged; others come in between"
    )
    is_gold = models.BooleanField(
        default=False, help_text="made on demand for one rater: never free, no part of the overlap"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["item", "number"], name="slot_number_once"),
            # Nobody judges an item twice; a repeat is an item of its own.
            models.UniqueConstraint(
                fields=["item", "rater"], condition=Q(rater__isnull=False), name="slot_rater_once"
            ),
            # A rater holds one item per campaign at a time.
            models.UniqueConstraint(
                fields=["campaign", "rater"], condition=Q(state="leased"), name="slot_one_lease"
            ),
            models.CheckConstraint(
                condition=Q(state="free", rater__isnull=True)
                | ~Q(state="free") & Q(rater__isnull=False),
                name="slot_free_has_no_rater",
            ),
        ]
        indexes = [
            # A claim reads this index in order. It holds free slots only, so it shrinks as work is
            # done.
            models.Index(
                fields=["campaign", "queue_rank"],
                condition=Q(state="free", reserved_for__isnull=True),
                name="slot_free_queue",
            ),
            # Repeats, which only their own rater may claim, oldest first.
            models.Index(
                fields=["campaign", "reserved_for", "reserved_at"],
                condition=Q(state="free", reserved_for__isnull=False),
                name="slot_reserved",
            ),
            models.Index(
                fields=["campaign", "expires_at"],
                condition=Q(state="leased"),
                name="slot_lease_expiry",
            ),
            models.Index(fields=["rater", "state"], name="slot_rater_state"),
        ]

    def __str__(self) -> str:
        return f"slot {self.number} of item {self.item_id}"

    def lend(
        self,
        *,
        campaign: Campaign,
        rater: Rater,
        seed: int,
        lease: uuid.UUID | None = None,
        now: datetime,
    ) -> None:
        """Fill in what a new lease says. Saves nothing."""
        self.state, self.rater = self.State.LEASED, rater
        self.lease, self.leased_at = lease or uuid.uuid4(), now
        self.expires_at = now + timedelta(minutes=campaign.lease_minutes)
        self.guideline_version_id = campaign.guideline_version_id
        self.seed = seed


class PastLease(models.Model):
    """A lease that ended without a judgment. It stays so that a late submit still finds its item
    and the order of the responses.
    """

    class End(models.TextChoices):
        LAPSED = "lapsed", _("expired and taken by another rater")
        RELEASED = "released", _("released")
        SKIPPED = "skipped", _("skipped")

    lease = models.UUIDField(primary_key=True)
    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="past_leases")
    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="past_leases")
    rater = models.ForeignKey(Rater, on_delete=models.PROTECT, related_name="past_leases")
    guideline_version = models.ForeignKey(
        GuidelineVersion, on_delete=models.PROTECT, null=True, related_name="+"
    )
    seed = models.BigIntegerField(null=True)
    leased_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(default=timezone.now)
    end = models.CharField(max_length=16, choices=End)
    active_s = models.FloatField(
        null=True, help_text="of a skipped one, as Judgment.active_s: paid where hours are"
    )

    class Meta:
        indexes = [
            # Timesheets add up skipped work by rater and day.
            models.Index(
                fields=["rater", "ended_at"], condition=Q(end="skipped"), name="past_lease_skipped"
            )
        ]

    def __str__(self) -> str:
        return f"past lease of {self.rater} on item {self.item_id}"


class QueuePlace(models.Model):
    """A rater's position in a campaign's queue, so that a claim never scans items they have already
    done. Maintained by labeling.queue.order.
    """

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="places")
    rater = models.ForeignKey(Rater, on_delete=models.CASCADE, related_name="places")
    seed = models.BigIntegerField(
        help_text=(
            "the rater's own shuffle in this campaign: an item comes back in the order it was first"
            " shown"
        )
    )
    fresh_rank = models.BigIntegerField(
        help_text="no slot up to this rank of the first round is for this rater"
    )
    returned_rank = models.BigIntegerField(help_text="the same for slots that were given back")
    swept_at = models.DateTimeField(
        null=True, help_text="when the whole queue was last searched in vain"
    )
    n_claims = models.PositiveIntegerField(
        default=0, help_text="items given so far, counted where golds are mixed in"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign", "rater"], name="queue_place_once")
        ]

    def __str__(self) -> str:
        return f"place of {self.rater} in {self.campaign}"


class Pass(models.Model):
    """A rater skipped an item, with the reason. The item is never offered to them again."""

    class Reason(models.TextChoices):
        NOT_MY_FIELD = "not_my_field", _("Outside my expertise")
        PROMPT_UNCLEAR = "prompt_unclear", _("The prompt is unclear")
        OFFENSIVE = "offensive", _("Offensive content or personal data")
        TECHNICAL = "technical", _("Technical problem")

    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="passes")
    rater = models.ForeignKey(Rater, on_delete=models.PROTECT, related_name="passes")
    reason = models.CharField(max_length=32, choices=Reason)
    note = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["item", "rater"], name="pass_once")]

    def __str__(self) -> str:
        return f"{self.rater} passed item {self.item_id}"
