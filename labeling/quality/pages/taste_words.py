"""The groups of raters with a taste of their own, in words."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from labeling.quality.selectors import RaterMeasures


@dataclass(frozen=True)
class TasteGroup:
    """Raters who agree with each other more than with everybody else."""

    raters: list[RaterMeasures]
    sentence: str


def groups(raters: Iterable[RaterMeasures]) -> list[TasteGroup]:
    """The largest first."""
    by_number: dict[int, list[RaterMeasures]] = {}
    for row in raters:
        if row.taste is not None:
            by_number.setdefault(row.taste["number"], []).append(row)
    return [
        TasteGroup(members, sentence(members[0].taste or {}))
        for _number, members in sorted(by_number.items())
    ]


def sentence(taste: Mapping[str, Any]) -> str:
    """How far the group agrees, within and without."""
    words = [
        _(
            "%(n)d raters agree with each other in %(within)s of pairs, and with everyone else in"
            " %(outside)s."
        )
        % {
            "n": taste["n_raters"],
            "within": _percent(taste["within"]["value"]),
            "outside": _percent(taste["outside"]["value"]),
        }
    ]
    repeats = taste["repeats"]
    if repeats["n"]:
        words.append(
            ngettext(
                "Shown a pair again, they chose the same in %(share)s of %(n)d case.",
                "Shown a pair again, they chose the same in %(share)s of %(n)d cases.",
                repeats["n"],
            )
            % {"share": _percent(repeats["value"]), "n": repeats["n"]}
        )
    return " ".join(words)


def meaning() -> str:
    """What a group means, and what weighing does to its members."""
    return _(
        "They agree with each other, so they are probably not careless; they may want something"
        " different from a response. Their reliability and weight are measured within"
        " their group, so they keep their vote. Weighted results still follow the larger group"
        " where the two disagree. Read some of their answers, and decide which taste you want to"
        " train."
    )


def unsure_meaning() -> str:
    """What stands beside a rater who answers differently, where nobody can say why."""
    return _(
        "This is no accusation. They may be careless, or share a taste that few have: too few of"
        " their answers are on the same items to tell. Give them gold items or more items in"
        " common, or read some of their answers."
    )


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.0f} %"
