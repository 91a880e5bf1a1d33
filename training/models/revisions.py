"""What raters say about a run's revisions."""

from django.db import models
from django.utils import timezone

from labeling.models import Campaign
from training.models.runs import Run


class RevisionCheck(models.Model):
    """The campaign in which raters compare a random share of a run's revisions with the answers
    before them, blind. There is one for each run, so that nobody repeats it until the result
    pleases.
    """

    run = models.OneToOneField(Run, on_delete=models.CASCADE, related_name="revision_check")
    campaign = models.OneToOneField(
        Campaign, on_delete=models.PROTECT, related_name="revision_check"
    )
    n_revised = models.PositiveIntegerField(help_text="revised answers that were drawn from")
    n_asked = models.PositiveIntegerField(help_text="of them, those that raters get")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return f"revisions of run {self.run_id}"
