"""Pay: rates, payments and disputes. Amounts are in a currency's minor units."""

from decimal import Decimal

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from labeling.models.pools import Pool, Rater


class Rate(models.Model):
    """What a pool pays for one kind of work from a given time. Immutable: a new rate replaces
    it.
    """

    class Kind(models.TextChoices):
        DEMONSTRATION = "demonstration", _("demonstrations")
        COMPARISON = "comparison", _("comparisons")
        ONBOARDING = "onboarding", _("onboarding")

    class Basis(models.TextChoices):
        HOUR = "hour", _("per hour")
        ITEM = "item", _("per item")

    pool = models.ForeignKey(Pool, on_delete=models.CASCADE, related_name="rates")
    kind = models.CharField(_("work"), max_length=16, choices=Kind)
    basis = models.CharField(_("rate type"), max_length=8, choices=Basis)
    amount = models.DecimalField(
        max_digits=14,
        decimal_places=4,
        validators=[MinValueValidator(Decimal(0))],
        help_text="minor units of the currency",
    )
    currency = models.CharField(_("currency"), max_length=3, help_text="ISO 4217")
    floor = models.DecimalField(
        max_digits=14,
        decimal_places=4,
        null=True,
        help_text="minor units an hour below which the pay is flagged; null for none",
    )
    valid_from = models.DateTimeField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["pool", "kind", "valid_from"], name="rate_from_once")
        ]

    def __str__(self) -> str:
        return f"{self.amount} {self.currency} {self.basis}"


class Payment(models.Model):
    """Paid days of one rater, with the timesheet's lines at that time: a payment never changes
    afterwards.
    """

    rater = models.ForeignKey(Rater, on_delete=models.PROTECT, related_name="payments")
    since = models.DateField()
    until = models.DateField(help_text="the last day that it covers")
    totals = models.JSONField(help_text="currency → amount in minor units, as text")
    lines = models.JSONField(help_text="the timesheet's lines as paid")
    note = models.CharField(_("note"), max_length=200, blank=True, default="")
    paid_at = models.DateTimeField()
    paid_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(since__lte=F("until")), name="payment_days_in_order")
        ]
        indexes = [models.Index(fields=["rater", "since"], name="payment_rater_day")]

    def __str__(self) -> str:
        return f"{self.rater} {self.since} to {self.until}"


class PayDispute(models.Model):
    """A rater's objection to their timesheet and an admin's answer, perhaps with a correction of
    the pay.
    """

    rater = models.ForeignKey(Rater, on_delete=models.PROTECT, related_name="disputes")
    since = models.DateField()
    until = models.DateField()
    text = models.TextField()
    raised_at = models.DateTimeField()
    answer = models.TextField(blank=True, default="")
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    answered_at = models.DateTimeField(null=True)
    correction = models.DecimalField(
        max_digits=14,
        decimal_places=4,
        null=True,
        help_text="minor units, paid on the day of the answer; null for none",
    )
    currency = models.CharField(max_length=3, blank=True, default="")

    class Meta:
        indexes = [
            models.Index(fields=["rater", "raised_at"], name="dispute_rater_time"),
            models.Index(
                fields=["raised_at"],
                condition=Q(answered_at__isnull=True),
                name="dispute_unanswered",
            ),
        ]

    def __str__(self) -> str:
        return self.text[:80]
