"""Guidelines: the instructions raters work by, in versions, and who has read which."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from labeling.models.examples import Example
from labeling.models.examples import parse as parse_examples
from labeling.models.pools import Rater


class Guideline(models.Model):
    """A named set of instructions; its text and rating form are in its versions."""

    name = models.CharField(_("name"), max_length=120, unique=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return self.name


class GuidelineVersion(models.Model):
    """Instructions and rating form at one point in time. Immutable: an edit creates the next
    number.
    """

    guideline = models.ForeignKey(Guideline, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    text = models.TextField(_("text"), help_text=_("Markdown, shown beside the task."))
    form = models.JSONField(help_text="a labeling.guidelines.rating_form.RatingForm as JSON")
    examples = models.JSONField(
        default=list, blank=True, help_text="labeling.models.examples.Example rows as JSON"
    )
    is_major = models.BooleanField(
        _("raters must requalify"),
        default=False,
        help_text=_(
            "Raters onboarded with an earlier version repeat the guideline step before their next"
            " item."
        ),
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["guideline", "number"]
        constraints = [
            models.UniqueConstraint(fields=["guideline", "number"], name="guideline_version_once")
        ]

    def __str__(self) -> str:
        return f"{self.guideline} v{self.number}"

    @property
    def good_examples(self) -> list[Example]:
        return [example for example in parse_examples(self.examples) if example.is_good]

    @property
    def bad_examples(self) -> list[Example]:
        return [example for example in parse_examples(self.examples) if not example.is_good]


class GuidelineReading(models.Model):
    """A rater confirmed reading a version."""

    rater = models.ForeignKey(Rater, on_delete=models.CASCADE, related_name="readings")
    version = models.ForeignKey(GuidelineVersion, on_delete=models.CASCADE, related_name="readings")
    read_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["rater", "version"], name="guideline_reading_once")
        ]

    def __str__(self) -> str:
        return f"{self.rater} has read {self.version}"
