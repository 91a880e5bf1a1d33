"""Results computed from a campaign's judgments, so that pages only read. labeling.quality.services
writes them.
"""

from django.db import models

from labeling.models.campaigns import Campaign
from labeling.models.pools import Rater
from labeling.models.prompts import Response, Source


class QualityReport(models.Model):
    """Agreement and biases of one campaign up to one judgment. Replaced as a whole at each
    computation.
    """

    campaign = models.OneToOneField(Campaign, on_delete=models.CASCADE, related_name="quality")
    started_at = models.DateTimeField(
        null=True, help_text="when a worker started on it; null if none has"
    )
    computed_at = models.DateTimeField(null=True, help_text="null: never")
    rests_until = models.DateTimeField(
        null=True,
        help_text="not recomputed automatically before this: the longer it took, the later",
    )
    is_outdated = models.BooleanField(
        default=False,
        db_default=False,
        help_text="something other than a new judgment has changed since",
    )
    through_id = models.BigIntegerField(
        default=0, help_text="the last judgment included; a later one makes the report outdated"
    )
    n_judgments = models.PositiveIntegerField(default=0)
    results = models.JSONField(default=dict, help_text="see labeling.quality.measures")

    def __str__(self) -> str:
        return f"quality of {self.campaign}"


class RaterQuality(models.Model):
    """One rater in a report: agreement, estimated reliability, and what an admin should look at."""

    report = models.ForeignKey(QualityReport, on_delete=models.CASCADE, related_name="raters")
    rater = models.ForeignKey(Rater, on_delete=models.CASCADE, related_name="quality")
    n_judgments = models.PositiveIntegerField()
    weight = models.FloatField(
        null=True,
        help_text="0: no better than chance, 1: always right; null: not enough data",
    )
    n_flags = models.PositiveSmallIntegerField(default=0)
    results = models.JSONField(default=dict, help_text="see labeling.quality.measures")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["report", "rater"], name="rater_quality_once")
        ]

    def __str__(self) -> str:
        return f"{self.rater} in {self.report}"


class VoteBlock(models.Model):
    """A block of a campaign's rankings as columns, so that a report only has to read what came
    after the last full block.

    It contains every version of every judgment, also those set aside: which ones count is decided
    when it is read.
    """

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="vote_blocks")
    from_id = models.BigIntegerField(help_text="its first judgment")
    through_id = models.BigIntegerField(help_text="its last judgment")
    n_judgments = models.PositiveIntegerField(
        help_text="a block whose number has changed is read again"
    )
    columns = models.BinaryField(help_text="Parquet: see labeling.votes.blocks")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign", "through_id"], name="vote_block_once")
        ]

    def __str__(self) -> str:
        return f"judgments {self.from_id} to {self.through_id} of {self.campaign}"


class Scorer(models.Model):
    """A scorer of responses that is not a rater: a reward model, identified by its source, with the
    name admins see.
    """

    source = models.OneToOneField(
        Source, on_delete=models.CASCADE, primary_key=True, related_name="scorer"
    )
    name = models.CharField(max_length=200)
    scored_at = models.DateTimeField(help_text="when its last scores were stored")

    def __str__(self) -> str:
        return self.name


class ResponseScore(models.Model):
    """A scorer's score for a response that it was not trained on."""

    scorer = models.ForeignKey(Scorer, on_delete=models.CASCADE, related_name="scores")
    response = models.ForeignKey(Response, on_delete=models.CASCADE, related_name="scores")
    score = models.FloatField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["scorer", "response"], name="response_score_once")
        ]

    def __str__(self) -> str:
        return f"{self.score} for response {self.response_id}"
