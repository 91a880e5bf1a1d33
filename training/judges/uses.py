"""What learned from verdicts that count no more: trust was taken back, or the judge withdrawn."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from training.judges.trust import Slice
from training.models import Judge, TrustRule
from training.registry.lineage import withdrawals
from training.registry.lineage.withdrawals import Touched
from training.verdicts import look_names


@dataclass(frozen=True)
class Use:
    sentence: str
    touched: Touched


def uses(*, judge: Judge, rule: TrustRule | None, slices: list[Slice]) -> list[Use]:
    if judge.rater.withdrawn_at is not None:
        touched = withdrawals.touched_by(rater=judge.rater)
        some = _("These runs learned from its verdicts:")
        return [Use(some if touched.runs else _("No run learned from its verdicts."), touched)]
    found = []
    for part in slices:
        if rule is None or part.revoked is None:
            continue
        looks = {look.pk for look in part.looks if look.threshold is not None}
        touched = withdrawals.learned_from_looks(rater=judge.rater, looks=looks)
        words = (
            _("Trust was taken back: %(part)s. These runs learned from verdicts of this look:")
            if touched.runs
            else _("Trust was taken back: %(part)s. No run learned from verdicts of this look.")
        )
        sentence = words % {"part": look_names.slice_name(rule.split, part.name)}
        found.append(Use(sentence, touched))
    return found
