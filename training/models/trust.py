"""Trust in AI judges: the pairs that they are checked on, what is wanted, and what was found."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from labeling.models import Item
from training.models.judges import JudgeVersion
from training.models.only_added import OnlyAdded


class CalibrationPair(OnlyAdded):
    """A pair on which a judge is compared with people: drawn at random when the judge is started,
    before it says anything. Looks take them in the order of `place`.
    """

    version = models.ForeignKey(
        JudgeVersion, on_delete=models.PROTECT, related_name="calibration_pairs"
    )
    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="calibration_pairs")
    place = models.PositiveIntegerField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta(OnlyAdded.Meta):
        constraints = [
            models.UniqueConstraint(fields=["version", "item"], name="calibration_pair_once"),
            models.UniqueConstraint(fields=["version", "place"], name="calibration_place_once"),
        ]

    def __str__(self) -> str:
        return f"calibration pair {self.place} of {self.version}"


class TrustRule(models.Model):
    """What a judge must come to before its verdicts stand. Without a row, or off, none does. After
    the first look, only `is_on` and `spares_people` change.
    """

    class Split(models.TextChoices):
        NONE = "none", _("all pairs together")
        CATEGORY = "category", _("by the prompt's category")
        LANGUAGE = "language", _("by the prompt's language")
        LENGTH = "length", _("by the length of the longer response")

    version = models.OneToOneField(
        JudgeVersion, on_delete=models.PROTECT, related_name="trust_rule"
    )
    split = models.CharField(max_length=16, choices=Split, default=Split.NONE)
    slices = models.JSONField(help_text="those with enough calibration pairs for a look")
    target = models.FloatField(help_text="how often people must agree with a verdict that stands")
    is_of_raters = models.BooleanField(
        default=False, help_text="the target is how often two raters agreed when this was set"
    )
    error = models.FloatField(
        help_text="how often the judge may be trusted wrongly, over all slices and looks"
    )
    is_on = models.BooleanField(default=True)
    spares_people = models.BooleanField(
        default=False, db_default=False, help_text="raters get no pair whose verdict stands"
    )
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(target__gt=0.5, target__lt=1), name="trust_rule_target"
            ),
            models.CheckConstraint(
                condition=models.Q(error__gt=0, error__lt=1), name="trust_rule_error"
            ),
        ]

    def __str__(self) -> str:
        return f"trust in {self.version}"


class TrustLook(OnlyAdded):
    """What one look at the calibration pairs of a slice came to; or, with the outcome `revoked`,
    that audits took the trust of all earlier looks back.
    """

    class Outcome(models.TextChoices):
        GRANTED = "granted", _("trusted")
        NOT_YET = "not_yet", _("not yet")
        REVOKED = "revoked", _("taken back")

    version = models.ForeignKey(JudgeVersion, on_delete=models.PROTECT, related_name="trust_looks")
    slice = models.CharField(max_length=64, help_text="a value of the rule's split; all: empty")
    number = models.PositiveSmallIntegerField(help_text="1 to 4; 0 when trust is taken back")
    outcome = models.CharField(max_length=16, choices=Outcome)
    n_pairs = models.PositiveIntegerField(help_text="calibration pairs, or audits")
    target = models.FloatField()
    error = models.FloatField(help_text="how often this look may be wrong")
    threshold = models.FloatField(
        null=True, help_text="verdicts stand from this confidence on; 0 for all of them"
    )
    n = models.PositiveIntegerField(help_text="pairs from the threshold on, or audits")
    n_agreed = models.PositiveIntegerField()
    bound = models.FloatField(
        null=True, help_text="lower bound of the agreement, at the level that was tested"
    )
    evidence = models.FloatField(
        null=True, help_text="of audits: what 1 has grown to by betting against the target"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta(OnlyAdded.Meta):
        constraints = [
            models.UniqueConstraint(fields=["version", "slice", "number"], name="trust_look_once"),
            models.CheckConstraint(
                condition=models.Q(outcome="granted", threshold__isnull=False)
                | ~models.Q(outcome="granted") & models.Q(threshold=None),
                name="trust_look_threshold",
            ),
            models.CheckConstraint(
                condition=models.Q(outcome="revoked", number=0)
                | ~models.Q(outcome="revoked") & models.Q(number__gte=1, number__lte=4),
                name="trust_look_number",
            ),
        ]

    def __str__(self) -> str:
        return f"look {self.number} at {self.version}"
