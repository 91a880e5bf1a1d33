"""What runs leave behind."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from labeling.models import Source


class TrainedModel(models.Model):
    """Whole weights in a folder, with where they came from. A base model has no run."""

    class Kind(models.TextChoices):
        POLICY = "policy", _("language model")
        REWARD = "reward", _("reward model")

    name = models.CharField(_("name"), max_length=200, unique=True)
    kind = models.CharField(_("kind"), max_length=16, choices=Kind)
    location = models.CharField(_("location"), max_length=1024, help_text=_("A folder on the GPU nodes, or a hub name."))
    licence = models.CharField(_("licence"), max_length=64, blank=True, default="")
    notes = models.TextField(_("notes"), blank=True, default="")
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="children")
    run = models.OneToOneField("training.Run", on_delete=models.PROTECT, null=True, blank=True, related_name="trained_model")
    source = models.OneToOneField(Source, on_delete=models.PROTECT, null=True, blank=True, related_name="trained_model")
    metrics = models.JSONField(default=dict)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return self.name
