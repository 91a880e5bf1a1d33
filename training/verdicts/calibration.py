"""The calibration pairs of a judge, and what the judge and people said about a pair.

The pairs are drawn before the judge says anything, by the order of a hash of its version and each
item: a random sample that anybody can draw again. People answer them as they answer the others.
"""

import hashlib
import math
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, Max, OuterRef, Q, QuerySet
from django.db.models.functions import Length

from labeling.data import intake
from labeling.models import Item, Judgment, RankedResponse, Slot
from labeling.votes import counting
from training.models import CalibrationPair, JudgeVersion, TrustRule, Verdict

SHARE = 0.5
"""Of a campaign's pairs: the other half is what a trusted judge can spare people."""
MOST_PAIRS = 4_000
AUDITED = 0.05
"""The share of the verdicts that stand which people are asked about too."""
LENGTHS = ((500, "short"), (2_000, "medium"))
"""Of the longer response, in characters: below 500, below 2,000, and the others."""
LONGEST = "long"
_BATCH = 1_000
_PATH = "comparison__judgment__"


@dataclass(frozen=True)
class Choice:
    """The one response that is better than the other; None if it is a tie, or both are bad."""

    response: int | None
    at: datetime


@dataclass(frozen=True)
class Pair:
    """A pair that the judge decided. `confidence` is the geometric mean of what it gave its choice
    in both orders; 1 for a judge that is not asked for probabilities.
    """

    item: int
    prompt: int
    confidence: float
    agrees: bool | None
    """with the first person who answered it; None if nobody has, or it was a tie"""
    at: datetime | None
    """when that person did"""
    is_waiting: bool
    """nobody has answered it yet, and somebody can, or may be asked to later"""


def draw(*, version: JudgeVersion, items: QuerySet[Item], now: datetime) -> None:
    """Of the items that this version was not asked about yet."""
    known = Verdict.objects.filter(version=version).values("item")
    new = sorted(items.exclude(pk__in=known).values_list("pk", flat=True))
    n_drawn = CalibrationPair.objects.filter(version=version).count()
    n_more = min(math.ceil(SHARE * len(new)), MOST_PAIRS - n_drawn)
    new.sort(key=lambda item: number_of(version, item, "calibration"))
    CalibrationPair.objects.bulk_create(
        (
            CalibrationPair(version=version, item_id=item, place=n_drawn + place, created_at=now)
            for place, item in enumerate(new[: max(0, n_more)])
        ),
        batch_size=_BATCH,
    )


def number_of(version: JudgeVersion, item: int, purpose: str) -> float:
    """From 0 to 1, as good as random, and always the same."""
    text = f"{version.pk}:{version.sha256}:{purpose}:{item}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) / 2**64


def slices(*, items: Collection[int], split: str) -> dict[int, str]:
    """Item → its slice; "" if all pairs are one."""
    if split == TrustRule.Split.NONE:
        return dict.fromkeys(items, "")
    rows = Item.objects.filter(pk__in=items)
    if split == TrustRule.Split.LENGTH:
        lengths = rows.annotate(n=Max(Length("responses__text"))).values_list("pk", "n")
        return {
            item: next((name for most, name in LENGTHS if (n or 0) < most), LONGEST)
            for item, n in lengths
        }
    return dict(rows.values_list("pk", f"prompt__{split}"))


def pairs(*, version: JudgeVersion, items: Collection[int]) -> dict[int, Pair]:
    """Item → what it came to, for those that the judge decided."""
    own = RankedResponse.objects.filter(
        Judgment.of_everyone.condition(_PATH),
        comparison__judgment__rater=version.judge.rater_id,
        comparison__judgment__item__in=items,
    )
    decided = {item: one for item, one in _first(own).items() if one.response is not None}
    theirs = RankedResponse.objects.filter(
        counting.counts(_PATH), comparison__judgment__item__in=decided
    )
    votes = _first(theirs)
    confidences = _confidences(version, decided)
    open_slots = Slot.objects.filter(item=OuterRef("pk"), item__held_at=None).exclude(
        state=Slot.State.SUBMITTED
    )
    # Somebody chose which pairs are in question, so leaving them out would bend the sample.
    may_come = Exists(open_slots) | intake.in_question() | Q(spared_at__isnull=False)
    to_come = set(Item.objects.filter(may_come, pk__in=decided).values_list("pk", flat=True))
    found = {}
    for item, prompt in Item.objects.filter(pk__in=confidences).values_list("pk", "prompt"):
        vote = votes.get(item)
        has_opinion = vote is not None and vote.response is not None
        found[item] = Pair(
            item=item,
            prompt=prompt,
            confidence=confidences[item],
            agrees=vote.response == decided[item].response if vote and has_opinion else None,
            at=vote.at if vote else None,
            is_waiting=vote is None and item in to_come,
        )
    return found


def still_asked(*, version: JudgeVersion, items: Collection[int]) -> set[int]:
    """Those of these items that the judge has not answered yet, and will."""
    open_ones = Verdict.objects.filter(
        version=version, item__in=items, state__in=(Verdict.State.QUEUED, Verdict.State.RUNNING)
    )
    return set(open_ones.values_list("item", flat=True))


def _first(rows: QuerySet[RankedResponse]) -> dict[int, Choice]:
    """Item → the choice in the first judgment of it."""
    columns = (f"{_PATH}item", f"{_PATH}submitted_at", "comparison__judgment", "response", "rank")
    ranks: dict[int, tuple[tuple[datetime, int], list[tuple[int | None, int]]]] = {}
    for item, at, judgment, response, rank in rows.values_list(*columns):
        key, of_first = ranks.get(item, ((at, judgment), []))
        if (at, judgment) < key:
            key, of_first = (at, judgment), []
        if (at, judgment) == key:
            of_first.append((rank, response))
        ranks[item] = key, of_first
    return {item: Choice(_best(of), at) for item, ((at, _judgment), of) in ranks.items()}


def _best(ranked: list[tuple[int | None, int]]) -> int | None:
    known = sorted((rank, response) for rank, response in ranked if rank is not None)
    if len(known) != len(Verdict.ORDERS) or known[0][0] == known[1][0]:
        return None
    return known[0][1]


def _confidences(version: JudgeVersion, items: Collection[int]) -> dict[int, float]:
    """Item → its confidence. A probability that the server did not send counts as none."""
    rows = Verdict.objects.filter(
        Q(version=version, item__in=items) & ~Q(judgment=None)
    ).values_list("item", "label", "log_probabilities")
    says_it = version.asks_probabilities and version.output == JudgeVersion.Output.LABEL
    sums: dict[int, float] = {}
    for item, label, found in rows:
        log_probability = found.get(label, -math.inf) if says_it else 0.0
        sums[item] = sums.get(item, 0.0) + min(0.0, log_probability)
    return {item: math.exp(total / len(Verdict.ORDERS)) for item, total in sums.items()}
