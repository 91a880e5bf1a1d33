"""What raters gave: demonstrations and comparisons, and the drafts on the way there."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from labeling.models.campaigns import Campaign, GuidelineVersion, Item, Slot
from labeling.models.pools import Rater
from labeling.models.prompts import Import, Prompt, Response


class Judgment(models.Model):
    """One rater's answer on one prompt, with what was shown when it was given. An import's needs no slot, nor does an extra."""

    class Kind(models.TextChoices):
        DEMONSTRATION = "demonstration", _("demonstration")
        COMPARISON = "comparison", _("comparison")

    kind = models.CharField(max_length=16, choices=Kind)
    rater = models.ForeignKey(Rater, on_delete=models.PROTECT, related_name="judgments")
    prompt = models.ForeignKey(Prompt, on_delete=models.PROTECT, related_name="judgments")
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, null=True, related_name="judgments")
    item = models.ForeignKey(Item, on_delete=models.PROTECT, null=True, related_name="judgments")
    slot = models.OneToOneField(Slot, on_delete=models.PROTECT, null=True, related_name="judgment")
    lease = models.UUIDField(null=True, unique=True, help_text="the lease it was written under: the same submit twice stores once")
    is_extra = models.BooleanField(default=False, help_text="came after its lease had lapsed and every slot was taken")
    guideline_version = models.ForeignKey(GuidelineVersion, on_delete=models.PROTECT, null=True, related_name="judgments")
    import_batch = models.ForeignKey(Import, on_delete=models.PROTECT, null=True, related_name="judgments")
    presentation = models.JSONField(default=dict, help_text="what was shown and switched: see docs/recorded.md")
    warnings = models.JSONField(default=list, help_text="names of the warnings that were overruled")
    active_s = models.FloatField(null=True, help_text="seconds with input in the last 60; null when not measured")
    leased_at = models.DateTimeField(null=True)
    submitted_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [
            models.Index(fields=["campaign", "submitted_at"], name="judgment_campaign_time"),
            models.Index(fields=["rater", "submitted_at"], name="judgment_rater_time"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["item", "rater"], condition=Q(item__isnull=False), name="judgment_rater_once"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class Demonstration(models.Model):
    """The answer a rater wrote."""

    judgment = models.OneToOneField(Judgment, on_delete=models.CASCADE, primary_key=True, related_name="demonstration")
    text = models.TextField()
    sources = models.TextField(blank=True, default="", help_text="where the facts came from, in the writer's words")

    def __str__(self) -> str:
        return self.text[:80]


class Comparison(models.Model):
    """A rater's order of an item's responses; the parts are RankedResponse rows."""

    judgment = models.OneToOneField(Judgment, on_delete=models.CASCADE, primary_key=True, related_name="comparison")
    strength = models.PositiveSmallIntegerField(null=True, help_text="1 negligible … 4 significant; null when not asked")
    reason = models.TextField(null=True, blank=True, help_text="null when not asked")
    is_all_bad = models.BooleanField(default=False, help_text="no response is worth ranking; the reason says why")

    def __str__(self) -> str:
        return f"comparison {self.pk}"


class RankedResponse(models.Model):
    """One response in a comparison: where it was shown, how it was rated alone, and where it came out."""

    comparison = models.ForeignKey(Comparison, on_delete=models.CASCADE, related_name="ranked")
    response = models.ForeignKey(Response, on_delete=models.PROTECT, related_name="ranked")
    position = models.PositiveSmallIntegerField(help_text="0 = shown first")
    rank = models.PositiveSmallIntegerField(null=True, help_text="1 = best, equal numbers tie; null when left unranked")
    ratings = models.JSONField(default=dict, help_text="question name → answer; a question that was not asked is absent")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["comparison", "response"], name="ranked_response_once"),
            models.UniqueConstraint(fields=["comparison", "position"], name="ranked_position_once"),
        ]

    def __str__(self) -> str:
        return f"response {self.response_id} at rank {self.rank}"


class Draft(models.Model):
    """What a rater has typed but not submitted; kept when the lease lapses."""

    rater = models.ForeignKey(Rater, on_delete=models.CASCADE, related_name="drafts")
    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="drafts")
    content = models.JSONField(default=dict)
    saved_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["rater", "item"], name="draft_once")]

    def __str__(self) -> str:
        return f"draft {self.pk}"
