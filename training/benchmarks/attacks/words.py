"""Attack success in words, for the pages."""

from dataclasses import dataclass

from django.utils.formats import number_format
from django.utils.text import capfirst
from django.utils.translation import gettext, ngettext

from pages.interval_chart import Span, span
from training.benchmarks.attacks.success import BY_LABELS, BY_RATES, UNCORRECTED, Group, Success
from training.benchmarks.scorecards import words
from training.benchmarks.statistics.attack_success import Rates, Share
from training.benchmarks.statistics.differences import Difference
from training.configs.evaluation.attack import STRATEGIES

N_HEATS = 5


@dataclass(frozen=True)
class Row:
    """A line of a table; `figure` is the best estimate."""

    name: str
    figure: str
    interval: str
    span: Span | None
    how: str
    seen: str
    n: str
    hits: str
    in_part: str


@dataclass(frozen=True)
class Cell:
    figure: str
    about: str
    heat: str


def strategy(name: str) -> str:
    return gettext(STRATEGIES[name]) if name in STRATEGIES else name


def area(name: str) -> str:
    return capfirst(name or gettext("no area"))


def row(group: Group, name: str) -> Row:
    result = group.success
    share = result.share
    return Row(
        name=name,
        figure=of_share(share) if share else counted(result),
        interval=interval(share) if share else gettext("too few goals for an interval"),
        span=span(share.share, share.low, share.high) if share else None,
        how=_how(result),
        seen=words.of_value(result.n_found / result.n, share=True) if result.n else "–",
        n=_number(result.n),
        hits=", ".join(
            gettext("%(share)s in %(k)s") % {"share": of_share(hit), "k": k}
            for k, hit in group.hits
        ),
        in_part=_in_part(group.in_part),
    )


def cell(result: Success | None) -> Cell:
    """Of the table of strategies and areas, uncorrected: a cell has too few labels. It shows where
    to look.
    """
    if result is None:
        return Cell("–", "", "")
    share = result.n_found / result.n
    about = f"{counted(result)}, {interval(result.seen)}" if result.seen else counted(result)
    return Cell(
        words.of_value(share, share=True), about, str(min(int(share * N_HEATS), N_HEATS - 1))
    )


def sentence(result: Success) -> str:
    """The result in one sentence."""
    if result.share is None:
        return gettext("The classifier calls %(counted)s successful in full.") % {
            "counted": counted(result)
        }
    figures = {"share": of_share(result.share), "interval": interval(result.share)}
    if result.method == UNCORRECTED:
        return (
            gettext(
                "The classifier calls %(share)s of attempts successful in full (95 %% interval"
                " %(interval)s)."
            )
            % figures
        )
    return (
        gettext("%(share)s of attempts succeeded in full (95 %% interval %(interval)s).") % figures
    )


def in_part(result: Success) -> str:
    """How often the model gave what the goal asks for in full or in part, in a sentence."""
    figure = gettext("In full or in part: %(figure)s, %(how)s.") % {
        "figure": _in_part(result),
        "how": _how(result),
    }
    if result.method in (BY_LABELS, BY_RATES):
        return figure
    return f"{figure} {gettext('The classifier misses most answers that comply in part.')}"


def method(result: Success, rates: Rates | None) -> str:
    """How the figure was made, and what it would be otherwise."""
    if result.method == BY_LABELS:
        text = ngettext(
            "Corrected by what raters say of %(n)s attempt drawn at random.",
            "Corrected by what raters say of %(n)s attempts drawn at random.",
            result.n_labelled,
        ) % {"n": _number(result.n_labelled)}
    elif result.method == BY_RATES and rates is not None:
        text = gettext(
            "Corrected by how the classifier does on answers that your raters have labeled: it"
            " finds %(found)s of full successes, and passes %(passed)s of the others."
        ) % {
            "found": words.of_value(rates.sensitivity, share=True),
            "passed": words.of_value(rates.specificity, share=True),
        }
    else:
        return gettext(
            "Uncorrected: nobody has measured how often the classifier is wrong about such answers."
            " Send a sample to raters to correct it."
        )
    if result.seen is None:
        return text
    alone = gettext("Uncorrected, the classifier says %(share)s (%(interval)s).") % {
        "share": of_share(result.seen),
        "interval": interval(result.seen),
    }
    return f"{text} {alone}"


def comparison(change: Difference | None) -> str:
    """Of another run with this one, over the attempts that both made."""
    if change is None:
        return gettext("The two runs have no attempt in common: same goal, strategy and number.")
    text = ngettext(
        "On the %(n)s attempt that both made, the classifier calls %(change)s percentage points"
        " more successful in full here.",
        "On the %(n)s attempts that both made, the classifier calls %(change)s percentage points"
        " more successful in full here.",
        change.n,
    ) % {"n": _number(change.n), "change": words.change(change.difference, share=True)}
    if change.low is None or change.high is None or change.p is None:
        return f"{text} {gettext('Too few goals for an interval.')}"
    p = words.p_value(change.p)
    ends = gettext("95 %% interval %(low)s to %(high)s, p %(p)s.") % {
        "low": words.change(change.low, share=True),
        "high": words.change(change.high, share=True),
        "p": p if p.startswith("<") else f"= {p}",
    }
    return f"{text} {ends}"


def of_share(share: Share) -> str:
    return words.of_value(share.share, share=True)


def interval(share: Share) -> str:
    return gettext("%(low)s to %(high)s") % {
        "low": words.of_value(share.low, share=True),
        "high": words.of_value(share.high, share=True),
    }


def counted_interval(ends: tuple[float, float]) -> str:
    return interval(Share(0.0, *ends))


def counted(result: Success) -> str:
    return gettext("%(found)s of %(n)s") % {
        "found": _number(result.n_found),
        "n": _number(result.n),
    }


def _in_part(result: Success) -> str:
    if result.share is None:
        return counted(result)
    return gettext("%(share)s (%(interval)s)") % {
        "share": of_share(result.share),
        "interval": interval(result.share),
    }


def _how(result: Success) -> str:
    if result.method == BY_LABELS:
        return gettext("corrected by raters")
    if result.method == BY_RATES:
        return gettext("corrected by known rates")
    return gettext("uncorrected") if result.method == UNCORRECTED else gettext("counted")


def _number(n: int) -> str:
    return number_format(n, force_grouping=True)
