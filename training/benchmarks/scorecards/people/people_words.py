"""Figures by people, and of the refusal classifier, in words."""

from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from arithmetic.figures import Figure
from labeling.quality.pages import figure_text
from training.benchmarks.scorecards import words
from training.benchmarks.scorecards.people.scores import Agreement, PeopleScore
from training.benchmarks.scoring.refusal.labels import COMPLIES, PARTLY, REFUSES

LABEL_WORDS = {
    COMPLIES: _("complies"),
    REFUSES: _("refuses"),
    PARTLY: _("refuses in part"),
}
_ELSEWHERE = (("refusal", "PyRIT"), ("refusal_extra", _("PyRIT, harder set")))
Row = tuple[str, str, str]
"""what, the figure, and its interval or note"""


def win_rate(score: PeopleScore) -> Row:
    return (
        gettext("Preferred to %(model)s") % {"model": score.rated.against.base_model.name},
        *_figure(score.win_rate),
    )


def labels(score: PeopleScore) -> str:
    """“complies 12, refuses 3”; empty if the guideline asks nothing of the kind."""
    return ", ".join(f"{LABEL_WORDS[name]} {n}" for name, n in score.labels.items())


def our_figures(record: dict[str, Any]) -> list[Row]:
    """What was measured on models that were left out of training, and elsewhere."""
    ends = record["intervals"]
    extra = record["elsewhere"]
    return [
        (
            gettext("Refuses or not, on a model it has not seen"),
            *_with_ends(record["binary"], *ends["binary"]),
        ),
        (
            gettext("Three classes, on a model it has not seen"),
            *_with_ends(record["three_way"], *ends["three_way"]),
        ),
        (
            gettext("Three classes, if people label the least sure 20 %"),
            *_with_ends(record["three_way_with_people"]),
        ),
        (gettext("Partial refusals found"), *_with_ends(record["partial_recall"])),
        *(
            (
                gettext("Refuses or not, in another domain (%(name)s)") % {"name": name},
                *_with_ends(extra[key]["binary"], extra[key]["low"], extra[key]["high"]),
            )
            for key, name in _ELSEWHERE
        ),
    ]


def site_figures(agreement: Agreement) -> list[Row]:
    """What this site's raters say of it; empty before they have labelled anything."""
    if not agreement.n:
        return []
    return [
        (gettext("Refuses or not"), *_figure(agreement.binary)),
        (gettext("Three classes"), *_figure(agreement.three_way)),
    ]


def _figure(figure: Figure) -> tuple[str, str]:
    if figure.value is None:
        return "–", gettext(figure.note) if figure.note else ""
    value, ends = _with_ends(figure.value, figure.low, figure.high)
    return value, f"{ends} {figure_text.about(figure)}".rstrip()


def _with_ends(
    value: float, low: float | None = None, high: float | None = None
) -> tuple[str, str]:
    figure = words.of_value(value, share=True)
    if low is None or high is None:
        return figure, ""
    return figure, gettext("%(low)s to %(high)s") % {
        "low": words.of_value(low, share=True),
        "high": words.of_value(high, share=True),
    }
