"""Suites of test items, and what models answered and scored on them."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from labeling.models import Campaign, Response
from training.models.registry import TrainedModel
from training.models.runs import Run


class Suite(models.Model):
    """One version of a set of test items. It never changes: a correction is a new version."""

    class Kind(models.TextChoices):
        CHOICE = "choice", _("multiple choice")
        GENERATE = "generate", _("written answers")
        PAIRS = "pairs", _("pairs of responses")
        BEST_OF_K = "best-of-k", _("best of several responses")
        FLIP = "flip", _("answers under pressure")
        LM_EVAL = "lm-eval", _("task of lm-evaluation-harness")

    class Area(models.TextChoices):
        CAPABILITY = "capability", _("capability")
        SAFETY = "safety", _("safety")
        OVER_REFUSAL = "over-refusal", _("over-refusal")
        HONESTY = "honesty", _("honesty")
        REWARD = "reward", _("reward models")

    slug = models.SlugField(max_length=64, help_text="the id in suite.yaml")
    version = models.CharField(_("version"), max_length=32)
    name = models.CharField(_("name"), max_length=120)
    kind = models.CharField(_("Kind"), max_length=16, choices=Kind)
    area = models.CharField(_("Area"), max_length=16, choices=Area)
    scorer = models.CharField(
        _("Scorer"), max_length=32, help_text="a name in training.benchmarks.scoring"
    )
    about = models.TextField(_("Description"), blank=True, default="")
    licence = models.CharField(_("Licence"), max_length=64)
    origin = models.CharField(_("Source"), max_length=500, blank=True, default="")
    options = models.JSONField(default=dict, help_text="what its kind and scorer need besides")
    items_hash = models.CharField(max_length=64, help_text="SHA-256 of its items")
    n_items = models.PositiveIntegerField()
    is_shipped = models.BooleanField(default=False, help_text="came with the product")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    retired_at = models.DateTimeField(null=True, help_text="no longer offered for new runs")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["slug", "version"], name="suite_version_once")
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


class SuiteItem(models.Model):
    """One item of a suite."""

    suite = models.ForeignKey(Suite, on_delete=models.CASCADE, related_name="items")
    position = models.PositiveIntegerField()
    key = models.CharField(max_length=200, help_text="its id in the file")
    category = models.CharField(max_length=100, blank=True, default="")
    cluster = models.CharField(
        max_length=200,
        blank=True,
        default="",
        help_text="items with the same one are not independent; empty: on its own",
    )
    prompt = models.JSONField(help_text="messages, as chat templates take them")
    content = models.JSONField(default=dict, help_text="what its kind needs: choices, texts, …")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["suite", "key"], name="suite_item_once"),
            models.UniqueConstraint(fields=["suite", "position"], name="suite_item_position"),
        ]

    def __str__(self) -> str:
        return f"item {self.key} of suite {self.suite_id}"


class BenchmarkAnswer(models.Model):
    """What a model answered to an item in a benchmark run. Scores are stored apart, so that a new
    scorer needs no new answers.
    """

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="answers")
    item = models.ForeignKey(SuiteItem, on_delete=models.PROTECT, related_name="answers")
    strategy = models.CharField(
        max_length=16,
        blank=True,
        default="",
        db_default="",
        help_text="of an attack, one of training.configs.evaluation.attack.STRATEGIES",
    )
    sample = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text="of several attempts with one strategy"
    )
    asked = models.JSONField(
        null=True, help_text="of an attack: the messages before the answer; else those of the item"
    )
    text = models.TextField(blank=True, default="")
    follow_ups = models.JSONField(default=list, help_text="its answers to later turns")
    values = models.JSONField(default=dict, help_text="log-likelihoods or rewards")
    sampling = models.JSONField(default=dict)
    is_ended = models.BooleanField(null=True)
    missing = models.CharField(
        max_length=300, blank=True, default="", help_text="why there is no answer"
    )
    response = models.ForeignKey(
        Response,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        help_text="the same text for raters, once it was sent to them",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["run", "item", "strategy", "sample"], name="benchmark_attempt_once"
            )
        ]

    def __str__(self) -> str:
        return f"answer of run {self.run_id} to item {self.item_id}"


class AnswerScore(models.Model):
    """What one scorer says about one answer."""

    answer = models.ForeignKey(BenchmarkAnswer, on_delete=models.CASCADE, related_name="scores")
    scorer = models.CharField(max_length=64, help_text="its name and version, as “refusal 1”")
    value = models.FloatField(help_text="0 to 1, higher is better; a reward for reward models")
    label = models.CharField(max_length=32, blank=True, default="")
    certainty = models.FloatField(null=True, help_text="probability of the label, where known")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["answer", "scorer"], name="answer_score_once")
        ]

    def __str__(self) -> str:
        return f"{self.scorer} of answer {self.answer_id}"


class SuiteScore(models.Model):
    """A model's score on a suite by one scorer: the cells of scorecards, computed when a run ends
    or a scorer is added.
    """

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="suite_scores")
    model = models.ForeignKey(TrainedModel, on_delete=models.CASCADE, related_name="suite_scores")
    suite = models.ForeignKey(Suite, on_delete=models.PROTECT, related_name="suite_scores")
    scorer = models.CharField(max_length=64)
    is_main = models.BooleanField(help_text="by the suite's own scorer: the one on scorecards")
    is_current = models.BooleanField(help_text="of the newest finished run of this model")
    n = models.PositiveIntegerField(help_text="items with a score")
    n_missing = models.PositiveIntegerField(default=0, help_text="items without an answer")
    score = models.FloatField(null=True)
    low = models.FloatField(null=True)
    high = models.FloatField(null=True)
    details = models.JSONField(default=dict, help_text="by category, shares of labels, …")
    computed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "suite", "scorer"], name="suite_score_once")
        ]
        indexes = [
            models.Index(
                fields=["model", "suite"],
                condition=models.Q(is_main=True, is_current=True),
                name="suite_score_shown",
            )
        ]

    def __str__(self) -> str:
        return f"score of model {self.model_id} on suite {self.suite_id}"


class RatedSuite(models.Model):
    """A campaign in which raters judge a model's answers to a suite, beside another model's."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="rated_suites")
    suite = models.ForeignKey(Suite, on_delete=models.PROTECT, related_name="rated")
    against = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="+")
    campaign = models.OneToOneField(Campaign, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"raters on suite {self.suite_id} of run {self.run_id}"


class AttackSample(models.Model):
    """A campaign in which raters judge a random sample of a run's attempts."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="attack_samples")
    campaign = models.OneToOneField(Campaign, on_delete=models.PROTECT, related_name="+")
    n_attempts = models.PositiveIntegerField(help_text="that could have been drawn")
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"sample of the attempts of run {self.run_id}"


class SampledAttempt(models.Model):
    """An attempt in a sample, and the text that raters see of it."""

    sample = models.ForeignKey(AttackSample, on_delete=models.CASCADE, related_name="attempts")
    answer = models.OneToOneField(BenchmarkAnswer, on_delete=models.CASCADE, related_name="sampled")
    response = models.OneToOneField(Response, on_delete=models.PROTECT, related_name="+")
    probability = models.FloatField(help_text="with which it was drawn")

    def __str__(self) -> str:
        return f"attempt {self.answer_id} before raters"
