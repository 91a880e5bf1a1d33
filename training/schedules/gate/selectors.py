"""Gates for the pages: what was checked, and the verdict."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from training.models import Chain, Link, Schedule
from training.schedules.gate import verdict
from training.schedules.gate.promotion import UNDECIDED
from training.schedules.gate.verdict import Check, Checked, Verdict
from training.schedules.plans.steps import GATE


@dataclass(frozen=True)
class CheckRow:
    words: Promise | str
    value: str
    interval: str
    bar: str
    is_met: bool | None


@dataclass(frozen=True)
class Gate:
    """`sentence` and `rows` are empty until the figures are taken."""

    link: Link
    outcome: str
    sentence: str
    rows: list[CheckRow]
    can_decide: bool


def gate_of(*, chain: Chain) -> Gate | None:
    """The gate of a chain that has reached it; None before, or without one."""
    link = (
        chain.links.exclude(state=Link.State.WAITING)
        .filter(step=GATE.name)
        .select_related("model", "approved_by")
        .first()
    )
    return None if link is None else _gate(link, chain)


def latest_gate(*, schedule: Schedule) -> Gate | None:
    """That of the newest chain that has reached its gate."""
    link = (
        Link.objects.filter(chain__schedule=schedule, step=GATE.name)
        .exclude(state=Link.State.WAITING)
        .select_related("model", "chain__schedule")
        .order_by("-chain__number")
        .first()
    )
    return None if link is None else _gate(link, link.chain)


def _gate(link: Link, chain: Chain) -> Gate:
    is_open = chain.state in (Chain.State.GOING, Chain.State.APPROVAL)
    can_decide = is_open and link.state in UNDECIDED
    if not link.verdict:
        return Gate(link, "", "", [], can_decide)
    result = Verdict.from_json(link.verdict)
    rows = [_row(check, result.about) for check in result.checks]
    return Gate(link, result.outcome, result.sentence, rows, can_decide)


def _row(check: Checked, about: str) -> CheckRow:
    shown = verdict.percent if check.check == Check.WIN_RATE else verdict.number
    interval = "" if check.low is None else verdict.interval_of(check, about)
    bar = "" if check.bar is None else f"{_SIGN[Check(check.check)]} {shown(check.bar)}"
    if check.check == Check.REWARD and check.low is not None:
        bar = _("interval reaches 0")
    words = verdict.WORDS[check.check]
    if check.check == Check.SUITE:
        value, bar = f"{(check.value or 0) * 100:+.1f}", _("not lower")
        return CheckRow(str(words) % {"suite": check.suite}, value, interval, bar, check.is_met)
    return CheckRow(words, shown(check.value), interval, bar, check.is_met)


_SIGN = {Check.WIN_RATE: "≥", Check.REWARD: "≥", Check.KL: "≤", Check.LENGTH: "≤"}
