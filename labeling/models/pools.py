"""Raters, the pools they work in, and invitations to these."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class People(models.Manager["Rater"]):
    """Raters who are people."""

    def get_queryset(self) -> models.QuerySet["Rater"]:
        return super().get_queryset().filter(kind=Rater.Kind.PERSON)


class Rater(models.Model):
    """Somebody or something that judges. An imported crowd worker is a rater without a user, and
    so is a judge: a model, which cannot sign in and never holds a slot.
    """

    class Kind(models.TextChoices):
        PERSON = "person"
        JUDGE = "judge"

    kind = models.CharField(
        max_length=16, choices=Kind, default=Kind.PERSON, db_default=Kind.PERSON, editable=False
    )
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="rater",
    )
    alias = models.CharField(
        _("Alias"),
        max_length=64,
        unique=True,
        help_text=_("Shown and exported instead of a name."),
    )
    origin = models.CharField(
        max_length=200, blank=True, default="", help_text=_("Where an imported rater comes from.")
    )
    accepts = models.JSONField(
        default=list, blank=True, help_text="Prompt.Upset values that this rater has agreed to see"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    withdrawn_at = models.DateTimeField(
        null=True,
        editable=False,
        help_text="asked that their judgments are no longer used for training",
    )

    everyone = models.Manager["Rater"]()
    people = People()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="person") | Q(user__isnull=True), name="rater_with_user_is_person"
            )
        ]

    def __str__(self) -> str:
        return self.alias


class Pool(models.Model):
    """A group of raters."""

    name = models.CharField(_("name"), max_length=120, unique=True)
    description = models.TextField(_("description"), blank=True, default="")
    raters = models.ManyToManyField(Rater, through="PoolMembership", related_name="pools")
    is_held_out = models.BooleanField(
        _("Evaluation only"),
        default=False,
        help_text=_("Answers from this pool are used for evaluation only, never for training."),
    )
    languages = models.JSONField(
        default=list,
        blank=True,
        help_text="codes of languages that everyone in the pool reads, such as en",
    )
    expertise = models.JSONField(
        default=list,
        blank=True,
        help_text="what everyone in the pool knows: categories, other tags",
    )
    routes_by_language = models.BooleanField(
        _("route by language"),
        default=False,
        help_text=_(
            "Items only go to raters who know their language. Items without a language go to"
            " everyone."
        ),
    )
    routes_by_category = models.BooleanField(
        _("route by category"),
        default=False,
        help_text=_("Items only go to raters who know their category. “Other” goes to everyone."),
    )
    max_per_day = models.PositiveIntegerField(
        _("items per day"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_(
            "The most items one rater gets per day, in the rater's time zone. Leave empty for no"
            " limit."
        ),
    )
    max_at_once = models.PositiveSmallIntegerField(
        _("items at once"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_(
            "The most items one rater can have open at a time, across all campaigns of the pool."
            " Leave empty for no limit."
        ),
    )
    shown_items = models.PositiveSmallIntegerField(
        _("items to earn a skill"),
        null=True,
        blank=True,
        default=20,
        validators=[MinValueValidator(5)],
        help_text=_(
            "Raters earn a skill after this many good answers in a category. Leave empty to turn"
            " this off."
        ),
    )
    shown_percent = models.PositiveSmallIntegerField(
        _("good answers needed (%)"),
        default=75,
        validators=[MinValueValidator(51), MaxValueValidator(100)],
        help_text=_(
            "Share of those items' pairs that match the gold item, the reviewer or the other"
            " raters. Ties count half."
        ),
    )
    paused_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="paused: its raters get no items"
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
        null=True, editable=False, help_text="paused: this rater gets no items in this pool"
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
        DECLARED = "declared", _("self-declared")
        TESTED = "tested", _("passed a test")
        SHOWN = "shown", _("earned by answers")

    rater = models.ForeignKey(Rater, on_delete=models.CASCADE, related_name="skills")
    axis = models.CharField(max_length=16, choices=Axis)
    code = models.CharField(
        max_length=64, help_text="a language code, a Prompt.Category, or any other tag"
    )
    basis = models.CharField(max_length=16, choices=Basis)
    at = models.DateTimeField()
    evidence = models.JSONField(
        default=dict,
        help_text="see labeling.people.skills.selectors; empty if a person set it",
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
