"""Models: their origin, external endpoints, and publications of models and exports to hubs."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from jobs.models import Job
from labeling.models import Export, Source


class TrainedModel(models.Model):
    """Full weights in a folder, and where they came from. A base model has no run."""

    class Kind(models.TextChoices):
        POLICY = "policy", _("language model")
        REWARD = "reward", _("reward model")

    class Stage(models.TextChoices):
        CANDIDATE = "candidate", _("candidate")
        APPROVED = "approved", _("approved")
        RETIRED = "retired", _("retired")

    name = models.CharField(_("name"), max_length=200, unique=True)
    kind = models.CharField(_("Kind"), max_length=16, choices=Kind)
    location = models.CharField(
        _("Location"), max_length=1024, help_text=_("A folder on the GPU nodes, or a hub name.")
    )
    licence = models.CharField(_("Licence"), max_length=64, blank=True, default="")
    notes = models.TextField(_("notes"), blank=True, default="")
    stage = models.CharField(_("Stage"), max_length=16, choices=Stage, default=Stage.CANDIDATE)
    card = models.TextField(
        blank=True, default="", help_text="Markdown written by a person; empty: generated"
    )
    parent = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="children"
    )
    run = models.OneToOneField(
        "training.Run",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="trained_model",
    )
    source = models.OneToOneField(
        Source, on_delete=models.PROTECT, null=True, blank=True, related_name="trained_model"
    )
    metrics = models.JSONField(default=dict)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    pinned_at = models.DateTimeField(
        null=True, help_text="a person protected its weights from deletion"
    )
    approved_at = models.DateTimeField(
        null=True, help_text="when it became the current model of its schedule"
    )
    freed_at = models.DateTimeField(
        null=True, help_text="its weights were deleted; its record stays"
    )

    def __str__(self) -> str:
        return self.name

    @property
    def can_be_used(self) -> bool:
        """Whether runs and the playground take it: it is not retired, and has its weights."""
        return self.freed_at is None and self.stage != self.Stage.RETIRED


class Endpoint(models.Model):
    """An external model, at an OpenAI-compatible URL. Its key is in the environment, never here."""

    model = models.OneToOneField(TrainedModel, on_delete=models.CASCADE, related_name="endpoint")
    url = models.CharField(max_length=1024, help_text="URL up to /chat/completions")
    served_name = models.CharField(max_length=200, help_text="the model's name on the server")
    key_variable = models.CharField(
        max_length=100,
        blank=True,
        default="",
        help_text="name of the environment variable with the key",
    )

    def __str__(self) -> str:
        return f"{self.served_name} at {self.url}"


class Publication(Job):
    """The upload of a model or of an export to a hub, with its progress. The token is in the
    environment of the worker.
    """

    class State(models.TextChoices):
        QUEUED = "queued", _("queued")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    model = models.ForeignKey(
        TrainedModel, on_delete=models.CASCADE, null=True, related_name="publications"
    )
    export = models.ForeignKey(
        Export, on_delete=models.CASCADE, null=True, related_name="publications"
    )
    repository = models.CharField(max_length=200, help_text="owner/name")
    is_private = models.BooleanField(default=True)
    state = models.CharField(max_length=16, choices=State, default=State.QUEUED)
    bytes_total = models.BigIntegerField(default=0)
    bytes_sent = models.BigIntegerField(default=0)
    address = models.CharField(
        max_length=1024, blank=True, default="", help_text="URL, once published"
    )
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(model__isnull=False, export__isnull=True)
                | models.Q(model__isnull=True, export__isnull=False),
                name="publication_of_one_thing",
            )
        ]

    def __str__(self) -> str:
        return f"{self.model} to {self.repository}"
