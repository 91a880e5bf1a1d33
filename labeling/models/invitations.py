"""Invitations to a pool: a link that works once."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from labeling.models.pools import Pool, Rater


class Invitation(models.Model):
    """An e-mail address invited to a pool. Only a hash of the link is stored; sending it again
    creates a new link.
    """

    pool = models.ForeignKey(Pool, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField(_("e-mail"))
    name = models.CharField(_("name"), max_length=150, blank=True, default="")
    secret_sha256 = models.CharField(max_length=64, unique=True)
    n_sent = models.PositiveSmallIntegerField(default=1)
    sent_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(help_text="when the current link was created")
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    rater = models.ForeignKey(
        Rater,
        on_delete=models.PROTECT,
        null=True,
        related_name="invitations",
        help_text="who accepted",
    )

    class Meta:
        constraints = [
            # One open invitation per address; accepted and revoked ones do not count.
            models.UniqueConstraint(
                fields=["pool", "email"],
                condition=models.Q(accepted_at__isnull=True, revoked_at__isnull=True),
                name="invitation_waits_once",
            )
        ]
        indexes = [models.Index(fields=["pool", "created_at"], name="invitation_pool_time")]

    def __str__(self) -> str:
        return f"{self.email} into {self.pool}"
