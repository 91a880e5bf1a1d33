"""Evidence from raters' own answers that they know a topic: agreement with golds, with reviewers,
and with other raters.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import combinations

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from arithmetic import response_orders
from arithmetic.agreement import orders
from labeling.kinds import registry
from labeling.kinds.choices import Answer
from labeling.models import (
    AdjudicatedRank,
    Campaign,
    GoldAnswer,
    Judgment,
    Pool,
    Prompt,
    RankedResponse,
    Rater,
    RaterSkill,
)
from labeling.votes import counting

MOST_JUDGMENTS = 20_000
"""How many of a pool's latest judgments are read."""
OTHERS_NEEDED = 2
"""A pair is compared with other raters only if at least this many others ranked it."""
ACTIVE_WITHIN = timedelta(hours=2)

Ranks = Mapping[int, int | None]


@dataclass
class Evidence:
    """One rater on one topic in one pool: `agreed` sums each item's share of agreeing pairs, and
    `n` counts items by what they were compared with.
    """

    rater_id: int
    topic: str
    agreed: float = 0.0
    n: dict[str, int] = field(default_factory=lambda: {"gold": 0, "reviewer": 0, "raters": 0})

    @property
    def n_items(self) -> int:
        return sum(self.n.values())

    @property
    def share(self) -> float:
        return self.agreed / self.n_items

    def add(self, held_against: str, match: orders.Match) -> None:
        self.agreed += match.agreed / match.n
        self.n[held_against] += 1

    def as_record(self, pool: Pool) -> dict[str, object]:
        return {"pool": pool.name, "n_items": self.n_items, "share": round(self.share, 4)} | self.n


@dataclass(frozen=True)
class ShownTopic:
    """A topic that the rater's answers showed, with the evidence as a sentence."""

    skill: RaterSkill
    sentence: str

    @property
    def counts(self) -> bool:
        return self.skill.revoked_at is None


def topic_evidence(*, pool: Pool) -> list[Evidence]:
    """From the pool's latest rankings. Each item is compared with its gold, else its review, else
    the other raters.

    `Other` is not a topic. Withdrawn raters get no evidence, and count for nobody.
    """
    by_rater_and_topic: dict[tuple[int, str], Evidence] = {}

    def of(rater: int, topic: str) -> Evidence:
        return by_rater_and_topic.setdefault((rater, topic), Evidence(rater, topic))

    for rater, topic, agreed, n_pairs in _gold_answers(pool):
        of(rater, topic).add("gold", orders.Match(agreed, n_pairs))
    decided = _decided(pool)
    for item, (topic, rankings) in _rankings(pool).items():
        right = decided.get(item)
        matches = (
            _against_others(rankings)
            if right is None
            else {rater: orders.match(right, ranks) for rater, ranks in rankings.items()}
        )
        for rater, match in matches.items():
            if match.n:
                of(rater, topic).add("raters" if right is None else "reviewer", match)
    return [evidence for _key, evidence in sorted(by_rater_and_topic.items())]


def active_pool_ids(*, now: datetime) -> list[int]:
    """Pools in which topics are shown automatically and somebody has judged lately."""
    judged = Judgment.of_people.filter(
        campaign__pool=OuterRef("pk"),
        kind=Judgment.Kind.COMPARISON,
        submitted_at__gt=now - ACTIVE_WITHIN,
    )
    return list(
        Pool.objects.filter(Exists(judged), shown_items__isnull=False)
        .order_by("pk")
        .values_list("pk", flat=True)
    )


def shown_topics(*, rater: Rater) -> list[ShownTopic]:
    """Topics that the rater's answers have shown, including those taken back."""
    skills = RaterSkill.ever.filter(
        rater=rater, axis=RaterSkill.Axis.TOPIC, basis=RaterSkill.Basis.SHOWN
    )
    return [ShownTopic(skill, _sentence(skill)) for skill in skills.order_by("code")]


def _sentence(skill: RaterSkill) -> str:
    if not skill.evidence:
        return _("checked by an admin")
    numbers: dict[str, object] = skill.evidence | {"share": round(100 * skill.evidence["share"])}
    return (
        _(
            "%(share)d %% on %(n_items)d items in “%(pool)s”: %(gold)d gold items, %(reviewer)d"
            " reviewed, %(raters)d against other raters"
        )
        % numbers
    )


def _gold_answers(pool: Pool) -> Iterable[tuple[int, str, float, int]]:
    answers = GoldAnswer.objects.filter(
        campaign__pool=pool, gold__retired_at=None, n_pairs__gt=0, rater__withdrawn_at=None
    )
    latest = answers.exclude(gold__prompt__category=Prompt.Category.OTHER).order_by("-pk")
    return latest.values_list("rater_id", "gold__prompt__category", "agreed", "n_pairs")[
        :MOST_JUDGMENTS
    ]


def _decided(pool: Pool) -> dict[int, dict[int, int | None]]:
    """item → response → rank, as reviewers decided"""
    rows = AdjudicatedRank.objects.filter(adjudication__item__campaign__pool=pool)
    right: dict[int, dict[int, int | None]] = defaultdict(dict)
    for item, response, rank in rows.values_list(
        "adjudication__item_id", "response_id", "rank"
    ).iterator():
        right[item][response] = rank
    return right


def _rankings(pool: Pool) -> dict[int, tuple[str, dict[int, dict[int, int | None]]]]:
    """item → its topic, and rater → response → rank. Only judgments that count: not set aside, and
    no repeats, which the rater judged before.
    """
    campaigns = Campaign.objects.filter(pool=pool, kind__in=registry.with_answer(Answer.COMPARISON))
    judgments = Judgment.of_people.filter(
        counting.counts(with_extra=True),
        campaign__in=campaigns,
        item__isnull=False,
        import_batch=None,
    )
    oldest = next(
        iter(
            judgments.order_by("-pk").values_list("pk", flat=True)[
                MOST_JUDGMENTS - 1 : MOST_JUDGMENTS
            ]
        ),
        0,
    )
    rows = RankedResponse.objects.filter(
        comparison__judgment__in=judgments.filter(pk__gte=oldest).exclude(
            prompt__category=Prompt.Category.OTHER
        ),
        rank__isnull=False,
    ).values_list(
        "comparison__judgment__item_id",
        "comparison__judgment__prompt__category",
        "comparison__judgment__rater_id",
        "response_id",
        "rank",
    )
    by_item: dict[int, tuple[str, dict[int, dict[int, int | None]]]] = {}
    for item, topic, rater, response, rank in rows.iterator(chunk_size=5_000):
        _topic, rankings = by_item.setdefault(item or 0, (topic, defaultdict(dict)))
        rankings[rater][response] = rank
    return by_item


def _matches(rankings: Mapping[int, Ranks], right: Ranks | None) -> dict[int, orders.Match]:
    if right is None:
        return _against_others(rankings)
    return {rater: orders.match(right, ranks) for rater, ranks in rankings.items()}


def _against_others(rankings: Mapping[int, Ranks]) -> dict[int, orders.Match]:
    """Each rater's pairs compared with the majority of the others; pairs without a majority are
    left out.
    """
    sides: dict[tuple[int, int], dict[int, int]] = defaultdict(dict)
    for rater, ranks in rankings.items():
        for first_rater, second_rater in combinations(sorted(ranks), 2):
            first, second = ranks[first_rater], ranks[second_rater]
            if first is not None and second is not None:
                sides[first_rater, second_rater][rater] = response_orders.direction(first, second)
    agreed: dict[int, float] = dict.fromkeys(rankings, 0.0)
    n: dict[int, int] = dict.fromkeys(rankings, 0)
    for votes in sides.values():
        total = sum(votes.values())
        for rater, side in votes.items():
            others = total - side
            if len(votes) - 1 < OTHERS_NEEDED or others == 0:
                continue
            n[rater] += 1
            agreed[rater] += response_orders.credit(side, response_orders.direction(others, 0))
    return {rater: orders.Match(agreed[rater], n[rater]) for rater in rankings}
