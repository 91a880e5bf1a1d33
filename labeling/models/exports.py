"""Exports of judgments, and downloads of data sets from a hub."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from labeling.models.campaigns import Campaign
from labeling.models.prompts import Import


class Export(models.Model):
    """A ZIP archive of judgments with a data set card, written by a worker. The row stays when the
    file is deleted.
    """

    class State(models.TextChoices):
        QUEUED = "queued", _("pending")
        RUNNING = "running", _("running")
        DONE = "done", _("ready")
        FAILED = "failed", _("failed")

    campaign = models.ForeignKey(
        Campaign, on_delete=models.CASCADE, null=True, related_name="exports", help_text="null: all"
    )
    shape = models.CharField(max_length=32, help_text="a key of labeling.data.exports.shapes")
    style = models.CharField(max_length=16, help_text="conversational or standard")
    file_format = models.CharField(max_length=8, help_text="jsonl, json or parquet")
    options = models.JSONField(
        default=dict, help_text="includes_extra, includes_repeats, includes_imports, licences"
    )
    state = models.CharField(max_length=16, choices=State, default=State.QUEUED)
    attempt = models.PositiveSmallIntegerField(
        default=0, help_text="increased by each claim; writes name their attempt"
    )
    n_rows = models.PositiveIntegerField(default=0)
    left_out = models.JSONField(default=dict, help_text="reason → how many")
    card = models.TextField(blank=True, default="", help_text="Markdown: README.md of the archive")
    file_name = models.CharField(
        max_length=64, blank=True, default="", help_text="below EXPORTS_DIR; empty: no file"
    )
    n_bytes = models.BigIntegerField(default=0)
    error = models.TextField(blank=True, default="")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    heartbeat_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"export {self.pk}"


class HubDownload(models.Model):
    """A data set that a worker gets from a hub, or from the local cache, to be imported."""

    class State(models.TextChoices):
        QUEUED = "queued", _("pending")
        RUNNING = "running", _("running")
        DONE = "done", _("ready")
        FAILED = "failed", _("failed")

    repository = models.CharField(max_length=200, help_text="owner/name, or an old short name")
    config = models.CharField(max_length=200, blank=True, default="")
    split = models.CharField(max_length=200, blank=True, default="")
    revision = models.CharField(max_length=200, blank=True, default="")
    options = models.JSONField(
        default=dict, help_text="arguments of the import that follows; empty: a person continues"
    )
    state = models.CharField(max_length=16, choices=State, default=State.QUEUED)
    attempt = models.PositiveSmallIntegerField(
        default=0, help_text="increased by each claim; writes name their attempt"
    )
    bytes_total = models.BigIntegerField(default=0)
    bytes_read = models.BigIntegerField(default=0)
    licence = models.CharField(
        max_length=64, blank=True, default="", help_text="as the data set's card says"
    )
    is_cached = models.BooleanField(default=False, help_text="it came from the local cache")
    file_name = models.CharField(
        max_length=64, blank=True, default="", help_text="below the uploads of imports"
    )
    import_batch = models.OneToOneField(
        Import, on_delete=models.SET_NULL, null=True, related_name="hub_download"
    )
    error = models.TextField(blank=True, default="")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    heartbeat_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.repository
