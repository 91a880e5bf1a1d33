"""What is known of a model's answers to one suite besides its score: labels, categories, other
scorers, and a reward model's calibration. Ready to print.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from training.benchmarks.scorecards import words
from training.benchmarks.scorecards.selectors import Cell
from training.models import SuiteScore

LABELS: dict[str, Promise] = {
    "complies": _("complies"),
    "refuses": _("refuses"),
    "partly": _("refuses partly"),
    "better": _("prefers the better one"),
    "worse": _("prefers the worse one"),
    "tie": _("no preference"),
    "kept right": _("right, and stayed right"),
    "kept wrong": _("wrong, and stayed wrong"),
    "right→wrong": _("right, then wrong"),
    "wrong→right": _("wrong, then right"),
}


@dataclass(frozen=True)
class ScoreRow:
    """A score with its interval: of a category, or by another scorer."""

    name: str
    figure: str
    interval: str
    n: int


@dataclass(frozen=True)
class Details:
    score: SuiteScore
    scorer: str
    """how the answers were scored, in a sentence"""
    facts: list[tuple[str, str]] = field(default_factory=list)
    beside: list[ScoreRow] = field(default_factory=list)
    categories: list[ScoreRow] = field(default_factory=list)


def of(cell: Cell) -> Details | None:
    score = cell.score
    if score is None:
        return None
    return Details(
        score,
        f"{words.scorer(score)}: {words.scorer_about(score)}",
        _facts(score),
        [_row(words.scorer(extra), extra) for extra in cell.beside],
        [
            _row(name, SuiteScore(scorer=score.scorer, **extra))
            for name, extra in score.details.get("by_category", {}).items()
        ],
    )


def _row(name: str, score: SuiteScore) -> ScoreRow:
    return ScoreRow(name, words.figure(score), words.interval(score) or "–", score.n)


def _facts(score: SuiteScore) -> list[tuple[str, str]]:
    known = score.details
    facts: list[tuple[str, str]] = []
    n_clusters = known.get("n_clusters")
    if n_clusters is not None and n_clusters != score.n:
        facts.append((gettext("Clusters of items"), str(n_clusters)))
    facts += [
        (str(LABELS.get(label, label)), words.of_value(share, share=True))
        for label, share in known.get("labels", {}).items()
    ]
    facts.append((gettext("Items in its training data"), _overlap(known.get("overlap"))))
    if calibration := known.get("calibration"):
        facts += [
            (gettext("Calibration error"), _number(calibration["ece"], 3)),
            (gettext("Best temperature"), _number(calibration["temperature"], 2)),
            (
                gettext("Calibration error at that temperature"),
                _number(calibration["ece_after"], 3),
            ),
        ]
    if (correlation := known.get("length_correlation")) is not None:
        facts.append((gettext("Correlation of reward with length"), _number(correlation, 2)))
    return facts


def _overlap(note: Mapping[str, object] | None) -> str:
    """A number, and whether a part of the training data could not be read."""
    if note is None:
        return gettext("not checked yet")
    if note["not_checked"] and not note["by_snapshot"]:
        return gettext("not checked: its training data is not here")
    if note["not_checked"]:
        return gettext("%(n)s, in the part that could be read") % {"n": note["n"]}
    return str(note["n"])


def _number(value: float, places: int) -> str:
    return number_format(round(value, places) or 0.0, places).replace("-", "−")
