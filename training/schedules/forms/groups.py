"""The three steps of a schedule's form: what its chains do, when they start, and what follows the
training. A step has a few open fields; the others are closed while they have their defaults.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from django import forms
from django.forms import BoundField
from django.utils.translation import gettext as _

from pages.form_parts import ClosedGroup
from training.configs.evaluation.benchmark import BenchmarkConfig
from training.schedules.forms.when_fields import LIMITS, WHEN
from training.schedules.plans.step import Template

MACHINE = ("n_gpus", "memory_gb", "n_processes", "n_machines", "strategy")


@dataclass(frozen=True)
class FormStep:
    fields: list[BoundField]
    groups: list[ClosedGroup]


class GroupedForm(forms.Form):
    """A schedule's form by steps. Each field is in one of them."""

    shape: Template

    @property
    def what(self) -> FormStep:
        kinds = (kind for kind in self.shape.run_kinds if kind != BenchmarkConfig.kind)
        groups = (
            self._group(
                _("Reward model, and later chains")
                if "reward_base" in self.fields
                else _("Later chains"),
                _("By default, a chain trains a reward model and continues from the current model")
                if "reward_base" in self.fields
                else _("By default, a chain continues from the current model"),
                *("reward_model", "reward_base", "trains_watchdog", "goes_on", "reference_model"),
            ),
            self._group(
                _("Training data"),
                _("By default, all answers, imported ones too"),
                *("campaigns", "includes_imports", "judges", "ptx_text"),
            ),
            self._group(
                _("Prompts to practise on"),
                self._words_of_prompts,
                *("n_prompts", "max_uses", "n_candidates", "keeps_earlier"),
            ),
            self._group(
                _("Settings of the runs"),
                _("By default, the preset “balanced”"),
                *(f"config_{kind}" for kind in kinds),
            ),
            self._group(_("Hardware"), _("By default, one process on any node"), *MACHINE),
        )
        return self._step(("name", "base_model", "text"), groups)

    @property
    def when(self) -> FormStep:
        groups = (
            self._group(_("Limits"), _("By default, it starts if there is something new"), *LIMITS),
            self._group(
                _("Approvals"),
                _("By default, only after raters have finished")
                if self.shape.always_asks
                else _("By default, steps start without asking anybody"),
                "approvals",
            ),
        )
        return self._step(("trigger", *WHEN), groups)

    @property
    def afterwards(self) -> FormStep:
        groups = (
            self._group(
                _("Benchmark"),
                _("By default, none"),
                *("suites", f"config_{BenchmarkConfig.kind}", "on_fall"),
            ),
            self._group(
                _("Comparison by raters"),
                self._words_of_comparison,
                *("n_judged", "n_taught", "n_responses", "overlap"),
            ),
            self._group(
                _("Gate: when the new model becomes the current one"),
                self._words_of_gate,
                *("min_win_rate", "confidence", "n_looks", "gate_days"),
                *("keeps_undecided", "max_kl", "max_length"),
            ),
        )
        return self._step(("ending", "pool", "guideline"), groups)

    @property
    def _words_of_prompts(self) -> str:
        if "n_candidates" in self.fields:
            words = _("By default, %(n_prompts)s prompts a chain, %(n_candidates)s responses each")
        else:
            words = _("By default, %(n_prompts)s prompts a chain")
        return words % self._defaults

    @property
    def _words_of_comparison(self) -> str:
        words = _("By default, up to %(n_judged)s test prompts, %(overlap)s raters each")
        return words % self._defaults

    @property
    def _words_of_gate(self) -> str:
        words = _(
            "By default, when its win rate is above %(min_win_rate)s %% with %(confidence)s %%"
            " confidence"
        )
        return words % self._defaults

    @property
    def _defaults(self) -> dict[str, object]:
        return {name: field.initial for name, field in (self.base_fields | self.fields).items()}

    def _group(self, title: str, by_default: str, *names: str) -> ClosedGroup:
        return ClosedGroup(title, by_default, list(self._named(*names)))

    def _step(self, names: tuple[str, ...], groups: tuple[ClosedGroup, ...]) -> FormStep:
        return FormStep(list(self._named(*names)), [group for group in groups if group.fields])

    def _named(self, *names: str) -> Iterator[BoundField]:
        return (self[name] for name in names if name in self.fields)
