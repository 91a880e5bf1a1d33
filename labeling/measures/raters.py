"""Each rater of a campaign: agreement, reliability as the others see it, habits, pace, and what an admin should look at."""

from collections import defaultdict
from collections.abc import Mapping

import numpy as np

from labeling import agreement, bias, consensus
from labeling.figures import Figure, absent, gettext_noop, wilson
from labeling.measures.agreeing import with_oneself
from labeling.measures.habits import first_shown_won, median_seconds
from labeling.measures.votes import Record, Votes, as_record

ROUNDS = 200
"""Of EM; a campaign that has not settled by then has too few votes for it to matter."""


def rater_measures(votes: Votes, names: Mapping[int, str]) -> dict[int, Record]:
    """By rater id; `names` are what sentences call colleagues."""
    if not votes.judgment.size:
        return {}
    pairs = votes.pairs
    colleagues = _with_colleagues(votes.once)
    reliability = _reliability(votes.once)
    selves = with_oneself(votes)[1]
    decided = pairs.label != 0
    longer = _longer_won(votes)
    firsts = _shares(pairs.rater[decided], first_shown_won(votes)[decided])
    longers = _shares(pairs.rater[~np.isnan(longer)], longer[~np.isnan(longer)])
    flags = _flags(votes.once, names)
    nothing = absent(gettext_noop("Nobody else judged what this rater judged."))
    return {
        rater: {
            "agreement": as_record(colleagues.get(rater, nothing)),
            "reliability": as_record(reliability[rater].accuracy if rater in reliability else nothing),
            "weight": _weight(reliability.get(rater)),
            "self": as_record(selves.get(rater, absent(gettext_noop("Nothing was judged twice.")))),
            "first": as_record(firsts.get(rater, absent(gettext_noop("No pair was decided.")))),
            "longer": as_record(longers.get(rater, absent(gettext_noop("No two responses differed in length.")))),
            "flags": flags.get(rater, []),
            **pace,
        }
        for rater, pace in _paces(votes).items()
    }


def _with_colleagues(votes: Votes) -> dict[int, Figure]:
    pairs = votes.pairs
    if not pairs.unit.size:
        return {}
    found = agreement.matrix(units=pairs.unit, raters=pairs.rater, labels=pairs.label).with_everybody()
    return {rater: figure for rater, figure in found.items() if figure.value is not None}


def _reliability(votes: Votes) -> dict[int, consensus.Reliability]:
    given: Record = {"units": votes.pairs.unit, "raters": votes.pairs.rater, "labels": votes.turned}
    return consensus.reliability(consensus.one_coin(**given, rounds=ROUNDS), **given)


def _weight(found: consensus.Reliability | None) -> float | None:
    """None where nothing can be told: that is not the same as 0, which means no better than chance."""
    return None if found is None or found.accuracy.value is None else found.weight


def _longer_won(votes: Votes) -> np.ndarray:
    """By vote on a pair, 1 when the longer response won; NaN for ties and for pairs of about one length."""
    pairs = votes.pairs
    apart = votes.n_chars[pairs.row] - votes.n_chars[pairs.other_row]
    counts = (pairs.label != 0) & (np.abs(apart) > bias.LENGTH_MARGIN)
    return np.where(counts, (apart > 0) == (pairs.label < 0), np.nan)


def _shares(raters: np.ndarray, won: np.ndarray) -> dict[int, Figure]:
    names, place = np.unique(raters, return_inverse=True)
    total, n = np.bincount(place.reshape(-1), weights=won), np.bincount(place.reshape(-1))
    return {int(name): wilson(float(total[at]), int(n[at])) for at, name in enumerate(names)}


def _paces(votes: Votes) -> dict[int, Record]:
    """Judgments, median seconds and characters a second, by rater."""
    _judgments, first, place = np.unique(votes.judgment, return_index=True, return_inverse=True)
    n_chars = np.bincount(place.reshape(-1), weights=votes.n_chars)
    rater, active_s = votes.rater[first], votes.active_s[first]
    with np.errstate(divide="ignore", invalid="ignore"):
        pace = n_chars / np.where(active_s > 0, active_s, np.nan)
    return {
        rater_id: {
            "n_judgments": int((rater == rater_id).sum()),
            "seconds": as_record(median_seconds(active_s[rater == rater_id])),
            "chars_per_s": as_record(median_seconds(pace[rater == rater_id])),
        }
        for rater_id in np.unique(rater).tolist()
    }


def _flags(votes: Votes, names: Mapping[int, str]) -> dict[int, list[Record]]:
    rankings = bias.Rankings(
        judgment=votes.judgment,
        item=votes.item,
        rater=votes.rater,
        response=votes.response,
        rank=votes.rank,
        position=votes.position,
        n_chars=votes.n_chars,
        at_s=votes.at_s,
        active_s=votes.active_s,
    )
    found: dict[int, list[Record]] = defaultdict(list)
    for flag in bias.flags(rankings, names=names):
        found[flag.rater].append({"kind": flag.kind, "words": dict(flag.words), "other": flag.other, "n": flag.n})
    return found
