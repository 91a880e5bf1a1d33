"""What was computed from a campaign's judgments, so that pages only read: labeling.services.quality writes it."""

from django.db import models

from labeling.models.campaigns import Campaign
from labeling.models.pools import Rater


class QualityReport(models.Model):
    """Agreement and habits of one campaign, as of one judgment. Replaced whole each time it is computed."""

    campaign = models.OneToOneField(Campaign, on_delete=models.CASCADE, related_name="quality")
    computed_at = models.DateTimeField()
    through_id = models.BigIntegerField(help_text="the last judgment that was there; a later one makes the report stale")
    n_judgments = models.PositiveIntegerField(help_text="read, at most labeling.services.quality.MOST_JUDGMENTS")
    results = models.JSONField(default=dict, help_text="see labeling.measures")

    def __str__(self) -> str:
        return f"quality of {self.campaign}"


class RaterQuality(models.Model):
    """One rater in a report: how far they agree, how reliable they seem, what an admin should look at."""

    report = models.ForeignKey(QualityReport, on_delete=models.CASCADE, related_name="raters")
    rater = models.ForeignKey(Rater, on_delete=models.CASCADE, related_name="quality")
    n_judgments = models.PositiveIntegerField()
    weight = models.FloatField(null=True, help_text="0 no better than chance, 1 always right; null: nothing to tell it from")
    n_flags = models.PositiveSmallIntegerField(default=0)
    results = models.JSONField(default=dict, help_text="see labeling.measures")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["report", "rater"], name="rater_quality_once")]

    def __str__(self) -> str:
        return f"{self.rater} in {self.report}"
