"""What a run's figures come to: a sentence that claims no more than their intervals carry."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext, ngettext

from arithmetic import intervals
from pages.numbers import grouped
from pages.verdicts import Effect, Verdict, effect_of
from training.configs import kinds
from training.configs import metrics as configs_metrics
from training.configs.knobs import RESPONSES, REWARD
from training.results import ends, measures, reward_quality
from training.results.measures import MeasureRow

FEWEST_JUDGED = 10
"""Rows or prompts below which no more is said of a measure without an interval than its value."""
POINTS = 0.05
"""The difference between two shares that a sentence asks data for."""
_CHANCE = _MOST = 0.5


@dataclass(frozen=True)
class _Measured:
    """The measure that a run is judged by, as its sentence says it."""

    row: MeasureRow
    metrics: Mapping[str, Any]
    n: int
    is_share: bool
    is_more_better: bool
    words: Mapping[str, str]

    @property
    def change(self) -> ends.Ends | None:
        return ends.of_change(self.row.key, self.metrics)


def of_run(*, kind: str, metrics: Mapping[str, Any]) -> Verdict:
    """Without a sentence if the run has measured nothing."""
    about = kinds.KINDS.get(kind)
    if about is None or not about.headlines or not metrics:
        return Verdict("")
    if about.leaves == RESPONSES and metrics.get("n_responses"):
        return _of_responses(metrics)
    rows = {row.key: row for row in measures.measures(kind=kind, metrics=metrics)}
    if about.best and about.headlines[0] not in rows:
        return Verdict(
            gettext(
                "Nothing was measured on held-out data, so this run cannot say whether the model"
                " got better."
            )
        )
    first = next((rows[name] for name in about.headlines if name in rows), None)
    if first is None:
        return Verdict("")
    is_more_better = about.best is None or about.best.is_more_better
    measured = _measured(first, kind, metrics, is_more_better)
    if about.leaves == REWARD and first.key == "held_out_accuracy":
        return _of_reward_model(measured)
    return _of_change(measured) if first.before else _of_one_moment(measured)


def _measured(
    row: MeasureRow, kind: str, metrics: Mapping[str, Any], is_more_better: bool
) -> _Measured:
    about = measures.named(kind)[row.key]
    counted = next((count for count in about.judged_on if metrics.get(count.name)), None)
    n = metrics[counted.name] if counted else 0
    on = gettext(counted.one if n == 1 else counted.many) % {"n": grouped(n)} if counted else ""
    has_range = bool(row.range) and not row.is_too_few
    words = {
        "what": capfirst(str(row.name)),
        "before": row.before,
        "after": f"{row.value} ({_unbroken(row.range)})" if has_range else row.value,
        "on": f" {on}" if on else "",
    }
    is_share = about.form == configs_metrics.SHARE
    return _Measured(row, metrics, n, is_share, is_more_better, words)


def _of_change(measured: _Measured) -> Verdict:
    """“Held-out loss fell from 3.1 to 2.9 (−0.25 to −0.15) on 312 held-out rows.”"""
    change = measured.change
    effect = effect_of(*(change or (None, None)), is_more_better=measured.is_more_better)
    if effect == Effect.UNCLEAR:
        before_and_after = _before_and_after(measured)
        return Verdict(f"{before_and_after} {_why_unclear(measured)}", _advice(effect))
    return Verdict(_changed(measured), _advice(effect), effect)


def _advice(effect: Effect) -> str:
    if effect == Effect.WORSE:
        return gettext("Keep the model that it started from.")
    if effect == Effect.BETTER:
        return ""
    return gettext(
        "Have its responses compared with those of the model that it started from before you use"
        " it."
    )


def _before_and_after(measured: _Measured) -> str:
    return gettext("%(what)s: %(before)s before, %(after)s after%(on)s.") % measured.words


def _changed(measured: _Measured) -> str:
    row, values = measured.row, dict(measured.words)
    if paired := ends.of_paired_change(row.key, measured.metrics):
        low, high = (f"{end:+.3g}".replace("-", "−") for end in paired)
        values["on"] = gettext(", by %(low)s to %(high)s%(on)s") % {
            "low": low,
            "high": high,
            "on": values["on"],
        }
    if measured.metrics[f"{row.key}_after"] < measured.metrics[f"{row.key}_before"]:
        return gettext("%(what)s fell from %(before)s to %(after)s%(on)s.") % values
    return gettext("%(what)s rose from %(before)s to %(after)s%(on)s.") % values


def _why_unclear(measured: _Measured) -> str:
    change = measured.change
    if change is None:
        if measured.row.is_too_few or measured.n < FEWEST_JUDGED:
            return gettext("Too few to tell whether it changed.")
        return gettext("Without an interval nobody can tell whether it changed.")
    enough = _enough(measured, change)
    if enough <= measured.n:
        return gettext("Chance may explain the difference.")
    return gettext(
        "Too few to tell whether it changed: about %(enough)s would show a difference of"
        " %(points)d points."
    ) % {"enough": grouped(enough), "points": round(100 * POINTS)}


def _enough(measured: _Measured, found: ends.Ends) -> int:
    """0 for what is no share: nobody knows which difference matters."""
    return intervals.n_enough(measured.n, found, POINTS) if measured.is_share else 0


def _of_reward_model(measured: _Measured) -> Verdict:
    """It rose only if it is better than chance besides: many models change without that."""
    doubt, advice = reward_quality.doubt_and_advice(metrics=measured.metrics)
    if reward_quality.has_fallen(metrics=measured.metrics):
        return Verdict(_changed(measured), advice, Effect.WORSE)
    if not measured.row.before:
        alone = gettext("%(what)s: %(after)s%(on)s.") % measured.words
        return Verdict(f"{alone} {doubt}".strip(), advice)
    if doubt:
        return Verdict(f"{_before_and_after(measured)} {doubt}", advice)
    if effect_of(*(measured.change or (None, None))) == Effect.BETTER:
        return Verdict(_changed(measured), "", Effect.BETTER)
    above = gettext("It is better than chance, but chance may explain the difference.")
    return Verdict(f"{_before_and_after(measured)} {above}")


def _of_one_moment(measured: _Measured) -> Verdict:
    """What was measured once: a win rate is judged against one half."""
    sentence = gettext("%(what)s: %(after)s%(on)s.") % measured.words
    if measured.row.key != "win_rate":
        return Verdict(sentence)
    found = ends.of_measure("win_rate", measured.metrics)
    effect = effect_of(*(found or (None, None)), bar=_CHANCE)
    return Verdict(f"{sentence} {_of_win_rate(measured, effect, found)}", effect=effect)


def _of_win_rate(measured: _Measured, effect: Effect, found: ends.Ends | None) -> str:
    if effect == Effect.BETTER:
        return gettext("It is better than the other model.")
    if effect == Effect.WORSE:
        return gettext("It is worse than the other model.")
    enough = _enough(measured, found) if found else 0
    if found and enough <= measured.n:
        return gettext("It can't be told apart from the other model.")
    if not found:
        return gettext("Too few to tell which is better.")
    return gettext(
        "Too few to tell which is better: about %(enough)s would show a difference of %(points)d"
        " points."
    ) % {"enough": grouped(enough), "points": round(100 * POINTS)}


def _of_responses(metrics: Mapping[str, Any]) -> Verdict:
    """“40 responses to 10 prompts; 17 % finished.” Responses to a prompt end alike: it counts once
    where it is said that most were cut off.
    """
    n, n_prompts, share = (
        metrics["n_responses"],
        metrics.get("n_prompts"),
        metrics.get("share_ended"),
    )
    sentence = ngettext("%(n)s response", "%(n)s responses", n) % {"n": grouped(n)}
    if n_prompts:
        to = ngettext("%(responses)s to %(n)s prompt", "%(responses)s to %(n)s prompts", n_prompts)
        sentence = to % {"responses": sentence, "n": grouped(n_prompts)}
    if share is None:
        return Verdict(f"{sentence}.")
    ended = gettext("%(responses)s; %(share)s finished.") % {
        "responses": sentence,
        "share": measures.shown(configs_metrics.SHARE, share),
    }
    if intervals.wilson(share * (n_prompts or n), n_prompts or n)[1] >= _MOST:
        return Verdict(ended)
    return Verdict(
        ended,
        gettext("Most were cut off. Sample again with a greater maximum length."),
    )


def _unbroken(interval: str) -> str:
    """With word joiners, so that no line ends inside it."""
    return interval.replace("–", "\u2060–\u2060").replace(" ", "\u00a0")
