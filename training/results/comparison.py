"""What runs come to beside each other, in a sentence. Only what was measured in the same way on the
same data is compared, and no difference is claimed that its interval does not carry. Pure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from django.utils.translation import gettext

from arithmetic import intervals
from pages.numbers import grouped
from pages.verdicts import Effect, Verdict, effect_of
from training.configs import kinds
from training.configs import metrics as configs_metrics
from training.configs.online.rewards import RewardMix
from training.results import ends, measures
from training.results.ends import Ends
from training.results.verdicts import FEWEST_JUDGED

IS_MORE_BETTER: Mapping[str, bool] = {
    "held_out_accuracy": True,
    "held_out_loss": False,
    "reward": True,
    "win_rate": True,
}
"""The measures that models are compared by."""
MEASURED_WITH = frozenset(
    {
        "max_tokens",
        "max_prompt_tokens",
        "max_new_tokens",
        "max_thinking_tokens",
        "temperature",
        "top_p",
        "missing_end",
        "missing_end_penalty",
        "normalizes_reward",
        "reward_clip",
        "reads_thinking",
    }
    | {setting.name for setting in fields(RewardMix)}
)
"""Settings of training that change what its measures mean."""


@dataclass(frozen=True)
class ComparedRun:
    """`data` is equal for runs that were measured on the same rows by the same models. `start` is
    the model that it started from.
    """

    name: str
    kind: str
    config: Mapping[str, Any]
    metrics: Mapping[str, Any]
    data: tuple[object, ...]
    start: object


@dataclass(frozen=True)
class _Measure:
    key: str
    about: configs_metrics.Measure

    @property
    def is_share(self) -> bool:
        return self.about.form == configs_metrics.SHARE

    def value(self, run: ComparedRun) -> float | None:
        value = run.metrics.get(f"{self.key}_after", run.metrics.get(self.key))
        return value if isinstance(value, int | float) else None

    def n(self, run: ComparedRun) -> int:
        counts = (run.metrics.get(count.name) for count in self.about.judged_on)
        return next((int(n) for n in counts if n), 0)


def is_measured(run: ComparedRun) -> bool:
    return _measure_of(run) is not None


def of_runs(runs: Sequence[ComparedRun]) -> Verdict:
    """Of every other run compared with the first. All the intervals of one comparison hold together
    in 95 % of cases.
    """
    baseline, *others = runs
    measure = _measure_of(baseline)
    if measure is None:
        return Verdict(
            gettext("Nothing was measured in “%(name)s” that runs are compared by.")
            % {"name": baseline.name}
        )
    reasons = {other.name: _why_not(other, baseline, measure) for other in others}
    alike = [other for other in others if not reasons[other.name]]
    left_out = ", ".join(f"“{name}” ({why})" for name, why in reasons.items() if why)
    advice = gettext("Not compared: %(runs)s.") % {"runs": left_out} if left_out else ""
    if not alike:
        return Verdict(gettext("These runs cannot be compared."), advice)
    found = [_against(other, baseline, measure, len(alike)) for other in alike]
    sentence = gettext("Compared with “%(name)s” (%(what)s %(value)s%(on)s): %(runs)s.") % {
        "name": baseline.name,
        "what": gettext(measure.about.words),
        "value": _shown(measure, measure.value(baseline)),
        "on": _on(measure, baseline),
        "runs": "; ".join(words for words, _effect in found),
    }
    return Verdict(sentence, advice, _of_all([effect for _words, effect in found]))


def _of_all(effects: Sequence[Effect]) -> Effect:
    if Effect.WORSE in effects:
        return Effect.WORSE
    return Effect.BETTER if Effect.BETTER in effects else Effect.UNCLEAR


def _measure_of(run: ComparedRun) -> _Measure | None:
    about = kinds.KINDS[run.kind]
    known = measures.named(run.kind)
    candidates = (_Measure(key, known[key]) for key in about.headlines if key in IS_MORE_BETTER)
    return next((measure for measure in candidates if measure.value(run) is not None), None)


def _why_not(run: ComparedRun, baseline: ComparedRun, measure: _Measure) -> str:
    """Why it cannot be compared, in two words; "" if it can."""
    if run.kind != baseline.kind:
        return gettext("another kind")
    if measure.value(run) is None:
        return gettext("no result")
    if run.data != baseline.data or measure.n(run) != measure.n(baseline):
        return gettext("different data")
    if _measured_with(run) != _measured_with(baseline):
        return gettext("measured with other settings")
    return ""


def _measured_with(run: ComparedRun) -> dict[str, Any]:
    """Of a run that only measures, all of its settings but the seed."""
    if kinds.KINDS[run.kind].best is None:
        return {name: value for name, value in run.config.items() if name != "seed"}
    return {name: value for name, value in run.config.items() if name in MEASURED_WITH}


def _against(
    run: ComparedRun, baseline: ComparedRun, measure: _Measure, n_compared: int
) -> tuple[str, Effect]:
    value = _shown(measure, measure.value(run))
    difference = _difference(run, baseline, measure)
    if difference is None:
        words = (
            gettext("too few to tell for “%(name)s” (%(value)s)")
            if measure.n(run) < FEWEST_JUDGED
            else gettext("“%(name)s” (%(value)s) has no interval to tell by")
        )
        return words % {"name": run.name, "value": value}, Effect.UNCLEAR
    found = intervals.among(*difference, n_compared)
    effect = effect_of(*found, is_more_better=IS_MORE_BETTER[measure.key])
    words = {
        Effect.BETTER: gettext("“%(name)s” is better (%(value)s, a difference of %(ends)s)"),
        Effect.WORSE: gettext("“%(name)s” is worse (%(value)s, a difference of %(ends)s)"),
        Effect.UNCLEAR: gettext(
            "“%(name)s” cannot be told apart (%(value)s, a difference of %(ends)s)"
        ),
    }[effect]
    return words % {"name": run.name, "value": value, "ends": _range(measure, found)}, effect


def _difference(
    run: ComparedRun, baseline: ComparedRun, measure: _Measure
) -> tuple[float, Ends] | None:
    """(of the run's value and the baseline's, its interval). From the same start the changes differ
    by what the values do. Both were measured on the same rows, which would narrow the interval
    wherever rows that are hard for one are hard for the other; that is not made use of.
    """
    key = measure.key
    changes = [_change(one, key) for one in (run, baseline)]
    if run.start == baseline.start and changes[0] and changes[1]:
        (one, one_ends), (other, other_ends) = changes[0], changes[1]
        return one - other, intervals.of_difference(one, one_ends, other, other_ends)
    after = [(measure.value(one), ends.of_measure(key, one.metrics)) for one in (run, baseline)]
    (one_value, one_known), (other_value, other_known) = after
    if one_value is None or other_value is None or not one_known or not other_known:
        return None
    found = intervals.of_difference(one_value, one_known, other_value, other_known)
    return one_value - other_value, found


def _change(run: ComparedRun, key: str) -> tuple[float, Ends] | None:
    paired = ends.of_paired_change(key, run.metrics)
    after, before = (run.metrics.get(f"{key}_{moment}") for moment in ("after", "before"))
    if paired is None or after is None or before is None:
        return None
    return after - before, paired


def _shown(measure: _Measure, value: float | None) -> str:
    return measures.shown(measure.about.form, value)


def _range(measure: _Measure, found: Ends) -> str:
    if measure.is_share:
        low, high = (f"{100 * end:+.0f}".replace("-", "−") for end in found)
        return gettext("%(low)s to %(high)s points") % {"low": low, "high": high}
    low, high = (f"{end:+.3g}".replace("-", "−") for end in found)
    return gettext("%(low)s to %(high)s") % {"low": low, "high": high}


def _on(measure: _Measure, run: ComparedRun) -> str:
    counted = next((one for one in measure.about.judged_on if run.metrics.get(one.name)), None)
    if counted is None:
        return ""
    n = measure.n(run)
    return " " + gettext(counted.one if n == 1 else counted.many) % {"n": grouped(n)}
