"""Spot checks: what raters say about a run's checkpoints."""

from django.db import models
from django.utils import timezone

from labeling.models import Campaign, Source
from training.models.runs import Run


class SpotCheck(models.Model):
    """A checkpoint whose responses raters compare with those of the kept one; the first of a run is
    where it began, and is compared with nothing.
    """

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="spot_checks")
    step = models.PositiveIntegerField()
    source = models.ForeignKey(
        Source, on_delete=models.PROTECT, related_name="+", help_text="of its responses"
    )
    against = models.ForeignKey(
        "self", on_delete=models.CASCADE, null=True, related_name="+", help_text="the kept one"
    )
    campaign = models.OneToOneField(
        Campaign, on_delete=models.PROTECT, null=True, related_name="spot_check"
    )
    problem = models.TextField(blank=True, default="", help_text="why nobody was asked")
    share = models.FloatField(null=True, help_text="of votes that it won against the kept one")
    low = models.FloatField(null=True, help_text="lower end of the 95 % interval")
    high = models.FloatField(null=True)
    n = models.PositiveIntegerField(default=0, help_text="votes")
    is_better = models.BooleanField(default=False, help_text="surely: so it is the kept one now")
    decided_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "step"], name="spot_check_once_a_step")
        ]
        indexes = [
            models.Index(
                fields=["run"],
                condition=models.Q(decided_at__isnull=True),
                name="spot_check_undecided",
            )
        ]

    def __str__(self) -> str:
        return f"step {self.step} of run {self.run_id}"
