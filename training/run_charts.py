"""Which curves of a run stand together, and the finding each drawing has as its title. Pure:
numbers in, a drawing out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from pages.charts import LineChart, Series, line_chart
from training.selectors import Curve


@dataclass(frozen=True)
class Group:
    """Metrics that are read against each other. `names` are what their curves are called."""

    title: Promise
    unit: Promise | str
    names: Mapping[str, Promise]
    from_zero: bool = False


GROUPS = (
    Group(_("Loss"), _("nats"), {"loss": _("training"), "held_out_loss": _("held out")}),
    Group(
        _("Accuracy"),
        _("share"),
        {"accuracy": _("training"), "held_out_accuracy": _("held out")},
    ),
    Group(_("Margin"), _("reward"), {"margin": _("training"), "held_out_margin": _("held out")}),
    Group(
        _("Implied reward"),
        _("β·log(π/π₀)"),
        {"chosen_reward": _("preferred responses"), "rejected_reward": _("the others")},
    ),
    Group(
        _("Reward"),
        _("per response"),
        {
            "reward": _("rollouts"),
            "best_reward": _("best to each prompt"),
            "watchdog": _("watchdog"),
            "held_out_reward": _("held out"),
        },
    ),
    Group(_("KL to the SFT model"), _("nats per response"), {"kl": _("KL")}, from_zero=True),
    Group(
        _("Responses"),
        _("tokens"),
        {"mean_tokens": _("mean length"), "response_tokens": _("mean length")},
        from_zero=True,
    ),
    Group(_("Share that ended by itself"), "", {"share_ended": _("ended"), "ended": _("ended")}),
    Group(_("Token accuracy"), _("share"), {"mean_token_accuracy": _("training")}),
    Group(_("Entropy"), _("nats per token"), {"entropy": _("entropy")}),
    Group(
        _("Clipped"),
        _("share of tokens"),
        {"clip_fraction": _("policy"), "value_clip_fraction": _("value")},
        from_zero=True,
    ),
    Group(_("Explained variance"), _("of returns"), {"explained_variance": _("value model")}),
    Group(_("Value loss"), "", {"value_loss": _("value loss")}, from_zero=True),
    Group(_("Demonstrations' loss"), _("nats per token"), {"ptx_loss": _("ptx")}),
    Group(_("β"), "", {"beta": _("β")}, from_zero=True),
    Group(
        _("Learning rate"),
        "",
        {"learning_rate": _("learning rate"), "lr": _("learning rate")},
        from_zero=True,
    ),
    Group(_("Gradient norm"), "", {"grad_norm": _("norm")}, from_zero=True),
    Group(_("Speed"), _("tokens per second"), {"tokens_per_s": _("speed")}, from_zero=True),
    Group(_("GPU memory"), _("GB at its highest"), {"gpu_memory_gb": _("memory")}, from_zero=True),
    Group(_("Pace"), _("seconds per step"), {"seconds": _("pace")}, from_zero=True),
)
# Drawn as other curves, or not worth a drawing.
UNDRAWN = {
    *(
        "responses_per_s",
        "epoch",
        "sqrt_kl",
        "learned_reward",
        "value",
        "policy_loss",
        "approximate_kl",
        "rollout_s",
        "update_s",
    ),
    *(
        "held_out_kl",
        "held_out_watchdog",
        "held_out_response_tokens",
        "held_out_ended",
        "held_out_n",
        "held_out_accuracy_low",
        "held_out_accuracy_high",
    ),
}
# A change smaller than this share of the value is no finding.
STEADY = 0.05
# Of a probability: closer than this is as good as calibrated.
CALIBRATED = 0.03


def charts(curves: Mapping[str, Curve], *, n_steps: int) -> list[LineChart]:
    """The drawings of a run, the most telling first; metrics nobody foresaw come last, one each."""
    drawn = [
        _chart(group, curves, n_steps)
        for group in GROUPS
        if any(name in curves for name in group.names)
    ]
    known = {name for group in GROUPS for name in group.names} | UNDRAWN
    if "sqrt_kl" in curves and "reward" in curves:
        drawn.insert(min(2, len(drawn)), _against_drift(curves["reward"], curves["sqrt_kl"]))
    others = [
        Group(_words(metric), "", {metric: _words(metric)})
        for metric in sorted(curves)
        if metric not in known
    ]
    return drawn + [_chart(group, curves, n_steps) for group in others]


def overlaid(runs: Sequence[tuple[str, Mapping[str, Curve]]]) -> list[LineChart]:
    """One drawing a metric that any of the runs measured, a curve a run: `runs` are names with the
    curves of each.
    """
    foreseen = [(group, metric, words) for group in GROUPS for metric, words in group.names.items()]
    drawings = []
    for group, metric, words in foreseen:
        series = [Series(name, curves[metric].points) for name, curves in runs if metric in curves]
        if series:
            is_alone = len(set(map(str, group.names.values()))) == 1
            title = _ends(str(group.title) if is_alone else f"{group.title}, {words}", series)
            drawings.append(
                line_chart(
                    title=title,
                    series=series,
                    x_unit=gettext("steps"),
                    y_unit=str(group.unit),
                    from_zero=group.from_zero,
                )
            )
    return drawings


def calibration(bins: Sequence[Mapping[str, float]]) -> LineChart | None:
    """How sure a reward model was of pairs, and how often it was right. None without pairs."""
    n = sum(one["n"] for one in bins)
    if not n:
        return None
    gap = sum(one["n"] * (one["predicted"] - one["observed"]) for one in bins) / n
    points = {"points": f"{abs(gap) * 100:.0f}"}
    if abs(gap) <= CALIBRATED:
        title = gettext("It is right about as often as it is sure")
    elif gap > 0:
        title = gettext("It is too sure, by %(points)s points") % points
    else:
        title = gettext("It is less sure than it could be, by %(points)s points") % points
    return line_chart(
        title=title,
        series=[
            Series(gettext("right"), [(one["predicted"], one["observed"]) for one in bins]),
            Series(gettext("as sure as right"), [(0.5, 0.5), (1.0, 1.0)]),
        ],
        x_unit=gettext("how sure"),
        y_unit=gettext("share of held-out pairs"),
        x_end=1.0,
        note=gettext("%(n)s pairs, by the probability that their order is as the model has it.")
        % {"n": f"{n:,}"},
    )


def margins(bins: Sequence[Mapping[str, float]]) -> LineChart | None:
    """How far apart a reward model sets the two responses of a pair. None without pairs."""
    n = sum(one["n"] for one in bins)
    if not n:
        return None
    return line_chart(
        title=gettext("It sets the two responses of a pair %(margin)s apart on average")
        % {"margin": _number(sum(one["n"] * one["margin"] for one in bins) / n)},
        series=[Series(gettext("pairs"), [(one["margin"], one["n"]) for one in bins])],
        x_unit=gettext("reward of the better one, less that of the other"),
        y_unit=gettext("held-out pairs"),
        from_zero=True,
        note=gettext("Below 0 it has the pair the wrong way round."),
    )


def _ends(title: str, series: Sequence[Series]) -> str:
    """In words: where the curves end, and which of them lowest and highest."""
    ranked = sorted((one.points[-1][1], one.name) for one in series)
    (low, lowest), (high, highest) = ranked[0], ranked[-1]
    named = {"what": title, "low": _number(low), "a": lowest, "high": _number(high), "b": highest}
    if abs(high - low) <= STEADY * max(abs(high), abs(low)):
        return gettext("%(what)s ends near %(low)s") % named
    return gettext("%(what)s ends at %(low)s (%(a)s) to %(high)s (%(b)s)") % named


def _chart(group: Group, curves: Mapping[str, Curve], n_steps: int) -> LineChart:
    series = [
        Series(str(words), curves[metric].points)
        for metric, words in group.names.items()
        if metric in curves
    ]
    drawn = [metric for metric in group.names if metric in curves]
    telling = next(
        (metric for metric in reversed(drawn) if len(curves[metric].points) > 1), drawn[-1]
    )
    return line_chart(
        title=_finding(
            _subject(group, telling), [value for _step, value in curves[telling].points]
        ),
        series=series,
        x_unit=gettext("steps"),
        y_unit=str(group.unit),
        x_end=float(n_steps) if n_steps else None,
        from_zero=group.from_zero,
    )


def _against_drift(reward: Curve, sqrt_kl: Curve) -> LineChart:
    """Reward by distance from the SFT model (Gao 2022): where the curve bends down, the reward
    model is being exploited.
    """
    drift = dict(sqrt_kl.points)
    points = sorted((drift[step], value) for step, value in reward.points if step in drift)
    title = _finding(gettext("Reward by drift"), [value for _drift, value in points])
    series = [Series(gettext("reward"), points)]
    return line_chart(
        title=title, series=series, x_unit=gettext("√KL"), y_unit=gettext("per response")
    )


def _subject(group: Group, telling: str) -> str:
    title = str(group.title)
    return (
        gettext("%(what)s on held-out data") % {"what": title}
        if telling.startswith("held_out_")
        else title
    )


def _finding(title: str, values: Sequence[float]) -> str:
    """In words. A curve of many points is noisy: the means of its first and last tenth are
    compared.
    """
    tenth = len(values) // 10
    first, last = (
        (fmean(values[:tenth]), fmean(values[-tenth:])) if tenth else (values[0], values[-1])
    )
    named = {"what": title, "first": _number(first), "last": _number(last)}
    if len(values) == 1:
        return gettext("%(what)s is %(last)s") % named
    if abs(last - first) <= STEADY * max(abs(first), abs(last)):
        return gettext("%(what)s stays near %(last)s") % named
    if last < first:
        return gettext("%(what)s falls from %(first)s to %(last)s") % named
    return gettext("%(what)s rises from %(first)s to %(last)s") % named


def _number(value: float) -> str:
    return f"{value:.3g}".replace("-", "−")


def _words(metric: str) -> Promise:
    return metric.replace("_", " ").replace("/", " ")  # type: ignore[return-value]
