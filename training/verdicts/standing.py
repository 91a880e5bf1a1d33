"""Which verdicts of a judge stand by its looks, and which of these people are asked about too."""

from collections.abc import Sequence

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
    in_use = Item.objects.filter(pk__in=[pair.item for pair, _look in found], held_at=None)
    not_held = set(in_use.values_list("pk", flat=True))
    return [(pair, look) for pair, look in found if pair.item in not_held]


def unanswered(version: JudgeVersion) -> list[Pair]:
    """What the judge decided and people have not, whether it stands or not; without calibration
    pairs and audits.
    """
    decided = calibration.pairs(version=version, items=_judged(version))
    return [pair for _item, pair in sorted(decided.items()) if _is_left_to_it(version, pair)]


def _is_left_to_it(version: JudgeVersion, pair: Pair) -> bool:
    return pair.at is None and not is_audit(version, pair.item)


def _standing(rule: TrustRule, looks: dict[str, TrustLook]) -> list[tuple[Pair, TrustLook]]:
    """Verdicts that reach the threshold of their slice's look, without calibration pairs."""
    if not looks:
        return []
    version = rule.version
    items = _judged(version)
    slices = calibration.slices(items=items, split=rule.split)
    pairs = calibration.pairs(version=version, items=items)
    return [
        (pair, look)
        for item, pair in sorted(pairs.items())
        if (look := looks.get(slices[item])) is not None
        and pair.confidence >= (look.threshold or 0.0)
    ]


def _judged(version: JudgeVersion) -> set[int]:
    """Items with the same choice in both orders, but for calibration pairs."""
    judged = version.verdicts.exclude(judgment=None).exclude(item__in=drawn(version))
    return set(judged.values_list("item", flat=True))


def drawn(version: JudgeVersion) -> list[int]:
    pairs = CalibrationPair.objects.filter(version=version).order_by("place")
    return list(pairs.values_list("item", flat=True))
