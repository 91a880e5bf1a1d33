"""Read queries of golds: a campaign's golds, how raters do on them, and the feedback a rater
sees.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, F, Prefetch, Q, QuerySet

from arithmetic import clustering, response_orders
from arithmetic.agreement import orders
from arithmetic.figures import Figure, absent, gettext_noop
from labeling.access import on_withdrawn, withdrawn_prompt_ids
from labeling.models import (
    AdjudicatedRank,
    Campaign,
    Gold,
    GoldAnswer,
    GoldItem,
    GoldRank,
    Judgment,
    RankedResponse,
    Rater,
    RaterStanding,
)
from labeling.votes import counting

SUSPECT_ANSWERS = 3
SUSPECT_PASSED = 0.2
"""A gold with this many answers and at most this share of passes is suspect: more likely the gold
is wrong than that many raters.
"""


MOST_ADJUDICATED = 2_000
MOST_LISTED = 20


_Place = tuple[int, int | None]
"""(response, its rank)"""


@dataclass(frozen=True)
class GoldRow:
    """A gold used in a campaign, and the results of everybody's answers to it in all campaigns."""

    use: GoldItem
    n_answers: int
    n_passed: int
    is_suspect: bool
    order: str
    """the right order in letters, by response id: “A › B = C”"""
    is_withdrawn: bool
    """it is the answer of an expert who has withdrawn"""

    @property
    def gold(self) -> Gold:
        return self.use.gold

    @property
    def passed(self) -> Figure:
        return (
            clustering.independent(self.n_passed, self.n_answers, too_few=_FEW_RATERS)
            if self.n_answers
            else _NO_GOLD
        )


@dataclass(frozen=True)
class GoldScore:
    """One rater's results in one campaign."""

    rater: Rater
    passed: Figure
    """share of golds that the rater's first answer passed"""
    pairs: Figure
    """share of the golds' pairs that the rater ordered the same way"""
    adjudicated: Figure
    """share of the adjudicated pairs that the rater ordered the same way"""
    warned_at: datetime | None
    paused_at: datetime | None

    @property
    def n_passed(self) -> int:
        return round((self.passed.value or 0.0) * self.passed.n)


@dataclass(frozen=True)
class AnsweredGold:
    """A gold that a rater has answered, with the letters of their own page."""

    answer: GoldAnswer
    given: str
    right: str
    note: str


@dataclass(frozen=True)
class GoldFeedback:
    """Feedback for a rater on their golds in one campaign."""

    campaign: Campaign
    passed: Figure
    golds: list[AnsweredGold]


_NO_GOLD = absent(gettext_noop("No gold items have been answered yet."))
_FEW_RATERS = gettext_noop("Fewer than 5 raters: too few for an interval.")
_NOT_ADJUDICATED = absent(gettext_noop("Nothing has been adjudicated yet."))


def gold_uses(*, campaign: Campaign) -> QuerySet[GoldItem]:
    """Golds in use first, suspect ones at the top; then retired ones, latest first."""
    counted = Q(gold__answers__rater__withdrawn_at=None)
    answered = Count("gold__answers", filter=counted)
    passed = Count("gold__answers", filter=counted & Q(gold__answers__has_passed=True))
    uses = GoldItem.objects.filter(campaign=campaign).annotate(n_answers=answered, n_passed=passed)
    is_suspect = Q(n_answers__gte=SUSPECT_ANSWERS, n_passed__lte=F("n_answers") * SUSPECT_PASSED)
    ranks = GoldRank.objects.order_by("response_id")
    return (
        uses.annotate(is_suspect=Q(is_suspect))
        .select_related("gold", "item__prompt", "gold__made_from")
        .prefetch_related(Prefetch("gold__ranks", ranks))
        .order_by(F("gold__retired_at").desc(nulls_first=True), "-is_suspect", "-pk")
    )


def golds() -> QuerySet[Gold]:
    """Golds in use and retired ones, with `n_answers` and `n_passed` over all campaigns."""
    counted = Q(answers__rater__withdrawn_at=None)
    return Gold.objects.annotate(
        n_answers=Count("answers", filter=counted),
        n_passed=Count("answers", filter=counted & Q(answers__has_passed=True)),
    ).prefetch_related(Prefetch("ranks", GoldRank.objects.order_by("response_id")), "uses")


def is_suspect(*, n_answers: int, n_passed: int) -> bool:
    """Whether the gold is more likely wrong than that many raters."""
    return n_answers >= SUSPECT_ANSWERS and n_passed <= n_answers * SUSPECT_PASSED


def gold_rows(*, uses: Iterable[GoldItem]) -> list[GoldRow]:
    """A row for each of `uses`, which has to come from gold_uses."""
    uses = list(uses)
    withdrawn = withdrawn_golds(golds=[use.gold for use in uses])
    return [
        GoldRow(
            use=use,
            n_answers=use.n_answers,  # type: ignore[attr-defined]
            n_passed=use.n_passed,  # type: ignore[attr-defined]
            is_suspect=use.is_suspect,  # type: ignore[attr-defined]
            order=in_letters([row.rank for row in use.gold.ranks.all()]),
            is_withdrawn=use.gold_id in withdrawn,
        )
        for use in uses
    ]


def withdrawn_golds(*, golds: Iterable[Gold]) -> set[int]:
    """Ids of those that are the answer of an expert who has withdrawn. Not if somebody whose answer
    counts gave the same order: then it is theirs, too.
    """
    made = {gold.pk: gold.made_from_id for gold in golds if gold.origin == Gold.Origin.EXPERT}
    judged = Judgment.versions_of_people.filter(item__in=set(made.values()))
    withdrawn = _orders(judged.filter(rater__withdrawn_at__isnull=False))
    if not withdrawn:
        return set()
    counted = _orders(judged.filter(counting.counts(with_extra=True, with_repeats=True)))
    right: dict[int, set[_Place]] = defaultdict(set)
    for gold, response, rank in GoldRank.objects.filter(gold__in=made).values_list(
        "gold_id", "response_id", "rank"
    ):
        right[gold].add((response, rank))
    return {
        gold
        for gold, item in made.items()
        if (place := (item, frozenset(right[gold]))) in withdrawn and place not in counted
    }


def _orders(judgments: QuerySet[Judgment]) -> set[tuple[int | None, frozenset[_Place]]]:
    """(item, its order) of each."""
    places: dict[tuple[int, int | None], set[_Place]] = defaultdict(set)
    for judgment, item, response, rank in RankedResponse.objects.filter(
        comparison__judgment__in=judgments.values("pk")
    ).values_list(
        "comparison__judgment_id", "comparison__judgment__item_id", "response_id", "rank"
    ):
        places[judgment, item].add((response, rank))
    return {(item, frozenset(by_gold)) for (_judgment, item), by_gold in places.items()}


def n_golds(*, campaign: Campaign) -> int:
    return GoldItem.objects.filter(campaign=campaign, gold__retired_at=None).count()


def n_suspect(*, campaign: Campaign) -> int:
    """Golds in use that almost everyone fails."""
    return gold_uses(campaign=campaign).filter(Q(is_suspect=True), gold__retired_at=None).count()


def n_other_golds(*, campaign: Campaign) -> int:
    """Golds of other campaigns that this one could use."""
    others = Gold.objects.filter(retired_at=None, n_responses=campaign.n_responses or 0)
    others = others.exclude(uses__campaign=campaign).exclude(prompt__in=withdrawn_prompt_ids())
    withdrawn = GoldRank.objects.filter(counting.by_withdrawn("response__"))
    return others.exclude(pk__in=withdrawn.values("gold")).count()


def gold_scores(*, campaign: Campaign) -> list[GoldScore]:
    """Raters who answered a gold here, judged an adjudicated item, or are paused; those with
    problems first.
    """
    answers = GoldAnswer.objects.filter(
        campaign=campaign, gold__retired_at=None, rater__withdrawn_at=None
    ).order_by()
    rows = list(answers.values_list("rater", "gold__prompt", "has_passed", "agreed", "n_pairs"))
    by_gold: dict[int, list[bool]] = defaultdict(list)
    for rater_id, _prompt, has_passed, _agreed, _n in rows:
        by_gold[rater_id].append(has_passed)
    by_pair = clustering.share_by(
        [row[0] for row in rows],
        [row[3] for row in rows],
        counts=[row[4] for row in rows],
        prompts=[row[1] for row in rows],
    )
    decided, _everybody = with_adjudicated(campaign=campaign)
    standings = {
        standing.rater_id: standing
        for standing in RaterStanding.objects.filter(campaign=campaign, rater__withdrawn_at=None)
    }
    raters = Rater.people.select_related("user").in_bulk([*by_gold, *decided, *standings])
    scores = [
        GoldScore(
            rater=rater,
            passed=_passed(by_gold.get(rater.pk, [])),
            pairs=by_pair.get(rater.pk, _NO_GOLD),
            adjudicated=decided.get(rater.pk, _NOT_ADJUDICATED),
            warned_at=standings[rater.pk].warned_at if rater.pk in standings else None,
            paused_at=standings[rater.pk].paused_at if rater.pk in standings else None,
        )
        for rater in raters.values()
    ]
    return sorted(scores, key=_worst_first)


def with_adjudicated(*, campaign: Campaign) -> tuple[dict[int, Figure], Figure]:
    """How often each rater, and all of them together, ordered a pair as the adjudication did; ties
    count half. Only judgments that count are used.
    """
    right = _adjudicated(campaign)
    ranks_of: dict[tuple[int, int], dict[int, int | None]] = defaultdict(dict)
    rows = RankedResponse.objects.filter(
        counting.counts("comparison__judgment__", with_extra=True, with_repeats=True),
        comparison__judgment__item__in=list(right),
    ).values_list(
        "comparison__judgment__item_id", "comparison__judgment__rater_id", "response_id", "rank"
    )
    for item, rater, response, rank in rows.iterator(chunk_size=5_000):
        ranks_of[item or 0, rater][response] = rank
    matches = [
        (rater, item, orders.match(right[item], ranks)) for (item, rater), ranks in ranks_of.items()
    ]
    decided = [(rater, item, match.agreed, match.n) for rater, item, match in matches if match.n]
    if not decided:
        return {}, _NOT_ADJUDICATED
    raters, items, agreed, n = zip(*decided, strict=True)
    everybody = clustering.share(agreed, counts=n, prompts=items)
    return clustering.share_by(raters, agreed, counts=n, prompts=items), everybody


def gold_feedback(*, rater: Rater) -> list[GoldFeedback]:
    """The rater's latest golds and their score, for campaigns with feedback; the campaign of the
    latest answer first.
    """
    answers = GoldAnswer.objects.filter(
        rater=rater, campaign__gold_feedback=True, gold__retired_at=None
    )
    latest = (
        answers.select_related("campaign", "gold", "judgment__prompt")
        .annotate(is_on_withdrawn=on_withdrawn("judgment__prompt"))
        .order_by("-at", "-pk")
    )
    of_anyone = Judgment.versions_of_everyone.condition("comparison__judgment__")
    ranked = RankedResponse.objects.filter(of_anyone).order_by("position")
    shown = list(
        latest.prefetch_related(Prefetch("judgment__comparison__ranked", ranked), "gold__ranks")[
            :MOST_LISTED
        ]
    )
    counts = (
        answers.values_list("campaign")
        .annotate(n=Count("pk"), n_passed=Count("pk", filter=Q(has_passed=True)))
        .order_by()
    )
    figures = {campaign: clustering.independent(n_passed, n) for campaign, n, n_passed in counts}
    campaigns = {answer.campaign_id: answer.campaign for answer in shown}
    return [
        GoldFeedback(
            campaign,
            figures[pk],
            [_answered_gold(answer) for answer in shown if answer.campaign_id == pk],
        )
        for pk, campaign in campaigns.items()
    ]


def in_letters(ranks: Sequence[int | None]) -> str:
    """Ranks by position as an order of letters: [2, 1, 2] is “B › A = C”. Unranked positions are
    left out.
    """
    tiers: dict[int, list[str]] = defaultdict(list)
    for place, rank in enumerate(ranks):
        if rank is not None:
            tiers[rank].append(response_orders.letter(place))
    return " › ".join(" = ".join(tiers[rank]) for rank in sorted(tiers)) or "–"


def _passed(answers: Sequence[bool]) -> Figure:
    """Each gold is a prompt of its own."""
    return clustering.independent(sum(answers), len(answers)) if answers else _NO_GOLD


def _worst_first(score: GoldScore) -> tuple[bool, bool, float, str]:
    value = score.passed.value if score.passed.value is not None else 2.0
    return (score.paused_at is None, score.warned_at is None, value, score.rater.alias)


def _adjudicated(campaign: Campaign) -> dict[int, dict[int, int | None]]:
    """item → response → rank, from the latest adjudications"""
    rows = AdjudicatedRank.objects.filter(adjudication__item__campaign=campaign).order_by(
        "-adjudication_id"
    )
    right: dict[int, dict[int, int | None]] = defaultdict(dict)
    values = rows.values_list("adjudication__item_id", "response_id", "rank")
    for item, response, rank in values[: MOST_ADJUDICATED * (campaign.n_responses or 2)]:
        right[item][response] = rank
    return right


def _answered_gold(answer: GoldAnswer) -> AnsweredGold:
    ranked = list(answer.judgment.comparison.ranked.all())
    right: Mapping[int, int | None] = {row.response_id: row.rank for row in answer.gold.ranks.all()}
    return AnsweredGold(
        answer=answer,
        given=in_letters([row.rank for row in ranked]),
        right=in_letters([right.get(row.response_id) for row in ranked]),
        note=answer.gold.note,
    )
