"""Rules for what is kept: the best, the latest, what is pinned, and what is still needed. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from training.configs import kinds


class KeepReason(StrEnum):
    """Why an artifact is kept."""

    BEST = "best"
    LAST = "last"
    PINNED = "pinned"
    APPROVED = "approved"
    RUN = "run"
    RESUME = "resume"
    CHAIN = "chain"
    SCHEDULE = "schedule"
    SENT = "sent"


WORDS: Mapping[KeepReason, Promise] = {
    KeepReason.BEST: _("the best of its kind"),
    KeepReason.LAST: _("the latest of its kind"),
    KeepReason.PINNED: _("pinned"),
    KeepReason.APPROVED: _("approved"),
    KeepReason.RUN: _("a run needs it"),
    KeepReason.RESUME: _("a run could continue with it"),
    KeepReason.CHAIN: _("a chain could continue with it"),
    KeepReason.SCHEDULE: _("a schedule needs it"),
    KeepReason.SENT: _("being published to a hub"),
}


# Reasons that a person may override to free space, for a run that did not succeed.
OVERRIDABLE = frozenset({KeepReason.RESUME, KeepReason.LAST, KeepReason.BEST})


@dataclass(frozen=True)
class Candidate:
    """A model, or the state of a run. Within a `group` (a kind, and the model's first ancestor) one
    is the best and one the latest. `measure`: higher is better; None if nothing was measured.
    """

    pk: int
    group: tuple[str, int]
    made_at: datetime
    measure: float | None
    needed: frozenset[KeepReason]
    is_contender: bool = True
    """whether it can be the best or the latest; a retired model cannot"""


def keep_reasons(candidates: Sequence[Candidate]) -> dict[int, frozenset[KeepReason]]:
    """Why each is kept. An empty set means that it can be freed."""
    by_candidate = {candidate.pk: set(candidate.needed) for candidate in candidates}
    for members in _groups(candidates):
        by_candidate[max(members, key=lambda candidate: (candidate.made_at, candidate.pk)).pk].add(
            KeepReason.LAST
        )
        measured = [
            (candidate.measure, -candidate.pk)
            for candidate in members
            if candidate.measure is not None
        ]
        if measured:
            by_candidate[-max(measured)[1]].add(KeepReason.BEST)
    return {pk: frozenset(reasons) for pk, reasons in by_candidate.items()}


def measure(kind: str, metrics: Mapping[str, object]) -> float | None:
    """The measure that ranks runs of this kind; higher is better."""
    about = kinds.KINDS.get(kind)
    best = about.best if about else None
    value = metrics.get(best.metric) if best else None
    if best is None or not isinstance(value, int | float):
        return None
    return float(value) if best.is_more_better else -float(value)


def _groups(candidates: Iterable[Candidate]) -> Iterable[list[Candidate]]:
    groups: dict[tuple[str, int], list[Candidate]] = {}
    for candidate in candidates:
        if not candidate.is_contender:
            continue
        groups.setdefault(candidate.group, []).append(candidate)
    return groups.values()
