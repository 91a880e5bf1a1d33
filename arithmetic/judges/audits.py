"""When audits take a judge's trust back.

Some verdicts that stand are given to people too, at random and blind: the audits. A bet is placed
on each, that people agree less often than they should (Waudby-Smith and Ramdas 2024; Shin, Ramdas
and Rinaldo 2023). As long as the agreement is at least `least`, no bet is expected to win, so that
the capital, 1 at first, ever grows to 1 / error with probability `error` at most (Ville 1939),
however often one looks. When it does, trust is taken back.

The bet is the best one if people agree as often as in about the last MEMORY audits. A judge that
was good for long and gets worse is thus noticed nearly as soon as one that is bad from the start.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

ERROR = 0.05
MEMORY = 30.0
"""A shorter one notices small falls late, a longer one falls after a long good time."""
_PRIOR = 5.0
"""So many audits with an agreement of `least` come before the first."""


@dataclass(frozen=True)
class Audits:
    """What they have come to."""

    n: int
    n_agreed: float
    evidence: float
    """the capital, against an agreement of `least` or more"""
    revoked_at: int | None
    """the audit that took trust back, counted from 1"""


def state(agreements: Sequence[float], *, least: float, error: float = ERROR) -> Audits:
    """Of all audits since trust was granted, in the order in which they came in. An audit is one
    prompt's, and its agreement from 0 to 1, such as the mean over several people: what is known of
    the audits before must not say how it ends. `least`, between 0 and 1, is the agreement that
    trust promises. With a lower one, falls are noticed much later (benchmarks/judge.py).
    """
    log_capital = n_remembered = n_agreed_remembered = 0.0
    revoked_at = None
    for place, agreement in enumerate(agreements, start=1):
        expected = (_PRIOR * least + n_agreed_remembered) / (_PRIOR + n_remembered)
        stake = max(0.0, least - expected) / (least * (1 - least))
        log_capital += math.log1p(stake * (least - agreement))
        if revoked_at is None and log_capital >= -math.log(error):
            revoked_at = place
        n_remembered = n_remembered * (1 - 1 / MEMORY) + 1
        n_agreed_remembered = n_agreed_remembered * (1 - 1 / MEMORY) + agreement
    return Audits(len(agreements), math.fsum(agreements), math.exp(log_capital), revoked_at)
