"""Spot checks for a run's page, its chart and its supervisor."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Count, Q
from django.utils.translation import gettext, ngettext

from arithmetic import intervals
from labeling.models import Campaign, Slot
from labeling.queue.spending import budgets
from training.models import Run, SpotCheck
from training.processes.run_lines import Kept
from training.spot_checks.over_optimisation import Compared


def kept_for(*, run_id: int) -> Kept | None:
    """What the training process is told. None as long as it has written nothing."""
    champion, last = kept(run_id=run_id)
    return None if champion is None or last is None else Kept(champion.step, last.step)


def kept(*, run_id: int) -> tuple[SpotCheck | None, SpotCheck | None]:
    """(what raters keep, the last one they have decided about)"""
    return _kept([*SpotCheck.objects.filter(run=run_id).order_by("step")])


@dataclass(frozen=True)
class Row:
    """A spot check and what there is to say about it, as one sentence."""

    check: SpotCheck
    sentence: str


@dataclass(frozen=True)
class SpotChecks:
    """Those of a run; `sentence` says what is kept."""

    sentence: str
    rows: list[Row]


def spot_checks(*, run: Run) -> SpotChecks | None:
    """None for a run without."""
    if run.spot_pool_id is None:
        return None
    checks = list(
        SpotCheck.objects.filter(run=run).select_related("campaign", "against").order_by("step")
    )
    if not checks:
        return None
    counts = _counts([check.campaign_id for check in checks])
    rows = [Row(check, _sentence(run, check, counts)) for check in checks]
    return SpotChecks(_headline(run, checks), rows)


def compared(*, run: Run, sqrt_kl: Mapping[int, float]) -> list[tuple[SpotCheck, Compared]]:
    """The decided ones with an interval, by √KL of the measurement nearest to their step."""
    checks = SpotCheck.objects.filter(run=run, low__isnull=False).select_related("against")
    found = []
    for check in checks.order_by("step"):
        if check.against and check.share is not None and check.low is not None and check.high:
            d, against = (_nearest(sqrt_kl, step) for step in (check.step, check.against.step))
            variance = ((check.high - check.low) / 2 / intervals.Z_95) ** 2
            found.append((check, Compared(d, against, check.share, variance)))
    return found


def _nearest(sqrt_kl: Mapping[int, float], step: int) -> float:
    return sqrt_kl[min(sqrt_kl, key=lambda measured: abs(measured - step))]


def _kept(checks: list[SpotCheck]) -> tuple[SpotCheck | None, SpotCheck | None]:
    """(the kept one, the last one that is decided)"""
    decided = [check for check in checks if check.decided_at is not None]
    better = [check for check in decided if check.is_better]
    return next(iter([*reversed(better), *decided]), None), next(iter(decided[::-1]), None)


def _counts(campaign_ids: list[int | None]) -> dict[int, tuple[int, int]]:
    """(answers, answers wanted) by campaign."""
    submitted = Count("pk", filter=Q(state=Slot.State.SUBMITTED))
    plain = Slot.objects.filter(campaign__in=[pk for pk in campaign_ids if pk], is_gold=False)
    rows = plain.values("campaign").annotate(n=submitted, n_all=Count("pk")).order_by()
    return {row["campaign"]: (row["n"], row["n_all"]) for row in rows}


def _headline(run: Run, checks: list[SpotCheck]) -> str:
    champion, last = _kept(checks)
    if champion is None or last is None:
        return ""
    if run.state != Run.State.FINISHED:
        words = (
            gettext("Raters keep step %(step)s so far. Training waits for them at each spot check.")
            if run.config.get("spot_waits") == "each"
            else gettext("Raters keep step %(step)s so far. Training goes on while they answer.")
        )
        return words % {"step": champion.step}
    saved = run.metrics.get("kept_step")
    if last == checks[0]:
        return gettext("Raters had decided nothing when the run ended: reward chose the step.")
    if saved is None or saved == champion.step:
        return gettext("Raters keep step %(step)s.") % {"step": champion.step}
    return gettext(
        "Raters keep step %(step)s. The saved model is that of step %(saved)s, because they decided"
        " after the run had ended."
    ) % {"step": champion.step, "saved": round(saved)}


def _sentence(run: Run, check: SpotCheck, counts: Mapping[int, tuple[int, int]]) -> str:
    if check.decided_at is None:
        return _of_undecided(run, check, counts)
    if check.against is None:
        return gettext("Where the run began: the first step that is kept.")
    is_late = run.finished_at is not None and check.decided_at > run.finished_at
    late = gettext("This came after the run had ended.") if is_late else ""
    return f"{_of_decided(check, check.against)} {late}".strip()


def _of_decided(check: SpotCheck, against: SpotCheck) -> str:
    kept = {"kept": against.step}
    if check.problem:
        words = gettext("Raters could not be asked, so step %(kept)s stays. %(problem)s")
        return words % (kept | {"problem": check.problem})
    if check.low is None or check.high is None or check.share is None:
        words = ngettext(
            "%(n)s answer, which is too few for an interval, so step %(kept)s stays.",
            "%(n)s answers, which are too few for an interval, so step %(kept)s stays.",
            check.n,
        )
        return words % (kept | {"n": check.n})
    words = (
        gettext(
            "Preferred to step %(kept)s in %(share)s %% of %(n)s answers (95 %% interval"
            " %(low)s–%(high)s %%): it is kept now."
        )
        if check.is_better
        else gettext(
            "Preferred to step %(kept)s in %(share)s %% of %(n)s answers (95 %% interval"
            " %(low)s–%(high)s %%): not surely better, so step %(kept)s stays."
        )
    )
    shares = {name: f"{getattr(check, name) * 100:.0f}" for name in ("share", "low", "high")}
    return words % (kept | shares | {"n": check.n})


def _of_undecided(run: Run, check: SpotCheck, counts: Mapping[int, tuple[int, int]]) -> str:
    campaign = check.campaign
    if campaign is None or check.against is None:
        if run.state == Run.State.FINISHED:
            return gettext("The run ended before raters were asked about it.")
        return gettext("Raters are asked once the spot checks before it are decided.")
    n, n_all = counts.get(campaign.pk, (0, 0))
    values = {"n": n, "all": n_all, "kept": check.against.step}
    if campaign.state == Campaign.State.PAUSED:
        words = (
            gettext(
                "The budget of its campaign is spent after %(n)s of %(all)s answers. Raise it or"
                " close the campaign to decide on these."
            )
            if budgets.is_spent(campaign=campaign, now=check.created_at)
            else gettext(
                "Its campaign is paused after %(n)s of %(all)s answers. Resume it, or close it to"
                " decide on these."
            )
        )
        return words % values
    return gettext("%(n)s of %(all)s answers against step %(kept)s.") % values
