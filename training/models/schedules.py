"""Schedules, when they fired, and the chains of runs that they start."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import validate_time_zone
from labeling.models import Campaign
from training.models.registry import TrainedModel
from training.models.runs import Run
from training.models.snapshots import Snapshot


class Schedule(models.Model):
    """When a chain starts automatically, and its plan: a chain_plans.Plan as JSON."""

    class Trigger(models.TextChoices):
        CLOCK = "clock", _("At set times")
        DATA = "data", _("When there are enough new answers")
        ACCURACY = "accuracy", _("When reward-model accuracy drops")
        HAND = "hand", _("Manual only")

    name = models.CharField(_("name"), max_length=150, unique=True)
    plan = models.JSONField(default=dict)
    trigger = models.CharField(max_length=16, choices=Trigger)
    cron = models.CharField(
        max_length=100,
        blank=True,
        default="",
        help_text="minute, hour, day of month, month, day of week",
    )
    time_zone = models.CharField(max_length=64, default="UTC", validators=[validate_time_zone])
    n_new = models.PositiveIntegerField(
        default=0, help_text="by data: number of judgments since it last ran"
    )
    accuracy_drop = models.FloatField(
        default=0, help_text="by accuracy: drop in points on judgments the reward model never saw"
    )
    n_fresh_pairs = models.PositiveIntegerField(
        default=0, help_text="by accuracy: fewest new pairs to measure on"
    )
    judge = models.ForeignKey(
        TrainedModel,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        help_text="by accuracy: the first reward model watched",
    )
    min_interval_h = models.PositiveIntegerField(default=0)
    quiet_from = models.TimeField(null=True)
    quiet_until = models.TimeField(null=True)
    skips_nothing_new = models.BooleanField(default=True)
    max_runs_a_week = models.PositiveIntegerField(null=True)
    paused_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True, help_text="by clock: when it fires next")
    last_ran_at = models.DateTimeField(null=True)
    n_firings = models.PositiveIntegerField(
        default=0, help_text="increased by each firing, so that one moment fires once"
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(quiet_from__isnull=True, quiet_until__isnull=True)
                | Q(quiet_from__isnull=False, quiet_until__isnull=False),
                name="schedule_quiet_hours_are_whole",
            )
        ]

    def __str__(self) -> str:
        return self.name


class Chain(models.Model):
    """One pass through a plan, link by link. The plan is a copy, so changes to the schedule do not
    affect it.
    """

    class State(models.TextChoices):
        GOING = "going", _("running")
        APPROVAL = "approval", _("needs approval")
        FAILED = "failed", _("failed")
        STOPPED = "stopped", _("stopped by a person")
        FINISHED = "finished", _("finished")

    schedule = models.ForeignKey(Schedule, on_delete=models.PROTECT, related_name="chains")
    number = models.PositiveIntegerField(help_text="number of the firing that started it")
    plan = models.JSONField(default=dict)
    base_model = models.ForeignKey(TrainedModel, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=16, choices=State, default=State.GOING)
    error = models.TextField(blank=True, default="")
    started_at = models.DateTimeField(default=timezone.now, editable=False)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["schedule", "number"], name="chain_once_a_firing")
        ]
        indexes = [models.Index(fields=["state"], name="chain_state")]

    def __str__(self) -> str:
        return f"{self.schedule} {self.number}"


class Link(models.Model):
    """One step of a chain and what it produced: a snapshot, a run or a campaign."""

    class State(models.TextChoices):
        WAITING = "waiting", _("pending")
        APPROVAL = "approval", _("needs approval")
        WORKING = "working", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    chain = models.ForeignKey(Chain, on_delete=models.CASCADE, related_name="links")
    position = models.PositiveSmallIntegerField()
    step = models.CharField(max_length=32, help_text="a step of training.schedules.plans")
    state = models.CharField(max_length=16, choices=State, default=State.WAITING)
    needs_approval = models.BooleanField(default=False)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    approved_at = models.DateTimeField(null=True)
    claimed_at = models.DateTimeField(
        null=True, help_text="claim time: identifies the worker that creates the snapshot"
    )
    ended_at = models.DateTimeField(null=True)
    snapshot = models.ForeignKey(
        Snapshot, on_delete=models.PROTECT, null=True, related_name="links"
    )
    run = models.OneToOneField(Run, on_delete=models.PROTECT, null=True, related_name="link")
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, null=True, related_name="+")
    verdict = models.JSONField(
        default=dict,
        db_default={},
        help_text="of a gate: training.schedules.gate.verdict.Verdict as JSON",
    )
    looks = models.JSONField(
        default=list,
        db_default=[],
        help_text="of a gate: every training.schedules.gate.looks.Look at the votes, as JSON",
    )
    model = models.ForeignKey(
        TrainedModel,
        on_delete=models.PROTECT,
        null=True,
        related_name="gates",
        help_text="of a gate: the model it decides about",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["chain", "position"], name="link_position_once")
        ]

    def __str__(self) -> str:
        return f"{self.step} of {self.chain_id}"


class Firing(models.Model):
    """A decision of a schedule to run or not, with the sentence that says why."""

    class Outcome(models.TextChoices):
        RAN = "ran", _("ran")
        SKIPPED = "skipped", _("skipped")
        HELD = "held", _("delayed")
        MEASURING = "measuring", _("measuring")

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="firings")
    number = models.PositiveIntegerField()
    at = models.DateTimeField()
    outcome = models.CharField(max_length=16, choices=Outcome)
    reason = models.CharField(max_length=16, help_text="a reason of training.schedules.timing")
    sentence = models.TextField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    chain = models.OneToOneField(Chain, on_delete=models.PROTECT, null=True, related_name="firing")
    run = models.OneToOneField(
        Run,
        on_delete=models.PROTECT,
        null=True,
        related_name="firing",
        help_text="the run that measured",
    )
    claimed_at = models.DateTimeField(
        null=True,
        help_text="claim time: identifies the worker that creates the snapshot to measure on",
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["schedule", "number"], name="firing_once")]

    def __str__(self) -> str:
        return self.sentence
