"""What is kept of models and of runs' states, and why: the best, the last, what is pinned and what
somebody needs. Pure.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from training import configs


class Why(StrEnum):
    """Why something is kept."""

    BEST = "best"
    LAST = "last"
    PINNED = "pinned"
    APPROVED = "approved"
    RUN = "run"
    RESUME = "resume"
    CHAIN = "chain"
    SCHEDULE = "schedule"
    SENT = "sent"


WORDS: Mapping[Why, Promise] = {
    Why.BEST: _("the best of its kind"),
    Why.LAST: _("the latest of its kind"),
    Why.PINNED: _("pinned"),
    Why.APPROVED: _("approved"),
    Why.RUN: _("a run needs it"),
    Why.RESUME: _("a run could continue with it"),
    Why.CHAIN: _("a chain could continue with it"),
    Why.SCHEDULE: _("a schedule needs it"),
    Why.SENT: _("being published to a hub"),
}


# What a person may set aside for a run that has not come to its end, when space is worth more.
GIVEN_UP_FOR = frozenset({Why.RESUME, Why.LAST, Why.BEST})


@dataclass(frozen=True)
class Candidate:
    """A model, or the state of a run. `group` names those that it is the best or the last of: a
    kind, and the first model of its line. `measure` is None where nothing was measured; more is
    better.
    """

    pk: int
    group: tuple[str, int]
    made_at: datetime
    measure: float | None
    needed: frozenset[Why]
    is_contender: bool = True
    """whether it can be the best or the last: one that was retired cannot"""


def kept(candidates: Sequence[Candidate]) -> dict[int, frozenset[Why]]:
    """Why each is kept; with an empty set nothing speaks against freeing it."""
    found = {one.pk: set(one.needed) for one in candidates}
    for members in _groups(candidates):
        found[max(members, key=lambda one: (one.made_at, one.pk)).pk].add(Why.LAST)
        measured = [(one.measure, -one.pk) for one in members if one.measure is not None]
        if measured:
            found[-max(measured)[1]].add(Why.BEST)
    return {pk: frozenset(reasons) for pk, reasons in found.items()}


def measure(kind: str, metrics: Mapping[str, object]) -> float | None:
    """By which runs of this kind are told apart; more is better."""
    about = configs.KINDS.get(kind)
    best = about.best if about else None
    value = metrics.get(best.metric) if best else None
    if best is None or not isinstance(value, int | float):
        return None
    return float(value) if best.is_more_better else -float(value)


def _groups(candidates: Iterable[Candidate]) -> Iterable[list[Candidate]]:
    found: dict[tuple[str, int], list[Candidate]] = {}
    for one in candidates:
        if not one.is_contender:
            continue
        found.setdefault(one.group, []).append(one)
    return found.values()
