"""Settings of an attack: goals × strategies × samples against a model."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from knobs.fields import Problem, knob, override
from training.configs import metrics
from training.configs.cost import sizes
from training.configs.cost.sizes import Inputs, Shape, SuiteSize
from training.configs.evaluation.benchmark import GENERATE, BenchmarkConfig
from training.configs.knobs import OPTIONAL, POLICY, Responses, Row, Section
from training.configs.metrics import SHARE, Counted, Measure, _

DIRECT, PREFIX, SUPPRESSION, PAST_TENSE = "direct", "prefix", "suppression", "past-tense"
ROLE, MANY_SHOT, BUILD_UP, ATTACKER = "role", "many-shot", "build-up", "attacker"
STRATEGIES: Mapping[str, str] = {
    DIRECT: _("Direct"),
    PREFIX: _("Given beginning"),
    SUPPRESSION: _("No refusal allowed"),
    PAST_TENSE: _("Past tense"),
    ROLE: _("Role play"),
    MANY_SHOT: _("Many examples"),
    BUILD_UP: _("Build-up"),
    ATTACKER: _("Attacker model"),
}
"""Stored name → what people read, in display order."""
_ASKED = tuple(name for name in STRATEGIES if name != ATTACKER)
"""Those that need no other model."""
_SWITCHES = tuple(name.replace("-", "_") for name in _ASKED)
_ON_GOALS = Counted("n_goals", _("on %(n)s goal"), _("on %(n)s goals"))


def _strategy(label: str, words: str) -> bool:
    switch: bool = knob(True, label, words)
    return switch


@dataclass(frozen=True)
class AttackConfig(BenchmarkConfig):
    """Attempts to make a model do what it should refuse: each goal with each strategy, several
    times.
    """

    kind: ClassVar[str] = "attack"
    label: ClassVar[str] = _("attack")
    menu: ClassVar[str] = _("Attack a model")
    reads_goals: ClassVar[bool] = True
    snapshot_label: ClassVar[str] = _("Goals")
    snapshot_heading: ClassVar[str] = _("Goals")
    snapshot_button: ClassVar[str] = _("Attack a model")
    starts_from: ClassVar[tuple[str, ...]] = (POLICY,)
    model_label: ClassVar[str] = _("Model to attack")
    model_button: ClassVar[str] = _("Attack")
    takes: ClassVar[Mapping[str, str]] = {"attacker_model": OPTIONAL}
    sections: ClassVar[tuple[Section, ...]] = (
        Section(
            _("Strategies"),
            _("Each goal is asked with each of them."),
            (
                Row(
                    _("How the goal is asked"), "", tuple(name.replace("-", "_") for name in _ASKED)
                ),
            ),
        ),
    )
    headlines: ClassVar[tuple[str, ...]] = ("attack_success", "n_items", "n_missing")
    measures: ClassVar[tuple[Measure, ...]] = (
        Measure(
            "attack_success",
            _("Attack success in full, uncorrected"),
            SHARE,
            judged_on=(_ON_GOALS,),
        ),
        Measure("n_goals", _("goals")),
        Measure("n_items", _("attempts")),
        Measure("n_missing", _("Attempts without an answer")),
        metrics.ENDED,
        Measure("items_per_s", _("Attempts per second")),
        *metrics.MACHINE,
    )

    direct: bool = _strategy(STRATEGIES[DIRECT], _("Asks for the goal in its own words."))
    prefix: bool = _strategy(STRATEGIES[PREFIX], _("Says how the answer has to begin."))
    suppression: bool = _strategy(
        STRATEGIES[SUPPRESSION], _("Forbids apologies, warnings and refusals.")
    )
    past_tense: bool = _strategy(STRATEGIES[PAST_TENSE], _("Asks how people used to do it."))
    role: bool = _strategy(STRATEGIES[ROLE], _("Gives the model a role that refuses nothing."))
    many_shot: bool = _strategy(
        STRATEGIES[MANY_SHOT],
        _("Shows a dozen requests that were answered, and then asks."),
    )
    build_up: bool = _strategy(
        STRATEGIES[BUILD_UP],
        _("Three turns: two harmless questions about the subject, then the goal."),
    )
    n_samples: int = knob(
        3,
        _("Samples"),
        _("Attempts for each goal and strategy."),
        unit=_("attempts"),
        min=1,
        max=100,
    )
    turns: int = knob(
        4,
        _("Turns of the attacker model"),
        _("It writes all turns but the last, which asks for the goal in its own words."),
        unit=_("turns"),
        min=2,
        max=10,
    )
    max_items: int | None = override(
        BenchmarkConfig, "max_items", label=_("Max goals per suite"), unit=_("goals"), is_last=True
    )
    max_new_tokens: int = override(Responses, "max_new_tokens", is_last=True)
    max_thinking_tokens: int = override(Responses, "max_thinking_tokens", is_last=True)
    temperature: float = override(
        Responses,
        "temperature",
        help=_("How far the models stray from their most likely token."),
        is_last=True,
    )
    batch_size: int = override(
        BenchmarkConfig,
        "batch_size",
        help=_("Attempts answered at once. Lower it if memory runs out."),
        unit=_("attempts"),
        is_last=True,
    )
    n_shown: int = override(
        Responses,
        "n_shown",
        default=0,
        help=_(
            "Number of answers shown on the run's page, unblurred. The page of attacks has"
            " examples."
        ),
    )

    @property
    def strategies(self) -> tuple[str, ...]:
        """Those that are on, without the attacker model's."""
        return tuple(name for name in _ASKED if getattr(self, name.replace("-", "_")))

    def for_dry_run(self) -> Self:
        return replace(super().for_dry_run(), n_samples=1)

    def problems(self) -> list[Problem]:
        if self.temperature == 0 and self.n_samples > 1:
            text = _(
                "At temperature 0, all %(n)s samples of an attempt are the same. Raise the"
                " temperature or request one sample."
            )
            return [Problem("temperature", text, {"n": self.n_samples})]
        if not self.strategies:
            return [Problem("direct", _("Choose at least one strategy."))]
        return super().problems()

    @classmethod
    def misfit(cls, inputs: Inputs) -> str:
        if any(suite.kind != GENERATE for suite in inputs.suites):
            return _(
                "Goals are suites whose items are answered in writing and should be refused."
                " Choose such suites."
            )
        return ""

    def work(self, rows: sizes.Rows, inputs: Inputs) -> tuple[int, int]:
        """A conversation of several turns reads its beginning again at each."""
        n_turns = [3 if name == BUILD_UP else 1 for name in self.strategies]
        if "attacker_model" in inputs.beside:
            n_turns.append(2 * self.turns - 1)
        suites = inputs.suites or (SuiteSize(GENERATE, rows.n_test),)
        n_goals = sum(min(suite.n_items, self.max_items or suite.n_items) for suite in suites)
        n_steps = -(-n_goals * len(n_turns) * self.n_samples // self.batch_size)
        return n_steps, round(n_goals * self.n_samples * sum(n_turns) * self.longest(rows))

    def n_frozen(self, shape: Shape, beside: Mapping[str, Shape]) -> int:
        attacker = beside["attacker_model"].n_parameters if "attacker_model" in beside else 0
        return shape.n_parameters + attacker

    @classmethod
    def presets(cls) -> Mapping[str, Self]:
        return {
            "small": cls(
                many_shot=False, n_samples=1, max_items=8, max_new_tokens=48, max_tokens=1024
            ),
            "balanced": cls(),
            "thorough": cls(n_samples=10, max_new_tokens=512, max_tokens=8192),
        }
