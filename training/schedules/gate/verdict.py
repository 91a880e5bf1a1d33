"""The gate at the end of a chain: whether the new model becomes its schedule's current model. Pure:
figures in, a verdict with a sentence out.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from arithmetic.figures import RATERS_LIKE_THESE, THESE_RATERS, Figure
from arithmetic.sequential import group_sequential
from training.schedules.plans.settings import UNDECIDED


class Outcome(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    UNDECIDED = UNDECIDED
    """not promoted, and not beaten either: the next chain goes on from it"""
    WAITS = "waits"
    """a person has to decide"""
    MORE = "more"
    """raters are asked about more test prompts"""


class Check(StrEnum):
    WIN_RATE = "win_rate"
    REWARD = "reward"
    KL = "kl"
    LENGTH = "length"
    SUITE = "suite"


WORDS: dict[str, Promise] = {
    Check.WIN_RATE: gettext_lazy("Win rate against the current model, by raters"),
    Check.REWARD: gettext_lazy("Gain in reward on held-out prompts"),
    Check.KL: gettext_lazy("KL, nats per response"),
    Check.LENGTH: gettext_lazy("Length of the responses, times the current model's"),
    Check.SUITE: gettext_lazy("Score on “%(suite)s” against the current model, in points"),
}


@dataclass(frozen=True)
class Bars:
    """What the figures must reach; None for no limit."""

    min_win_rate: float
    max_kl: float | None
    max_length: float | None
    stops_on_fall: bool = False
    """whether a lower score on a suite ends it; otherwise a person decides"""
    may_ask: bool = False
    """whether raters can be asked about more test prompts"""
    goes_on: bool = False
    """whether the next chain starts from a model that stayed undecided"""
    confidence: float = 97.5
    """in percent, of the lower end"""


@dataclass(frozen=True)
class SuiteChange:
    """The new model's score on a suite less the current model's, on the items that both answered.
    `has_fallen`: more than chance explains, among all suites of the gate.
    """

    suite: str
    difference: float
    low: float | None
    high: float | None
    n: int
    has_fallen: bool | None
    """None if there are too few items to tell"""


@dataclass(frozen=True)
class Evidence:
    """What is known about the new model. None for what was not measured."""

    win_rate: Figure
    n_missing: int
    """judgments on test prompts that raters still owe"""
    gain: float | None
    """in reward on held-out prompts"""
    gain_low: float | None
    gain_high: float | None
    """its 95 % interval; None from too few prompts"""
    kl: float | None
    length: float | None
    suites: tuple[SuiteChange, ...] = ()


def measured_by_run(metrics: Mapping[str, object]) -> dict[str, float | None]:
    """What a run's metrics say of its model, as Evidence takes it."""
    known = {name: value for name, value in metrics.items() if isinstance(value, int | float)}
    gain = known.get("reward_gain")
    if gain is None and {"reward_before", "reward_after"} <= known.keys():
        gain = known["reward_after"] - known["reward_before"]
    return {
        "gain": gain,
        "gain_low": known.get("reward_gain_low"),
        "gain_high": known.get("reward_gain_high"),
        "kl": known.get("kl_after"),
    }


@dataclass(frozen=True)
class Checked:
    """A figure and what was asked of it. `is_met` is None if it was not measured."""

    check: str
    value: float | None
    bar: float | None
    is_met: bool | None
    low: float | None = None
    high: float | None = None
    n: int = 0
    suite: str = ""
    """name of the suite that it is about"""


@dataclass(frozen=True)
class Verdict:
    outcome: str
    sentence: str
    checks: tuple[Checked, ...] = ()
    about: str = ""
    """whom the interval of the win rate is about, as a Figure says it; empty before 0.3"""
    confidence: float = 97.5
    """in percent, of each end of that interval, whenever the gate looks"""

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> "Verdict":
        return cls(
            raw["outcome"],
            raw["sentence"],
            tuple(Checked(**check) for check in raw.get("checks", ())),
            raw.get("about", ""),
            raw.get("confidence", cls.confidence),
        )

    def as_json(self) -> dict[str, object]:
        return asdict(self) | {"checks": [asdict(check) for check in self.checks]}


def judged(bars: Bars, seen: Evidence) -> Verdict:
    """It fails if any figure misses its bar, and waits for a person if raters have not said enough
    for an interval, or if a score on a suite fell and the gate asks then. While only raters are
    undecided, it asks for more votes, if it may. Figures that this kind of run does not measure
    are left out.
    """
    checks = tuple(_checks(bars, seen))
    verdict = Verdict("", "", checks, seen.win_rate.about, bars.confidence)
    missed = [check for check in checks if check.is_met is False]
    fallen = [check for check in missed if check.check == Check.SUITE]
    by_raters, others = checks[0], [check for check in missed if check.check not in _ASKED]
    if others or (fallen and bars.stops_on_fall):
        return _ended(verdict, Outcome.FAILED, _("Not promoted. %(why)s"), missed)
    is_behind = group_sequential.is_behind(seen.win_rate, bars.min_win_rate)
    if not by_raters.is_met and bars.may_ask and not is_behind:
        return _ended(verdict, Outcome.MORE, _("Undecided so far. %(why)s"), [by_raters])
    if by_raters.is_met is False:
        if bars.goes_on and not is_behind and not fallen:
            words = _("Undecided, not promoted. %(why)s The next chain goes on from it.")
            return _ended(verdict, Outcome.UNDECIDED, words, [by_raters])
        return _ended(verdict, Outcome.FAILED, _("Not promoted. %(why)s"), missed)
    if fallen:
        words = _("%(why)s Decide whether it is promoted all the same.")
        return _ended(verdict, Outcome.WAITS, words, fallen)
    if by_raters.is_met is None:
        return replace(verdict, outcome=Outcome.WAITS, sentence=_unsure(seen))
    words = _(
        "Promoted: raters preferred it to the current model in %(rate)s of votes (%(range)s)."
    )
    values = {"rate": percent(by_raters.value), "range": interval_of(by_raters, verdict)}
    return replace(verdict, outcome=Outcome.PASSED, sentence=words % values)


_ASKED = (Check.WIN_RATE, Check.SUITE)
"""What raters or a person still can decide"""


def _ended(verdict: Verdict, outcome: Outcome, words: str, why: Iterable[Checked]) -> Verdict:
    reasons = " ".join(_missed(check, verdict) for check in why)
    return replace(verdict, outcome=outcome, sentence=words % {"why": reasons})


def _checks(bars: Bars, seen: Evidence) -> Iterable[Checked]:
    rate = seen.win_rate
    is_met = None if rate.low is None or seen.n_missing else rate.low >= bars.min_win_rate
    yield Checked(
        Check.WIN_RATE, rate.value, bars.min_win_rate, is_met, rate.low, rate.high, rate.n
    )
    if seen.gain is not None:
        # It fails where chance does not explain the fall: raters have the last word.
        is_met = (seen.gain if seen.gain_high is None else seen.gain_high) >= 0
        yield Checked(Check.REWARD, seen.gain, 0.0, is_met, seen.gain_low, seen.gain_high)
    if seen.kl is not None:
        yield Checked(Check.KL, seen.kl, bars.max_kl, _is_below(seen.kl, bars.max_kl))
    if seen.length is not None:
        is_met = _is_below(seen.length, bars.max_length)
        yield Checked(Check.LENGTH, seen.length, bars.max_length, is_met)
    for suite in seen.suites:
        is_met = None if suite.has_fallen is None else not suite.has_fallen
        yield Checked(
            Check.SUITE, suite.difference, None, is_met, suite.low, suite.high, suite.n, suite.suite
        )


def _is_below(value: float, bar: float | None) -> bool:
    return bar is None or value <= bar


def _missed(check: Checked, verdict: Verdict) -> str:
    sentence = {
        Check.WIN_RATE: _(
            "Raters preferred it to the current model in %(value)s of votes (%(range)s); the lower"
            " end must reach %(bar)s."
        ),
        Check.REWARD: _("Its reward on held-out prompts changed by %(value)s (%(range)s)."),
        Check.KL: _(
            "Its KL is %(value)s nats per response, above %(bar)s. The line ends here: to go on,"
            " set the schedule to measure KL to the current model."
        ),
        Check.LENGTH: _(
            "Its responses are %(value)s times as long as the current model's, above %(bar)s."
        ),
        Check.SUITE: _(
            "On “%(suite)s” it scores %(value)s points lower than the current model (%(range)s)."
        ),
    }[Check(check.check)]
    shown = percent if check.check == Check.WIN_RATE else number
    value = points(abs(check.value or 0)) if check.check == Check.SUITE else shown(check.value)
    return sentence % {
        "value": value,
        "bar": shown(check.bar),
        "range": interval_of(check, verdict),
        "suite": check.suite,
    }


def _unsure(seen: Evidence) -> str:
    if seen.n_missing:
        words = ngettext(
            "%(n)s answer on test prompts is still missing. Decide now, or wait.",
            "%(n)s answers on test prompts are still missing. Decide now, or wait.",
            seen.n_missing,
        )
        return words % {"n": seen.n_missing}
    return _(
        "Raters compared the two models on fewer than five test prompts, too few for an interval."
        " Decide with the answers so far."
    )


def percent(share: float | None) -> str:
    return "–" if share is None else _("%(n)s %%") % {"n": f"{share * 100:.0f}"}


def points(share: float | None) -> str:
    """A difference between shares, in percentage points."""
    return "–" if share is None else f"{share * 100:.1f}".replace("-", "−")


def number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}".replace("-", "−")


def level_of(verdict: Verdict) -> str:
    """In percent, of the interval of its win rate: each end misses with the confidence's error."""
    misses = f"{200 - 2 * verdict.confidence:.2g}"  # of a look, this is a number like 1.1149
    return f"{100 - float(misses):g}"


def interval_of(check: Checked, verdict: Verdict) -> str:
    """Of the win rate with whom it is about, as far as that is known."""
    if check.low is None or check.high is None:
        return _("no interval")
    if check.check != Check.WIN_RATE:
        shown = points if check.check == Check.SUITE else number
        ends = _("%(low)s to %(high)s") % {"low": shown(check.low), "high": shown(check.high)}
        return _("95 %% interval %(range)s") % {"range": ends}
    ends = _("%(n)s %%") % {"n": f"{check.low * 100:.0f}–{check.high * 100:.0f}"}
    words = {
        RATERS_LIKE_THESE: _("%(level)s %% interval %(range)s for raters like these"),
        THESE_RATERS: _("%(level)s %% interval %(range)s for these raters only"),
    }
    values = {"level": level_of(verdict), "range": ends}
    return words.get(verdict.about, _("%(level)s %% interval %(range)s")) % values
