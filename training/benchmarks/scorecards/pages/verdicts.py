"""What a comparison by suites comes to. Of several suites the p-values are Holm's, so that all of
them together claim a difference where there is none in one card of twenty.
"""

from collections.abc import Sequence
from dataclasses import replace

from django.utils.formats import number_format
from django.utils.translation import gettext, ngettext

from pages.numbers import grouped
from pages.verdicts import Effect, Verdict
from training.benchmarks.scorecards import selectors
from training.benchmarks.scorecards.selectors import Outcome, Scorecard
from training.models import Run, SuiteScore, TrainedModel


def of_model(card: Scorecard, model: TrainedModel) -> Verdict:
    """Without a sentence if the model has no score."""
    if not card.lines:
        return Verdict("")
    baseline = card.baseline.name if card.baseline and card.baseline != model else ""
    return of_suites(card.verdicts(model), baseline=baseline, n_suites=len(card.lines))


def of_newest(
    verdicts: Sequence[selectors.Verdict],
    *,
    model: str,
    baseline: str,
    n_models: int,
    n_suites: int,
) -> Verdict:
    """Of all models with scores: how the newest differs from the one that it is compared with."""
    found = of_suites(verdicts, baseline=baseline, n_suites=n_suites)
    if n_models == 1:
        return found
    n_items = sum(verdict.difference.n for verdict in verdicts if verdict.difference)
    words = (
        gettext(
            "%(model)s is the newest of %(n)s models; it and %(baseline)s have answered %(items)s"
            " items in common."
        )
        if baseline
        else gettext("The newest of %(n)s models is %(model)s.")
    )
    values = {"n": n_models, "model": model, "baseline": baseline, "items": grouped(n_items)}
    return replace(found, sentence=f"{words % values} {found.sentence}")


def of_run(run: Run) -> Verdict:
    """Of the suites that a run asked, with what its model differs in from its parent on all that
    both have answered.
    """
    n, n_missing = run.metrics.get("n_items", 0), run.metrics.get("n_missing", 0)
    if not n:
        return Verdict("")
    answered = _answered(n, n_missing)
    model = run.base_model
    baseline = selectors.baseline_of(model=model, offered=selectors.baselines(model=model))
    is_current = SuiteScore.objects.filter(run=run, is_main=True, is_current=True).exists()
    if baseline is None or not is_current:
        return Verdict(answered)
    found = of_model(selectors.scorecard(models=[model], baseline=baseline), model)
    return replace(found, sentence=f"{answered} {found.sentence}".strip())


def _answered(n: int, n_missing: int) -> str:
    if n_missing:
        words = ngettext(
            "Answered %(given)s of %(n)s item.", "Answered %(given)s of %(n)s items.", n
        )
    else:
        words = ngettext("Answered the only item.", "Answered all %(n)s items.", n)
    return words % {"given": grouped(n - n_missing), "n": grouped(n)}


def of_suites(verdicts: Sequence[selectors.Verdict], *, baseline: str, n_suites: int) -> Verdict:
    """`baseline`: its name; "" without one."""
    if not baseline:
        words = ngettext("Scored on %(n)s suite.", "Scored on %(n)s suites.", n_suites)
        advice = gettext("Benchmark another model on the same suites to compare it with.")
        return Verdict(words % {"n": n_suites}, advice)
    tested = [verdict for verdict in verdicts if verdict.is_tested]
    if not tested:
        return Verdict(
            gettext("Nothing can be compared with %(baseline)s: no suite has enough common items.")
            % {"baseline": baseline}
        )
    counts = {outcome: sum(verdict.outcome == outcome for verdict in tested) for outcome in Outcome}
    words = ngettext(
        "Compared with %(baseline)s on %(n)s suite: better on %(better)s, worse on %(worse)s,"
        " cannot be told apart on %(same)s.",
        "Compared with %(baseline)s on %(n)s suites: better on %(better)s, worse on %(worse)s,"
        " cannot be told apart on %(same)s.",
        len(tested),
    )
    values = {
        "baseline": baseline,
        "n": len(tested),
        "better": counts[Outcome.BETTER],
        "worse": counts[Outcome.WORSE],
        "same": counts[Outcome.SAME],
    }
    effect = _effect(counts)
    return Verdict(words % values, _advice(effect, tested), effect)


def _effect(counts: dict[Outcome, int]) -> Effect:
    """Worse on one suite is worse, whatever it is better on."""
    if counts[Outcome.WORSE]:
        return Effect.WORSE
    return Effect.BETTER if counts[Outcome.BETTER] else Effect.UNCLEAR


def _advice(effect: Effect, tested: Sequence[selectors.Verdict]) -> str:
    if effect == Effect.WORSE:
        return gettext("Read the answers on which it is worse before you use it.")
    smallest = [
        verdict.difference.smallest
        for verdict in tested
        if verdict.difference and verdict.difference.smallest is not None
    ]
    if effect == Effect.BETTER or not smallest:
        return ""
    return gettext(
        "A single suite shows a difference from about %(points)s points on. More items would show"
        " smaller ones."
    ) % {"points": number_format(round(100 * min(smallest)))}
