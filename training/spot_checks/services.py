"""Every write to spot checks: a checkpoint's responses are stored, raters are asked whether it is
better than the kept one, and what they say is noted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from jobs import guard
from labeling.campaigns.services import UnableToCreateCampaign
from labeling.data import intake
from labeling.data.intake import NewResponse
from labeling.models import Campaign, Response, Slot
from labeling.quality import contests
from training.models import Run, SpotCheck
from training.registry.services import opaque_name
from training.spot_checks import over_optimisation, selectors

AS_CANDIDATE, AS_KEPT = 0, 1
"""The numbers of a checkpoint's two responses to a prompt."""
_LONGEST_NAME = 80


@dataclass(frozen=True)
class Written:
    """A checkpoint and its responses, as the training process wrote them."""

    step: int
    rows: Sequence[NewResponse]


def store(*, run_id: int, checks: Sequence[Written], now: datetime) -> None:
    """Call it in the transaction that stores a run's progress. What is stored stays: a resumed run
    writes a step again.
    """
    if not checks:
        return
    run = Run.objects.select_for_update(of=("self",)).select_related("base_model").get(pk=run_id)
    known = set(SpotCheck.objects.filter(run=run).values_list("step", flat=True))
    for check in checks:
        if check.step not in known:
            source = intake.source_for_model(name=opaque_name(), licence=run.base_model.licence)
            intake.store_responses(source=source, rows=check.rows, now=now)
            is_first = not known
            SpotCheck.objects.create(
                run=run,
                step=check.step,
                source=source,
                decided_at=now if is_first else None,
                created_at=now,
            )
            known.add(check.step)


def advance_all(*, now: datetime) -> None:
    """Of every run that waits for raters, the next step."""
    waiting = SpotCheck.objects.filter(decided_at=None).values("run")
    for run_id in Run.objects.filter(pk__in=waiting).order_by("pk").values_list("pk", flat=True):
        while _advance(run_id, now):
            pass


def _advance(run_id: int, now: datetime) -> bool:
    """One after the other, because each is compared with what is kept by then. Returns whether the
    next one can begin.
    """
    with transaction.atomic():
        run = Run.objects.select_for_update(of=("self",)).get(pk=run_id)
        check = (
            SpotCheck.objects.filter(run=run, decided_at=None)
            .select_related("campaign")
            .order_by("step")
            .first()
        )
        champion, _last = selectors.kept(run_id=run.pk)
        if check is None or champion is None:
            return False
        if check.campaign is None:
            return run.state != Run.State.FINISHED and not _open(run, check, champion, now)
        if _is_open(check.campaign):
            return False
        return _decide(check, now)


def _open(run: Run, check: SpotCheck, champion: SpotCheck, now: datetime) -> bool:
    """Asks raters. False if that is not possible: the kept one stays, and the run need not wait."""
    numbers = {check.source_id: AS_CANDIDATE, champion.source_id: AS_KEPT}
    responses = [
        response
        for source_id, number in numbers.items()
        for response in Response.objects.filter(source=source_id, number=number)
    ]
    try:
        if run.spot_pool is None or run.spot_guideline is None:
            raise UnableToCreateCampaign(_("The run has no pool or no guideline for them."))
        with transaction.atomic():
            campaign = intake.open_comparison_campaign(
                name=intake.free_campaign_name(f"{run.name[:_LONGEST_NAME]} · step {check.step}"),
                pool=run.spot_pool,
                guideline=run.spot_guideline,
                prompt_ids={response.prompt_id for response in responses},
                source_ids=list(numbers),
                response_ids=[response.pk for response in responses],
                n_responses=2,
                overlap=1,
                by=run.created_by,
                now=now,
            )
    except UnableToCreateCampaign as problem:
        SpotCheck.objects.filter(pk=check.pk).update(
            problem=problem.sentence, against=champion, decided_at=now
        )
        return False
    SpotCheck.objects.filter(pk=check.pk).update(campaign=campaign, against=champion)
    return True


def _is_open(campaign: Campaign) -> bool:
    """Whether raters may still answer. A paused campaign, such as one whose budget is spent, waits
    for a person to resume or close it.
    """
    if campaign.state == Campaign.State.CLOSED:
        return False
    owed = Slot.objects.exclude(state=Slot.State.SUBMITTED)
    return owed.filter(campaign=campaign, is_gold=False, item__repeat_of=None).exists()


def _decide(check: SpotCheck, now: datetime) -> bool:
    """Once, when all have answered: repeated looks would sooner or later find a lucky moment."""
    campaign, against = check.campaign, check.against
    assert campaign is not None
    assert against is not None
    split = campaign.items.values_list("prompt__split", flat=True).first() or ""
    figure = contests.win_rate(
        campaign=campaign, source_id=check.source_id, other_id=against.source_id, split=split
    )
    return guard.update_one(
        SpotCheck.objects.filter(pk=check.pk, decided_at=None),
        share=figure.value,
        low=figure.low,
        high=figure.high,
        n=figure.n,
        is_better=over_optimisation.replaces(figure.low),
        decided_at=now,
    )
