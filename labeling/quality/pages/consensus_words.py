"""The consensus of an item's raters as text, with letters for responses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from labeling.guidelines.rating_form import Flag
from labeling.votes.consensus import PairConsensus
from labeling.votes.item_answers import LetteredResponse
from labeling.votes.item_consensus import ItemConsensus
from labeling.votes.rating_consensus import RatingConsensus


@dataclass(frozen=True)
class PlaceRow:
    """A response's place by majority and weighted, with “2 =” for a shared place."""

    letter: str
    by_majority: str
    weighted: str
    certainty: str
    is_moved: bool


@dataclass(frozen=True)
class PairRow:
    letters: str
    votes: str
    majority: str
    weighted: str
    p: str


@dataclass(frozen=True)
class RatingRow:
    """The answers to one question about one response."""

    letter: str
    question: str
    together: str
    """their mean, the share of yes, or a word"""
    interval: str
    weighted: str
    median: str
    spread: str
    n: int


@dataclass(frozen=True)
class ConsensusText:
    """`rows` has the best first, and is empty if nobody ranked two responses; `differences` lists
    the pairs that change when votes are weighted. The sentence is about orders: empty for a single
    response, which has ratings only.
    """

    rows: list[PlaceRow]
    pairs: list[PairRow]
    differences: list[str]
    sentence: str
    ratings: list[RatingRow]
    """without flags that nobody ticked"""


def as_text(
    *,
    consensus: ItemConsensus,
    responses: Sequence[LetteredResponse],
    ratings: Sequence[RatingConsensus] = (),
) -> ConsensusText:
    letters = {entry.response.pk: entry.letter for entry in responses}
    by_majority, weighted = (
        [getattr(place, name) for place in consensus.places] for name in ("by_majority", "weighted")
    )
    rows = [
        PlaceRow(
            letters[place.response],
            _place(place.by_majority, by_majority),
            _place(place.weighted, weighted),
            _percent(place.certainty),
            is_moved=place.by_majority != place.weighted,
        )
        for place in consensus.places
    ]
    pairs = [_pair(pair, letters) for pair in consensus.pairs]
    differences = [_difference(pair, letters) for pair in consensus.pairs if pair.is_overruled]
    is_rated_alone = len(responses) == 1 and bool(ratings)
    sentence = "" if is_rated_alone else _sentence(consensus, n_changed=len(differences))
    rated = [
        _rating(rating, letters[rating.response]) for rating in ratings if not _is_unticked(rating)
    ]
    return ConsensusText(rows, pairs, differences, sentence, rated)


def _is_unticked(consensus: RatingConsensus) -> bool:
    is_flag = isinstance(consensus.question, Flag)
    return is_flag and consensus.numbers is not None and consensus.numbers.mean == 0


def _rating(consensus: RatingConsensus, letter: str) -> RatingRow:
    about: dict[str, Any] = {
        "letter": letter,
        "question": consensus.question.label,
        "n": consensus.n,
    }
    numbers = consensus.numbers
    if numbers is None:
        about |= {
            "together": consensus.answer or _("tie"),
            "weighted": consensus.weighted_answer or "–",
        }
        return RatingRow(**about, interval="–", median="–", spread="–")
    is_flag = isinstance(consensus.question, Flag)
    shown = _percent if is_flag else _decimal
    ends = (numbers.low, numbers.high)
    return RatingRow(
        **about,
        together=shown(numbers.mean),
        interval=" – ".join(shown(end) for end in ends if end is not None) or "–",
        weighted=shown(numbers.weighted),
        median="–" if is_flag else consensus.answer or _decimal(numbers.median),
        spread="–" if is_flag or numbers.spread is None else _decimal(numbers.spread),
    )


def _decimal(number: float) -> str:
    return number_format(round(number, 2), decimal_pos=2)  # it cuts off what it does not show


def _sentence(consensus: ItemConsensus, *, n_changed: int) -> str:
    if not consensus.pairs:
        return _("No one has ranked two of these responses yet, so there is no consensus.")
    if consensus.n_judgments == 1:
        return _(
            "There is only one answer, so it is the consensus. Confidence reflects how often this"
            " rater is right."
        )
    if not consensus.n_known:
        return _(
            "No report covers these raters yet, so all count the same and weighting changes"
            " nothing."
        )
    if not n_changed:
        return _("Weighted by rater reliability, every pair matches the majority.")
    n = len(consensus.pairs)
    return ngettext(
        "Weighted by rater reliability, %(changed)d of %(n)d pair differs from the majority:",
        "Weighted by rater reliability, %(changed)d of %(n)d pairs differ from the majority:",
        n,
    ) % {"changed": n_changed, "n": n}


def _difference(pair: PairConsensus, letters: Mapping[int, str]) -> str:
    return _(
        "%(left)s and %(right)s: %(votes)s. Majority: %(majority)s; weighted: %(weighed)s (%(p)s"
        " likely)."
    ) % {
        "left": letters[pair.left],
        "right": letters[pair.right],
        "votes": _votes(pair, letters),
        "majority": _label(pair, pair.majority, letters),
        "weighed": _label(pair, pair.weighted, letters),
        "p": _percent(pair.p),
    }


def _pair(pair: PairConsensus, letters: Mapping[int, str]) -> PairRow:
    return PairRow(
        letters=f"{letters[pair.left]} – {letters[pair.right]}",
        votes=_votes(pair, letters),
        majority=_label(pair, pair.majority, letters),
        weighted=_label(pair, pair.weighted, letters),
        p=_percent(pair.p),
    )


def _votes(pair: PairConsensus, letters: Mapping[int, str]) -> str:
    letters_of_pair = {"left": letters[pair.left], "right": letters[pair.right]}
    counts = {"n_left": pair.n_left, "n_tie": pair.n_tie, "n_right": pair.n_right}
    return _("%(n_left)d for %(left)s, %(n_right)d for %(right)s, %(n_tie)d for a tie") % (
        letters_of_pair | counts
    )


def _label(pair: PairConsensus, label: int | None, letters: Mapping[int, str]) -> str:
    if label is None:
        return _("no winner")
    if label == 0:
        return _("tie")
    return _("%(letter)s is better") % {"letter": letters[pair.left if label < 0 else pair.right]}


def _place(place: int, all_of_them: Sequence[int]) -> str:
    return f"{place} =" if all_of_them.count(place) > 1 else str(place)


def _percent(share: float) -> str:
    """Nothing is certain: what would round to 100 % becomes “> 99 %”."""
    return f"{100 * share:.0f} %" if share < 0.995 else "> 99 %"
