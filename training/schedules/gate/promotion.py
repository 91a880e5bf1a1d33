"""Carries out a gate: waits for the raters, takes the figures, and promotes the model or not."""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.db.models import Avg, QuerySet
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
from training.schedules.gate import looks, suite_checks
from training.schedules.gate.looks import Look, Part
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
    """Returns whether the chain can go on. The gate looks at declared times only: when raters have
    finished a part of the test prompts, or the time is up. Its bounds are those of all its looks
    together, because repeated looks at a win rate sooner or later find a lucky moment.
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
    campaign = campaign_of(chain)
    is_over = now - link.claimed_at >= timedelta(days=plan.gate_days)
    n_owed = n_missing(campaign)
    if n_owed and not is_over:
        return False
    part = looks.Part(chain, campaign, plan.n_looks, len(link.looks) + 1)
    error = looks.error_of(plan, part.number)
    seen = _evidence(chain, link.model, campaign, n_owed, error)
    verdict = judged(_bars(plan, may_ask=not is_over and part.has_more), seen)
    look = looks.look_of(part, error, seen.win_rate, verdict.outcome, now)
    if verdict.outcome == Outcome.PASSED and link.needs_approval:
        sentence = _("All checks passed. Promotion needs your approval.")
        verdict = replace(verdict, outcome=Outcome.WAITS, sentence=sentence)
    return _settle(chain, link, verdict, look, part, now)


def _bars(plan: Plan, *, may_ask: bool) -> Bars:
    return Bars(
        plan.min_win_rate / 100,
        plan.max_kl,
        plan.max_length,
        stops_on_fall=plan.on_fall == OnFall.STOP,
        may_ask=may_ask,
        goes_on=plan.goes_on and plan.keeps_undecided,
        confidence=plan.confidence,
    )


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
            verdict = replace(known, outcome=verdict.outcome, sentence=verdict.sentence)
        Link.objects.filter(pk=link.pk).update(approved_by=by, approved_at=now)
        _end(chain, link, verdict, by, now)
        Chain.objects.filter(pk=chain.pk).update(state=Chain.State.GOING)
        after = {"promotes": promotes, "model": str(link.model)}
        audit_log.record(by, "decide", chain, after=after, now=now)
        CHAINS.wake_on_commit(chain.pk)
    return True


_OPEN = (Chain.State.GOING, Chain.State.APPROVAL)


def _settle(
    chain: Chain, link: Link, verdict: Verdict, look: Look, part: Part, now: datetime
) -> bool:
    """Does nothing if a person or another worker was faster."""
    with transaction.atomic():
        going = Chain.objects.select_for_update().filter(pk=chain.pk, state=Chain.State.GOING)
        working = Link.objects.filter(pk=link.pk, state=Link.State.WORKING)
        if not going.exists() or [row.looks for row in working] != [link.looks]:
            return False
        if verdict.outcome == Outcome.MORE:
            look = replace(look, n_opened=part.open_next(now))
        working.update(looks=[*link.looks, look.as_json()])
        if verdict.outcome == Outcome.MORE:
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
        has_failed = verdict.outcome == Outcome.FAILED
        chain_notices.notify_not_promoted(chain, model, verdict.sentence, now, has_failed)


# --- figures --------------------------------------------------------------------------------------


def campaign_of(chain: Chain) -> Campaign | None:
    return chain.links.select_related("campaign").get(step=steps.CAMPAIGN.name).campaign


def n_missing(campaign: Campaign | None) -> int:
    """Judgments on test prompts that raters still owe; 0 once the campaign is closed."""
    if campaign is None or campaign.state == Campaign.State.CLOSED:
        return 0
    return _slots(campaign).exclude(state=Slot.State.SUBMITTED).count()


def n_answered(campaign: Campaign) -> int:
    """Judgments on test prompts so far."""
    return _slots(campaign).filter(state=Slot.State.SUBMITTED).count()


def _slots(campaign: Campaign) -> QuerySet[Slot]:
    return Slot.objects.filter(
        campaign=campaign,
        is_gold=False,
        item__prompt__split=Prompt.Split.TEST,
        item__repeat_of=None,
    )


def _evidence(
    chain: Chain, model: TrainedModel, campaign: Campaign | None, n_owed: int, error: float
) -> Evidence:
    """`error`: the chance that each end of the win rate's interval misses."""
    runs = {
        link.step: link.run
        for link in chain.links.filter(
            step__in=(steps.SAMPLE.name, steps.SAMPLE_BEFORE.name), run__isnull=False
        ).select_related("run__base_model")
    }
    new, before = runs.get(steps.SAMPLE.name), runs.get(steps.SAMPLE_BEFORE.name)
    return Evidence(
        win_rate=win_rate(campaign, new, before, error),
        n_missing=n_owed,
        **measured_by_run(model.metrics),
        length=_length_ratio(new, before),
        suites=suite_checks.changes(chain),
    )


def win_rate(
    campaign: Campaign | None, new: Run | None, before: Run | None, error: float
) -> Figure:
    """Of the model that `new` sampled against that of `before`, on test prompts; each end of the
    interval misses with the chance `error`.
    """
    sources = [run.base_model.source_id for run in (new, before) if run is not None]
    if campaign is None or len(sources) < 2 or None in sources:
        return absent("")
    return contests.win_rate(
        campaign=campaign,
        source_id=sources[0] or 0,
        other_id=sources[1] or 0,
        split=Prompt.Split.TEST,
        error=error,
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
