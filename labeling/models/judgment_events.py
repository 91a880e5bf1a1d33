"""What happened to judgments after they were given, for consumers who have read them."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from labeling.models.judgments import Judgment


class JudgmentEvent(models.Model):
    """A judgment stopped counting, or counts again. Written by labeling.queue.judgment_events."""

    class Kind(models.TextChoices):
        WITHDRAWN = "withdrawn", _("withdrawn")
        SET_ASIDE = "set_aside", _("set aside")
        RESTORED = "restored", _("counts again")

    judgment = models.ForeignKey(Judgment, on_delete=models.CASCADE, related_name="events")
    kind = models.CharField(max_length=16, choices=Kind)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.kind} {self.judgment_id}"
