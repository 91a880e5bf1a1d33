"""Every write about revisions: a random share of a run's revisions goes to raters."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts import audit_log
from accounts.models import User
from accounts.refusals import Refusal
from labeling.campaigns.services import UnableToCreateCampaign, UnableToOpen
from labeling.data import intake
from labeling.models import Campaign, Guideline, Pool, Response
from training.configs import kinds
from training.models import RevisionCheck, Run
from training.revisions import draw
from training.revisions.draw import Pair

USUAL_SHARE = 0.1


class UnableToAsk(Refusal):
    """These revisions cannot be compared by raters; the text says why."""


@dataclass(frozen=True, kw_only=True)
class Terms:
    """Who compares which share of the revisions, by which guideline."""

    pool: Pool
    guideline: Guideline
    share: float = USUAL_SHARE
    overlap: int = 1


def ask_raters(*, run: Run, terms: Terms, by: User | None, now: datetime) -> RevisionCheck:
    """Opens a campaign in which raters compare revisions, drawn at random, with the answers before
    them. Neither the items nor the campaign's name say what is compared. Raises UnableToAsk.
    """
    if why := why_not(run=run):
        raise UnableToAsk(why)
    with transaction.atomic():
        Run.objects.select_for_update(of=("self",)).get(pk=run.pk)
        if RevisionCheck.objects.filter(run=run).exists():
            raise UnableToAsk(_("Raters have been asked about the revisions of this run already."))
        every = draw.pairs(run)
        if not every:
            raise UnableToAsk(_("This run has revised no answer, so there is nothing to compare."))
        drawn = draw.drawn(run, every, terms.share)
        campaign = _campaign(run, drawn, terms, by=by, now=now)
        check = RevisionCheck.objects.create(
            run=run, campaign=campaign, n_revised=len(every), n_asked=len(drawn), created_at=now
        )
        after = {"campaign": campaign.pk, "n": len(drawn)}
        audit_log.record(by, "send", run, after=after, now=now)
    return check


def why_not(*, run: Run) -> str:
    """Why raters cannot be asked whatever it has revised; "" if they can."""
    is_whole = run.outcome == Run.Outcome.SUCCEEDED and not run.is_dry
    if not kinds.KINDS[run.kind].reads_principles or not is_whole:
        return _("Only a finished run that revises answers has revisions to compare.")
    return ""


def _campaign(
    run: Run, drawn: Sequence[Pair], terms: Terms, *, by: User | None, now: datetime
) -> Campaign:
    responses = [pk for pair in drawn for pk in (pair.before, pair.revision)]
    sources = Response.objects.filter(pk__in=responses[:1]).values_list("source", flat=True)
    try:
        return intake.open_comparison_campaign(
            name=intake.free_campaign_name(_("Comparison of run %(run)s") % {"run": run.pk}),
            pool=terms.pool,
            guideline=terms.guideline,
            prompt_ids=[pair.prompt_id for pair in drawn],
            source_ids=list(sources),
            response_ids=responses,
            n_responses=2,
            overlap=terms.overlap,
            by=by,
            now=now,
        )
    except (UnableToCreateCampaign, UnableToOpen) as refused:
        raise UnableToAsk(refused.sentence) from refused
