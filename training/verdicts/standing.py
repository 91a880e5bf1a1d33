"""Which verdicts of a judge stand by its looks, and which of these people are asked about too."""

from collections.abc import Collection, Sequence

from django.db.models import F, Q

from labeling.models import Item
from training.models import CalibrationPair, Judge, JudgeVersion, TrustLook, TrustRule
from training.verdicts import calibration
from training.verdicts.calibration import Pair

IS_IN_FORCE = Q(
    is_on=True,
    version__judge__rater__withdrawn_at=None,
    version__guideline_version=F("version__judge__campaign__guideline_version"),
)
"""Of a rule. After a new version of the guideline, people no longer answer what the judge was
asked.
"""


def granted(looks: Sequence[TrustLook]) -> TrustLook | None:
    """The look whose threshold holds now: the lowest, unless audits took trust back."""
    if any(look.outcome == TrustLook.Outcome.REVOKED for look in looks):
        return None
    passed = [look for look in looks if look.threshold is not None]
    return min(passed, key=lambda look: look.threshold or 0.0, default=None)


def audits_of(*, rule: TrustRule, look: TrustLook, name: str) -> list[Pair]:
    """Those that people have answered, in that order; of each prompt the first."""
    audited = [
        pair
        for pair, _look in _standing(rule, {name: look})
        if is_audit(rule.version, pair.item)
        and pair.agrees is not None
        and pair.at is not None
        and pair.at > look.created_at
    ]
    first: dict[int, Pair] = {}
    for pair in sorted(audited, key=lambda pair: (pair.at, pair.item)):
        first.setdefault(pair.prompt, pair)
    return list(first.values())


def is_audit(version: JudgeVersion, item: int) -> bool:
    return calibration.number_of(version, item, "audit") < calibration.AUDITED


def granted_of(*, rule: TrustRule) -> dict[str, TrustLook]:
    """Slice → the look whose threshold holds now, for those that are trusted."""
    looks: dict[str, list[TrustLook]] = {}
    for look in TrustLook.objects.filter(version=rule.version).order_by("pk"):
        looks.setdefault(look.slice, []).append(look)
    return {name: one for name, of in looks.items() if (one := granted(of)) is not None}


def is_in_force(*, rule: TrustRule) -> bool:
    """Whether looks are taken and verdicts may stand."""
    return TrustRule.objects.filter(IS_IN_FORCE, pk=rule.pk).exists()


def trusted_verdicts(*, judge: Judge) -> list[tuple[Pair, TrustLook]]:
    """The verdicts that stand now, each with the look that allows it: not those of calibration
    pairs and audits, nor of held pairs, nor of those that a person has answered, since people
    decide these.
    """
    version = judge.versions.order_by("-number").first()
    rule = TrustRule.objects.filter(IS_IN_FORCE, version=version).first()
    if rule is None:
        return []
    return [
        (pair, look)
        for pair, look in confident_verdicts(rule=rule)
        if _is_left_to_it(rule.version, pair)
    ]


def confident_verdicts(*, rule: TrustRule) -> list[tuple[Pair, TrustLook]]:
    """The verdicts that reach the threshold of their slice, on pairs that are neither held nor for
    calibration. Audits and pairs that people have answered are among them.
    """
    found = _standing(rule, granted_of(rule=rule))
    not_held = _not_held([pair.item for pair, _look in found])
    return [(pair, look) for pair, look in found if pair.item in not_held]


def unanswered(version: JudgeVersion) -> list[Pair]:
    """What the judge decided and people have not, whether it stands or not; without calibration
    pairs, audits and held pairs.
    """
    decided = calibration.pairs(version=version, items=_judged(version))
    not_held = _not_held(decided)
    return [
        pair
        for item, pair in sorted(decided.items())
        if item in not_held and _is_left_to_it(version, pair)
    ]


def without_trust(version: JudgeVersion, pairs: Sequence[Pair]) -> list[Pair]:
    """Those of these pairs that no look would let stand, in slices whose trust was not taken back:
    there, how often people agreed before says nothing of today.
    """
    rule = TrustRule.objects.filter(version=version).first()
    if rule is None:
        return list(pairs)
    looks = granted_of(rule=rule) if is_in_force(rule=rule) else {}
    taken_back = TrustLook.objects.filter(version=version, outcome=TrustLook.Outcome.REVOKED)
    revoked = set(taken_back.values_list("slice", flat=True))
    slices = calibration.slices(items=[pair.item for pair in pairs], split=rule.split)
    return [
        pair
        for pair in pairs
        if slices[pair.item] not in revoked and not _reaches(looks.get(slices[pair.item]), pair)
    ]


def _is_left_to_it(version: JudgeVersion, pair: Pair) -> bool:
    return pair.at is None and not is_audit(version, pair.item)


def _reaches(look: TrustLook | None, pair: Pair) -> bool:
    return look is not None and pair.confidence >= (look.threshold or 0.0)


def _not_held(items: Collection[int]) -> set[int]:
    rows = Item.objects.filter(pk__in=items, held_at=None)
    return set(rows.values_list("pk", flat=True))


def _standing(rule: TrustRule, looks: dict[str, TrustLook]) -> list[tuple[Pair, TrustLook]]:
    """Verdicts that reach the threshold of their slice's look, without calibration pairs."""
    if not looks:
        return []
    version = rule.version
    items = _judged(version)
    slices = calibration.slices(items=items, split=rule.split)
    pairs = calibration.pairs(version=version, items=items)
    return [
        (pair, looks[slices[item]])
        for item, pair in sorted(pairs.items())
        if _reaches(looks.get(slices[item]), pair)
    ]


def _judged(version: JudgeVersion) -> set[int]:
    """Items with the same choice in both orders, but for calibration pairs."""
    judged = version.verdicts.exclude(judgment=None).exclude(item__in=drawn(version))
    return set(judged.values_list("item", flat=True))


def drawn(version: JudgeVersion) -> list[int]:
    pairs = CalibrationPair.objects.filter(version=version).order_by("place")
    return list(pairs.values_list("item", flat=True))
