"""Trust in a judge, slice by slice: an admin says what it must come to, the beat takes the looks
that arithmetic.judges.trust declares, each once, and takes trust back when audits say so.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts import audit_log
from accounts.models import User
from arithmetic.judges import audits, trust
from labeling.data import intake
from training.judges import selectors
from training.judges.services import UnableToJudge
from training.models import Judge, JudgeVersion, TrustLook, TrustRule
from training.verdicts import calibration, standing
from training.verdicts.calibration import Pair

NUMBERS = {n: number for number, n in enumerate(trust.LOOKS, start=1)}
"""Pairs → number of the look."""
FIRST = min(trust.LOOKS)


@dataclass(frozen=True)
class Slice:
    """What is known of a slice. `pairs` are those that its next look goes by so far."""

    name: str
    looks: list[TrustLook]
    """in the order in which they were taken"""
    pairs: list[Pair]
    n_drawn: int
    n_waiting: int
    """calibration pairs that the judge decided and nobody has answered"""

    @property
    def granted(self) -> TrustLook | None:
        return standing.granted(self.looks)

    @property
    def revoked(self) -> TrustLook | None:
        return next((one for one in self.looks if one.number == 0), None)

    @property
    def next_look(self) -> int | None:
        """How many pairs it has."""
        taken = {look.number for look in self.looks}
        return next((n for n, number in NUMBERS.items() if number not in taken), None)


def set_rule(
    *,
    judge: Judge,
    split: str,
    target: float | None,
    error: float,
    by: User,
    now: datetime,
) -> TrustRule:
    """Verdicts may stand from here on, once looks allow it. Without a target, the judge must agree
    with people as often as two of them do now. The calibration pairs come first in the queue.
    Raises UnableToJudge.
    """
    with transaction.atomic():
        version = _locked(judge)
        items = standing.drawn(version)
        if not items:
            raise UnableToJudge(_("Start the judge first: its calibration pairs are drawn then."))
        is_of_raters = target is None
        if target is None:
            target = _agreement_of_raters(judge)
        slices = calibration.slices(items=items, split=split)
        enough = sorted(name for name, n in Counter(slices.values()).items() if n >= FIRST)
        if not enough:
            raise UnableToJudge(
                _("A look takes %(n)s calibration pairs, and no part of this campaign has so many.")
                % {"n": FIRST}
            )
        wanted = {
            "split": split,
            "slices": enough,
            "target": target,
            "is_of_raters": is_of_raters,
            "error": error,
        }
        before = TrustRule.objects.filter(version=version).first()
        if before is not None and TrustLook.objects.filter(version=version).exists():
            raise UnableToJudge(
                _("After the first look, nothing but on and off can change. Add another judge.")
            )
        rule, _is_new = TrustRule.objects.update_or_create(
            version=version, defaults=wanted | {"is_on": True, "changed_by": by, "changed_at": now}
        )
        intake.ask_first(item_ids=items, now=now)
        audit_log.record(by, "trust", judge, after=wanted | {"is_on": True}, now=now)
    return rule


def switch(*, judge: Judge, is_on: bool, by: User, now: datetime) -> None:
    """Looks that were taken stay. Raises UnableToJudge."""
    with transaction.atomic():
        version = _locked(judge)
        changed = TrustRule.objects.filter(version=version, is_on=not is_on)
        if not changed.update(is_on=is_on, changed_by=by, changed_at=now):
            raise UnableToJudge(_("This was changed meanwhile. Reload the page."))
        audit_log.record(by, "trust", judge, after={"is_on": is_on}, now=now)


def advance(*, now: datetime) -> None:
    """Takes every look that is due, and looks at the audits. Safe to run twice, and at once."""
    rules = TrustRule.objects.filter(standing.IS_IN_FORCE)
    for rule in rules.select_related("version__judge__campaign").order_by("pk"):
        with transaction.atomic():
            _locked(rule.version.judge)
            for part in slices_of(rule=rule):
                if part.revoked is not None or part.name not in rule.slices:
                    continue
                _take_looks(rule, part, now=now)
                _look_at_audits(rule, part, now=now)


def slices_of(*, rule: TrustRule) -> list[Slice]:
    version = rule.version
    drawn = standing.drawn(version)
    slices = calibration.slices(items=drawn, split=rule.split)
    known = calibration.pairs(version=version, items=drawn)
    asked = calibration.still_asked(version=version, items=drawn)
    looks = list(TrustLook.objects.filter(version=version).order_by("created_at", "pk"))
    found = []
    for name in sorted(set(slices.values())):
        items = [item for item in drawn if slices[item] == name]
        part = [known[item] for item in items if item in known]
        found.append(
            Slice(
                name=name,
                looks=[look for look in looks if look.slice == name],
                pairs=_first_answered(items, known, asked),
                n_drawn=len(items),
                n_waiting=sum(pair.is_waiting for pair in part),
            )
        )
    return found


def _first_answered(items: Sequence[int], known: dict[int, Pair], asked: set[int]) -> list[Pair]:
    """The pairs up to the first that is still to come: so nobody's haste chooses among them."""
    found = []
    for item in items:
        pair = known.get(item)
        if item in asked or (pair is not None and pair.is_waiting):
            break
        if pair is not None and pair.agrees is not None:
            found.append(pair)
    return found


def _take_looks(rule: TrustRule, part: Slice, *, now: datetime) -> None:
    """Each with the pairs that it was declared for, however many there are by now."""
    taken = {look.number for look in part.looks}
    for n, number in NUMBERS.items():
        if number in taken or len(part.pairs) < n:
            continue
        pairs = part.pairs[:n]
        look = trust.decide(
            [pair.confidence for pair in pairs],
            [bool(pair.agrees) for pair in pairs],
            [pair.prompt for pair in pairs],
            target=rule.target,
            error=rule.error / len(rule.slices),
        ).looks[-1]
        is_granted = look.threshold is not None
        stored = TrustLook.objects.create(
            version=rule.version,
            slice=part.name,
            number=number,
            outcome=TrustLook.Outcome.GRANTED if is_granted else TrustLook.Outcome.NOT_YET,
            n_pairs=n,
            target=rule.target,
            error=look.error,
            threshold=look.threshold,
            n=look.n,
            n_agreed=look.n_agreed,
            bound=look.bound,
            created_at=now,
        )
        part.looks.append(stored)
        after = {"slice": part.name, "pairs": n, "threshold": look.threshold}
        audit_log.record(None, "trust", rule.version.judge, after=after, now=now)


def _look_at_audits(rule: TrustRule, part: Slice, *, now: datetime) -> None:
    look = part.granted
    if look is None:
        return
    answered = standing.audits_of(rule=rule, look=look, name=part.name)
    state = audits.state([float(bool(pair.agrees)) for pair in answered], least=rule.target)
    if state.revoked_at is None:
        return
    n = state.revoked_at
    TrustLook.objects.create(
        version=rule.version,
        slice=part.name,
        number=0,
        outcome=TrustLook.Outcome.REVOKED,
        n_pairs=state.n,
        target=rule.target,
        error=audits.ERROR,
        n=n,
        n_agreed=sum(bool(pair.agrees) for pair in answered[:n]),
        evidence=state.evidence,
        created_at=now,
    )
    after = {"slice": part.name, "audits": n, "threshold": None}
    audit_log.record(None, "trust", rule.version.judge, after=after, now=now)


def _agreement_of_raters(judge: Judge) -> float:
    among = selectors.agreement(judge=judge).among_people
    if among.value is None or among.low is None:
        raise UnableToJudge(
            _("Too few pairs have two answers of people to tell how often they agree.")
        )
    if not 0.5 < among.value < 1:
        raise UnableToJudge(
            _("Your raters agree in %(share)s %% of pairs: that is no agreement to aim at.")
            % {"share": round(100 * among.value)}
        )
    return among.value


def _locked(judge: Judge) -> JudgeVersion:
    """Whoever takes a look holds the judge's row: two never take the same one."""
    Judge.objects.select_for_update(no_key=True).get(pk=judge.pk)
    return selectors.version_of(judge=judge)
