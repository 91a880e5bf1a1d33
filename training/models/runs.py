"""Runs: the row is the queue."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from labeling.models import Guideline, Pool
from training.configs import kinds, roles
from training.models.registry import TrainedModel
from training.models.snapshots import Snapshot


def kind_choices() -> list[tuple[str, Promise]]:
    """Every kind of run with its label, for forms and API. Not choices of the column, so a new kind
    needs no migration.
    """
    return [(name, _(about.label)) for name, about in kinds.KINDS.items()]


class Run(models.Model):
    """A run on a GPU node. `state` says where it is, `outcome` how it ended, and `error` what a
    person should know.
    """

    class State(models.TextChoices):
        QUEUED = "queued", _("queued")
        RUNNING = "running", _("running")
        FINISHED = "finished", _("finished")

    class Outcome(models.TextChoices):
        SUCCEEDED = "succeeded", _("succeeded")
        STOPPED = "stopped", _("stopped and saved")
        FAILED = "failed", _("failed")
        LOST = "lost", _("lost")

    class MadeAs(models.TextChoices):
        COPY = "copy", _("Duplicate of")
        RETRY = "retry", _("Retry of")
        EXTENSION = "extension", _("Extends")

    name = models.CharField(_("name"), max_length=200)
    kind = models.CharField(
        _("Kind"), max_length=16, help_text="one of training.configs.kinds.KINDS"
    )
    config = models.JSONField(default=dict, help_text="a dataclass of training.configs, as JSON")
    snapshot = models.ForeignKey(Snapshot, on_delete=models.PROTECT, related_name="runs")
    ptx_snapshot = models.ForeignKey(
        Snapshot,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="runs_mixing",
        help_text="the text that PPO-ptx mixes in; none: demonstrations of the snapshot",
    )
    spot_pool = models.ForeignKey(
        Pool,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="raters who compare its checkpoints; none: no spot checks",
    )
    spot_guideline = models.ForeignKey(
        Guideline, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    base_model = models.ForeignKey(TrainedModel, on_delete=models.PROTECT, related_name="runs_from")
    reward_model = models.ForeignKey(
        TrainedModel, on_delete=models.PROTECT, null=True, blank=True, related_name="runs_rewarded"
    )
    watchdog_model = models.ForeignKey(
        TrainedModel, on_delete=models.PROTECT, null=True, blank=True, related_name="runs_watched"
    )
    reference_model = models.ForeignKey(
        TrainedModel, on_delete=models.PROTECT, null=True, blank=True, related_name="runs_near"
    )
    other_model = models.ForeignKey(
        TrainedModel, on_delete=models.PROTECT, null=True, blank=True, related_name="runs_against"
    )
    attacker_model = models.ForeignKey(
        TrainedModel, on_delete=models.PROTECT, null=True, blank=True, related_name="runs_attacking"
    )
    made_from = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, related_name="followers"
    )
    made_as = models.CharField(max_length=16, choices=MadeAs, blank=True, default="")
    is_dry = models.BooleanField(
        default=False, help_text="loads everything, runs two steps, stores nothing"
    )
    wanted_node = models.CharField(
        max_length=200,
        blank=True,
        default="",
        help_text="only this node takes the run: its state is there",
    )
    kept_step = models.PositiveIntegerField(
        null=True, help_text="step of the state stored on its node"
    )
    estimate = models.JSONField(
        default=dict, help_text="training.configs.cost.estimates.Cost when the run was queued"
    )
    priority = models.SmallIntegerField(default=0, help_text="highest first, then longest waiting")
    n_gpus = models.PositiveSmallIntegerField(
        default=0, help_text="only a node with this many takes the run"
    )
    memory_gb = models.PositiveIntegerField(
        default=0, help_text="per GPU, or of the machine if no GPU is requested"
    )
    launch = models.JSONField(
        default=dict,
        help_text="training.processes.launch.Launch as JSON: processes, and how they share work",
    )
    auto_dtype = models.CharField(
        max_length=16,
        blank=True,
        default="",
        db_default="",
        help_text="what the precision `auto` was measured to be; later attempts keep it",
    )
    tags = models.JSONField(default=list)
    remarks = models.TextField(blank=True, default="", help_text="a person's note")
    state = models.CharField(max_length=16, choices=State, default=State.QUEUED)
    outcome = models.CharField(max_length=16, choices=Outcome, blank=True, default="")
    error = models.TextField(blank=True, default="")
    attempt = models.PositiveSmallIntegerField(
        default=0, help_text="increased by each claim; later writes name it"
    )
    n_crashes = models.PositiveSmallIntegerField(
        default=0, help_text="attempts that ended without a result; LOST after too many"
    )
    node = models.CharField(max_length=200, blank=True, default="")
    cards = models.JSONField(
        default=list,
        db_default=[],
        help_text="the GPUs of its node that it has, as CUDA names them; none: the node is its own",
    )
    stop_requested_at = models.DateTimeField(null=True, blank=True)
    step = models.PositiveIntegerField(default=0)
    n_steps = models.PositiveIntegerField(default=0)
    metrics = models.JSONField(default=dict)
    versions = models.JSONField(
        default=dict, help_text="torch, transformers, trl, python, commit, device"
    )
    notes = models.JSONField(
        default=list, help_text="sentences from the trainer: what was cut, left out or changed"
    )
    log_tail = models.TextField(blank=True, default="")
    log_attempt = models.PositiveSmallIntegerField(
        default=0, help_text="attempt that wrote the log"
    )
    n_log_lines = models.PositiveIntegerField(
        default=0, help_text="complete lines of the log, including those before the tail"
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    started_at = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True, help_text="last heartbeat of the supervisor")
    progress_at = models.DateTimeField(null=True, help_text="last progress of the training loop")
    finished_at = models.DateTimeField(null=True)
    pinned_at = models.DateTimeField(
        null=True, help_text="a person protected its state from deletion"
    )
    freed_at = models.DateTimeField(
        null=True, help_text="its checkpoints were deleted, so it cannot continue"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=(Q(state="finished") & ~Q(outcome=""))
                | (~Q(state="finished") & Q(outcome="")),
                name="run_outcome_when_finished",
            )
        ]
        indexes = [models.Index(fields=["state", "heartbeat_at"], name="run_state_heartbeat")]

    def __str__(self) -> str:
        return self.name

    @property
    def models_beside(self) -> dict[str, TrainedModel]:
        """The models besides the base model, by role."""
        by_role = {role.name: getattr(self, role.name) for role in roles.BESIDE}
        return {name: model for name, model in by_role.items() if model is not None}

    @property
    def kind_label(self) -> str:
        """The kind's label, or its name if this version no longer has the kind."""
        about = kinds.KINDS.get(self.kind)
        return gettext(about.label) if about else self.kind


class Seat(models.Model):
    """One machine's place (rank) in an attempt at a run on several machines. Rank 0 is the node
    that claimed the run; others join it.
    """

    class Ending(models.TextChoices):
        DONE = "done"
        FAILED = "failed"
        GONE = "gone"

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="seats")
    attempt = models.PositiveSmallIntegerField()
    rank = models.PositiveSmallIntegerField()
    node = models.CharField(
        max_length=200, blank=True, default="", help_text="empty while no node has it"
    )
    address = models.CharField(
        max_length=255,
        blank=True,
        default="",
        help_text="address for other nodes; empty until ready",
    )
    port = models.PositiveIntegerField(default=0)
    heartbeat_at = models.DateTimeField(null=True)
    is_leaving = models.BooleanField(
        default=False, help_text="its node is draining: the first saves the run, and all end"
    )
    ending = models.CharField(max_length=8, choices=Ending, blank=True, default="")
    error = models.TextField(blank=True, default="", help_text="why it failed, as a sentence")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "attempt", "rank"], name="seat_once"),
            models.UniqueConstraint(
                fields=["run", "attempt", "node"], condition=~Q(node=""), name="seat_node_once"
            ),
        ]

    def __str__(self) -> str:
        return f"machine {self.rank} of run {self.run_id}"


class RunPoint(models.Model):
    """A point of a run's curves. A resumed run repeats steps under a higher attempt, which replaces
    the earlier points.
    """

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="points")
    attempt = models.PositiveSmallIntegerField()
    step = models.PositiveIntegerField()
    at = models.DateTimeField()
    values = models.JSONField(help_text="metric name → number")
    level = models.PositiveSmallIntegerField(
        default=0, help_text="each holds half the points of the one below"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "attempt", "step"], name="run_point_once")
        ]
        indexes = [models.Index(fields=["run", "level"], name="run_point_level")]

    def __str__(self) -> str:
        return f"step {self.step} of run {self.run_id}"


class RunSample(models.Model):
    """A text the model wrote during training."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="samples")
    attempt = models.PositiveSmallIntegerField()
    step = models.PositiveIntegerField()
    line = models.PositiveIntegerField(
        help_text="line in progress.jsonl, so that a line read twice is stored once"
    )
    prompt = models.TextField()
    response = models.TextField()
    scores = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "attempt", "line"], name="run_sample_once")
        ]

    def __str__(self) -> str:
        return f"sample at step {self.step} of run {self.run_id}"
