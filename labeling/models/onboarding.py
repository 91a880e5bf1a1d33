"""What a rater completes before a pool gives them work: steps written by an admin, and raters'
results.
"""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from labeling.models.guidelines import Guideline, GuidelineVersion
from labeling.models.pools import Pool, Rater


class OnboardingStep(models.Model):
    """One task before a pool's first item. Its text and questions are in its versions."""

    class Kind(models.TextChoices):
        CONSENT = "consent", _("consent")
        PROFILE = "profile", _("profile")
        GUIDELINE = "guideline", _("guideline and quiz")
        FLAGS = "flags", _("test: flag sensitive content")
        RANKINGS = "rankings", _("test: rank responses")
        DEMONSTRATIONS = "demonstrations", _("test: write demonstrations")
        TOPICS = "topics", _("skills")

    pool = models.ForeignKey(Pool, on_delete=models.CASCADE, related_name="steps")
    kind = models.CharField(max_length=16, choices=Kind)
    position = models.PositiveSmallIntegerField(default=0)
    guideline = models.ForeignKey(
        Guideline,
        verbose_name=_("Guideline"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="onboarding_steps",
    )
    cut = models.DecimalField(
        max_digits=5,
        decimal_places=2,
        null=True,
        help_text=(
            "a share from 0 to 1, or for demonstrations a mean score from 1 to 7; null "
            "when nothing is scored"
        ),
    )
    max_attempts = models.PositiveSmallIntegerField(
        _("attempts"),
        default=2,
        validators=[MinValueValidator(1)],
        help_text=_("After the last attempt, an admin decides."),
    )
    needs_decision = models.BooleanField(
        _("always require a manual decision"),
        default=False,
        help_text=_("Raters at or above the score pass automatically; you decide on the rest."),
    )
    paid_minutes = models.PositiveSmallIntegerField(
        _("paid minutes"),
        default=0,
        help_text=_("Paid for each attempt, whatever the result, at the pool's onboarding rate."),
    )
    certified_from = models.PositiveIntegerField(
        default=1, help_text="people who passed an earlier version take the step again"
    )
    created_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["pool", "position", "pk"]
        indexes = [
            models.Index(
                fields=["pool", "position"],
                condition=Q(retired_at__isnull=True),
                name="onboarding_step_in_use",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.pool}"


class StepVersion(models.Model):
    """A step's text and questions at one point in time. Immutable: an edit creates the next
    number.
    """

    step = models.ForeignKey(OnboardingStep, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    title = models.CharField(_("title"), max_length=120)
    text = models.TextField(_("text"), blank=True, default="")
    questions = models.JSONField(
        default=list, help_text="see labeling.people.onboarding.questions.Question"
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["step", "number"], name="step_version_once")]

    def __str__(self) -> str:
        return f"{self.title} v{self.number}"


class StepAttempt(models.Model):
    """One rater's attempt at one version of a step. Answers to a profile are in ProfileAnswer
    instead.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("pending review")
        PASSED = "passed", _("passed")
        BELOW = "below", _("below passing score")
        REFUSED = "refused", _("rejected")

    step = models.ForeignKey(OnboardingStep, on_delete=models.PROTECT, related_name="attempts")
    version = models.ForeignKey(StepVersion, on_delete=models.PROTECT, related_name="attempts")
    guideline_version = models.ForeignKey(
        GuidelineVersion, on_delete=models.PROTECT, null=True, related_name="+"
    )
    rater = models.ForeignKey(Rater, on_delete=models.CASCADE, related_name="step_attempts")
    number = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=16, choices=State)
    answers = models.JSONField(default=list)
    score = models.FloatField(null=True)
    n_asked = models.PositiveSmallIntegerField(default=0)
    paid_minutes = models.PositiveSmallIntegerField(
        default=0, help_text="the step's paid minutes at the time of the attempt"
    )
    submitted_at = models.DateTimeField()
    may_retry = models.BooleanField(
        default=False, help_text="an admin allowed one more attempt than the step does"
    )
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)
    decision = models.TextField(
        blank=True, default="", help_text="message to the rater from the person who decided"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["step", "rater", "number"], name="step_attempt_once")
        ]
        indexes = [
            # The steps a rater has passed decide whether they get work.
            models.Index(
                fields=["rater", "step"], condition=Q(state="passed"), name="step_attempt_passed"
            ),
            models.Index(
                fields=["submitted_at"], condition=Q(state="waiting"), name="step_attempt_waits"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rater} at {self.step}"


class AttemptScore(models.Model):
    """A reviewer's score, 1 to 7, for one demonstration of an attempt."""

    attempt = models.ForeignKey(StepAttempt, on_delete=models.CASCADE, related_name="scores")
    place = models.PositiveSmallIntegerField(help_text="which of the attempt's answers, from 0")
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    score = models.PositiveSmallIntegerField(
        validators=[MinValueValidator(1), MaxValueValidator(7)]
    )
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["attempt", "place", "reviewer"], name="attempt_score_once"
            ),
            models.CheckConstraint(condition=Q(score__range=(1, 7)), name="attempt_score_in_range"),
        ]

    def __str__(self) -> str:
        return f"{self.score} of 7"


class ProfileAnswer(models.Model):
    """What a rater chose to say about themselves. Only ever read in aggregate: see
    labeling.people.onboarding.selectors.profile_counts.
    """

    rater = models.ForeignKey(Rater, on_delete=models.CASCADE, related_name="profile_answers")
    step = models.ForeignKey(
        OnboardingStep, on_delete=models.CASCADE, related_name="profile_answers"
    )
    question = models.CharField(max_length=200)
    answer = models.CharField(max_length=200)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["rater", "step", "question"], name="profile_answer_once"
            )
        ]

    def __str__(self) -> str:
        return self.question
