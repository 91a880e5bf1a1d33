"""Work for an external crowd: a link that a platform sends its workers to, and each worker's visit.
For Prolific also the study behind a link, its submissions, and bonuses: amounts are in the minor
units of the study's currency, and what Prolific says is stored as it says it.
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
        max_length=64,
        blank=True,
        default="",
        db_default="",
        help_text="the completion code the worker was shown",
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


class ProlificStudy(models.Model):
    """A study on Prolific that sends its participants to a crowd link."""

    class Status(models.TextChoices):
        UNPUBLISHED = "UNPUBLISHED", _("draft")
        SCHEDULED = "SCHEDULED", _("scheduled")
        PUBLISHING = "PUBLISHING", _("being published")
        ACTIVE = "ACTIVE", _("active")
        PAUSED = "PAUSED", _("paused")
        AWAITING_REVIEW = "AWAITING REVIEW", _("awaiting review")
        COMPLETED = "COMPLETED", _("completed")

    link = models.OneToOneField(CrowdLink, on_delete=models.CASCADE, related_name="prolific_study")
    prolific_id = models.CharField(max_length=64, unique=True)
    project_id = models.CharField(_("Project ID"), max_length=64, blank=True, default="")
    description = models.TextField(_("Description"))
    eligibility = models.TextField(_("Who can take part"), blank=True, default="")
    filter_set_id = models.CharField(_("Filter set ID"), max_length=64, blank=True, default="")
    reward = models.PositiveIntegerField(_("Reward"))
    minutes = models.PositiveSmallIntegerField(_("Estimated minutes"))
    n_places = models.PositiveIntegerField(_("Places"))
    screen_out_reward = models.PositiveIntegerField(_("Screen-out reward"), null=True)
    screen_out_places = models.PositiveIntegerField(_("Screen-out places"), null=True)
    screen_out_code = models.CharField(max_length=32)
    no_work_code = models.CharField(max_length=32)
    currency = models.CharField(max_length=3, blank=True, default="", help_text="ISO 4217")
    status = models.CharField(
        _("Status"), max_length=32, choices=Status, default=Status.UNPUBLISHED
    )
    polled_at = models.DateTimeField(null=True, help_text="when Prolific last answered")
    poll_due_at = models.DateTimeField()
    n_failures = models.PositiveSmallIntegerField(default=0, help_text="polls in a row that failed")
    problem = models.TextField(blank=True, default="", help_text="of the last poll, as a sentence")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["poll_due_at"], name="prolific_poll_due")]

    def __str__(self) -> str:
        return self.link.name


class ProlificSubmission(models.Model):
    """A participant's submission to a study. Without a visit, they never opened the link."""

    class Status(models.TextChoices):
        RESERVED = "RESERVED", _("reserved")
        ACTIVE = "ACTIVE", _("active")
        TIMED_OUT = "TIMED-OUT", _("timed out")
        AWAITING_REVIEW = "AWAITING REVIEW", _("awaiting review")
        APPROVED = "APPROVED", _("approved")
        RETURNED = "RETURNED", _("returned")
        REJECTED = "REJECTED", _("rejected")
        SCREENED_OUT = "SCREENED OUT", _("screened out")
        PROCESSING = "PROCESSING", _("being processed")

    study = models.ForeignKey(ProlificStudy, on_delete=models.CASCADE, related_name="submissions")
    prolific_id = models.CharField(max_length=64, unique=True)
    participant_id = models.CharField(max_length=200)
    visit = models.ForeignKey(
        CrowdVisit, on_delete=models.CASCADE, null=True, related_name="prolific_submissions"
    )
    status = models.CharField(_("Status"), max_length=32, choices=Status)
    code = models.CharField(max_length=64, blank=True, default="", help_text="as entered there")
    started_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)
    return_asked_at = models.DateTimeField(null=True)
    bonus_seen = models.PositiveIntegerField(
        default=0, help_text="the bonuses that Prolific listed when it was last asked, added up"
    )

    class Meta:
        indexes = [
            models.Index(fields=["study", "participant_id"], name="prolific_study_participant")
        ]

    def __str__(self) -> str:
        return str(self.visit.rater) if self.visit else self.prolific_id


class ProlificBonusBatch(models.Model):
    """Bonuses that are paid in one request. Prolific pays again each time it is asked, so a request
    without an answer is looked up before it is sent again.
    """

    class State(models.TextChoices):
        READY = "ready", _("prepared")
        QUEUED = "queued", _("in queue")
        SENDING = "sending", _("being sent")
        SENT = "sent", _("accepted by Prolific")
        PAID = "paid", _("paid")
        UNCONFIRMED = "unconfirmed", _("unconfirmed")
        NOT_FOUND = "not_found", _("not paid")
        REFUSED = "refused", _("refused")
        DISCARDED = "discarded", _("discarded")

    study = models.ForeignKey(ProlificStudy, on_delete=models.CASCADE, related_name="bonuses")
    prolific_id = models.CharField(max_length=64)
    state = models.CharField(max_length=16, choices=State, default=State.READY)
    amount = models.PositiveIntegerField(help_text="for the participants")
    total = models.PositiveIntegerField(help_text="with fees and VAT, as Prolific says")
    problem = models.TextField(blank=True, default="")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField()
    send_due_at = models.DateTimeField(null=True, help_text="when a queued batch is sent")
    sent_at = models.DateTimeField(null=True, help_text="when a worker began to send it")
    looked_up_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["study"],
                condition=Q(state__in=["ready", "queued", "sending", "unconfirmed", "not_found"]),
                name="prolific_one_open_bonus",
            )
        ]
        indexes = [
            models.Index(
                fields=["state"],
                condition=Q(state__in=["queued", "sending", "sent", "unconfirmed"]),
                name="prolific_bonus_unsettled",
            )
        ]

    def __str__(self) -> str:
        return str(self.study)


class ProlificBonus(models.Model):
    """One participant's bonus. `n_before` bonuses of the same amount had been paid to them when
    this one was sent: one more means that it was paid.
    """

    batch = models.ForeignKey(ProlificBonusBatch, on_delete=models.CASCADE, related_name="lines")
    submission = models.ForeignKey(
        ProlificSubmission, on_delete=models.CASCADE, related_name="bonuses"
    )
    amount = models.PositiveIntegerField()
    n_before = models.PositiveSmallIntegerField(null=True)
    is_paid = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["batch", "submission"], name="prolific_bonus_once")
        ]

    def __str__(self) -> str:
        return f"{self.amount} to {self.submission}"
