"""What a run measured, ready to be read: before beside after, counts apart, each with its name in
words.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from labeling.models import Prompt
from pages.templatetags.pages import duration

_WORDS: dict[str, Promise] = {
    "held_out_loss": _("held-out loss"),
    "held_out_accuracy": _("held-out pair accuracy"),
    "held_out_split": _("measured on"),
    "n_held_out": _("held-out rows"),
    "n_held_out_pairs": _("held-out pairs"),
    "n_train": _("rows learned from"),
    "n_train_pairs": _("pairs learned from"),
    "n_ties": _("ties, which decide nothing"),
    "n_cut": _("rows cut at the longest row"),
    "n_left_out": _("rows left out"),
    "n_train_prompts": _("prompts learned from"),
    "n_responses_left_out": _("responses left out: too long"),
    "n_prompts_cut": _("prompts that lost their beginning"),
    "n_held_out_responses_left_out": _("held-out responses left out: too long"),
    "n_held_out_prompts_cut": _("held-out prompts that lost their beginning"),
    "held_out_accuracy_low": _("lower end of its interval"),
    "held_out_accuracy_high": _("upper end of its interval"),
    "unseen_raters_accuracy": _("on raters it had not seen, mean of folds"),
    "unseen_raters_spread": _("its standard deviation"),
    "seen_raters_accuracy": _("on raters it had seen, mean of folds"),
    "seen_raters_spread": _("its standard deviation"),
    "held_out_margin": _("mean reward difference"),
    "reward_length_correlation": _("correlation of reward with length"),
    "reward_bias": _("reward of demonstrations, taken off"),
    "n_demonstrations": _("demonstrations behind that"),
    "n_demonstrations_left_out": _("demonstrations left out: too long"),
    "n_demonstrations_cut": _("demonstrations whose prompt lost its beginning"),
    "reward": _("reward"),
    "best_reward": _("reward of the best response to each prompt"),
    "kl": _("KL to the SFT model, nats a response"),
    "watchdog": _("watchdog reward"),
    "response_tokens": _("mean length in tokens"),
    "ended": _("ended by themselves"),
    "n_held_out_prompts": _("held-out prompts"),
    "n_episodes": _("episodes"),
    "kept_step": _("step that was kept"),
    "beta": _("β at the end"),
    "n_prompts": _("prompts answered"),
    "n_prompts_too_long": _("prompts left out: too long"),
    "n_held_out_prompts_too_long": _("held-out prompts left out: too long"),
    "n_ptx": _("demonstrations in the ptx mix"),
    "n_ptx_cut": _("of those, cut at the end"),
    "n_ptx_left_out": _("demonstrations left out of the mix: too long"),
    "n_responses": _("responses"),
    "n_empty": _("empty responses"),
    "share_ended": _("ended by themselves"),
    "mean_tokens": _("mean length in tokens"),
    "tokens_per_s": _("tokens per second"),
    "responses_per_s": _("responses per second"),
    "win_rate": _("better than the other model"),
    "win_rate_low": _("lower end of its interval"),
    "win_rate_high": _("upper end of its interval"),
    "other_reward": _("reward of the other model"),
    "other_response_tokens": _("mean length of the other, in tokens"),
    "perplexity": _("perplexity"),
    "measured_on": _("measured on"),
    "n_rows": _("rows"),
    "n_documents": _("documents"),
    "n_tokens": _("tokens"),
    "n_parameters": _("parameters"),
    "peak_memory_gb": _("memory at its highest, GB"),
    "seconds": _("took"),
}
_ORDER = list(_WORDS)
_SHARES = {
    *("held_out_accuracy", "held_out_accuracy_low", "held_out_accuracy_high"),
    *(
        "unseen_raters_accuracy",
        "unseen_raters_spread",
        "seen_raters_accuracy",
        "seen_raters_spread",
    ),
    *("win_rate", "win_rate_low", "win_rate_high"),
    *("share_ended", "ended"),
}
_ELSEWHERE = {"calibration", "margins", "shape", "accuracy_by", "cross_validation"}
"""Drawn, in a table of its own, or of use to estimates only; not listed."""
_STRENGTHS: dict[str, Promise] = {
    "1": _("negligibly"),
    "2": _("slightly"),
    "3": _("clearly"),
    "4": _("significantly"),
}
_GROUPINGS: dict[str, tuple[Promise, dict[str, Any]]] = {
    "strength": (_("how much better"), _STRENGTHS),
    "category": (_("category"), dict(Prompt.Category.choices)),
    "pool": (_("pool"), {}),
}
_FOLDS: dict[str, Promise] = {
    "unseen": _("raters it had not seen"),
    "seen": _("raters it had seen"),
}


@dataclass(frozen=True)
class Measure:
    """`before` is empty for what is measured once."""

    name: str | Promise
    value: str
    before: str = ""


@dataclass(frozen=True)
class MeasureGroup:
    """Some of the held-out pairs, and how often the model was right about them."""

    name: str | Promise
    n: int
    accuracy: str
    interval: str


@dataclass(frozen=True)
class Breakdown:
    title: str | Promise
    groups: list[MeasureGroup]


def breakdowns(*, metrics: Mapping[str, Any]) -> list[Breakdown]:
    """Accuracy on held-out pairs by how strong they were, what they were about, and whose pool
    judged them; then by folds.
    """
    found = metrics.get("accuracy_by", {})
    by_group = [
        Breakdown(
            title, [_group(words.get(one["group"], one["group"]), one) for one in found[name]]
        )
        for name, (title, words) in _GROUPINGS.items()
        if name in found
    ]
    folds = metrics.get("cross_validation", [])
    by_fold = [
        Breakdown(
            title,
            [
                _group(gettext("fold %(n)s") % {"n": number}, fold[name])
                for number, fold in enumerate(folds, 1)
            ],
        )
        for name, title in _FOLDS.items()
    ]
    return by_group + (by_fold if folds else [])


def _group(name: str | Promise, one: Mapping[str, Any]) -> MeasureGroup:
    interval = f"{one['low'] * 100:.0f}–{one['high'] * 100:.0f} %"
    return MeasureGroup(
        name or _("not said"), one["n"], _shown("held_out_accuracy", one["accuracy"]), interval
    )


def measures(*, metrics: Mapping[str, Any]) -> list[Measure]:
    """The most telling first; x_before and x_after become one."""
    found = []
    for key, value in sorted(metrics.items(), key=lambda pair: _place(pair[0])):
        if key in _ELSEWHERE or (
            key.endswith("_before") and f"{key.removesuffix('_before')}_after" in metrics
        ):
            continue
        name = key.removesuffix("_after")
        before = metrics.get(f"{name}_before") if key.endswith("_after") else None
        found.append(
            Measure(
                _WORDS.get(name, name.replace("_", " ")),
                _shown(name, value),
                _shown(name, before) if before is not None else "",
            )
        )
    return found


def _place(key: str) -> tuple[int, str]:
    """The database keeps no order of keys: ours is that of _WORDS, what nobody foresaw comes
    last.
    """
    name = key.removesuffix("_before").removesuffix("_after")
    return (_ORDER.index(name) if name in _ORDER else len(_ORDER), key)


def _shown(name: str, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "–" if value is None else str(value)
    if name == "seconds":
        return duration(value)
    if name in _SHARES:
        return f"{value * 100:.0f} %"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}"
