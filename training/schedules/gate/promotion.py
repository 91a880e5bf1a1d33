"""Carries out a gate: waits for the raters, takes the figures, and promotes the model or not."""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.db.models import Avg
from django.db.models.functions import Length
from django.utils.translation import gettext as _

from accounts import audit_log
from accounts.models import Notice, User
from arithmetic.figures import Figure, absent
from jobs import guard
from labeling.models import Campaign, Prompt, Response, Slot
from labeling.quality import contests
from training.models import Chain, Link, Run, TrainedModel
from training.processes.messages import CHAINS
from training.registry import change_stage
from training.schedules import chain_notices
from training.schedules.gate import suite_checks
from training.schedules.gate.verdict import (
    Bars,
    Evidence,
    Outcome,
    Verdict,
    judged,
    measured_by_run,
)
from training.schedules.plans import steps
from training.schedules.plans.chain_plans import Plan, outputs_of
from training.schedules.plans.settings import OnFall
from training.snapshots.response_numbers import numbers_of

UNDECIDED = (Link.State.WORKING, Link.State.APPROVAL)


def advance(chain: Chain, link: Link, now: datetime) -> bool:
    """Returns whether the chain can go on. The campaign is judged once, when raters are done or the
    time is up, because repeated looks at a win rate would sooner or later find a lucky moment.
    """
    plan = Plan.from_json(chain.plan)
    if link.state == Link.State.WAITING:
        waiting = Link.objects.filter(pk=link.pk, state=Link.State.WAITING)
        model = steps.new_model(outputs_of(chain))
        if not guard.update_one(waiting, state=Link.State.WORKING, claimed_at=now, model=model):
            return False
        link.refresh_from_db()
    if link.state != Link.State.WORKING or link.model is None or link.claimed_at is None:
        return False
    campaign = _campaign(chain)
    is_over = now - link.claimed_at >= timedelta(days=plan.gate_days)
    n_missing = _n_missing(campaign)
    if n_missing and not is_over:
        return False
    bars = Bars(plan.min_win_rate / 100, plan.max_kl, plan.max_length, plan.on_fall == OnFall.STOP)
    verdict = judged(bars, _evidence(chain, link.model, campaign, n_missing))
    if verdict.outcome == Outcome.PASSED and link.needs_approval:
        sentence = _("All checks passed. Promotion needs your approval.")
        verdict = replace(verdict, outcome=Outcome.WAITS, sentence=sentence)
    return _settle(chain, link, verdict, now)


def decide(*, chain: Chain, promotes: bool, by: User, now: datetime) -> bool:
    """A person's verdict, while the gate waits for them or for raters. False if none is open."""
    with transaction.atomic():
        if not Chain.objects.select_for_update().filter(pk=chain.pk, state__in=_OPEN).exists():
            return False
        link = chain.links.filter(step=steps.GATE.name, state__in=UNDECIDED).first()
        if link is None:
            return False
        sentence = _("Promoted by %(person)s.") if promotes else _("Not promoted, by %(person)s.")
        outcome = Outcome.PASSED if promotes else Outcome.FAILED
        verdict = Verdict(outcome, sentence % {"person": by})
        if link.verdict:
            known = Verdict.from_json(link.verdict)
            verdict = replace(verdict, checks=known.checks, about=known.about)
        Link.objects.filter(pk=link.pk).update(approved_by=by, approved_at=now)
        _end(chain, link, verdict, by, now)
        Chain.objects.filter(pk=chain.pk).update(state=Chain.State.GOING)
        after = {"promotes": promotes, "model": str(link.model)}
        audit_log.record(by, "decide", chain, after=after, now=now)
        CHAINS.wake_on_commit(chain.pk)
    return True


_OPEN = (Chain.State.GOING, Chain.State.APPROVAL)


def _settle(chain: Chain, link: Link, verdict: Verdict, now: datetime) -> bool:
    with transaction.atomic():
        going = Chain.objects.select_for_update().filter(pk=chain.pk, state=Chain.State.GOING)
        working = Link.objects.filter(pk=link.pk, state=Link.State.WORKING)
        if not going.exists() or not working.exists():
            return False
        if verdict.outcome == Outcome.WAITS:
            working.update(state=Link.State.APPROVAL, verdict=verdict.as_json())
            going.update(state=Chain.State.APPROVAL)
            words = partial(chain_notices.gate_words, chain, verdict.sentence)
            chain_notices.notify(chain, "gate", Notice.Kind.APPROVAL, words, now)
            return False
        _end(chain, link, verdict, None, now)
    return True


def _end(chain: Chain, link: Link, verdict: Verdict, by: User | None, now: datetime) -> None:
    """Call it in a transaction, with the chain's row locked."""
    model = link.model
    assert model is not None
    if verdict.outcome == Outcome.PASSED and model.stage == TrainedModel.Stage.RETIRED:
        sentence = _("Not promoted. “%(model)s” was retired.") % {"model": model}
        verdict = replace(verdict, outcome=Outcome.FAILED, sentence=sentence)
    Link.objects.filter(pk=link.pk).update(
        state=Link.State.DONE, verdict=verdict.as_json(), ended_at=now
    )
    if verdict.outcome == Outcome.PASSED:
        change_stage.change_model(model=model, stage=TrainedModel.Stage.APPROVED, by=by, now=now)
    else:
        chain_notices.notify_not_promoted(chain, model, verdict.sentence, now)


# --- figures --------------------------------------------------------------------------------------


def _campaign(chain: Chain) -> Campaign | None:
    return chain.links.select_related("campaign").get(step=steps.CAMPAIGN.name).campaign


def _n_missing(campaign: Campaign | None) -> int:
    """Judgments on test prompts that raters still owe; 0 once the campaign is closed."""
    if campaign is None or campaign.state == Campaign.State.CLOSED:
        return 0
    owed = Slot.objects.exclude(state=Slot.State.SUBMITTED).filter(
        campaign=campaign,
        is_gold=False,
        item__prompt__split=Prompt.Split.TEST,
        item__repeat_of=None,
    )
    return owed.count()


def _evidence(
    chain: Chain, model: TrainedModel, campaign: Campaign | None, n_missing: int
) -> Evidence:
    runs = {
        link.step: link.run
        for link in chain.links.filter(
            step__in=(steps.SAMPLE.name, steps.SAMPLE_BEFORE.name), run__isnull=False
        ).select_related("run__base_model")
    }
    new, before = runs.get(steps.SAMPLE.name), runs.get(steps.SAMPLE_BEFORE.name)
    return Evidence(
        win_rate=_win_rate(campaign, new, before),
        n_missing=n_missing,
        **measured_by_run(model.metrics),
        length=_length_ratio(new, before),
        suites=suite_checks.changes(chain),
    )


def _win_rate(campaign: Campaign | None, new: Run | None, before: Run | None) -> Figure:
    sources = [run.base_model.source_id for run in (new, before) if run is not None]
    if campaign is None or len(sources) < 2 or None in sources:
        return absent("")
    return contests.win_rate(
        campaign=campaign,
        source_id=sources[0] or 0,
        other_id=sources[1] or 0,
        split=Prompt.Split.TEST,
    )


def _length_ratio(new: Run | None, before: Run | None) -> float | None:
    lengths = [_mean_length(run) for run in (new, before) if run is not None]
    if len(lengths) < 2 or lengths[0] is None or not lengths[1]:
        return None
    return lengths[0] / lengths[1]


def _mean_length(run: Run) -> float | None:
    """In characters, of the run's responses to test prompts."""
    numbers = numbers_of(run.pk)
    written = Response.objects.filter(
        source=run.base_model.source_id,
        number__gte=numbers.start,
        number__lt=numbers.stop,
        prompt__split=Prompt.Split.TEST,
    )
    length: float | None = written.aggregate(mean=Avg(Length("text")))["mean"]
    return length
