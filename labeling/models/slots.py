"""Slots: the judgments an item needs, who holds which, and how far each rater has come."""

import uuid
from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from labeling.models.campaigns import Campaign, Item
from labeling.models.guidelines import GuidelineVersion
from labeling.models.pools import Rater


class Slot(models.Model):
    """One of the judgments an item needs. Overlap cannot be exceeded, because every judgment that
    counts towards it takes a slot.
    """

    class State(models.TextChoices):
        FREE = "free", _("free")
        LEASED = "leased", _("leased")
        SUBMITTED = "submitted", _("submitted")

    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="slots")
    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="slots")
    number = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=16, choices=State, default=State.FREE)
    rater = models.ForeignKey(Rater, on_delete=models.PROTECT, null=True, related_name="slots")
    lease = models.UUIDField(
        null=True,
        unique=True,
        default=None,
        help_text="names the lease in URLs; a new one each time",
    )
    leased_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    seed = models.BigIntegerField(
        null=True, help_text="shuffles the responses; fixed when the slot is leased"
    )
    guideline_version = models.ForeignKey(
        GuidelineVersion,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        help_text="what the rater was shown; fixed when the slot is leased",
    )
    queue_rank = models.BigIntegerField(
        help_text="order in which free slots are given out, low first; set by the queue"
    )
    reserved_for = models.ForeignKey(
        Rater,
        on_delete=models.CASCADE,
        null=True,
        related_name="+",
        help_text="a repeat is for the rater who judged the original",
    )
    reserved_at = models.DateTimeField(
        null=True, help_text="when the original was judged; other items come in between"
    )
    is_gold = models.BooleanField(
        default=False,
        help_text="created on demand for one rater: never free, not part of the overlap",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["item", "number"], name="slot_number_once"),
            # Nobody judges an item twice; a repeat is an item of its own.
            models.UniqueConstraint(
                fields=["item", "rater"], condition=Q(rater__isnull=False), name="slot_rater_once"
            ),
            # A rater holds one item per campaign at a time.
            models.UniqueConstraint(
                fields=["campaign", "rater"], condition=Q(state="leased"), name="slot_one_lease"
            ),
            models.CheckConstraint(
                condition=Q(state="free", rater__isnull=True)
                | ~Q(state="free") & Q(rater__isnull=False),
                name="slot_free_has_no_rater",
            ),
        ]
        indexes = [
            # A claim reads this index in order. It holds free slots only, so it shrinks as work is
            # done.
            models.Index(
                fields=["campaign", "queue_rank"],
                condition=Q(state="free", reserved_for__isnull=True),
                name="slot_free_queue",
            ),
            # Repeats, which only their own rater may claim, oldest first.
            models.Index(
                fields=["campaign", "reserved_for", "reserved_at"],
                condition=Q(state="free", reserved_for__isnull=False),
                name="slot_reserved",
            ),
            models.Index(
                fields=["campaign", "expires_at"],
                condition=Q(state="leased"),
                name="slot_lease_expiry",
            ),
            models.Index(fields=["rater", "state"], name="slot_rater_state"),
        ]

    def __str__(self) -> str:
        return f"slot {self.number} of item {self.item_id}"

    def lease_to(
        self,
        *,
        campaign: Campaign,
        rater: Rater,
        seed: int,
        lease: uuid.UUID | None = None,
        now: datetime,
    ) -> None:
        """Fill in what a new lease says. Saves nothing."""
        self.state, self.rater = self.State.LEASED, rater
        self.lease, self.leased_at = lease or uuid.uuid4(), now
        self.expires_at = now + timedelta(minutes=campaign.lease_minutes)
        self.guideline_version_id = campaign.guideline_version_id
        self.seed = seed


class PastLease(models.Model):
    """A lease that ended without a judgment. It stays so that a late submit still finds its item
    and the order of the responses.
    """

    class End(models.TextChoices):
        LAPSED = "lapsed", _("expired and taken by another rater")
        RELEASED = "released", _("released")
        SKIPPED = "skipped", _("skipped")

    lease = models.UUIDField(primary_key=True)
    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="past_leases")
    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="past_leases")
    rater = models.ForeignKey(Rater, on_delete=models.PROTECT, related_name="past_leases")
    guideline_version = models.ForeignKey(
        GuidelineVersion, on_delete=models.PROTECT, null=True, related_name="+"
    )
    seed = models.BigIntegerField(null=True)
    leased_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(default=timezone.now)
    end = models.CharField(max_length=16, choices=End)
    active_s = models.FloatField(
        null=True, help_text="for skipped items, as Judgment.active_s: paid if hours are paid"
    )

    class Meta:
        indexes = [
            # Timesheets add up skipped work by rater and day.
            models.Index(
                fields=["rater", "ended_at"], condition=Q(end="skipped"), name="past_lease_skipped"
            )
        ]

    def __str__(self) -> str:
        return f"past lease of {self.rater} on item {self.item_id}"


class QueuePlace(models.Model):
    """A rater's position in a campaign's queue, so that a claim never scans items they have already
    done. Maintained by labeling.queue.claiming.order.
    """

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="places")
    rater = models.ForeignKey(Rater, on_delete=models.CASCADE, related_name="places")
    seed = models.BigIntegerField(
        help_text="the rater's shuffle in this campaign: an item returns in the order first shown"
    )
    fresh_rank = models.BigIntegerField(
        help_text="the rater can take no slot of the first round up to this rank"
    )
    returned_rank = models.BigIntegerField(help_text="the same for slots that were given back")
    swept_at = models.DateTimeField(
        null=True, help_text="when a search of the whole queue last found nothing"
    )
    n_claims = models.PositiveIntegerField(
        default=0, help_text="items given so far; counted if gold items are mixed in"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign", "rater"], name="queue_place_once")
        ]

    def __str__(self) -> str:
        return f"place of {self.rater} in {self.campaign}"


class Pass(models.Model):
    """A rater skipped an item, with the reason. The item is never offered to them again."""

    class Reason(models.TextChoices):
        NOT_MY_FIELD = "not_my_field", _("Outside my expertise")
        PROMPT_UNCLEAR = "prompt_unclear", _("The prompt is unclear")
        OFFENSIVE = "offensive", _("Offensive content or personal data")
        TECHNICAL = "technical", _("Technical problem")

    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="passes")
    rater = models.ForeignKey(Rater, on_delete=models.PROTECT, related_name="passes")
    reason = models.CharField(max_length=32, choices=Reason)
    note = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["item", "rater"], name="pass_once")]

    def __str__(self) -> str:
        return f"{self.rater} passed item {self.item_id}"
