"""Gates for the pages: what was checked, and the verdict."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from pages.numbers import grouped
from training.models import Chain, Link, Schedule
from training.schedules.gate import looks, promotion, verdict
from training.schedules.gate.looks import Look
from training.schedules.gate.promotion import UNDECIDED
from training.schedules.gate.verdict import Check, Checked, Outcome, Verdict
from training.schedules.plans.chain_plans import Plan
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
    """`sentence` and `rows` are empty until the figures are taken; `votes` where it looks once."""

    link: Link
    outcome: str
    sentence: str
    rows: list[CheckRow]
    can_decide: bool
    votes: str
    """how far its looks are, and how many answers are left to ask for"""
    looks: list[str]

    @property
    def has_missed(self) -> bool:
        """Whether a figure missed its bar: to promote the model is then not offered first."""
        return any(row.is_met is False for row in self.rows)

    @property
    def is_undecided(self) -> bool:
        """Whether it ended without promoting the model, and without turning it down."""
        return self.outcome == Outcome.UNDECIDED


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
    plan = Plan.from_json(chain.plan)
    votes, taken = _votes(link, chain, plan), [_words(look) for look in looks.taken(link)]
    if not link.verdict:
        return Gate(link, "", "", [], can_decide, votes, taken)
    result = Verdict.from_json(link.verdict)
    rows = [_row(check, result) for check in result.checks]
    return Gate(link, result.outcome, result.sentence, rows, can_decide, votes, taken)


def _votes(link: Link, chain: Chain, plan: Plan) -> str:
    """Empty for a gate that looks once."""
    campaign = promotion.campaign_of(chain)
    if plan.n_looks < 2 or campaign is None:
        return ""
    is_open = link.state == Link.State.WORKING
    part = looks.Part(chain, campaign, plan.n_looks, len(link.looks) + is_open)
    n_owed, n_spent = promotion.n_missing(campaign), promotion.n_answered(campaign)
    n_left = len(part.held) * campaign.overlap
    values = {"n": part.number, "n_looks": plan.n_looks, "n_spent": n_spent}
    if is_open:
        words = _(
            "Look %(n)s of %(n_looks)s is next. Raters have given %(n_spent)s answers on test"
            " prompts, and are asked for at most %(n_left)s more."
        )
        return words % (values | {"n_left": n_owed + n_left})
    if link.state == Link.State.APPROVAL:
        words = _(
            "Not decided after %(n)s of %(n_looks)s looks and %(n_spent)s answers on test prompts."
        )
        return words % values
    if not n_left:
        words = _(
            "Decided after %(n)s of %(n_looks)s looks and %(n_spent)s answers on test prompts."
        )
        return words % values
    words = _(
        "Decided after %(n)s of %(n_looks)s looks and %(n_spent)s answers on test prompts;"
        " %(n_left)s more were not asked for."
    )
    return words % (values | {"n_left": n_left})


def _words(look: Look) -> str:
    seen = Verdict("", "", (), look.about, 100 * (1 - look.error))
    rate = Checked(Check.WIN_RATE, look.value, None, None, look.low, look.high, look.n)
    words = _("Look %(n)s: preferred in %(rate)s of %(n_votes)s votes (%(range)s).") % {
        "n": look.number,
        "rate": verdict.percent(look.value),
        "n_votes": grouped(look.n),
        "range": verdict.interval_of(rate, seen),
    }
    if look.n_opened:
        words += " " + ngettext(
            "Raters got %(n)s more test prompt.",
            "Raters got %(n)s more test prompts.",
            look.n_opened,
        ) % {"n": look.n_opened}
    return words


def _row(check: Checked, result: Verdict) -> CheckRow:
    shown = verdict.percent if check.check == Check.WIN_RATE else verdict.number
    interval = "" if check.low is None else verdict.interval_of(check, result)
    bar = "" if check.bar is None else f"{_SIGN[Check(check.check)]} {shown(check.bar)}"
    if check.check == Check.REWARD and check.low is not None:
        bar = _("interval reaches 0")
    words = verdict.WORDS[check.check]
    if check.check == Check.SUITE:
        value, bar = f"{(check.value or 0) * 100:+.1f}", _("not clearly lower")
        return CheckRow(str(words) % {"suite": check.suite}, value, interval, bar, check.is_met)
    return CheckRow(words, shown(check.value), interval, bar, check.is_met)


_SIGN = {Check.WIN_RATE: "≥", Check.REWARD: "≥", Check.KL: "≤", Check.LENGTH: "≤"}
