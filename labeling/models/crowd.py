"""Work for an external crowd: a link that a platform sends its workers to, and each worker's
visit.
"""

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from labeling.models.campaigns import Campaign
from labeling.models.pools import Rater


class CrowdLink(models.Model):
    """A link for workers of a platform such as Prolific, with the completion code that shows the
    platform they finished.
    """

    campaign = models.ForeignKey(
        Campaign, verbose_name=_("Campaign"), on_delete=models.CASCADE, related_name="crowd_links"
    )
    name = models.CharField(_("name"), max_length=120)
    token = models.CharField(max_length=64, unique=True)
    id_parameter = models.CharField(
        _("URL parameter for the worker ID"),
        max_length=64,
        default="PROLIFIC_PID",
        help_text=_("The platform adds it to the URL: ?PROLIFIC_PID=…"),
    )
    completion_code = models.CharField(_("completion code"), max_length=64)
    return_url = models.URLField(
        _("return URL"),
        max_length=500,
        blank=True,
        default="",
        help_text=_("The platform's page that accepts the completion code."),
    )
    n_items = models.PositiveSmallIntegerField(
        _("items per visit"),
        default=10,
        validators=[MinValueValidator(1)],
        help_text=_("The completion code is shown after this many items."),
    )
    n_places = models.PositiveIntegerField(
        _("places"),
        default=20,
        validators=[MinValueValidator(1)],
        help_text=_("Counts visits in progress and completed. Other visits free their place."),
    )
    max_minutes = models.PositiveIntegerField(
        _("time limit (minutes)"),
        default=60,
        validators=[MinValueValidator(1)],
        help_text=_("A visit ends after this time."),
    )
    is_open = models.BooleanField(default=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class CrowdVisit(models.Model):
    """One worker's visit. The platform's worker id stays in this table: pages and exports show only
    the alias.
    """

    class State(models.TextChoices):
        WORKING = "working", _("active")
        COMPLETE = "complete", _("completed")
        RETURNED = "returned", _("returned")
        TIMED_OUT = "timed_out", _("timed out")
        SCREENED_OUT = "screened_out", _("screened out")

    link = models.ForeignKey(CrowdLink, on_delete=models.CASCADE, related_name="visits")
    external_id = models.CharField(max_length=200)
    rater = models.ForeignKey(Rater, on_delete=models.PROTECT, related_name="crowd_visits")
    state = models.CharField(max_length=16, choices=State, default=State.WORKING)
    started_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    code = models.CharField(
        max_length=64, blank=True, default="", help_text="the completion code the worker was shown"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["link", "external_id"], name="crowd_visit_once")
        ]
        indexes = [
            models.Index(
                fields=["expires_at"], condition=Q(state="working"), name="crowd_visit_at_work"
            )
        ]

    def __str__(self) -> str:
        return f"{self.rater} through {self.link}"
