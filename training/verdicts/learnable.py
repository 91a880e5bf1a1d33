"""Which verdicts of judges may be learned from beside what people said, and how much each counts.

People are asked about calibration pairs and audits, so their verdicts are never learned from, nor
are those on a pair that a person has answered.
"""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from arithmetic import clustering
from training.models import Judge, JudgeVersion, TrustLook
from training.verdicts import calibration, standing
from training.verdicts.calibration import Pair

FEWEST_PAIRS = 30
"""With fewer calibration pairs that people answered, nothing is known of a judge."""
_DIGITS = 4
"""Of a weight: the same pairs give the same bytes."""


@dataclass(frozen=True)
class Learnable:
    """A verdict, and how much it counts beside an answer of a person, which counts 1. `look` is the
    one that allowed it; None if none did.
    """

    version: JudgeVersion
    pair: Pair
    look: TrustLook | None
    weight: float

    @property
    def _rank(self) -> tuple[bool, float, float, int]:
        return self.look is not None, self.weight, self.pair.confidence, -self.version.pk


def verdicts(
    *, campaigns: Collection[int], only_trusted: bool, left_out: Counter[str]
) -> list[Learnable]:
    """Of the judges of these campaigns (none: of all), by item. If several judged a pair: one that
    stands rather than another, then the one that counts more, then the surer one.
    """
    judges = Judge.objects.filter(rater__withdrawn_at=None).select_related("rater").order_by("pk")
    if campaigns:
        judges = judges.filter(campaign__in=campaigns)
    best: dict[int, Learnable] = {}
    for judge in judges:
        found = [
            Learnable(look.version, pair, look, 1.0)
            for pair, look in standing.trusted_verdicts(judge=judge)
        ]
        if not only_trusted:
            found += _not_trusted(judge, {one.pair.item for one in found}, left_out)
        for one in found:
            other = best.setdefault(one.pair.item, one)
            if other is not one:
                left_out["another judge's verdict on the pair"] += 1
                best[one.pair.item] = max(one, other, key=lambda either: either._rank)
    return [one for _item, one in sorted(best.items())]


def weight(*, version: JudgeVersion) -> float:
    """How much a verdict that no look allows counts: w = max(0, 2a − 1), where a is the lower end
    of the 95 % interval of how often people agreed with such verdicts of this version on
    calibration pairs, which were drawn at random. 0 when too few of these are answered to tell.
    Pairs that would stand are left out: with them, a surer judge's agreement would be claimed for
    what it is less sure of.

    A person would choose as the verdict does with probability a, so a pair's loss l, of the margin
    z of the judge's choice, is expected to be a·l(z) + (1 − a)·l(−z) = (2a − 1)·l(z) +
    (1 − a)·(l(z) + l(−z)). The second term prefers neither response; what is left of the verdict
    is its own loss, 2a − 1 times. Raters' reliability becomes a weight in the same way: 0 for no
    better than chance, 1 for always right.
    """
    known = calibration.pairs(version=version, items=standing.drawn(version)).values()
    answered = standing.without_trust(version, [one for one in known if one.agrees is not None])
    if len(answered) < FEWEST_PAIRS:
        return 0.0
    agreement = clustering.share(
        [bool(pair.agrees) for pair in answered], prompts=[pair.prompt for pair in answered]
    )
    return round(max(0.0, 2 * (agreement.low or 0.0) - 1), _DIGITS)


def _not_trusted(judge: Judge, stand: set[int], left_out: Counter[str]) -> list[Learnable]:
    """The other verdicts of the judge's last version."""
    version = judge.versions.order_by("-number").first()
    if version is None:
        return []
    others = [pair for pair in standing.unanswered(version) if pair.item not in stand]
    pairs = standing.without_trust(version, others)
    left_out["verdict whose trust was taken back"] += len(others) - len(pairs)
    counts = weight(version=version) if pairs else 0.0
    if not counts:
        left_out["verdict of a judge that is no better than chance, or too little known"] += len(
            pairs
        )
        return []
    return [Learnable(version, pair, None, counts) for pair in pairs]
