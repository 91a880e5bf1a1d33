"""What a scorecard says: figures, verdicts and the sentence above the table, in the reader's
language.
"""

from dataclasses import dataclass

from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from labeling.quality.pages import figure_text
from pages.interval_chart import Span, span
from training.benchmarks.scorecards import pairs
from training.benchmarks.scorecards.selectors import Cell, Line, Outcome, Scorecard, Verdict
from training.benchmarks.scoring.scorers import SCORERS
from training.models import SuiteScore, TrainedModel

OUTCOMES: dict[Outcome, Promise] = {
    Outcome.BETTER: _("better"),
    Outcome.WORSE: _("worse"),
    Outcome.SAME: _("cannot be told apart"),
    Outcome.TOO_FEW: _("too few items"),
    Outcome.OTHER_SCORER: _("scored differently"),
    Outcome.NO_COMMON_ITEMS: _("no common items"),
}
_KINDS = {Outcome.BETTER: "good", Outcome.WORSE: "danger"}
_SMALLEST_P = 0.001


@dataclass(frozen=True)
class CellWords:
    """Everything that a template prints of a cell."""

    model: TrainedModel
    score: SuiteScore | None
    figure: str
    interval: str
    span: Span | None
    n: str
    missing: str
    difference: str = ""
    difference_interval: str = ""
    p: str = ""
    smallest: str = ""
    outcome: str = ""
    kind: str = "outline"
    caution: str = ""
    """what else differs between the two besides the model, or how few clusters there are"""
    overlap: str = ""


@dataclass(frozen=True)
class LineWords:
    line: Line
    cells: list[CellWords]

    @property
    def first(self) -> CellWords:
        return self.cells[0]


def areas(card: Scorecard) -> list[tuple[str | Promise, list[LineWords]]]:
    """(label of the area, its lines)"""
    return [
        (label, [LineWords(line, [cell(entry) for entry in line.cells]) for line in lines])
        for _area, label, lines in card.areas
    ]


def cell(shown: Cell) -> CellWords:
    score = shown.score
    if score is None or score.score is None:
        return CellWords(shown.model, score, "–", "", None, "0", missing(score))
    share = pairs.is_share(score.scorer)
    verdict = of_verdict(shown.verdict, share=share)
    return CellWords(
        model=shown.model,
        score=score,
        figure=figure(score),
        interval=interval(score),
        span=span(score.score, score.low, score.high) if share else None,
        n=number_format(score.n, force_grouping=True),
        missing=missing(score),
        overlap=overlap(shown.n_overlapping),
        **verdict,
    )


def of_verdict(verdict: Verdict | None, *, share: bool) -> dict[str, str]:
    """What a cell says of the difference to the baseline; nothing without one."""
    if verdict is None:
        return {}
    texts = {
        "outcome": str(OUTCOMES[verdict.outcome]),
        "kind": _KINDS.get(verdict.outcome, "outline"),
    }
    if verdict.has_other_settings:
        texts["caution"] = gettext("answered with other settings")
    difference = verdict.difference
    if difference is None:
        return texts
    if verdict.outcome == Outcome.TOO_FEW and difference.n_clusters < difference.n:
        words = ngettext("in %(n)s cluster", "in %(n)s clusters", difference.n_clusters)
        texts["caution"] = words % {"n": difference.n_clusters}
    texts["difference"] = change(difference.difference, share=share)
    if difference.low is not None and difference.high is not None:
        ends = [change(end, share=share) for end in (difference.low, difference.high)]
        texts["difference_interval"] = gettext("%(low)s to %(high)s") % {
            "low": ends[0],
            "high": ends[1],
        }
    if difference.smallest is not None:
        texts["smallest"] = _decimal(difference.smallest * (100 if share else 1), 1 if share else 2)
    if verdict.p is not None:
        texts["p"] = p_value(verdict.p)
    return texts


def figure(score: SuiteScore) -> str:
    """`.634` → "63.4 %"; a reward has no unit."""
    if score.score is None:
        return "–"
    return of_value(score.score, share=pairs.is_share(score.scorer))


def of_value(value: float, *, share: bool) -> str:
    return f"{_decimal(value * 100, 1)} %" if share else _decimal(value, 2)


def of_item(value: float, *, share: bool) -> str:
    """The score of one item: 0, 1, .5 or a reward."""
    return _decimal(value, 0 if share and value in (0, 1) else 2)


def interval(score: SuiteScore) -> str:
    """ "58.8–67.7 %", by raters with whom it is about, or why there is none."""
    if score.score is None:
        return ""
    if score.low is None or score.high is None:
        return gettext("too few items for an interval")
    if pairs.is_share(score.scorer):
        ends = f"{_decimal(score.low * 100, 1)}–{_decimal(score.high * 100, 1)} %"
        return f"{ends} {figure_text.about_words(score.details.get('about', ''))}".rstrip()
    return gettext("%(low)s to %(high)s") % {
        "low": _decimal(score.low, 2),
        "high": _decimal(score.high, 2),
    }


def scorer(score: SuiteScore) -> str:
    """The scorer with its version, or with whose answers raters compared these."""
    name, _space, version = score.scorer.rpartition(" ")
    if name == pairs.PEOPLE:
        against = score.details.get("against", "")
        return gettext("Raters, compared with %(model)s") % {"model": against}
    return f"{gettext(SCORERS[name].title)} {version}" if name in SCORERS else score.scorer


def scorer_about(score: SuiteScore) -> str:
    """What the scorer does, in a sentence."""
    rule = SCORERS.get(score.scorer.rpartition(" ")[0])
    return gettext(rule.words) if rule else ""


def change(value: float, *, share: bool) -> str:
    """In percentage points with a sign, "+3.1"; rewards as they are."""
    number = round(value * 100, 1) if share else round(value, 2)
    sign = "+" if number > 0 else ""
    return sign + _decimal(number, 1 if share else 2)


def p_value(p: float) -> str:
    if p < _SMALLEST_P:
        return f"< {_decimal(_SMALLEST_P, 3)}"
    return _decimal(p, 3)


def missing(score: SuiteScore | None) -> str:
    """Items that have no score: the model gave no answer, or its run was stopped before them."""
    if score is None:
        return ""
    n_not_reached = score.details.get("n_not_reached", 0)
    parts = [without_answer(score.n_missing)] if score.n_missing else []
    if n_not_reached:
        words = ngettext("%(n)s not reached", "%(n)s not reached", n_not_reached)
        parts.append(words % {"n": number_format(n_not_reached, force_grouping=True)})
    return ", ".join(parts)


def without_answer(n: int) -> str:
    words = ngettext("%(n)s without an answer", "%(n)s without an answer", n)
    return words % {"n": number_format(n, force_grouping=True)}


def overlap(n: int) -> str:
    if not n:
        return ""
    words = ngettext(
        "%(n)s item is in its training data", "%(n)s items are in its training data", n
    )
    return words % {"n": number_format(n, force_grouping=True)}


def _decimal(number: float, places: int) -> str:
    return number_format(round(number, places) or 0.0, places).replace("-", "−")
