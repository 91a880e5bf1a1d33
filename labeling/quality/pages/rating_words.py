"""The quality of a campaign of ratings in words: its questions, what the ratings say together, and
a conclusion with the next step.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from arithmetic import intervals
from arithmetic.figures import Figure
from labeling.models import Campaign, QualityReport
from labeling.quality.pages import conclusions
from labeling.quality.pages.figure_text import why_absent
from labeling.quality.pages.words import Measure, as_coefficient, as_share
from labeling.quality.selectors import RaterMeasures
from labeling.votes.arrays import as_figure
from pages.numbers import grouped
from pages.verdicts import Action, Effect, Verdict, effect_of


@dataclass(frozen=True)
class QuestionRow:
    """Agreement on one question, and what its ratings say together."""

    label: str
    kind: str
    alpha: Figure
    same: Figure
    gwet: Figure
    meaning: str
    n: int
    """responses"""
    n_shared: int
    """of them rated by two raters at least"""
    per_response: float
    unanimous: Figure
    mean: float | None
    n_changed: int
    """responses whose answer weighting changes"""
    with_oneself: Figure


def is_rated_only(report: QualityReport | None) -> bool:
    return report is not None and bool(report.results.get("ratings"))


def questions(results: Mapping[str, Any], kinds: Mapping[str, str]) -> list[QuestionRow]:
    """Those that somebody answered, in the order of the form; `kinds` are by name."""
    together = {record["name"]: record for record in results["ratings"]["questions"]}
    return [
        _question(record, together[record["name"]], kinds.get(record["name"], ""))
        for record in results["agreement"]["questions"]
        if record["name"] in together
    ]


def _question(agreement: Mapping[str, Any], together: Mapping[str, Any], kind: str) -> QuestionRow:
    alpha = as_figure(agreement["alpha"])
    return QuestionRow(
        label=agreement["label"],
        kind=kind,
        alpha=alpha,
        same=as_figure(agreement["raw"]),
        gwet=as_figure(agreement["gwet"]),
        meaning=why_absent(alpha) or alpha_meaning(alpha),
        n=together["n"],
        n_shared=together["n_shared"],
        per_response=together["per_response"],
        unanimous=as_figure(together["unanimous"]),
        mean=together["mean"],
        n_changed=together["n_changed"],
        with_oneself=as_figure(together["self"]),
    )


def alpha_meaning(figure: Figure) -> str:
    value = figure.value or 0.0
    if figure.low is not None and figure.high is not None and figure.low <= 0 <= figure.high:
        return _("Can't be told from chance: a rating says more about the rater than the response.")
    if value < 0:
        return _("Below chance. Someone may be reading the scale the wrong way round.")
    if value < conclusions.BARELY:
        return _("Barely above chance: a rating says more about the rater than the response.")
    if value < conclusions.FAIR:
        return _("Fair: a single rating says little, so rely on the average of several.")
    if value < conclusions.GOOD:
        return _("Good: raters tell better responses from worse ones alike.")
    return _("High: raters give nearly the same ratings.")


def verdict(campaign: Campaign, report: QualityReport, raters: Sequence[RaterMeasures]) -> Verdict:
    """Of a campaign of ratings, or of one of rankings."""
    if not is_rated_only(report):
        return conclusions.of_comparisons(campaign, report, raters)
    return of_ratings(campaign, questions(report.results, kinds={}), raters)


def of_ratings(
    campaign: Campaign, rows: Sequence[QuestionRow], raters: Sequence[RaterMeasures]
) -> Verdict:
    flagged = [rater for rater in raters if rater.flags]
    sentences = filter(None, (_agreement(rows), conclusions.to_check(flagged, len(raters))))
    found = Verdict(" ".join(sentences), _advice(rows, flagged), _effect(rows))
    return found.with_actions([_action(campaign, rows, flagged)])


def _effect(rows: Sequence[QuestionRow]) -> Effect:
    """Whether raters agree beyond chance on some question, or contradict each other on one."""
    effects = {effect_of(row.alpha.low, row.alpha.high) for row in _with_interval(rows)}
    return next((one for one in (Effect.WORSE, Effect.BETTER) if one in effects), Effect.UNCLEAR)


def _agreement(rows: Sequence[QuestionRow]) -> str:
    known = _with_interval(rows)
    if not known:
        if n := max((row.n_shared for row in rows), default=0):
            return ngettext(
                "Too few to tell how far raters agree: two rated the same response %(n)s time.",
                "Too few to tell how far raters agree: two rated the same response %(n)s times.",
                n,
            ) % {"n": grouped(n)}
        return _("No response has ratings by two raters, so nothing says how far they agree.")
    lowest, highest = known[0], known[-1]
    if len(known) == 1:
        return _("On “%(question)s”, %(verdict)s (α %(alpha)s).") % _about(lowest)
    if highest.alpha.low is not None and (lowest.alpha.high or 0) < highest.alpha.low:
        values = _about(lowest) | {
            "best": highest.label,
            "best_verdict": conclusions.agreement_in_words(highest.alpha),
            "best_alpha": _in_short(highest),
        }
        return (
            _(
                "On “%(best)s”, %(best_verdict)s (α %(best_alpha)s); on “%(question)s”,"
                " %(verdict)s (α %(alpha)s)."
            )
            % values
        )
    values = _about(lowest) | {"n": len(known)}
    return (
        _(
            "On each of %(n)d questions raters agree about as far: on the lowest, “%(question)s”,"
            " %(verdict)s (α %(alpha)s)."
        )
        % values
    )


def _with_interval(rows: Sequence[QuestionRow]) -> list[QuestionRow]:
    """The lowest α first. The intervals hold together: of many questions, one in twenty lies beyond
    its own interval.
    """
    known = [row for row in rows if row.alpha.low is not None]
    widened = [replace(row, alpha=_among(row.alpha, len(known))) for row in known]
    return sorted(widened, key=lambda row: row.alpha.value or 0.0)


def _among(alpha: Figure, n: int) -> Figure:
    value, ends = alpha.value or 0.0, (alpha.low or 0.0, alpha.high or 0.0)
    low, high = intervals.among(value, ends, n)
    return replace(alpha, low=low, high=high)


def _about(row: QuestionRow) -> dict[str, object]:
    return {
        "question": row.label,
        "verdict": conclusions.agreement_in_words(row.alpha),
        "alpha": _in_short(row),
    }


def _in_short(row: QuestionRow) -> str:
    return ngettext(
        "%(alpha)s, from %(n)s response", "%(alpha)s, from %(n)s responses", row.n_shared
    ) % {"alpha": conclusions.in_short(row.alpha), "n": grouped(row.n_shared)}


def _advice(rows: Sequence[QuestionRow], flagged: Sequence[RaterMeasures]) -> str:
    known = _with_interval(rows)
    if not known:
        return _("Have at least five prompts rated by two raters each.")
    lowest = known[0]
    if conclusions.is_undecided(lowest.alpha):
        ends = (lowest.alpha.low or 0.0, lowest.alpha.high or 0.0)
        enough = intervals.n_enough(lowest.n_shared, ends, conclusions.BARELY)
        advice = _("About %(n)s responses that two raters rated would tell.")
        return advice % {"n": grouped(enough)}
    if not flagged and not _is_agreed(lowest):
        advice = _("Make clearer what “%(question)s” asks for.")
        return advice % {"question": lowest.label}
    return ""


def _action(
    campaign: Campaign, rows: Sequence[QuestionRow], flagged: Sequence[RaterMeasures]
) -> Action:
    known = _with_interval(rows)
    if flagged:
        return conclusions.check_rater(campaign, flagged)
    if not known or conclusions.is_undecided(known[0].alpha):
        return Action(_("See the items"), reverse("campaign_items", args=[campaign.pk]))
    if not _is_agreed(known[0]):
        return conclusions.read_disputed(campaign)
    return Action(_("Export the consensus of ratings"), reverse("export", args=[campaign.pk]))


def _is_agreed(row: QuestionRow) -> bool:
    """Surely beyond chance, and probably beyond barely so."""
    value, low = row.alpha.value or 0.0, row.alpha.low or 0.0
    return low > 0 and value >= conclusions.BARELY


def first_figures(report: QualityReport) -> list[Measure]:
    """The few numbers on a campaign's overview: α of the lowest three questions, and how often
    ratings are equal.
    """
    known = [
        (record["label"], as_figure(record["alpha"]))
        for record in report.results["agreement"]["questions"]
        if as_figure(record["alpha"]).value is not None
    ]
    lowest = sorted(known, key=lambda question: question[1].value or 0.0)[:3]
    same = as_figure(report.results["ratings"]["same"])
    return [
        as_share(_("Same rating"), same, _("pairs of ratings"), ""),
        *(
            as_coefficient(_("Krippendorff α: %(question)s") % {"question": label}, alpha, "", "")
            for label, alpha in lowest
        ),
    ]
