"""Review: the order that an admin decides for an item, feedback to raters about an answer, and
their appeals.
"""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from labeling.models.campaigns import Item
from labeling.models.guidelines import GuidelineVersion
from labeling.models.judgments import Judgment
from labeling.models.prompts import Response


class Adjudication(models.Model):
    """The order of an item's responses as decided by an admin, and why raters disagreed. A later
    decision replaces it.
    """

    class Reason(models.TextChoices):
        RATER_ERROR = "rater_error", _("rater error")
        GUIDELINE_GAP = "guideline_gap", _("guideline gap")
        AMBIGUOUS_PROMPT = "ambiguous_prompt", _("ambiguous prompt")
        TRUE_DISAGREEMENT = "true_disagreement", _("true disagreement")
        NONE = "none", _("nothing wrong")

    item = models.OneToOneField(Item, on_delete=models.CASCADE, related_name="adjudication")
    reason = models.CharField(_("Reason"), max_length=32, choices=Reason)
    note = models.TextField(_("note"), blank=True, default="")
    guideline_version = models.ForeignKey(
        GuidelineVersion,
        on_delete=models.PROTECT,
        null=True,
        related_name="adjudications",
        help_text="in force at the time",
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [
            # Guideline pages list these few decisions.
            models.Index(
                fields=["at"], condition=Q(reason="guideline_gap"), name="adjudication_gaps"
            )
        ]

    def __str__(self) -> str:
        return f"adjudication of item {self.item_id}"


class AdjudicatedRank(models.Model):
    """A response's rank in the decision."""

    adjudication = models.ForeignKey(Adjudication, on_delete=models.CASCADE, related_name="ranks")
    response = models.ForeignKey(
        Response, on_delete=models.PROTECT, related_name="adjudicated_ranks"
    )
    rank = models.PositiveSmallIntegerField(
        null=True, help_text="1 = best, equal numbers tie; null: not decided"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["adjudication", "response"], name="adjudicated_response_once"
            )
        ]

    def __str__(self) -> str:
        return f"response {self.response_id} at rank {self.rank}"


class JudgmentReview(models.Model):
    """An admin's review of one answer: a demonstration's score, feedback to its rater, and the
    rater's appeal, at most one.

    A review without text tells the rater of a decision: the answer was set aside, or a different
    order was decided.
    """

    judgment = models.OneToOneField(Judgment, on_delete=models.CASCADE, related_name="review")
    score = models.PositiveSmallIntegerField(
        _("Score"),
        null=True,
        validators=[MinValueValidator(1), MaxValueValidator(7)],
        help_text="of a demonstration, 1 to 7",
    )
    feedback = models.TextField(_("feedback"), blank=True, default="")
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    at = models.DateTimeField(default=timezone.now)
    appeal = models.TextField(blank=True, default="")
    appealed_at = models.DateTimeField(null=True)
    answer = models.TextField(blank=True, default="")
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    answered_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(score__isnull=True) | Q(score__range=(1, 7)),
                name="review_score_from_1_to_7",
            )
        ]
        indexes = [
            models.Index(
                fields=["appealed_at"],
                condition=Q(appealed_at__isnull=False, answered_at__isnull=True),
                name="appeal_unanswered",
            )
        ]

    def __str__(self) -> str:
        return f"review of judgment {self.judgment_id}"


class ReviewRequest(models.Model):
    """A judgment to be reviewed again: recent work of a rater who was paused."""

    judgment = models.OneToOneField(
        Judgment, on_delete=models.CASCADE, related_name="review_request"
    )
    at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["at"], condition=Q(done_at__isnull=True), name="review_request_waiting"
            )
        ]

    def __str__(self) -> str:
        return f"judgment {self.judgment_id} to be reviewed"


class SetAside(models.Model):
    """A judgment that a reviewer excluded: paid and shown as before, but not part of agreement,
    consensus and snapshots.
    """

    judgment = models.OneToOneField(Judgment, on_delete=models.CASCADE, related_name="set_aside")
    reason = models.TextField(_("Reason"), blank=True, default="")
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"judgment {self.judgment_id} set aside"


class JudgmentEvent(models.Model):
    """A judgment stopped counting, or counts again. Written by labeling.review.judgment_events."""

    class Kind(models.TextChoices):
        WITHDRAWN = "withdrawn", _("withdrawn")
        SET_ASIDE = "set_aside", _("set aside")
        RESTORED = "restored", _("counts again")

    judgment = models.ForeignKey(Judgment, on_delete=models.CASCADE, related_name="events")
    kind = models.CharField(max_length=16, choices=Kind)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.kind} {self.judgment_id}"
