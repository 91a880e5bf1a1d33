"""The words of a line's page: figures, what a chain learned from, and what became of its model."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.formats import date_format, number_format
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.timezone import localtime
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from arithmetic import intervals
from arithmetic.figures import RATERS_LIKE_THESE, Figure
from labeling.pay.timesheets.sheets import Timesheet
from training.benchmarks.scorecards import pairs
from training.benchmarks.scorecards import words as scorecard_words
from training.benchmarks.scorecards.selectors import Cell, Outcome
from training.lines.selectors import Attempt, Fate, Line
from training.lines.win_rates import CONFIDENCE, WinRate
from training.models import TrainedModel
from training.schedules.gate import verdict as gate_verdict
from training.schedules.gate.verdict import Check, Checked, Verdict

FATES: dict[Fate, tuple[Promise, str]] = {
    Fate.PROMOTED: (_("Promoted"), "good"),
    Fate.UNDECIDED: (_("Undecided"), "warning"),
    Fate.REFUSED: (_("Not promoted"), "danger"),
    Fate.WAITS: (_("Needs a decision"), "warning"),
    Fate.ASKED: (_("Waiting for raters"), "accent"),
    Fate.UNJUDGED: (_("No gate"), "outline"),
    Fate.GOING: (_("Running"), "accent"),
    Fate.FAILED: (_("Failed"), "danger"),
    Fate.STOPPED: (_("Stopped"), "outline"),
}
"""(words, kind of the component "state")"""
BY_HAND = _("Approved by hand")


@dataclass(frozen=True)
class RateWords:
    """A win rate as a cell shows it."""

    value: str
    interval: str
    votes: str
    against: TrainedModel | None


@dataclass(frozen=True)
class Row:
    """An attempt as the table shows it."""

    attempt: Attempt
    state: str
    kind: str
    date: str
    against_first: RateWords | None
    against_before: RateWords | None
    pay: str
    kl: str
    kl_to: TrainedModel | None
    """None if it is measured to the first model"""
    suites: Sequence[str]
    sentence: str


@dataclass(frozen=True)
class Headline:
    name: Promise | str
    value: str
    note: str = ""


def rows(line: Line) -> list[Row]:
    """Newest first."""
    return [_row(one, line) for one in reversed(line.attempts)]


def _row(one: Attempt, line: Line) -> Row:
    state, kind = state_of(one)
    return Row(
        attempt=one,
        state=str(state),
        kind=kind,
        date=date(one),
        against_first=rate_words(one.against_first, line.first, line),
        against_before=rate_words(one.against_before, one.before, line),
        pay=pay_words(one.pay),
        kl="" if one.kl is None else gate_verdict.number(one.kl),
        kl_to=one.kl_to if one.kl_to != line.first else None,
        suites=suite_words(one.suites),
        sentence=sentence(one),
    )


def is_promoted(one: Attempt) -> bool:
    """By its gate or by hand."""
    return one.is_promoted or state_of(one)[0] is BY_HAND


def state_of(one: Attempt) -> tuple[Promise, str]:
    """(words, kind of state)"""
    is_approved = one.model is not None and one.model.stage == TrainedModel.Stage.APPROVED
    if is_approved and not one.is_promoted:
        return BY_HAND, "good"
    return FATES[one.fate]


def date(one: Attempt) -> str:
    return date_format(localtime(one.chain.started_at), "j M")


def rate_words(rate: WinRate | None, against: TrainedModel | None, line: Line) -> RateWords | None:
    if rate is None:
        return None
    votes = (line.votes or {}).get(rate.campaign.pk)
    n_votes = _votes(rate.figure.n)
    if votes is not None:
        on = ngettext("%(votes)s on %(n)s prompt", "%(votes)s on %(n)s prompts", votes.n_prompts)
        n_votes = on % {"votes": n_votes, "n": _count(votes.n_prompts)}
    return RateWords(percent(rate.figure.value), ends_of(rate.figure), n_votes, against)


def _votes(n: int) -> str:
    return ngettext("%(n)s vote", "%(n)s votes", n) % {"n": _count(n)}


def _count(n: int) -> str:
    return number_format(n, force_grouping=True)


def percent(share: float | None) -> str:
    return gate_verdict.percent(share)


def ends_of(figure: Figure) -> str:
    if figure.low is None or figure.high is None:
        return gettext("no interval")
    return gettext("%(n)s %%") % {"n": f"{100 * figure.low:.0f}–{100 * figure.high:.0f}"}


def interval(figure: Figure) -> str:
    """With whom it is about."""
    rate = Checked(Check.WIN_RATE, figure.value, None, None, figure.low, figure.high, figure.n)
    return gate_verdict.interval_of(rate, Verdict("", "", (), figure.about, CONFIDENCE))


def pay_words(pay: Timesheet | None) -> str:
    """Empty if nobody here was to be paid for it."""
    if pay is None or not pay.lines:
        return ""
    if not pay.totals:
        return gettext("no rate set")
    n_unpriced = sum(one.n for one in pay.lines if one.amount is None)
    if not n_unpriced:
        return pay.total_words
    words = ngettext(
        "%(pay)s, and no rate set for %(n)s answer",
        "%(pay)s, and no rate set for %(n)s answers",
        n_unpriced,
    )
    return words % {"pay": pay.total_words, "n": _count(n_unpriced)}


def suite_words(cells: Sequence[Cell]) -> list[str]:
    """A line for each suite where the model differs from the first, and one for the others."""
    judged = [(cell, cell.verdict) for cell in cells if cell.verdict is not None]
    differ = [
        _difference(cell)
        for cell, verdict in judged
        if verdict.outcome in (Outcome.BETTER, Outcome.WORSE)
    ]
    n_same = sum(verdict.outcome == Outcome.SAME for _cell, verdict in judged)
    n_unknown = len(judged) - len(differ) - n_same
    if n_same:
        words = ngettext(
            "cannot be told apart on %(n)s suite", "cannot be told apart on %(n)s suites", n_same
        )
        differ.append(words % {"n": n_same})
    if n_unknown:
        words = ngettext(
            "too little to compare on %(n)s suite",
            "too little to compare on %(n)s suites",
            n_unknown,
        )
        differ.append(words % {"n": n_unknown})
    return differ


def _difference(cell: Cell) -> str:
    score = cell.score
    share = score is not None and pairs.is_share(score.scorer)
    texts = scorecard_words.of_verdict(cell.verdict, share=share)
    words = gettext("%(suite)s: %(outcome)s, %(difference)s (%(range)s)")
    return words % {
        "suite": score.suite if score else "",
        "outcome": texts["outcome"],
        "difference": texts["difference"],
        "range": texts.get("difference_interval", gettext("no interval")),
    }


def among_all(line: Line) -> Figure | None:
    """The win rate of the line's model against the first. It was picked among all that were
    compared with the first, so its interval is one of as many that hold together.
    """
    subject = line.subject
    if subject is None or subject.against_first is None:
        return None
    rate = subject.against_first.figure
    if rate.value is None or rate.low is None or rate.high is None:
        return rate
    low, high = intervals.among(
        rate.value, (rate.low, rate.high), line.n_compared, _df(line, subject.against_first)
    )
    return Figure(rate.value, rate.n, max(low, 0.0), min(high, 1.0), about=rate.about)


def _df(line: Line, rate: WinRate) -> float | None:
    """The fewest degrees of freedom that the interval's variance can have."""
    votes = (line.votes or {}).get(rate.campaign.pk)
    if votes is None:
        return None
    n = votes.n_prompts
    return max(1, (min(n, votes.n_raters) if rate.figure.about == RATERS_LIKE_THESE else n) - 1)


def headlines(line: Line) -> list[Headline]:
    """Four at most."""
    subject = line.subject
    if subject is None:
        return []
    rate = among_all(line)
    n_promoted = sum(is_promoted(one) for one in line.attempts)
    n_models = sum(one.model is not None for one in line.attempts)
    of_all = gettext("%(n)s of %(total)s") % {"n": n_promoted, "total": n_models}
    found = [
        Headline(
            _("Preferred to the first model"),
            percent(rate.value) if rate else gettext("not measured"),
            ends_of(rate) if rate else "",
        ),
        Headline(_("Models promoted"), of_all),
    ]
    if subject.kl is not None and subject.kl_to == line.first:
        nats = gettext("%(n)s nats") % {"n": gate_verdict.number(subject.kl)}
        found.append(Headline(_("KL to the first model"), nats))
    pay = pay_words(line.pay)
    note = gettext("pay: %(pay)s") % {"pay": pay} if pay else ""
    found.append(Headline(_("Judgments of people"), _count(line.n_judgments), note))
    return found


def raters(line: Line) -> str:
    """By whom the win rates are."""
    rates = [rate for one in line.attempts for rate in one.win_rates]
    campaigns = {rate.campaign.pk: rate.campaign for rate in rates}
    counts = [(line.votes or {}).get(pk) for pk in campaigns]
    known = [votes for votes in counts if votes is not None]
    if not known:
        return ""
    pools = ", ".join(dict.fromkeys(f"“{one.pool.name}”" for one in campaigns.values()))
    words = gettext(
        "By raters of %(pools)s, who did not know which model wrote what. For each comparison:"
        " raters %(raters)s, held-out prompts %(prompts)s. Bars are 95 %% intervals, clustered by"
        " prompt and rater."
    )
    return words % {
        "pools": pools,
        "raters": _span([votes.n_raters for votes in known]),
        "prompts": _span([votes.n_prompts for votes in known]),
    }


def gates_levels(line: Line) -> str:
    """Which intervals the gates' sentences have, where the figures have other ones."""
    links = [link for one in line.attempts for link in one.chain.links.all() if link.verdict]
    seen = [Verdict.from_json(link.verdict) for link in links]
    others = [one.confidence for one in seen if one.checks and one.confidence != CONFIDENCE]
    if not others:
        return ""
    levels = [f"{level} %" for level in dict.fromkeys(_level(one) for one in sorted(others))]
    words = gettext(
        "The sentences of the gates have the interval that a gate decides by (%(levels)s); all"
        " other intervals on this page are of 95 %%."
    )
    return words % {"levels": ", ".join(levels)}


def _level(confidence: float) -> str:
    return gate_verdict.level_of(Verdict("", "", confidence=confidence))


def _span(numbers: Sequence[int]) -> str:
    low, high = min(numbers), max(numbers)
    return _count(low) if low == high else f"{_count(low)}–{_count(high)}"


def data(line: Line) -> tuple[list[str], list[list[str]]]:
    """Columns and rows of what the picture shows."""
    columns = [
        gettext("Chain"),
        gettext("Model"),
        gettext("Against the first model"),
        gettext("Against the model before"),
        gettext("Outcome"),
    ]
    cells = [
        [
            str(one.chain.number),
            one.model.name if one.model else "–",
            in_words(one.against_first),
            in_words(one.against_before),
            str(state_of(one)[0]),
        ]
        for one in line.attempts
    ]
    return columns, cells


def in_words(rate: WinRate | None) -> str:
    if rate is None:
        return gettext("not measured")
    return f"{percent(rate.figure.value)} ({ends_of(rate.figure)})"


def why(one: Attempt) -> str:
    """Why it was not promoted, in a few words below the picture; its row has the sentence."""
    state = str(state_of(one)[0])
    if one.fate not in (Fate.REFUSED, Fate.UNDECIDED):
        return state
    missed = _missed(one)
    return f"{state}: {missed}" if missed else state


def _missed(one: Attempt) -> str:
    """The first bar that it missed, other than by what raters still may decide."""
    gate = next((link for link in one.chain.links.all() if link.verdict), None)
    checks = Verdict.from_json(gate.verdict).checks if gate else ()
    if gate is not None and gate.approved_by_id is not None:
        return gettext("a person decided")
    missed = [check for check in checks if check.is_met is False]
    found = sorted(missed, key=lambda check: check.check == Check.WIN_RATE)
    if not found:
        return ""
    if found[0].check == Check.WIN_RATE:
        rate = found[0]
        is_behind = rate.high is not None and rate.bar is not None and rate.high < rate.bar
        return gettext("raters prefer the earlier") if is_behind else gettext("too close to call")
    return str(_MISSED[Check(found[0].check)])


_MISSED: dict[Check, Promise] = {
    Check.REWARD: _("lower reward"),
    Check.KL: _("KL too high"),
    Check.LENGTH: _("too long"),
    Check.SUITE: _("worse on a suite"),
}


def sentence(one: Attempt) -> str:
    """The gate's, or where the chain is."""
    return capfirst(one.sentence or one.chain.error)
