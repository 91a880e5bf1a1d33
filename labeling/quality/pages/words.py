"""Labels of the quality figures, and a sentence on what each means here; no traffic lights."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from arithmetic.figures import Figure, absent, gettext_noop
from labeling.models import Campaign
from labeling.quality import selectors
from labeling.quality.pages import figure_text
from labeling.quality.pages.figure_text import coefficient, share, share_interval, why_absent
from labeling.quality.pages.meanings import (
    alpha_meaning,
    first_meaning,
    icc_meaning,
    pool_meaning,
    raw_meaning,
    tau_meaning,
)
from labeling.votes.arrays import NOT_ANSWERED, as_figure
from pages.numbers import grouped

EFFECTS = {
    "position": gettext_lazy("Shown first"),
    "length": gettext_lazy("Twice as long"),
    "list": gettext_lazy("Has a list"),
    "bold": gettext_lazy("Has bold text"),
    "link": gettext_lazy("Has a link"),
    "emoji": gettext_lazy("Has emoji"),
    "refusal": gettext_lazy("Refuses"),
}
BEHIND = {
    "first": gettext_lazy("the response shown first won"),
    "position": gettext_lazy("the response shown first won"),
    "longer": gettext_lazy("the longer response won"),
    "length": gettext_lazy("the longer response won, by any margin"),
    "list": gettext_lazy("only the winner has a list"),
    "bold": gettext_lazy("only the winner has bold text"),
    "link": gettext_lazy("only the winner has a link"),
    "emoji": gettext_lazy("only the winner has emoji"),
    "refusal": gettext_lazy("only the winner refuses"),
    "ties": gettext_lazy("two responses were tied"),
    "consistent": gettext_lazy("the same response was chosen after swapping"),
    "first_twice": gettext_lazy("the first position was chosen both times"),
    "second_twice": gettext_lazy("the second position was chosen both times"),
    "surer": gettext_lazy("the response that sounds surer won against the expert"),
    "unexplained": gettext_lazy("no principle was rated higher for the response that won"),
    "modest": gettext_lazy("the response that sounds less sure won against the expert"),
}
"""What the judgments behind a row of the bias panel have in common."""
GROUPS = {
    "category": gettext_lazy("Category"),
    "language": gettext_lazy("Language"),
    "month": gettext_lazy("Month"),
    "week": gettext_lazy("Week"),
}


@dataclass(frozen=True)
class Measure:
    """A number with its interval, count and meaning, ready to print; without a value `meaning` says
    why there is none.
    """

    label: str
    value: str
    interval: str
    n: int
    unit: str
    meaning: str
    row: str = ""
    """names the judgments behind it, if any: see labeling.quality.measures.behind"""
    about: str = ""
    """whom the interval is about, if that is said"""


def as_share(label: str, figure: Figure, unit: str, meaning: str, row: str = "") -> Measure:
    return _measure(label, figure, "share", unit, meaning, row)


def as_coefficient(label: str, figure: Figure, unit: str, meaning: str, row: str = "") -> Measure:
    return _measure(label, figure, "coefficient", unit, meaning, row)


def _measure(label: str, figure: Figure, form: str, unit: str, meaning: str, row: str) -> Measure:
    value, interval = figure_text.FORMS[form]
    words = why_absent(figure) if figure.value is None else meaning
    about = figure_text.about(figure)
    return Measure(label, value(figure), interval(figure), figure.n, unit, words, row, about)


def agreement(results: Mapping[str, object]) -> list[Measure]:
    """The table at the top of the agreement tab."""
    oneself = as_share(
        _("Self-agreement"),
        _figures(results)["self"],
        _("repeated pairs"),
        _(
            "The same rater on the same two responses, a second time. Agreement with others can't"
            " be higher than this."
        ),
    )
    return [*on_pairs(results), oneself]


def on_pairs(results: Mapping[str, object]) -> list[Measure]:
    """Agreement between raters on two responses, for a campaign or a part of it."""
    return imported(_figures(results))


def imported(figures: Mapping[str, Figure]) -> list[Measure]:
    """The same from the votes in an import's file, which has no Fleiss κ and no AC1."""
    votes, pairs = _("pairs of votes"), _("pairs of responses")
    measures = {
        "raw_half": (
            as_share,
            _("Agreement (ties count ½)"),
            votes,
            raw_meaning(figures["raw_half"]),
        ),
        "raw_out": (
            as_share,
            _("Agreement (without ties)"),
            votes,
            _("Only decided votes are compared, so this is highest where raters tie when unsure."),
        ),
        "raw_in": (
            as_share,
            _("Agreement (ties as an answer)"),
            votes,
            _(
                "A tie only matches another tie, so this is lowest where one rater ties and another"
                " decides."
            ),
        ),
        "alpha_ordinal": (
            as_coefficient,
            _("Krippendorff α, ordinal"),
            pairs,
            alpha_meaning(figures["alpha_ordinal"]),
        ),
        "alpha_nominal": (
            as_coefficient,
            _("Krippendorff α, nominal"),
            pairs,
            _("As above, but a tie is as far from a win as a loss."),
        ),
        "fleiss": (
            as_coefficient,
            _("Fleiss κ"),
            pairs,
            _(
                "Close to α nominal when each pair has many votes. Shown for comparison with"
                " published results."
            ),
        ),
        "gwet": (
            as_coefficient,
            _("Gwet AC1"),
            pairs,
            _(
                "Assumes little chance agreement when one answer is frequent. If it is far above α,"
                " one answer dominates."
            ),
        ),
    }
    return [
        measure(label, figures[name], unit, meaning)
        for name, (measure, label, unit, meaning) in measures.items()
        if name in figures
    ]


def orders(results: Mapping[str, object]) -> list[Measure]:
    """Agreement between whole orders."""
    figures = _figures(results)
    tau, w = figures["tau"], figures["w"]
    return [
        as_coefficient(_("Kendall τ-b, two raters"), tau, _("pairs of rankings"), tau_meaning(tau)),
        as_coefficient(
            _("Kendall W, all raters of an item"),
            w,
            _("items"),
            _(
                "1 means everyone ranked the same. Chance gives 1 divided by the number of raters:"
                " 0.5 for two, 0.33 for three."
            ),
        ),
    ]


def others(results: Mapping[str, Any]) -> list[Measure]:
    """Agreement with others outside the campaign's own raters."""
    figures = _figures(results)
    votes = _("votes")
    decided = as_share(
        _("With the adjudicated ranking"),
        figures["adjudicated"],
        votes,
        _(
            "Adjudicated items are the hard ones, so expect less agreement here than between"
            " raters."
        ),
    )
    name = results["model_name"]
    model = as_share(
        (
            _("With the reward model “%(name)s”") % {"name": name}
            if name
            else _("With a reward model")
        ),
        figures["model"],
        votes,
        _(
            "On responses held out from its training. Published reward models reach 63–72 % on"
            " single votes."
        ),
    )
    pairs = _("pairs of votes")
    pools = [
        as_share(
            _("With the pool “%(name)s”") % {"name": row["pool"]},
            as_figure(row["raw"]),
            pairs,
            pool_meaning(row),
        )
        for row in results["pools"]
    ]
    none = absent(
        gettext_noop(
            "No other pool has rated the same responses. Clone the campaign for another pool to"
            " compare."
        )
    )
    golds = as_share(
        _("With gold items"),
        figures["gold"],
        votes,
        _(
            "Decided pairs of gold items, in all raters' first answers. Gold items should be clear,"
            " so expect more agreement here than between raters."
        ),
    )
    return [golds, decided, model, *(pools or [as_share(_("With other pools"), none, pairs, "")])]


def answered(questions: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Without those that nobody has answered yet."""
    return [row for row in questions if as_figure(row["alpha"]).note != NOT_ANSWERED]


def scales(questions: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """For each scale, how far its scores depend on what is rated rather than on who rates."""
    return [
        {
            "label": question["label"],
            "alpha": as_figure(question["interval"]),
            # A report of an earlier version has none.
            "nominal": as_figure(question["nominal"]) if "nominal" in question else Figure(None, 0),
            "icc": as_figure(question["icc"]),
            "of_mean": as_figure(question["icc_of_mean"]),
            "meaning": why_absent(as_figure(question["icc"]))
            or icc_meaning(as_figure(question["icc"])),
        }
        for question in questions
        if question["is_scale"]
    ]


def of_something(*tables: Sequence[Measure]) -> list[list[Measure]]:
    """The tables' rows that count something."""
    return [[row for row in rows if row.n] for rows in tables]


def of_nothing(*tables: Sequence[Measure]) -> list[Measure]:
    """The tables' rows that count nothing yet; each says why in `meaning`."""
    return [row for rows in tables for row in rows if not row.n]


@dataclass(frozen=True)
class Empty:
    """Why there is nothing on a page, and what to do."""

    title: str
    text: str
    label: str
    url: str


def no_agreement(campaign: Campaign) -> Empty:
    title = _("Nothing has been answered twice")
    if campaign.about.talks:
        review = reverse("campaign_review", args=[campaign.pk])
        text = _(
            "In a conversation, each rater judges answers that nobody else sees, so raters can't"
            " agree or disagree. Review some of them: this page then says how often raters choose"
            " what reviewers choose."
        )
        return Empty(title, text, _("Review answers"), f"{review}?order=random")
    if campaign.overlap < 2:
        text = _(
            "One rater answers each item. For agreement, ask two or more: clone the campaign with"
            " more answers per item."
        )
        return Empty(
            title, text, _("See its setup"), reverse("campaign_set_up", args=[campaign.pk])
        )
    text = _(
        "Agreement is computed as soon as two raters have answered the same item; %(n)s are asked"
        " for each."
    ) % {"n": campaign.overlap}
    return Empty(title, text, _("See the items"), reverse("campaign_items", args=[campaign.pk]))


def on_some_pair(title: object) -> str:
    """The title of the judgments behind a row."""
    return _("Answers where, on at least one pair, %(words)s") % {"words": title}


def groups_left_out(counts: Mapping[str, int]) -> list[str]:
    """A sentence for each grouping that has groups without a row."""
    sentences = {
        "month": lambda n: ngettext(
            "%(n)d earlier month is not shown.", "%(n)d earlier months are not shown.", n
        ),
        "week": lambda n: ngettext(
            "%(n)d earlier week is not shown.", "%(n)d earlier weeks are not shown.", n
        ),
        "category": lambda n: ngettext(
            "%(n)d category with fewer votes is not shown.",
            "%(n)d categories with fewer votes are not shown.",
            n,
        ),
        "language": lambda n: ngettext(
            "%(n)d language with fewer votes is not shown.",
            "%(n)d languages with fewer votes are not shown.",
            n,
        ),
    }
    return [sentences[kind](n) % {"n": n} for kind, n in counts.items()]


def two_raters(agree: Figure, kappa: float | None) -> str:
    """A cell of the heat map, in full."""
    values = {"share": share(agree), "n": agree.n, "interval": share_interval(agree)}
    share_of_votes = (
        ngettext(
            "%(share)s of %(n)d pair, %(interval)s",
            "%(share)s of %(n)d pairs, %(interval)s",
            agree.n,
        )
        % values
    )
    return (
        share_of_votes
        if kappa is None
        else f"{share_of_votes}, {_('Cohen κ')} {coefficient(Figure(kappa, agree.n))}"
    )


def pairs_left_out(n_few: int, n_more: int) -> list[str]:
    """How many pairs of raters have no row, and why."""
    sentences = []
    if n_few:
        sentences.append(
            ngettext(
                "%(n)d pair of raters shares fewer than 10 votes and is not shown.",
                "%(n)d pairs of raters share fewer than 10 votes and are not shown.",
                n_few,
            )
            % {"n": n_few}
        )
    if n_more:
        sentences.append(
            ngettext(
                "Showing the 300 pairs with the most votes; %(n)d more is not shown.",
                "Showing the 300 pairs with the most votes; %(n)d more are not shown.",
                n_more,
            )
            % {"n": n_more}
        )
    return sentences


def spared(campaign: Campaign, n: int) -> str:
    """Which items the figures about people are of; empty if raters were spared none."""
    if not n:
        return ""
    n_items = selectors.n_asked(campaign=campaign)
    return ngettext(
        "A trusted judge spared raters %(n)s of %(of)s pair. These figures are of the other"
        " %(others)s, so they hold more of the pairs that the judge was unsure of.",
        "A trusted judge spared raters %(n)s of %(of)s pairs. These figures are of the other"
        " %(others)s, so they hold more of the pairs that the judge was unsure of.",
        n_items,
    ) % {"n": grouped(n), "of": grouped(n_items), "others": grouped(n_items - n)}


def _figures(results: Mapping[str, object]) -> dict[str, Figure]:
    return {
        name: as_figure(record)
        for name, record in results.items()
        if isinstance(record, dict) and "note" in record
    }


def bias(results: Mapping[str, Any]) -> list[Measure]:
    """The table at the top of the bias tab."""
    pairs, swapped = _("decided pairs"), _("swapped repeats")
    first, longer = as_figure(results["first"]), as_figure(results["longer"])
    slope = as_figure(results["per_doubling"])
    swaps = {name: as_figure(record) for name, record in results["swaps"].items()}
    measures = [
        as_share(_("Position bias"), first, pairs, first_meaning(first), row="first"),
        as_share(
            _("Length bias"),
            longer,
            pairs,
            _(
                "50 % is neutral. Length and quality often go together, so compare this with the"
                " odds below."
            ),
            row="longer",
        ),
        as_coefficient(
            _("Odds per doubling of length"),
            slope,
            pairs,
            _("1 means no effect. At 2, a response twice as long has twice the odds."),
            row="length",
        ),
        as_share(
            _("Same choice after swapping"),
            swaps["consistent"],
            swapped,
            _("The rater chose the same response in both positions."),
            row="consistent",
        ),
    ]
    if swaps["consistent"].value is not None:
        words = _("The rater chose the position, whatever was shown there.")
        measures += [
            as_share(
                _("First position both times"),
                swaps["first_twice"],
                swapped,
                words,
                row="first_twice",
            ),
            as_share(
                _("Second position both times"),
                swaps["second_twice"],
                swapped,
                words,
                row="second_twice",
            ),
        ]
    ties = as_share(
        _("Ties"),
        as_figure(results["ties"]),
        _("votes"),
        _("How often two responses got the same rank."),
        row="ties",
    )
    return [*measures, ties]
