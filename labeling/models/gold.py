"""Golds: items with a known correct order, hidden among a campaign's other items; raters' results
on them, and what follows.
"""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from labeling.models.campaigns import Campaign, Item
from labeling.models.judgments import Judgment
from labeling.models.pools import Rater
from labeling.models.prompts import Prompt, Response


class Gold(models.Model):
    """A prompt's responses in their correct order. Each campaign that uses it has its own Item for
    it.
    """

    class Origin(models.TextChoices):
        ADJUDICATION = "adjudication", _("adjudicated")
        EXPERT = "expert", _("expert's answer")
        IMPORT = "import", _("imported")

    prompt = models.ForeignKey(Prompt, on_delete=models.PROTECT, related_name="golds")
    origin = models.CharField(max_length=16, choices=Origin)
    made_from = models.ForeignKey(
        Item,
        on_delete=models.SET_NULL,
        null=True,
        related_name="golds_made",
        help_text="raters who judged this item never get the gold item",
    )
    note = models.TextField(
        blank=True,
        default="",
        help_text="why this order is right; shown to raters if feedback is on",
    )
    n_responses = models.PositiveSmallIntegerField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    retired_at = models.DateTimeField(
        null=True, help_text="no longer given to raters, and its answers no longer count"
    )

    class Meta:
        constraints = [
            # An item is the source of one gold in use; retired ones do not count.
            models.UniqueConstraint(
                fields=["made_from"], condition=Q(retired_at=None), name="gold_item_once"
            )
        ]

    def __str__(self) -> str:
        return f"gold {self.pk}"


class GoldRank(models.Model):
    """A response's rank in a gold."""

    gold = models.ForeignKey(Gold, on_delete=models.CASCADE, related_name="ranks")
    response = models.ForeignKey(Response, on_delete=models.PROTECT, related_name="gold_ranks")
    rank = models.PositiveSmallIntegerField(
        null=True, help_text="1 = best, equal numbers tie; null: not decided"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["gold", "response"], name="gold_response_once")
        ]

    def __str__(self) -> str:
        return f"response {self.response_id} at rank {self.rank}"


class GoldItem(models.Model):
    """A gold's item in a campaign."""

    gold = models.ForeignKey(Gold, on_delete=models.CASCADE, related_name="uses")
    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="golds")
    item = models.OneToOneField(Item, on_delete=models.CASCADE, related_name="gold_use")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign", "gold"], name="gold_campaign_once")
        ]

    def __str__(self) -> str:
        return f"{self.gold} in {self.campaign}"


class GoldAnswer(models.Model):
    """A rater's result on a gold, from the first version they submitted. One per rater, across
    campaigns.
    """

    gold = models.ForeignKey(Gold, on_delete=models.CASCADE, related_name="answers")
    rater = models.ForeignKey(Rater, on_delete=models.CASCADE, related_name="gold_answers")
    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="gold_answers")
    judgment = models.OneToOneField(Judgment, on_delete=models.CASCADE, related_name="gold_answer")
    agreed = models.FloatField(
        help_text="pairs in the gold item's order; a tie on a decided pair counts half"
    )
    n_pairs = models.PositiveSmallIntegerField(help_text="pairs that the gold item decides")
    has_passed = models.BooleanField(
        help_text="the share agreed reached the campaign's tolerance of that time"
    )
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["gold", "rater"], name="gold_answer_once")]
        indexes = [models.Index(fields=["campaign", "rater", "at"], name="gold_answer_rater_time")]

    def __str__(self) -> str:
        return f"{self.rater} on {self.gold}"


class RaterStanding(models.Model):
    """What a campaign's golds led to for a rater: a warning, a pause, a return."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="standings")
    rater = models.ForeignKey(Rater, on_delete=models.CASCADE, related_name="standings")
    warned_at = models.DateTimeField(null=True)
    paused_at = models.DateTimeField(null=True)
    resumed_at = models.DateTimeField(
        null=True, help_text="gold items answered before this do not warn or pause again"
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "rater"], name="standing_once")]

    def __str__(self) -> str:
        return f"{self.rater} in {self.campaign}"
