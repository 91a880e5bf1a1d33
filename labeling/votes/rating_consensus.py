"""What the answers to each question of the form say together, by item and response, weighted by how
closely each rater answers like the others, from the campaign's last report.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from arithmetic import intervals
from arithmetic.consensus import ratings
from arithmetic.consensus.ratings import Noise, Together
from labeling.guidelines import rating_form
from labeling.guidelines.rating_form import Flag, Question
from labeling.models import Campaign, Item, RankedResponse, RaterQuality
from labeling.votes import counting
from labeling.votes.consensus import is_ordered

Weights = Mapping[str, Mapping[int, float]]
"""question → rater → weight"""


@dataclass(frozen=True)
class RatingConsensus:
    """The answers to one question about one response. Yes is 1 and no is 0; words in an order count
    by their place, from 1. `numbers` is None for categories without an order.
    """

    item: int
    response: int
    question: Question
    n: int
    answer: str
    """the word at the median, or of categories the most frequent; empty for numbers, and for a tie
    """
    weighted_answer: str
    numbers: Together | None
    n_known: int
    """number of raters whose weight the report has"""


def ratings_of_items(
    *, campaign: Campaign, items: Collection[Item], weights: Weights | None = None
) -> dict[int, list[RatingConsensus]]:
    """By item, in the order of its responses and of the form, in two queries; `weights` are read if
    they are not given.
    """
    known = weights_of(campaign=campaign) if weights is None else weights
    questions = rating_form.parse(campaign.guideline_version.form).questions
    rows = RankedResponse.objects.filter(
        counting.counts("comparison__judgment__"), comparison__judgment__item__in=items
    ).exclude(counting.by_withdrawn("response__"))
    answers_of: dict[tuple[int, int], dict[int, dict[str, object]]] = defaultdict(dict)
    for item, response, rater, answers in rows.values_list(
        "comparison__judgment__item_id",
        "response_id",
        "comparison__judgment__rater_id",
        "ratings",
    ):
        answers_of[item or 0, response][rater] = answers
    consensus: dict[int, list[RatingConsensus]] = {item.pk: [] for item in items}
    for (item, response), by_rater in sorted(answers_of.items()):
        for question in questions:
            rating = _consensus(item, response, question, by_rater, known.get(question.name, {}))
            if rating is not None:
                consensus[item].append(rating)
    return consensus


def weights_of(*, campaign: Campaign) -> Weights:
    """By question, for raters whom the campaign's last report measures."""
    noise: dict[str, dict[int, Noise]] = defaultdict(dict)
    reliability: dict[int, float] = {}
    stored = RaterQuality.objects.filter(report__campaign=campaign, results__has_key="noise")
    rows = stored.values_list("rater_id", "results__noise", "weight", "results__is_rated_only")
    for rater, by_question, weight, is_rated_only in rows:
        for name, figure in by_question.items():
            noise[name][rater] = Noise(figure["value"], figure["n"])
        # Where there are rankings, a rater's weight is about them.
        if is_rated_only and weight is not None:
            reliability[rater] = weight
    return {
        name: ratings.by_reliability(ratings.weights(of_raters), reliability)
        for name, of_raters in noise.items()
    }


def _consensus(
    item: int,
    response: int,
    question: Question,
    by_rater: Mapping[int, Mapping[str, object]],
    weights: Mapping[int, float],
) -> RatingConsensus | None:
    codes = rating_form.codes(question)
    answered = {
        rater: code
        for rater, answers in sorted(by_rater.items())
        if (code := _code(answers.get(question.name), codes)) is not None
    }
    if not answered:
        return None
    values = list(answered.values())
    rater_weights = [weights.get(rater, 1.0) for rater in answered]
    numbers = None
    plain: float | None
    weighted: float | None
    if is_ordered(question):
        lowest, highest = _ends(question, codes)
        numbers = ratings.together(values, rater_weights, lowest=lowest, highest=highest)
        if isinstance(question, Flag) and len(values) > 1:
            low, high = intervals.wilson(sum(values), len(values))
            numbers = replace(numbers, low=low, high=high)
        plain, weighted = numbers.median, numbers.weighted
    else:
        plain, weighted = _commonest(values, [1.0] * len(values)), _commonest(values, rater_weights)
    words = {code: word for word, code in codes.items()}
    return RatingConsensus(
        item,
        response,
        question,
        len(values),
        answer=words.get(plain, "") if plain is not None else "",
        weighted_answer=words.get(float(round(weighted)), "") if weighted is not None else "",
        numbers=numbers,
        n_known=len(answered.keys() & weights.keys()),
    )


def _code(answer: object, codes: Mapping[str, float]) -> float | None:
    """None for an answer that is missing, or that this version of the form does not have."""
    if isinstance(answer, str):
        return codes.get(answer)
    return float(answer) if isinstance(answer, bool | int | float) else None


def _ends(question: Question, codes: Mapping[str, float]) -> tuple[float, float]:
    if isinstance(question, Flag):
        return 0.0, 1.0
    if codes:
        return 1.0, float(len(codes))
    return min(question.values), max(question.values)


def _commonest(values: Sequence[float], weights: Sequence[float]) -> float | None:
    """None if two share the lead."""
    total: Counter[float] = Counter()
    for value, weight in zip(values, weights, strict=True):
        total[value] += weight  # type: ignore[assignment]  # counts are floats here
    (first, most), *others = total.most_common(2)
    return None if others and others[0][1] >= most - 1e-9 else first
