"""Measures of each rater in a campaign: agreement, estimated reliability, biases, pace, and what an
admin should look at.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from arithmetic.agreement import pairs as agreement_pairs
from arithmetic.bias import flagging, shares
from arithmetic.bias import slopes as bias_slopes
from arithmetic.bias.judgment_table import Rankings
from arithmetic.consensus import reliability
from arithmetic.consensus import votes as consensus_votes
from arithmetic.figures import Figure, absent, gettext_noop
from labeling.guidelines.rating_form import Question
from labeling.quality.measures.agreeing import with_oneself
from labeling.quality.measures.ballots import PULLS, Ballots
from labeling.quality.measures.behind import LISTED_OF_RATER, latest
from labeling.quality.measures.habits import first_shown_won, median_seconds
from labeling.quality.measures.ratings import (
    JudgedRaters,
    asked,
    flags_beside,
    is_rated_only,
    judged_raters,
)
from labeling.votes.arrays import Record, Votes, as_record

ROUNDS = 200
"""Rounds of EM; a campaign that has not converged by then has too few votes for it to matter."""


def rater_measures(
    votes: Votes,
    names: Mapping[int, str],
    behind: Mapping[int, Record] | None = None,
    questions: Sequence[Question] = (),
) -> dict[int, Record]:
    """Measures by rater id; `names` are used for other raters in sentences, `behind` has the
    judgments behind each rater's rows, `questions` are those of the form.
    """
    if not votes.judgment.size:
        return {}
    of_ratings = is_rated_only(votes, questions)
    judged = judged_raters(votes, questions) if of_ratings else _judged_by_rankings(votes)
    colleagues, reviewed, selves = judged.agreement, judged.review, judged.with_oneself
    reliable = judged.reliability
    tastes = _tastes(judged.equal_votes, reviewed.tastes, selves)
    pulls = Ballots.of(
        votes.pairs, prompt=votes.prompt[votes.pairs.row], followed=votes.followed
    ).by_rater()
    slopes, swapped = _per_doubling(votes), _swapped(votes)
    labels = [question.label for question in asked(votes, questions)]
    beside = [] if of_ratings else flags_beside(votes, questions, reviewed)
    flags = _flags([*reviewed.flags, *beside], names, labels)
    unsure = _flags(reviewed.unsure, names, labels)
    nothing = absent(gettext_noop("No one else rated what this rater rated."))
    undecided = absent(gettext_noop("No pairs have been decided."))
    return {
        rater: {
            "agreement": as_record(colleagues.get(rater, nothing)),
            "reliability": as_record(reliable[rater].accuracy if rater in reliable else nothing),
            "weight": _weight(reliable.get(rater)),
            "is_rated_only": of_ratings,
            "self": as_record(
                selves.get(rater, absent(gettext_noop("Nothing has been answered twice.")))
            ),
            **{
                name: as_record(pulls[rater][name] if rater in pulls else undecided)
                for name in PULLS
            },
            "per_doubling": as_record(
                slopes.get(rater, absent(gettext_noop("Too few pairs differ in length.")))
            ),
            **{
                name: as_record(figure)
                for name, figure in swapped.get(rater, _NEVER_SWAPPED).items()
            },
            "flags": [flag.record for flag in flags.get(rater, [])],
            "unsure": unsure[rater][0].record if rater in unsure else None,
            "taste": tastes.get(rater),
            "behind": (
                (behind or {}).get(rater, {})
                | {
                    flag.row: flag.behind
                    for flag in [*flags.get(rater, []), *unsure.get(rater, [])]
                }
            ),
            **pace,
        }
        for rater, pace in _paces(votes).items()
    }


def _judged_by_rankings(votes: Votes) -> JudgedRaters:
    review = flagging.review(_rankings(votes.once))
    pairs = votes.once.pairs
    return JudgedRaters(
        equal_votes=agreement_pairs.matrix(
            units=pairs.unit, raters=pairs.rater, labels=pairs.label
        ),
        agreement=_with_colleagues(votes.once),
        reliability=_reliability(votes.once, review.tastes),
        review=review,
        with_oneself=with_oneself(votes)[1],
    )


def _with_colleagues(votes: Votes) -> dict[int, Figure]:
    pairs = votes.pairs
    return agreement_pairs.with_everybody(
        units=pairs.unit,
        raters=pairs.rater,
        labels=pairs.label,
        prompts=votes.prompt[pairs.row],
    )


def _reliability(
    votes: Votes, tastes: Sequence[flagging.Taste]
) -> dict[int, reliability.Reliability]:
    """Raters with a taste of their own are measured by each other: by the majority's taste, all of
    them would look careless and lose their voice.
    """
    group = np.zeros(len(votes.pairs.rater), dtype=np.int64)
    for number, taste in enumerate(tastes, start=1):
        group[np.isin(votes.pairs.rater, taste.raters)] = number
    reliabilities: dict[int, reliability.Reliability] = {}
    for number in np.unique(group).tolist():
        part = group == number
        columns: Record = {
            "units": votes.pairs.unit[part],
            "raters": votes.pairs.rater[part],
            "labels": votes.turned[part],
        }
        consensus = consensus_votes.one_coin(**columns, rounds=ROUNDS)
        prompts = votes.prompt[votes.pairs.row][part]
        reliabilities |= reliability.reliability(consensus, **columns, prompts=prompts)
    return reliabilities


def _tastes(
    whole: agreement_pairs.Matrix, tastes: Sequence[flagging.Taste], selves: Mapping[int, Figure]
) -> dict[int, Record]:
    """By member of a group with a taste of its own: the group's number and size, and how far its
    members agree with each other, with everybody else, and with themselves.
    """
    if not tastes:
        return {}
    by_rater: dict[int, Record] = {}
    for number, taste in enumerate(tastes, start=1):
        member = np.isin(whole.raters, taste.raters)
        known = [selves[rater] for rater in taste.raters if rater in selves]
        known = [figure for figure in known if figure.value is not None]
        n_repeats = sum(figure.n for figure in known)
        same = sum((figure.value or 0) * figure.n for figure in known)
        record = {
            "number": number,
            "n_raters": len(taste.raters),
            "within": _shared(whole, member, member),
            "outside": _shared(whole, member, ~member),
            "repeats": {"value": same / n_repeats if n_repeats else None, "n": n_repeats},
        }
        by_rater |= dict.fromkeys(taste.raters, record)
    return by_rater


def _shared(whole: agreement_pairs.Matrix, rows: np.ndarray, columns: np.ndarray) -> Record:
    """How often raters of two groups agree on shared pairs, and on how many pairs of votes."""
    apart = ~np.eye(len(whole.raters), dtype=bool)[np.ix_(rows, columns)]
    n = int(whole.n[np.ix_(rows, columns)][apart].sum())
    score = float(whole.score[np.ix_(rows, columns)][apart].sum())
    return {"value": score / n if n else None, "n": n}


def _weight(estimate: reliability.Reliability | None) -> float | None:
    """None if unknown: that is not the same as 0, which means no better than chance."""
    return None if estimate is None or estimate.accuracy.value is None else estimate.weight


def _per_doubling(votes: Votes) -> dict[int, Figure]:
    """The odds of the longer response per doubling of length, on pairs that differ enough in
    length.
    """
    pairs = votes.pairs
    differs = votes.followed["longer"] >= 0
    row, other = pairs.row[differs], pairs.other_row[differs]
    effects = bias_slopes.slope_by_rater(
        name="length",
        won=pairs.label[differs] < 0,
        apart=np.log2((1 + votes.n_chars[row]) / (1 + votes.n_chars[other])),
        prompts=votes.prompt[row],
        raters=pairs.rater[differs],
    )
    return {rater: effect.odds for rater, effect in effects.items()}


_NEVER_SWAPPED = dict.fromkeys(
    ("consistent", "first_twice", "second_twice"),
    absent(gettext_noop("No pair has been shown again with its sides swapped yet.")),
)


def _swapped(votes: Votes) -> dict[int, dict[str, Figure]]:
    """Repeats in which the two responses swapped sides, for raters with any."""
    first, again = votes.repeats
    changed = votes.left_is_first[first] != votes.left_is_first[again]
    first, again = first[changed], again[changed]
    as_shown = 1 - 2 * first_shown_won(votes)  # −1: the first position won
    rater, prompt = votes.pairs.rater[first], votes.prompt[votes.pairs.row[first]]
    swapped = {}
    for rater_id in np.unique(rater).tolist():
        is_rater = rater == rater_id
        swaps = shares.swaps(
            before=as_shown[first[is_rater]],
            after=as_shown[again[is_rater]],
            prompts=prompt[is_rater],
        )
        swapped[rater_id] = {
            "consistent": swaps.consistent,
            "first_twice": swaps.first_twice,
            "second_twice": swaps.second_twice,
        }
    return swapped


def _paces(votes: Votes) -> dict[int, Record]:
    """Judgments, median seconds and characters per second, by rater."""
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


@dataclass(frozen=True)
class _Flag:
    record: Record
    behind: Record

    @property
    def row(self) -> str:
        return f"flag-{self.record['kind']}"


def _rankings(votes: Votes) -> Rankings:
    return Rankings(
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


def _flags(
    flags: Sequence[flagging.BiasFlag], names: Mapping[int, str], questions: Sequence[str]
) -> dict[int, list[_Flag]]:
    by_rater: dict[int, list[_Flag]] = defaultdict(list)
    for flag in flags:
        record = {
            "kind": flag.kind,
            "value": float(flag.value),
            "usual": float(flag.usual),
            "n": flag.n,
            "by_luck": flag.p,
            "other": flag.other,
            "colleague": "" if flag.other is None else names.get(flag.other, ""),
            **flag.details,
        }
        if "question" in flag.details:
            record["question"] = questions[int(flag.details["question"])]
        by_rater[flag.rater].append(
            _Flag(record, latest(np.array(flag.judgments, dtype=np.int64), LISTED_OF_RATER))
        )
    return by_rater
