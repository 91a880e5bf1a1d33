"""Campaigns: the work given to a pool, divided into items, and items into slots."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from labeling.kinds import choices, registry
from labeling.kinds.settings import CampaignSettings
from labeling.models.guidelines import Guideline, GuidelineVersion
from labeling.models.pools import Pool
from labeling.models.prompts import Import, Prompt, Response


class ShownCampaigns(models.Manager["Campaign"]):
    """Campaigns without those of an import that is not published."""

    def get_queryset(self) -> models.QuerySet["Campaign"]:
        return super().get_queryset().filter(is_hidden=False)


class Campaign(models.Model):
    """The work that one pool does on a set of prompts. One made by an import holds the answers of
    its file and is closed.
    """

    Kind = choices.Kind
    Budget = choices.Budget
    Order = choices.Order

    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        OPEN = "open", _("open")
        PAUSED = "paused", _("paused")
        CLOSED = "closed", _("closed")

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
        help_text="current version",
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
            "with max_overlap: an item gets no more judgments once "
            "labeling.votes.item_consensus.certainty_of reaches this"
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
        default=0, editable=False, help_text="counted while there is a budget"
    )
    spent_s = models.FloatField(
        default=0, editable=False, help_text="active seconds of those judgments, and of skips"
    )
    spent_amounts = models.JSONField(
        default=dict,
        editable=False,
        help_text=(
            "counted while the budget is money: currency → minor units, not rounded, as "
            "text, each action at its own rate"
        ),
    )
    selection = models.JSONField(
        default=dict, editable=False, help_text="the filters that chose its prompts, for a clone"
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
    shows_thinking = models.BooleanField(
        _("raters see the thinking"),
        default=False,
        db_default=False,
        help_text=_("What a model thought before it answered, folded above the answer."),
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
    import_batch = models.ForeignKey(
        Import,
        on_delete=models.PROTECT,
        null=True,
        related_name="campaigns",
        help_text="the file whose answers it holds",
    )
    is_hidden = models.BooleanField(
        default=False, db_default=False, help_text="its import is not published"
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    opened_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)

    objects = ShownCampaigns()
    every = models.Manager["Campaign"]()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="demonstration", n_responses__isnull=True)
                | Q(kind="comparison", n_responses__range=(2, 9))
                # A file may have ratings of one response, or rankings of many.
                | Q(kind="comparison", n_responses__gte=1, import_batch__isnull=False)
                | Q(kind="conversation", n_responses__range=(2, 4)),
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

    @property
    def about(self) -> type[CampaignSettings]:
        """What its kind means, and which settings it has."""
        return registry.KINDS[self.kind]

    def get_kind_display(self) -> str:  # type: ignore[no-redef]  # Django's knows Kind alone
        return str(self.about.label)

    @property
    def compares(self) -> bool:
        """Whether its judgments are comparisons."""
        return self.about.answer == choices.Answer.COMPARISON


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
        help_text="a repeat for raters who judged the original, in reversed order",
    )
    is_turn = models.BooleanField(
        default=False,
        db_default=False,
        help_text="a turn of a conversation: for one rater, and never in the queue",
    )
    held_at = models.DateTimeField(
        null=True, help_text="no longer given to raters: in question, or its prompt was retired"
    )
    is_for_later = models.BooleanField(
        default=False,
        db_default=False,
        help_text="held since its campaign began, until that campaign asks for more answers",
    )
    spared_at = models.DateTimeField(
        null=True, help_text="takes no more judgments: something else than people decides it"
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
            ),
            # Counts the spared items on pages, and finds the campaigns that have any.
            models.Index(
                fields=["campaign"], condition=Q(spared_at__isnull=False), name="item_spared"
            ),
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
