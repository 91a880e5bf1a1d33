"""Warnings about an answer that a rater may override. Each is a name and a rule. Pure functions.

Overridden warnings are stored by name in `Judgment.warnings`, so a name never changes its meaning.
"""

from collections.abc import Mapping, Sequence

ORDER_AS_SHOWN = "order_as_shown"
CONTRADICTS_RATINGS = "contradicts_ratings"
FASTER_THAN_READING = "faster_than_reading"
PARTLY_RANKED = "partly_ranked"
UNUSUAL_LENGTH = "unusual_length"
EDITED_NOT_BEST = "edited_not_best"
CONSTRAINT_UNTICKED = "constraint_unticked"

WORDS_PER_S = 8.0
"""Nobody reads faster than this: 480 words a minute is a fast skim (silent reading of English
averages 238, Brysbaert 2019).
"""


def of_ranking(ranks: Sequence[int | None], overall: Sequence[int | None]) -> list[str]:
    """Warnings about `ranks` in the order shown. `overall` has the first scale's rating of each
    response, None when not asked.
    """
    warnings = []
    if (
        len(ranks) > 2
        and None not in ranks
        and list(ranks) == sorted(set(ranks), key=lambda rank: rank or 0)
    ):
        warnings.append(ORDER_AS_SHOWN)
    if contradictions(ranks, overall):
        warnings.append(CONTRADICTS_RATINGS)
    if None in ranks and any(rank is not None for rank in ranks):
        warnings.append(PARTLY_RANKED)
    return warnings


def contradictions(
    ranks: Sequence[int | None], overall: Sequence[int | None]
) -> list[tuple[int, int]]:
    """Pairs of positions (higher rated, lower rated) whose ranking is the other way round."""
    both = [
        (i, rank, rated)
        for i, (rank, rated) in enumerate(zip(ranks, overall, strict=True))
        if rank and rated
    ]
    return [
        (i, j)
        for i, rank_i, rated_i in both
        for j, rank_j, rated_j in both
        if rated_i > rated_j and rank_i > rank_j
    ]


def of_edit(ranks: Sequence[int | None], edited: int | None) -> list[str]:
    """`edited` is the position of the edited response, or None."""
    ranked = [rank for rank in ranks if rank is not None]
    return (
        [EDITED_NOT_BEST] if edited is not None and ranked and ranks[edited] != min(ranked) else []
    )


def of_pace(texts: Sequence[str], seconds: float) -> list[str]:
    """`seconds` from showing `texts` to the answer. Words are counted, so scripts without spaces
    never cause a warning.
    """
    n_words = sum(len(text.split()) for text in texts)
    return [FASTER_THAN_READING] if seconds < n_words / WORDS_PER_S else []


def of_length(n_words: Sequence[int], *, low: int, high: int) -> list[str]:
    """`n_words` of each answer: one, or one for each turn of a dialogue."""
    return [] if all(low <= n <= high for n in n_words) else [UNUSUAL_LENGTH]


def of_constraints(n: int, kept: Sequence[int]) -> list[str]:
    """`kept` has the positions of the ticked constraints, out of `n`."""
    return [CONSTRAINT_UNTICKED] if len(kept) < n else []


def ranking_line(ranks: Mapping[str, int | None]) -> str:
    """The ranking as text: `A › B = C › D`, without unranked responses. May be empty."""
    groups: dict[int, list[str]] = {}
    for letter, rank in ranks.items():
        if rank is not None:
            groups.setdefault(rank, []).append(letter)
    return " › ".join(" = ".join(groups[rank]) for rank in sorted(groups))
