"""Raters and the pools they work in."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Rater(models.Model):
    """Somebody who judges. An imported crowd worker is a rater without a user."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="rater",
    )
    alias = models.CharField(
        _("alias"),
        max_length=64,
        unique=True,
        help_text=_("Shown and exported in place of a name."),
    )
    origin = models.CharField(
        max_length=200, blank=True, default="", help_text=_("Where an imported rater came from.")
    )
    accepts = models.JSONField(
        default=list, blank=True, help_text="Prompt.Upset values that this rater has agreed to see"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    withdrawn_at = models.DateTimeField(
        null=True, editable=False, help_text="asked that their judgments train nothing more"
    )

    def __str__(self) -> str:
        return self.alias


class Pool(models.Model):
    """A group of raters."""

    name = models.CharField(_("name"), max_length=120, unique=True)
    description = models.TextField(_("description"), blank=True, default="")
    raters = models.ManyToManyField(Rater, through="PoolMembership", related_name="pools")
    is_held_out = models.BooleanField(
        _("held out"),
        default=False,
        help_text=_("Judgments of this pool evaluate and never train."),
    )
    languages = models.JSONField(
        default=list, blank=True, help_text="codes that everybody in the pool reads, such as en"
    )
    expertise = models.JSONField(
        default=list,
        blank=True,
        help_text="what everybody in the pool knows: categories, other tags",
    )
    routes_by_language = models.BooleanField(
        _("route by language"),
        default=False,
        help_text=_(
            "An item goes only to raters who know its language. An item without a language goes to"
            " anybody."
        ),
    )
    routes_by_category = models.BooleanField(
        _("route by category"),
        default=False,
        help_text=_("An item goes only to raters who know its category. “Other” goes to anybody."),
    )
    max_per_day = models.PositiveIntegerField(
        _("items a day"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("The most that one rater is given in a day of theirs. Empty for no limit."),
    )
    max_at_once = models.PositiveSmallIntegerField(
        _("items at a time"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_(
            "The most that one rater holds at the same time, over all campaigns of the pool. Empty"
            " for no limit."
        ),
    )
    shown_items = models.PositiveSmallIntegerField(
        _("items that show a topic"),
        null=True,
        blank=True,
        default=20,
        validators=[MinValueValidator(5)],
        help_text=_(
            "Who has judged so many items of a category well enough knows it from then on. Empty:"
            " never by itself."
        ),
    )
    shown_percent = models.PositiveSmallIntegerField(
        _("well enough, in %"),
        default=75,
        validators=[MinValueValidator(51), MaxValueValidator(100)],
        help_text=_(
            "Of those items' pairs, put as the gold, the reviewer, or the other raters have them;"
            " ties as half."
        ),
    )
    paused_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="hands out nothing for now"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return self.name


class PoolMembership(models.Model):
    """A rater's membership of a pool; ended rather than deleted."""

    pool = models.ForeignKey(Pool, on_delete=models.CASCADE, related_name="memberships")
    rater = models.ForeignKey(Rater, on_delete=models.CASCADE, related_name="memberships")
    is_active = models.BooleanField(default=True)
    paused_at = models.DateTimeField(
        null=True, editable=False, help_text="this rater is given nothing here for now"
    )
    joined_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["pool", "rater"], name="membership_once")]

    def __str__(self) -> str:
        return f"{self.rater} in {self.pool}"


class SkillsInForce(models.Manager["RaterSkill"]):
    """Skills that have not been revoked."""

    def get_queryset(self) -> models.QuerySet["RaterSkill"]:
        return super().get_queryset().filter(revoked_at=None)


class RaterSkill(models.Model):
    """A language or topic that a rater knows, and the evidence for it. Routing only checks that a
    row exists.

    `objects` (and `rater.skills`) contains the skills in force; `ever` also those an admin revoked,
    which are never granted again automatically.
    """

    class Axis(models.TextChoices):
        LANGUAGE = "language", _("language")
        TOPIC = "topic", _("topic")

    class Basis(models.TextChoices):
        DECLARED = "declared", _("says so")
        TESTED = "tested", _("was tested")
        SHOWN = "shown", _("has shown it")

    rater = models.ForeignKey(Rater, on_delete=models.CASCADE, related_name="skills")
    axis = models.CharField(max_length=16, choices=Axis)
    code = models.CharField(
        max_length=64, help_text="a language's code, a Prompt.Category, or a tag of one's own"
    )
    basis = models.CharField(max_length=16, choices=Basis)
    at = models.DateTimeField()
    evidence = models.JSONField(
        default=dict,
        help_text="what showed it (labeling.people.skills.selectors); empty when a person said so",
    )
    revoked_at = models.DateTimeField(null=True)

    objects = SkillsInForce()
    ever = models.Manager["RaterSkill"]()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["rater", "axis", "code", "basis"], name="rater_skill_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.rater} {self.basis} {self.code}"
