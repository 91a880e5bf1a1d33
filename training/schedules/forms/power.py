"""What to expect of a gate with the numbers that a schedule's form has: how often it finds a better
model, and how many answers it asks for.
"""

from collections.abc import Mapping
from copy import deepcopy
from urllib.parse import urlencode

from django import forms
from django.utils.translation import gettext as _

from arithmetic.cluster_variance import FEWEST_RATERS
from arithmetic.sequential.group_sequential import Design, forecast, prompts_for
from labeling.models import Pool, PoolMembership
from training.schedules.forms.cycle_fields import CycleFields
from training.schedules.plans.chain_plans import Plan

_NAMES = ("n_judged", "overlap", "n_responses", "n_looks", "confidence", "min_win_rate")
_USUAL_RATERS = 12
_WANTED = 0.8


def power_query(plan: Plan) -> str:
    """What the page about the power of this plan's gate is asked."""
    return urlencode({name: getattr(plan, name) for name in (*_NAMES, "pool")})


class PowerForm(forms.Form):
    """Some fields of a schedule's form, as they are typed."""

    pool = forms.ModelChoiceField(Pool.objects.all(), required=False)

    def __init__(self, data: Mapping[str, object]) -> None:
        super().__init__(data)
        for name in _NAMES:
            self.fields[name] = deepcopy(CycleFields.base_fields[name])

    def in_words(self) -> str:
        """Empty while a field is."""
        if not self.is_valid():
            return ""
        chosen = self.cleaned_data
        design = Design(
            n_prompts=chosen["n_judged"],
            n_votes=chosen["overlap"] * (chosen["n_responses"] // 2),
            n_raters=_n_raters(chosen["pool"]),
            n_looks=chosen["n_looks"] or 1,
            error=1 - (chosen["confidence"] or 97.5) / 100,
            bar=min(0.9, max(0.1, chosen["min_win_rate"] / 100)),
        )
        if design.n_raters < FEWEST_RATERS:
            return _(
                "With fewer than three raters, the gate tells what these raters prefer, and not"
                " what others would."
            )
        return f"{_found(design)} {_needed(design)} {_asked(design, chosen['overlap'])}"


def _n_raters(pool: Pool | None) -> int:
    if pool is None:
        return _USUAL_RATERS
    members = PoolMembership.objects.filter(pool=pool, is_active=True, paused_at=None)
    return max(1, members.filter(rater__withdrawn_at=None).count())


def _found(design: Design) -> str:
    words = _(
        "With up to %(n_prompts)s test prompts and %(n)s raters who differ as raters do, a model"
        " that raters prefer in %(small)s %% of votes is promoted in %(at_small)s %% of chains, one"
        " preferred in %(large)s %% in %(at_large)s %%, and one at the minimum in at most"
        " %(error)s %%."
    )
    small, large = design.bar + 0.05, design.bar + 0.1
    return words % {
        "n": design.n_raters,
        "n_prompts": design.n_prompts,
        "small": f"{100 * small:g}",
        "large": f"{100 * large:g}",
        "at_small": round(100 * forecast(design, small).passes),
        "at_large": round(100 * forecast(design, large).passes),
        "error": f"{100 * design.error:.3g}",
    }


def _needed(design: Design) -> str:
    n, values = prompts_for(design, design.bar + 0.05, _WANTED), {"wanted": round(100 * _WANTED)}
    if n is None:
        return (
            _("No number of test prompts makes the first one %(wanted)s %%: it takes more raters.")
            % values
        )
    words = _("It takes %(n)s test prompts to make the first one %(wanted)s %%.")
    return words % (values | {"n": n})


def _asked(design: Design, overlap: int) -> str:
    expected = forecast(design, design.bar + 0.05).n_prompts
    return _("A chain asks for about %(n)s of at most %(most)s answers.") % {
        "n": round(expected * overlap),
        "most": design.n_prompts * overlap,
    }
