"""Curations: recipes applied to documents, what people restored, and what raters were asked."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from jobs.models import Job
from labeling.models import Campaign, Response
from training.models.snapshots import Snapshot


class Curation(Job):
    """A recipe applied to documents by a worker: first a preview, then a snapshot of what it kept.

    The row is the queue. Its files are in a folder below UPLOADS_DIR until it is done or discarded.
    """

    ENDED_AT = "finished_at"

    class State(models.TextChoices):
        QUEUED = "queued", _("pending")
        RUNNING = "running", _("running")
        READY = "ready", _("ready")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")
        DISCARDED = "discarded", _("discarded")

    name = models.CharField(_("name"), max_length=200)
    kind = models.CharField(_("Kind"), max_length=16, choices=Snapshot.Kind)
    filters = models.JSONField(default=dict, help_text="as the snapshot will have them")
    recipe = models.JSONField(
        default=dict, help_text="every threshold, and the documents restored when it was queued"
    )
    folder = models.CharField(max_length=64, help_text="below UPLOADS_DIR/curations")
    file_name = models.CharField(
        max_length=255, blank=True, default="", help_text="of uploaded text"
    )
    makes_snapshot = models.BooleanField(default=False, help_text="otherwise it stops at a preview")
    state = models.CharField(max_length=16, choices=State, default=State.QUEUED)
    n_documents = models.PositiveIntegerField(null=True, help_text="null until they were read once")
    n_read = models.PositiveIntegerField(default=0, help_text="by the recipe, so far")
    account = models.JSONField(
        default=dict, help_text="read, kept, changed, removed, rules, fingerprint"
    )
    n_lost = models.PositiveSmallIntegerField(
        default=0, help_text="workers that died while they ran it"
    )
    heartbeat_at = models.DateTimeField(
        null=True, help_text="a running curation without a heartbeat is claimed again"
    )
    snapshot = models.ForeignKey(
        Snapshot, on_delete=models.SET_NULL, null=True, related_name="curations"
    )
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            # Each takes two processes and up to 400 MB.
            models.UniqueConstraint(
                fields=["state"], condition=models.Q(state="running"), name="curation_runs_alone"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class RestoredDocument(models.Model):
    """A document that a recipe removes and that a person wants to keep. The next curation by this
    recipe keeps it.
    """

    recipe = models.CharField(max_length=80)
    document = models.CharField(max_length=16, help_text="its id in the ledger")
    rule = models.CharField(max_length=80)
    excerpt = models.TextField(help_text="as in the ledger, with personal data masked")
    restored_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    restored_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["recipe", "document"], name="restored_document_once")
        ]

    def __str__(self) -> str:
        return f"{self.recipe}: {self.document}"


class RuleSample(models.Model):
    """Documents that a rule removed and documents that it kept, rated by people who do not know
    which is which.
    """

    recipe = models.CharField(max_length=80)
    rule = models.CharField(max_length=80)
    campaign = models.OneToOneField(Campaign, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return f"{self.recipe}: {self.rule}"


class SampledDocument(models.Model):
    """One document of a sample, stored as a response."""

    sample = models.ForeignKey(RuleSample, on_delete=models.CASCADE, related_name="documents")
    response = models.OneToOneField(Response, on_delete=models.PROTECT, related_name="+")
    document = models.CharField(max_length=16, help_text="its id in the ledger")
    is_removed = models.BooleanField(help_text="by the rule")

    def __str__(self) -> str:
        return self.document
