"""Labels of the quality figures and a sentence on what each means here; no traffic lights."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from labeling.quality.measures.votes import as_figure
from labeling.statistics.figures import Figure, absent, gettext_noop

EFFECTS = {
    "position": gettext_lazy("shown first"),
    "length": gettext_lazy("twice as long"),
    "list": gettext_lazy("has a list"),
    "bold": gettext_lazy("has bold text"),
    "link": gettext_lazy("has a link"),
    "emoji": gettext_lazy("has emoji"),
    "refusal": gettext_lazy("refuses"),
}
BEHIND = {
    "first": gettext_lazy("the first-shown response won"),
    "position": gettext_lazy("the first-shown response won"),
    "longer": gettext_lazy("the longer response won"),
    "length": gettext_lazy("the longer response won, by however little"),
    "list": gettext_lazy("the only one with a list won"),
    "bold": gettext_lazy("the only one with bold text won"),
    "link": gettext_lazy("the only one with a link won"),
    "emoji": gettext_lazy("the only one with emoji won"),
    "refusal": gettext_lazy("the only one that refuses won"),
    "ties": gettext_lazy("two responses were tied"),
    "consistent": gettext_lazy("the same response was chosen after a swap"),
    "first_twice": gettext_lazy("the first place was chosen both times"),
    "second_twice": gettext_lazy("the second place was chosen both times"),
    "surer": gettext_lazy("the response that sounds surer won, against the expert"),
    "modest": gettext_lazy("the response that sounds less sure won, against the expert"),
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


def share(figure: Figure) -> str:
    return "–" if figure.value is None else f"{100 * figure.value:.0f} %"


def coefficient(figure: Figure) -> str:
    return "–" if figure.value is None else number_format(figure.value, 2).replace("-", "−")


def share_interval(figure: Figure) -> str:
    if figure.low is None or figure.high is None:
        return ""
    return f"{100 * figure.low:.0f} – {100 * figure.high:.0f} %"


def coefficient_interval(figure: Figure) -> str:
    if figure.low is None or figure.high is None:
        return ""
    return f"{number_format(figure.low, 2)} – {number_format(figure.high, 2)}".replace("-", "−")


def as_share(label: str, figure: Figure, unit: str, meaning: str) -> Measure:
    words = meaning if figure.value is not None else _(figure.note)
    return Measure(label, share(figure), share_interval(figure), figure.n, unit, words)


def as_coefficient(label: str, figure: Figure, unit: str, meaning: str) -> Measure:
    words = meaning if figure.value is not None else _(figure.note)
    return Measure(label, coefficient(figure), coefficient_interval(figure), figure.n, unit, words)


def agreement(results: Mapping[str, Any]) -> list[Measure]:
    """The table at the top of the agreement tab."""
    oneself = as_share(
        _("Agree with themselves"),
        _figures(results)["self"],
        _("repeated pairs"),
        _(
            "The same rater on the same two responses again. Raters cannot agree with others more"
            " than with themselves."
        ),
    )
    return [*on_pairs(results), oneself]


def on_pairs(results: Mapping[str, Any]) -> list[Measure]:
    """Agreement between raters on two responses, for a campaign or a part of it."""
    found = _figures(results)
    votes, pairs = _("pairs of votes"), _("pairs of responses")
    return [
        as_share(
            _("Agree, ties as half"), found["raw_half"], votes, raw_meaning(found["raw_half"])
        ),
        as_share(
            _("Agree, ties left out"),
            found["raw_out"],
            votes,
            _(
                "Only votes that decide are compared, so this lies highest where raters tie when"
                " they are unsure."
            ),
        ),
        as_share(
            _("Agree, ties as an answer"),
            found["raw_in"],
            votes,
            _(
                "A tie agrees only with a tie, so this lies lowest where one rater ties and another"
                " decides."
            ),
        ),
        as_coefficient(
            _("Krippendorff α, ordinal"),
            found["alpha_ordinal"],
            pairs,
            alpha_meaning(found["alpha_ordinal"]),
        ),
        as_coefficient(
            _("Krippendorff α, nominal"),
            found["alpha_nominal"],
            pairs,
            _("As above, but a tie is as far from a win as a loss is."),
        ),
        as_coefficient(
            _("Fleiss κ"),
            found["fleiss"],
            pairs,
            _(
                "Nearly α nominal where each pair has many votes; here to compare with papers that"
                " report it."
            ),
        ),
        as_coefficient(
            _("Gwet AC1"),
            found["gwet"],
            pairs,
            _(
                "Chance is taken as small when one answer is frequent. Far above α, it says that"
                " one answer dominates."
            ),
        ),
    ]


def imported(figures: Mapping[str, Figure]) -> list[Measure]:
    """The figures on an import's page: the same ones, from the file's own votes."""
    votes, pairs = _("pairs of votes"), _("pairs of responses")
    half, ordinal = figures["raw_half"], figures["alpha_ordinal"]
    nominal = _("As above, but a tie is as far from a win as a loss is.")
    return [
        as_share(_("Agree, ties as half"), half, votes, raw_meaning(half)),
        as_share(
            _("Agree, ties left out"),
            figures["raw_out"],
            votes,
            _("Only votes that decide are compared."),
        ),
        as_share(
            _("Agree, ties as an answer"),
            figures["raw_in"],
            votes,
            _("A tie agrees only with a tie."),
        ),
        as_coefficient(_("Krippendorff α, ordinal"), ordinal, pairs, alpha_meaning(ordinal)),
        as_coefficient(_("Krippendorff α, nominal"), figures["alpha_nominal"], pairs, nominal),
    ]


def orders(results: Mapping[str, Any]) -> list[Measure]:
    """Agreement between whole orders."""
    found = _figures(results)
    tau, w = found["tau"], found["w"]
    return [
        as_coefficient(_("Kendall τ-b, two raters"), tau, _("pairs of orders"), tau_meaning(tau)),
        as_coefficient(
            _("Kendall W, all raters of an item"),
            w,
            _("items"),
            _(
                "1 is the same order by everybody. Chance alone gives 1 over the number of raters:"
                " 0.5 for two, 0.33 for three."
            ),
        ),
    ]


def others(results: Mapping[str, Any]) -> list[Measure]:
    """Agreement with others outside the campaign's own raters."""
    found = _figures(results)
    votes = _("votes")
    decided = as_share(
        _("With the adjudicated order"),
        found["adjudicated"],
        votes,
        _(
            "On items that a reviewer decided, which are the hard ones: expect less here than"
            " between raters."
        ),
    )
    name = results["model_name"]
    model = as_share(
        (
            _("With the reward model “%(name)s”") % {"name": name}
            if name
            else _("With a reward model")
        ),
        found["model"],
        votes,
        _(
            "On responses held out from what it learned. 63 to 72 % is what published reward models"
            " reach on single votes."
        ),
    )
    pairs = _("pairs of votes")
    pools = [
        as_share(
            _("With the pool “%(name)s”") % {"name": row["pool"]},
            as_figure(row["raw"]),
            pairs,
            _pool_meaning(row),
        )
        for row in results["pools"]
    ]
    none = absent(
        gettext_noop(
            "No other pool has judged the same responses. Clone the campaign for one to compare."
        )
    )
    golds = as_share(
        _("With golds"),
        found["gold"],
        votes,
        _(
            "Pairs that golds decide, in all raters' first answers. Golds should be clear: expect"
            " more here than between raters."
        ),
    )
    return [golds, decided, model, *(pools or [as_share(_("With other pools"), none, pairs, "")])]


def scales(questions: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """For each scale, how far its scores depend on what is rated rather than on who rates."""
    return [
        {
            "label": found["label"],
            "alpha": as_coefficient("", as_figure(found["interval"]), "", ""),
            "icc": as_coefficient(
                "", as_figure(found["icc"]), "", icc_meaning(as_figure(found["icc"]))
            ),
            "of_mean": as_coefficient("", as_figure(found["icc_of_mean"]), "", ""),
        }
        for found in questions
        if found["is_scale"]
    ]


def on_some_pair(title: object) -> str:
    """The title of the judgments behind a row."""
    return _("On some pair, %(words)s") % {"words": title}


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
    given = {"share": share(agree), "n": agree.n, "interval": share_interval(agree)}
    share_of_votes = (
        ngettext(
            "%(share)s of %(n)d pair, %(interval)s",
            "%(share)s of %(n)d pairs, %(interval)s",
            agree.n,
        )
        % given
    )
    return (
        share_of_votes
        if kappa is None
        else f"{share_of_votes}, {_('Cohen κ')} {coefficient(Figure(kappa, agree.n))}"
    )


def two_raters_row(
    agree: Figure, kappa: float | None, raters: tuple[int, int], names: Mapping[int, str]
) -> dict[str, Any]:
    """The same, as a row of the table below the heat map."""
    one, other = raters
    return {
        "one": one,
        "one_alias": names.get(one, ""),
        "other": other,
        "other_alias": names.get(other, ""),
        "agree": as_share("", agree, "", ""),
        "kappa": "–" if kappa is None else coefficient(Figure(kappa, agree.n)),
    }


def pairs_left_out(n_few: int, n_more: int) -> list[str]:
    """How many pairs of raters have no row, and why."""
    sentences = []
    if n_few:
        sentences.append(
            ngettext(
                "%(n)d pair of raters shares fewer than 10 votes and is not listed.",
                "%(n)d pairs of raters share fewer than 10 votes and are not listed.",
                n_few,
            )
            % {"n": n_few}
        )
    if n_more:
        sentences.append(
            ngettext(
                "Listed are the 300 pairs with the most votes; %(n)d more is not.",
                "Listed are the 300 pairs with the most votes; %(n)d more are not.",
                n_more,
            )
            % {"n": n_more}
        )
    return sentences


def _figures(results: Mapping[str, Any]) -> dict[str, Figure]:
    return {
        name: as_figure(record)
        for name, record in results.items()
        if isinstance(record, dict) and "note" in record
    }


def _pool_meaning(row: Mapping[str, Any]) -> str:
    n = row["n_pairs"]
    return ngettext(
        "Votes of the two pools on %(n)d pair of responses. As high as within the pool: both see"
        " the guideline alike.",
        "Votes of the two pools on %(n)d pairs of responses. As high as within the pool: both see"
        " the guideline alike.",
        n,
    ) % {"n": n}


def tau_meaning(figure: Figure) -> str:
    value = figure.value or 0.0
    if value < 0:
        return _("Below 0: orders run against each other more often than along.")
    if value < 0.2:
        return _(
            "Little more than chance, which is 0. At 0.4, 70 % of the pairs of two orders run the"
            " same way."
        )
    if value <= 0.6:
        return _(
            "Normal: with 72 to 77 % of pairs alike, two orders reach 0.44 to 0.54. 0 is chance, 1"
            " the same order."
        )
    return _("High: four of five pairs or more run the same way in two orders.")


def icc_meaning(figure: Figure) -> str:
    value = figure.value or 0.0
    if value < 0.2:
        return _(
            "Scores say more of the rater than of the response: compare them within a rater only."
        )
    if value < 0.5:
        return _(
            "Normal for a scale of quality. One score tells little; the mean of several tells more."
        )
    return _("Scores of different raters can be compared.")


def raw_meaning(figure: Figure) -> str:
    value = figure.value or 0.0
    if value < 0.6:
        return _(
            "Little more than the 50 % that coins would give. Read some judgments beside the"
            " guideline before going on."
        )
    if value < 0.72:
        return _(
            "Below the 72 to 77 % that is normal for preferences: hard pairs, a vague guideline, or"
            " raters to look at."
        )
    if value <= 0.78:
        return _("Normal: careful pools agree on 72 to 77 % of preferences.")
    return _(
        "Above the 72 to 77 % that is normal for preferences: easy pairs, a clear guideline, or"
        " raters who copy."
    )


def alpha_meaning(figure: Figure) -> str:
    value = figure.value or 0.0
    if value < 0:
        return _("Below chance: somebody may read the scale the other way round.")
    if value < 0.2:
        return _(
            "Little beyond chance; 0.2 to 0.5 is normal for preferences. A clearer guideline helps"
            " most."
        )
    if value <= 0.5:
        return _(
            "Normal: preferences lie between 0.2 and 0.5, and the 0.667 of textbooks is meant for"
            " facts."
        )
    return _(
        "More than the 0.2 to 0.5 that is normal for preferences: the pairs are easy, or the"
        " guideline is clear."
    )


def longer_meaning(figure: Figure) -> str:
    value = figure.value if figure.value is not None else 0.5
    if figure.low is not None and figure.low <= 0.5 <= (figure.high or 0.0):
        return _("no pull that can be told from chance")
    if value < 0.5:
        return _("shorter responses win more often")
    return _("a mild pull") if value < 0.6 else _("a strong pull")


def bias(results: Mapping[str, Any]) -> list[Measure]:
    """The table at the top of the bias tab."""
    pairs = _("decided pairs")
    first, longer = as_figure(results["first"]), as_figure(results["longer"])
    slope = as_figure(results["per_doubling"])
    swaps = {name: as_figure(record) for name, record in results["swaps"].items()}
    found = [
        as_share(_("First shown wins"), first, pairs, _first_meaning(first)),
        as_share(
            _("Longer wins"),
            longer,
            pairs,
            _(
                "Half would be no pull. Length and quality often go together, so read this beside"
                " the odds below."
            ),
        ),
        as_coefficient(
            _("Odds when twice as long"),
            slope,
            pairs,
            _("1 is no pull; at 2, a response twice as long has twice the odds."),
        ),
        as_share(
            _("Same response after a swap"),
            swaps["consistent"],
            _("swapped repeats"),
            _("The rater chose the same response although it stood in the other place."),
        ),
    ]
    if swaps["consistent"].value is not None:
        words = _("The place was chosen, whatever stood there.")
        found += [
            as_share(
                _("First place both times"), swaps["first_twice"], _("swapped repeats"), words
            ),
            as_share(
                _("Second place both times"), swaps["second_twice"], _("swapped repeats"), words
            ),
        ]
    found.append(
        as_share(
            _("Ties"),
            as_figure(results["ties"]),
            _("votes"),
            _("How often two responses were put on the same rank."),
        )
    )
    rows = (
        "first",
        "longer",
        "length",
        "consistent",
        *(["first_twice", "second_twice"] if len(found) > 5 else []),
        "ties",
    )
    return [replace(measure, row=row) for measure, row in zip(found, rows, strict=True)]


def _first_meaning(figure: Figure) -> str:
    if figure.low is not None and figure.low <= 0.5 <= (figure.high or 0.0):
        return _(
            "The order on the page is shuffled, and the place makes no difference that can be told"
            " from chance."
        )
    return _(
        "The order on the page is shuffled, so anything but half is the place and not the response."
    )
