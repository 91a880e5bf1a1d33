"""AI judges: models that judge a campaign's items, what each of them is asked, and every answer."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from jobs.models import Job
from labeling.models import Campaign, GuidelineVersion, Item, Judgment, Rater
from training.models.only_added import OnlyAdded
from training.models.registry import TrainedModel


class Judge(models.Model):
    """A model that judges the items of one campaign. As a rater of kind `judge` it gives judgments
    without slots. Amounts of money are in millionths of the currency's unit.
    """

    class State(models.TextChoices):
        STOPPED = "stopped", _("stopped")
        RUNNING = "running", _("running")

    class Stop(models.TextChoices):
        """Why it stopped by itself."""

        MONEY = "money", _("its limit is reached")
        REFUSED = "refused", _("the server refuses its requests")
        CLOSED = "closed", _("the campaign was closed")
        WITHDRAWN = "withdrawn", _("it was withdrawn")

    rater = models.OneToOneField(Rater, on_delete=models.PROTECT, related_name="judge")
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="judges")
    model = models.ForeignKey(TrainedModel, on_delete=models.PROTECT, related_name="judges")
    state = models.CharField(max_length=16, choices=State, default=State.STOPPED)
    stop = models.CharField(max_length=16, choices=Stop, blank=True, default="")
    problem = models.TextField(
        blank=True, default="", help_text="what the server last answered instead of a verdict"
    )
    money_limit = models.BigIntegerField(help_text="the most that it may cost, in millionths")
    currency = models.CharField(max_length=3)
    cost = models.BigIntegerField(
        db_default=0, default=0, help_text="the sum of its verdicts' prices, kept with each of them"
    )
    parallel = models.PositiveSmallIntegerField(
        db_default=4, default=4, help_text="the most requests at once"
    )
    answer_within_s = models.PositiveSmallIntegerField(
        db_default=120, default=120, help_text="the longest that an answer may take"
    )
    n_failures = models.PositiveIntegerField(default=0, help_text="requests in a row that failed")
    failing_since = models.DateTimeField(null=True)
    rests_until = models.DateTimeField(
        null=True, help_text="asks nothing before: the server said so, or did not answer"
    )
    started_at = models.DateTimeField(null=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(money_limit__gte=0), name="judge_limit_not_negative"
            )
        ]

    def __str__(self) -> str:
        return self.rater.alias


class JudgeVersion(OnlyAdded):
    """What a judge is asked, and at what price. A row never changes: verdicts name theirs."""

    class Output(models.TextChoices):
        LABEL = "label", _("only the choice")
        REASONED = "reasoned", _("reasons first, then the choice")

    judge = models.ForeignKey(Judge, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveSmallIntegerField(default=1)
    guideline_version = models.ForeignKey(
        GuidelineVersion, on_delete=models.PROTECT, related_name="+", help_text="the rubric"
    )
    prompt = models.TextField(help_text="what it is told before the guideline")
    output = models.CharField(max_length=16, choices=Output, default=Output.LABEL)
    sampling = models.JSONField(help_text="temperature, top_p and max_new_tokens")
    asks_probabilities = models.BooleanField(
        default=False, help_text="asks for the log-probability of each label"
    )
    context_tokens = models.PositiveIntegerField(
        help_text="the longest request and answer together that the model takes"
    )
    price_in = models.BigIntegerField(help_text="millionths for a million tokens of requests")
    price_out = models.BigIntegerField(help_text="millionths for a million tokens of answers")
    sha256 = models.CharField(max_length=64, help_text="of all of these")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["judge", "number"], name="judge_version_once"),
            models.CheckConstraint(
                condition=models.Q(price_in__gte=0, price_out__gte=0),
                name="judge_version_price_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.judge} v{self.number}"


class Verdict(Job):
    """One request to a judge: an item's two responses in one of both orders. In order 0, the
    response with the smaller id is A. The row is the queue. Once both orders have the same choice,
    they have a judgment; a judge that changes its mind with the order has none.
    """

    class State(models.TextChoices):
        QUEUED = "queued", _("pending")
        RUNNING = "running", _("being asked")
        ANSWERED = "answered", _("answered")
        REFUSED = "refused", _("refused")
        UNREADABLE = "unreadable", _("not readable")
        TOO_LONG = "too_long", _("too long for the model")
        DROPPED = "dropped", _("no longer asked")
        FAILED = "failed", _("failed")

    class Reason(models.TextChoices):
        """Why an answer could not be read."""

        EMPTY = "empty", _("empty")
        NO_LABEL = "no_label", _("no choice in it")
        OTHER_LABEL = "other_label", _("a choice that was not offered")
        BOTH_LABELS = "both_labels", _("more than one choice")
        TOO_MUCH = "too_much", _("much longer than asked")
        CUT_OFF = "cut_off", _("cut off before the choice")
        NOT_A_COMPLETION = "not_a_completion", _("something else than a model's answer")

    class Label(models.TextChoices):
        A = "A"
        B = "B"
        TIE = "TIE"

    ORDERS: ClassVar[tuple[int, int]] = (0, 1)

    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="verdicts")
    version = models.ForeignKey(JudgeVersion, on_delete=models.PROTECT, related_name="verdicts")
    order = models.PositiveSmallIntegerField(help_text="0, or 1 with the responses exchanged")
    state = models.CharField(max_length=16, choices=State, default=State.QUEUED)
    reason = models.CharField(max_length=24, choices=Reason, blank=True, default="")
    n_lost = models.PositiveSmallIntegerField(default=0, help_text="workers lost on it")
    n_failed = models.PositiveSmallIntegerField(default=0, help_text="requests that failed")
    raw_output = models.TextField(
        blank=True, default="", help_text="what the server sent, up to 20,000 characters"
    )
    label = models.CharField(max_length=4, choices=Label, blank=True, default="")
    log_probabilities = models.JSONField(default=dict, help_text="label → of its first token")
    tokens_in = models.PositiveIntegerField(default=0)
    tokens_out = models.PositiveIntegerField(default=0)
    tokens_estimated = models.BooleanField(
        default=False, help_text="counted from the length of the texts: the server said nothing"
    )
    ms = models.PositiveIntegerField(default=0)
    price = models.BigIntegerField(
        default=0, help_text="tokens × price of a million: millionths of millionths, exact"
    )
    reserved = models.BigIntegerField(
        default=0, help_text="the most that the request under way, or lost, can cost"
    )
    judgment = models.ForeignKey(
        Judgment, on_delete=models.PROTECT, null=True, related_name="verdicts"
    )
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["item", "version", "order"], name="verdict_once"),
            models.CheckConstraint(condition=models.Q(order__in=(0, 1)), name="verdict_order"),
            models.CheckConstraint(
                condition=models.Q(state="answered") ^ models.Q(label=""), name="verdict_label"
            ),
        ]
        indexes = [
            models.Index(
                fields=["version", "item", "order"],
                condition=models.Q(state__in=("queued", "running")),
                name="verdict_open",
            ),
            models.Index(
                fields=["version", "-state", "n_failed", "id"],
                condition=models.Q(state__in=("queued", "running")),
                name="verdict_next",
            ),
            models.Index(
                fields=["version"], condition=models.Q(reserved__gt=0), name="verdict_reserved"
            ),
        ]

    def __str__(self) -> str:
        return f"verdict {self.pk}"
