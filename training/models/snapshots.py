"""Snapshots: frozen datasets, the only thing that runs train on."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from labeling.models import Judgment, Prompt


class Snapshot(models.Model):
    """A folder of JSONL files and a card. It never changes once created, as its
    fingerprint proves.
    """

    class Kind(models.TextChoices):
        DEMONSTRATIONS = "demonstrations", _("demonstrations")
        COMPARISONS = "comparisons", _("comparisons")
        UNPAIRED = "unpaired", _("good and bad responses")
        PROMPTS = "prompts", _("prompts")
        TEXT = "text", _("text")
        SUITES = "suites", _("suites")

    name = models.CharField(_("name"), max_length=200)
    kind = models.CharField(_("Kind"), max_length=16, choices=Kind)
    filters = models.JSONField(default=dict)
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 over the files' hashes")
    card = models.JSONField(default=dict, help_text="counts, sources, licences, splits, filters")
    folder = models.CharField(max_length=1024, help_text="below SNAPSHOTS_DIR")
    n_rows = models.PositiveIntegerField()
    judgments = models.ManyToManyField(
        Judgment, through="SnapshotJudgment", related_name="snapshots"
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return self.name


class SnapshotJudgment(models.Model):
    """Records that a judgment is in a snapshot, so that a withdrawal finds every model
    it affects.
    """

    snapshot = models.ForeignKey(Snapshot, on_delete=models.CASCADE, related_name="memberships")
    judgment = models.ForeignKey(Judgment, on_delete=models.PROTECT, related_name="memberships")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["snapshot", "judgment"], name="snapshot_judgment_once")
        ]

    def __str__(self) -> str:
        return f"judgment {self.judgment_id} in snapshot {self.snapshot_id}"


class SnapshotPrompt(models.Model):
    """Records that a prompt is in a snapshot of prompts, so that chains draw those used least."""

    snapshot = models.ForeignKey(Snapshot, on_delete=models.CASCADE, related_name="drawn")
    prompt = models.ForeignKey(Prompt, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["snapshot", "prompt"], name="snapshot_prompt_once")
        ]

    def __str__(self) -> str:
        return f"prompt {self.prompt_id} in snapshot {self.snapshot_id}"
