"""Raters and the pools they work in."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Rater(models.Model):
    """Somebody who judges. An imported crowd worker is a rater without a user."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="rater")
    alias = models.CharField(_("alias"), max_length=64, unique=True, help_text=_("Shown and exported in place of a name."))
    origin = models.CharField(max_length=200, blank=True, default="", help_text=_("Where an imported rater came from."))
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    withdrawn_at = models.DateTimeField(null=True, editable=False, help_text="asked that their judgments train nothing more")

    def __str__(self) -> str:
        return self.alias


class Pool(models.Model):
    """A group of raters."""

    name = models.CharField(_("name"), max_length=120, unique=True)
    description = models.TextField(_("description"), blank=True, default="")
    raters = models.ManyToManyField(Rater, through="PoolMembership", related_name="pools")
    is_held_out = models.BooleanField(
        _("held out"), default=False, help_text=_("Judgments of this pool evaluate and never train.")
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return self.name


class PoolMembership(models.Model):
    """A rater in a pool; left rather than deleted."""

    pool = models.ForeignKey(Pool, on_delete=models.CASCADE, related_name="memberships")
    rater = models.ForeignKey(Rater, on_delete=models.CASCADE, related_name="memberships")
    is_active = models.BooleanField(default=True)
    joined_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["pool", "rater"], name="membership_once")]

    def __str__(self) -> str:
        return f"{self.rater} in {self.pool}"
