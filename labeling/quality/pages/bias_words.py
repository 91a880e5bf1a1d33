"""The texts of the bias tab on confident wording and on groups of raters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from arithmetic.figures import Figure
from labeling.quality.pages.figure_text import about, coefficient, share, share_interval
from labeling.quality.pages.words import (
    BEHIND,
    Measure,
    as_coefficient,
    as_share,
    on_some_pair,
)
from labeling.votes.arrays import as_figure

COLUMNS = {
    "first": gettext_lazy("Position bias"),
    "longer": gettext_lazy("Length bias"),
    "list": gettext_lazy("List bias"),
    "bold": gettext_lazy("Bold bias"),
    "link": gettext_lazy("Link bias"),
    "emoji": gettext_lazy("Emoji bias"),
    "refusal": gettext_lazy("Refusal bias"),
    "ties": gettext_lazy("Ties"),
}
FLAGS_BEHIND = {
    "flag-chance": gettext_lazy("Disagrees with other raters on the same items"),
    "flag-first": gettext_lazy("The response shown first ranked top, alone"),
    "flag-last": gettext_lazy("The response shown last ranked top, alone"),
    "flag-alternates": gettext_lazy("The top position moved by the rater's usual step"),
    "flag-longer": gettext_lazy("The longer response won most pairs"),
    "flag-copy": gettext_lazy("The same answer as the colleague's"),
    "flag-tires": gettext_lazy("Late in a long session"),
    "flag-drifts": gettext_lazy("The last third of the answers"),
    "flag-uneven": gettext_lazy("Sessions with less agreement than the rater's others"),
    "flag-fast": gettext_lazy("Faster than reading speed"),
    "flag-even": gettext_lazy("Answers with a known time"),
    "flag-same": gettext_lazy("The rater's most frequent answer to the question"),
}
"""What the judgments behind a rater's flag have in common."""
SIGHTS = ("list", "bold", "link", "emoji", "refusal")


@dataclass(frozen=True)
class GroupRow:
    name: str
    n_raters: int
    n: int
    """votes; approximate for a profile's answer"""
    cells: list[tuple[str, Figure]]
    """column and share"""
    judgments: str = ""
    """the row of the bias panel with the judgments behind it"""
    pool: int | None = None
    """the pool of another campaign, linked in place of the judgments"""


@dataclass(frozen=True)
class GroupPart:
    """Rows to compare with each other, and the number of rows that are too small to show."""

    title: str
    rows: list[GroupRow]
    n_hidden: int
    is_profile: bool = False


def wording(results: Mapping[str, Any]) -> list[Measure]:
    """The table on confident wording; `results` must not be empty."""
    votes = _("votes")
    towards = as_share(
        _("Errors towards the surer response"),
        as_figure(results["towards"]),
        votes,
        _(
            "Where the expert prefers the response that sounds less sure: how often raters choose"
            " the surer one."
        ),
    )
    away = as_share(
        _("Errors towards the other response"),
        as_figure(results["away"]),
        votes,
        _(
            "Where the expert prefers the response that sounds surer: how often raters choose the"
            " other one."
        ),
    )
    return [
        replace(towards, row="surer"),
        replace(away, row="modest"),
        _apart(as_figure(results["gap"])),
    ]


def title_behind(row: str) -> str | None:
    """What the judgments behind a row of a rater's panel, or behind a flag, have in common; None if
    there is no such row.
    """
    if row in FLAGS_BEHIND:
        return str(FLAGS_BEHIND[row])
    return on_some_pair(BEHIND[row]) if row in BEHIND else None


def habits_of_rater(habits: Mapping[str, Figure], results: Mapping[str, object]) -> list[Measure]:
    """The biases of one rater's choices next to those of all raters. Features in which no two of
    the campaign's responses differ have no row.
    """
    everybody = _of_everybody(results)
    shown = [
        name for name in habits if name not in SIGHTS or (name in everybody and everybody[name].n)
    ]
    if "consistent" in habits and habits["consistent"].value is None:
        shown = [name for name in shown if name not in ("first_twice", "second_twice")]
    return [_habit(name, habits[name], everybody.get(name)) for name in shown]


def _of_everybody(results: Mapping[str, Any]) -> dict[str, Figure]:
    habits, groups = results["habits"], results["groups"]
    records = {
        name: habits[name] for name in ("per_doubling", "first", "longer", "ties") if name in habits
    }
    records |= habits["swaps"]
    records |= groups["everybody"]["figures"] if groups else {}
    return {name: as_figure(record) for name, record in records.items()}


def _habit(name: str, figure: Figure, everybody: Figure | None) -> Measure:
    swapped, row = (
        name in ("consistent", "first_twice", "second_twice"),
        ("length" if name == "per_doubling" else name),
    )
    unit = _("swapped repeats") if swapped else _("votes") if name == "ties" else _("decided pairs")
    label, is_odds = str(_HABIT_LABELS.get(name) or capfirst(COLUMNS[name])), name == "per_doubling"
    usual = ""
    if everybody is not None and everybody.value is not None:
        usual = _("All raters: %(value)s") % {
            "value": coefficient(everybody) if is_odds else share(everybody)
        }
    made = as_coefficient if is_odds else as_share
    return replace(made(label, figure, unit, usual), row=row if figure.n else "")


_HABIT_LABELS = {
    "first": gettext_lazy("Position bias"),
    "longer": gettext_lazy("Length bias"),
    "per_doubling": gettext_lazy("Odds per doubling of length"),
    "consistent": gettext_lazy("Same choice after swapping"),
    "first_twice": gettext_lazy("First position both times"),
    "second_twice": gettext_lazy("Second position both times"),
    "ties": gettext_lazy("Ties"),
}


def wording_of_rater(results: Mapping[str, Any], rater_id: int) -> list[Measure]:
    """Confident wording for one rater; empty if too few of their votes can be compared with an
    expert's order.
    """
    measures = results.get("raters", {}).get(str(rater_id))
    if not measures:
        return []
    towards, away, gap = wording(measures)
    return [towards, away, replace(gap, meaning=_meaning_of_rater(as_figure(measures["gap"])))]


def groups(results: Mapping[str, Any]) -> list[GroupPart]:
    """All raters, pools, and each question of the profile; empty if there is nothing to compare.

    Features in which no two of the campaign's responses differ have no column.
    """
    if not results:
        return []
    everybody = results["everybody"] | {"name": _("All raters in this campaign")}
    shown = [name for name in COLUMNS if everybody["figures"][name]["value"] is not None]
    pools = [_row(entry, shown, judgments=f"pool-{entry['pool']}") for entry in results["pools"]]
    theirs = _("%(pool)s (own campaigns)")
    pools += [
        _row(entry | {"name": theirs % {"pool": entry["name"]}}, shown, pool=entry["pool"])
        for entry in results["elsewhere"]
    ]
    parts = [GroupPart(_("Pools"), pools, results["n_pools_hidden"])]
    for entry in results["profile"]:
        rows = [_row(group, shown) for group in entry["groups"]]
        parts.append(GroupPart(entry["question"], rows, entry["n_hidden"], is_profile=True))
    to_compare = [part for part in parts if part.rows or part.n_hidden]
    return [GroupPart("", [_row(everybody, shown)], 0), *to_compare] if to_compare else []


def pool_behind(results: Mapping[str, Any], row: str) -> str | None:
    """What the judgments of a pool's row have in common; None if there is no such row."""
    names = {f"pool-{pool['pool']}": pool["name"] for pool in results.get("pools", [])}
    return _("a rater in “%(pool)s” chose or tied") % {"pool": names[row]} if row in names else None


def _apart(gap: Figure) -> Measure:
    label, unit = _("Difference"), _("votes")
    if gap.value is None:
        return Measure(label, "–", "", gap.n, unit, _(gap.note))
    interval = share_interval(gap).removesuffix(" %")
    value, whom = _points(gap.value), about(gap)
    return Measure(label, value, interval, gap.n, unit, _meaning(gap), about=whom)


def _points(share: float) -> str:
    number = f"{100 * share:+.0f}".replace("-", "−")
    return _("%(number)s points") % {"number": number}


def _meaning(gap: Figure) -> str:
    if gap.low is None or gap.high is None:
        return _(gap.note) if gap.note else ""
    if gap.low > 0:
        return _(
            "Raters err more towards the response that sounds surer: confident wording passes for"
            " quality here. Say so in the guideline, and create gold items where the modest answer"
            " is right."
        )
    if gap.high < 0:
        return _(
            "Raters err more against the response that sounds surer: they mistrust confident"
            " wording."
        )
    return _("No significant difference with this number of votes.")


def _meaning_of_rater(gap: Figure) -> str:
    if gap.low is None or gap.high is None:
        return _(gap.note) if gap.note else ""
    if gap.low > 0:
        return _(
            "More errors towards the response that sounds surer. Show gold items where the modest"
            " answer is right, with feedback on."
        )
    if gap.high < 0:
        return _("More errors against the response that sounds surer.")
    return _("No significant difference with this number of votes.")


def _row(
    group: Mapping[str, Any], shown: Sequence[str], *, judgments: str = "", pool: int | None = None
) -> GroupRow:
    cells = [(str(COLUMNS[name]), as_figure(group["figures"][name])) for name in shown]
    return GroupRow(group["name"], group["n_raters"], group["n"], cells, judgments, pool)
