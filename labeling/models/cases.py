"""Cases: items that raters skipped, until somebody decides."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from labeling.models.campaigns import Item


class Case(models.Model):
    """A problem with an item: raters skipped it, each with a Pass. At most one open case per item
    and queue.
    """

    class Queue(models.TextChoices):
        REPAIR = "repair", _("prompt repair")
        SAFETY = "safety", _("safety")
        TECHNICAL = "technical", _("technical")

    class Outcome(models.TextChoices):
        EDITED = "edited", _("prompt edited; item reopened")
        RETIRED = "retired", _("prompt retired")
        KEPT = "kept", _("nothing wrong; returned to raters")
        FIXED = "fixed", _("fixed and returned to raters")

    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="cases")
    queue = models.CharField(max_length=16, choices=Queue)
    opened_at = models.DateTimeField()
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    settled_at = models.DateTimeField(null=True)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    outcome = models.CharField(max_length=16, choices=Outcome, blank=True, default="")
    note = models.TextField(blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["item", "queue"],
                condition=Q(settled_at__isnull=True),
                name="case_open_once",
            ),
            models.CheckConstraint(
                condition=Q(settled_at__isnull=True, outcome="")
                | Q(settled_at__isnull=False) & ~Q(outcome=""),
                name="case_settled_has_outcome",
            ),
        ]
        indexes = [
            models.Index(
                fields=["queue", "opened_at"],
                condition=Q(settled_at__isnull=True),
                name="case_waiting",
            ),
            models.Index(fields=["queue", "settled_at"], name="case_settled"),
        ]

    def __str__(self) -> str:
        return f"{self.queue} of item {self.item_id}"
