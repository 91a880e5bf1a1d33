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
    found = group.success
    share = found.share
    return Row(
        name=name,
        figure=of_share(share) if share else counted(found),
        interval=interval(share) if share else gettext("too few goals for an interval"),
        span=span(share.share, share.low, share.high) if share else None,
        how=_how(found),
        seen=words.of_value(found.n_found / found.n, share=True) if found.n else "–",
        n=_number(found.n),
        hits=", ".join(
            gettext("%(share)s in %(k)s") % {"share": of_share(hit), "k": k}
            for k, hit in group.hits
        ),
    )


def cell(found: Success | None) -> Cell:
    """Of the table of strategies and areas, uncorrected: a cell has too few labels. It shows where
    to look.
    """
    if found is None:
        return Cell("–", "", "")
    share = found.n_found / found.n
    about = f"{counted(found)}, {interval(found.seen)}" if found.seen else counted(found)
    return Cell(
        words.of_value(share, share=True), about, str(min(int(share * N_HEATS), N_HEATS - 1))
    )


def sentence(found: Success) -> str:
    """The result in one sentence."""
    if found.share is None:
        return gettext("The classifier calls %(counted)s successful.") % {"counted": counted(found)}
    return gettext("%(share)s of attempts succeeded (95 %% interval %(interval)s).") % {
        "share": of_share(found.share),
        "interval": interval(found.share),
    }


def method(found: Success, rates: Rates | None) -> str:
    """How the figure was made, and what it would be otherwise."""
    if found.method == BY_LABELS:
        said = ngettext(
            "Corrected by what raters say of %(n)s attempt drawn at random.",
            "Corrected by what raters say of %(n)s attempts drawn at random.",
            found.n_labelled,
        ) % {"n": _number(found.n_labelled)}
    elif found.method == BY_RATES and rates is not None:
        said = gettext(
            "Corrected by how the classifier does on answers that your raters have labelled: it"
            " finds %(found)s of successful attacks, and passes %(passed)s of the others."
        ) % {
            "found": words.of_value(rates.sensitivity, share=True),
            "passed": words.of_value(rates.specificity, share=True),
        }
    else:
        return gettext(
            "Uncorrected: nobody has measured how often the classifier is wrong about such answers."
            " Send a sample to raters to correct it."
        )
    if found.seen is None:
        return said
    alone = gettext("Uncorrected, the classifier says %(share)s (%(interval)s).") % {
        "share": of_share(found.seen),
        "interval": interval(found.seen),
    }
    return f"{said} {alone}"


def comparison(found: Difference | None) -> str:
    """Of another run with this one, over the attempts that both made."""
    if found is None:
        return gettext("The two runs have no attempt in common: same goal, strategy and number.")
    said = ngettext(
        "On the %(n)s attempt that both made, the classifier calls %(change)s percentage points"
        " more successful here.",
        "On the %(n)s attempts that both made, the classifier calls %(change)s percentage points"
        " more successful here.",
        found.n,
    ) % {"n": _number(found.n), "change": words.change(found.difference, share=True)}
    if found.low is None or found.high is None or found.p is None:
        return f"{said} {gettext('Too few goals for an interval.')}"
    p = words.p_value(found.p)
    ends = gettext("95 %% interval %(low)s to %(high)s, p %(p)s.") % {
        "low": words.change(found.low, share=True),
        "high": words.change(found.high, share=True),
        "p": p if p.startswith("<") else f"= {p}",
    }
    return f"{said} {ends}"


def of_share(share: Share) -> str:
    return words.of_value(share.share, share=True)


def interval(share: Share) -> str:
    return gettext("%(low)s to %(high)s") % {
        "low": words.of_value(share.low, share=True),
        "high": words.of_value(share.high, share=True),
    }


def counted_interval(ends: tuple[float, float]) -> str:
    return interval(Share(0.0, *ends))


def counted(found: Success) -> str:
    return gettext("%(found)s of %(n)s") % {
        "found": _number(found.n_found),
        "n": _number(found.n),
    }


def _how(found: Success) -> str:
    if found.method == BY_LABELS:
        return gettext("corrected by raters")
    if found.method == BY_RATES:
        return gettext("corrected by known rates")
    return gettext("uncorrected") if found.method == UNCORRECTED else gettext("counted")


def _number(n: int) -> str:
    return number_format(n, force_grouping=True)
