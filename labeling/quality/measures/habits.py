"""What choices depend on besides quality: position, length and looks, and how they change when the
sides are swapped.
"""

import numpy as np

from arithmetic.bias import habits, looks, shares
from arithmetic.figures import Figure, absent, gettext_noop
from labeling.votes.arrays import Record, Votes, as_record


def habits_of(votes: Votes) -> Record:
    pairs = votes.pairs
    if not pairs.unit.size:
        return {}
    prompt = votes.prompt[pairs.row]
    first_won = first_shown_won(votes)
    decided = pairs.label != 0
    first = shares.share(first_won[decided], prompts=prompt[decided], raters=pairs.rater[decided])
    longer = shares.longer(
        won=(1 - pairs.label) / 2,
        n_chars=votes.n_chars[pairs.row],
        n_chars_other=votes.n_chars[pairs.other_row],
        prompts=prompt,
        raters=pairs.rater,
    )
    return {
        "first": as_record(first),
        "longer": as_record(longer.share),
        "per_doubling": as_record(longer.per_doubling.odds),
        **_odds(votes, first_won, prompt),
        "swaps": _swaps(votes),
        "ties": as_record(shares.share(~decided, prompts=prompt, raters=pairs.rater)),
        "median_s": _median(votes.active_s[np.unique(votes.judgment, return_index=True)[1]]),
    }


def first_shown_won(votes: Votes) -> np.ndarray:
    """For each vote on a pair: 1 if the response shown first won, 0 if it lost, ½ for a tie."""
    label = np.where(votes.left_is_first, votes.pairs.label, -votes.pairs.label)
    return (1 - label) / 2


def _odds(votes: Votes, first_won: np.ndarray, prompt: np.ndarray) -> Record:
    pairs = votes.pairs
    side = np.where(votes.left_is_first, 1.0, -1.0)
    apart = {
        name: side * column
        for name, column in looks.differences(
            votes.looks.at(pairs.row), votes.looks.at(pairs.other_row)
        ).items()
    }
    model = habits.choices(first_won=first_won, features=apart, prompts=prompt, raters=pairs.rater)
    effects = [
        {"name": effect.name, "odds": as_record(effect.odds), "p": effect.p}
        for effect in model.effects
    ]
    return {"effects": effects, "effects_n": model.n, "effects_note": model.note}


def _swaps(votes: Votes) -> Record:
    """Repeats in which the two responses swapped sides."""
    first, again = votes.repeats
    swapped = votes.left_is_first[first] != votes.left_is_first[again]
    as_shown = 1 - 2 * first_shown_won(votes)  # −1: the first position won
    first, again = first[swapped], again[swapped]
    swaps = shares.swaps(
        before=as_shown[first],
        after=as_shown[again],
        prompts=votes.prompt[votes.pairs.row[first]],
    )
    return {
        name: as_record(getattr(swaps, name))
        for name in ("consistent", "first_twice", "second_twice")
    }


def _median(values: np.ndarray) -> float | None:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if known.size else None


def median_seconds(values: np.ndarray) -> Figure:
    middle = _median(values)
    n = int(np.isfinite(values).sum())
    return (
        absent(gettext_noop("No time has been recorded.")) if middle is None else Figure(middle, n)
    )
