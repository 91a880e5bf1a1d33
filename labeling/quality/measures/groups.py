"""Compares groups of raters: by pool, and by their profile answers, which are only shown in
aggregate.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from arithmetic.agreement import pairs as agreement_pairs
from arithmetic.figures import Ints
from labeling.quality.measures.ballots import Ballots
from labeling.quality.measures.behind import latest
from labeling.votes.arrays import OtherVotes, Record, Truths, Votes, follows


@dataclass(frozen=True)
class RaterGroup:
    name: str
    raters: frozenset[int]
    pool: int | None = None
    question: str = ""
    """of a profile; the name is then an answer to it"""


def groups_of(
    votes: Votes,
    groups: Sequence[RaterGroup],
    others: OtherVotes,
    pool_names: Mapping[int, str],
    *,
    fewest: int,
) -> Record:
    """What choices depend on, group by group; groups with fewer raters than `fewest` are left out.

    Pools are those of the campaign's own raters, and other pools that judged the same responses in
    their own campaigns. A profile's figures are rounded so that no single rater's can be derived
    from them, and list no judgments.
    """
    pairs = votes.pairs
    if not pairs.unit.size:
        return {}
    ballots = Ballots.of(pairs, prompt=votes.prompt[pairs.row], followed=votes.followed)
    everybody = frozenset(np.unique(pairs.rater).tolist())
    rater_groups = [
        RaterGroup(group.name, group.raters & everybody, group.pool, group.question)
        for group in groups
    ]
    pools = [
        group
        for group in rater_groups
        if not group.question and group.raters and group.raters != everybody
    ]
    shown = [group for group in pools if len(group.raters) >= fewest]
    elsewhere, n_small = _elsewhere(votes, others, pool_names, fewest)
    judgment = votes.judgment[pairs.row]
    return {
        "everybody": ballots.row(everybody),
        "pools": [
            {"name": group.name, "pool": group.pool} | ballots.row(group.raters) for group in shown
        ],
        "elsewhere": elsewhere,
        "n_pools_hidden": len(pools) - len(shown) + n_small,
        "profile": _profile(
            [group for group in rater_groups if group.question], ballots, len(everybody), fewest
        ),
        "behind": {
            f"pool-{group.pool}": latest(judgment[_by(pairs.rater, group.raters)])
            for group in shown
        },
    }


def _by(rater: Ints, raters: frozenset[int]) -> Truths:
    return np.isin(rater, np.array(sorted(raters), dtype=np.int64))


def _elsewhere(
    votes: Votes, others: OtherVotes, names: Mapping[int, str], fewest: int
) -> tuple[list[Record], int]:
    """Other pools on the same responses, and how many of them are too small to show."""
    known, at = np.unique(votes.response, return_index=True)
    others = others.where(np.isin(others.response, known))
    rows = []
    for pool in np.unique(others.pool).tolist():
        theirs = others.where(others.pool == pool)
        pairs = agreement_pairs.expand(
            items=theirs.item, raters=theirs.rater, responses=theirs.response, ranks=theirs.rank
        )
        row = at[
            np.searchsorted(known, theirs.response)
        ]  # the row of `votes` with the same response
        followed = follows(pairs, position=theirs.position, looks=votes.looks.at(row))
        ballots = Ballots.of(pairs, prompt=votes.prompt[row][pairs.row], followed=followed)
        rows.append(
            {"name": names.get(pool, ""), "pool": pool}
            | ballots.row(frozenset(pairs.rater.tolist()))
        )
    shown = [row for row in rows if row["n_raters"] >= fewest]
    return shown, len(rows) - len(shown)


# --- profile answers ------------------------------------------------------------------------------


def _profile(
    groups: Sequence[RaterGroup], ballots: Ballots, n_raters: int, fewest: int
) -> list[Record]:
    """By question, the groups that may be shown and the number that may not."""
    entries = []
    for question in sorted({group.question for group in groups}):
        answered = {
            group.name: group for group in groups if group.question == question and group.raters
        }
        names = shown_answers(
            {name: len(group.raters) for name, group in answered.items()}, n_raters, fewest=fewest
        )
        rows = [
            {"name": name} | _coarse(ballots.row(answered[name].raters, fewest=fewest))
            for name in names
        ]
        entries.append(
            {"question": question, "groups": rows, "n_hidden": len(answered) - len(names)}
        )
    return [entry for entry in entries if entry["groups"] or entry["n_hidden"]]


def shown_answers(counts: Mapping[str, int], n_raters: int, *, fewest: int) -> list[str]:
    """Answers whose group may be shown, the largest first; each rater gives one answer.

    Each group has at least `fewest` raters, and so have all the others together, including those
    without an answer: otherwise the difference between the totals and what is shown would reveal
    those few. An answer that everybody gave reveals each of them and is hidden.
    """
    shown = sorted(
        (name for name, n in counts.items() if n >= fewest), key=lambda name: (-counts[name], name)
    )
    # Drop the smallest group until what is hidden is large enough.
    while shown and (
        0 < n_raters - sum(counts[name] for name in shown) < fewest or counts[shown[0]] == n_raters
    ):
        shown.pop()
    return shown


def _coarse(row: Record) -> Record:
    """Shares in whole per cent and vote counts to two digits: exact ones could be matched with sums
    over single raters.
    """
    figures = {
        name: figure | {"n": _about(figure["n"])} | _rounded(figure)
        for name, figure in row["figures"].items()
    }
    return {"n_raters": row["n_raters"], "n": _about(row["n"]), "figures": figures}


def _rounded(figure: Record) -> Record:
    """An interval is rounded outwards, so that it keeps its width."""
    ways: dict[str, Callable[[float], int]] = {
        "value": round,
        "low": math.floor,
        "high": math.ceil,
    }
    return {
        name: None if figure[name] is None else way(round(100 * figure[name], 9)) / 100
        for name, way in ways.items()
    }


def _about(n: int) -> int:
    return n if n < 10 else round(n, 1 - int(math.log10(n)))
