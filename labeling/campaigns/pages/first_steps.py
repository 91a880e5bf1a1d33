"""The first steps on an empty site: what an admin does, in order, before raters can work."""

from dataclasses import dataclass, replace

from django.urls import reverse
from django.utils.translation import gettext as _

from labeling.access import visible
from labeling.models import Campaign, Guideline, Invitation, Pool, PoolMembership, Prompt


@dataclass(frozen=True)
class FirstStep:
    label: str
    help: str
    url: str
    """where to do it; empty while an earlier step is missing"""
    is_done: bool
    is_next: bool = False


def first_steps() -> list[FirstStep]:
    """All steps with their state. Empty once a campaign has been opened, so that a site in use asks
    the database one question.
    """
    if Campaign.objects.filter(opened_at__isnull=False).exists():
        return []
    pool = Pool.objects.order_by("pk").first()
    draft = Campaign.objects.order_by("pk").first()
    steps = [
        FirstStep(
            _("Write a guideline"),
            _("What raters read before they answer, and the questions about each response."),
            reverse("guideline_new"),
            Guideline.objects.exists(),
        ),
        FirstStep(
            _("Create a pool"),
            _("The group of raters who work on a campaign."),
            reverse("pool_new"),
            pool is not None,
        ),
        FirstStep(
            _("Invite raters"),
            _("Each person gets a link that works once."),
            reverse("invitations", args=[pool.pk]) if pool else "",
            PoolMembership.objects.exists() or Invitation.objects.exists(),
        ),
        FirstStep(
            _("Add prompts"),
            _("Import a file, with responses if raters are to compare them."),
            reverse("import_new"),
            visible(Prompt.objects.all()).exists(),
        ),
        FirstStep(
            _("Create a campaign"),
            _("Choose the task, the pool, the guideline and the prompts."),
            reverse("campaign_new"),
            draft is not None,
        ),
        FirstStep(
            _("Open the campaign"),
            _("From then on, raters get items."),
            reverse("campaign", args=[draft.pk]) if draft else "",
            is_done=False,
        ),
    ]
    following = next(place for place, step in enumerate(steps) if not step.is_done)
    steps[following] = replace(steps[following], is_next=True)
    return steps
