"""Settings of a benchmark."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from knobs.fields import Problem, knob, override
from training.configs import curves, metrics
from training.configs.cost import sizes
from training.configs.cost.sizes import Inputs, Shape, SuiteSize
from training.configs.curves import Chart
from training.configs.knobs import (
    ONLY_TRAINING_SHARDS,
    OPTIONAL,
    POLICY,
    REWARD,
    Responses,
    Settings,
)
from training.configs.metrics import Counted, Measure, _

CHOICE, GENERATE, PAIRS, BEST_OF_K, FLIP = "choice", "generate", "pairs", "best-of-k", "flip"
READ = frozenset({PAIRS, BEST_OF_K})
"""Kinds of suite whose items have responses to judge: the model reads and writes nothing."""
WRITTEN = frozenset({GENERATE, FLIP})
"""Kinds of suite whose items are answered in writing."""
LM_EVAL = "lm-eval"
"""Kind of suite whose items are answered by lm-evaluation-harness, in a process of its own."""
_DRY_RUN_ITEMS = 2
_ON_ITEMS = Counted("n_items", _("on %(n)s item"), _("on %(n)s items"))


@dataclass(frozen=True)
class BenchmarkConfig(Settings):
    """A model's answers to the items of suites. Scorers read them after the run, so that a new
    scorer needs no new answers.
    """

    kind: ClassVar[str] = "benchmark"
    trainer: ClassVar[str] = "training.trainer.evaluation.benchmark"
    label: ClassVar[str] = _("benchmark")
    menu: ClassVar[str] = _("Run benchmark")
    snapshots: ClassVar[tuple[str, ...]] = ("suites",)
    snapshot_label: ClassVar[str] = _("Suites")
    snapshot_heading: ClassVar[str] = _("Suites")
    snapshot_button: ClassVar[str] = _("Run benchmark")
    starts_from: ClassVar[tuple[str, ...]] = (POLICY, REWARD)
    model_label: ClassVar[str] = _("Model to test")
    model_button: ClassVar[str] = _("Run benchmark")
    takes_endpoints: ClassVar[bool] = True
    is_parallel: ClassVar[bool] = True
    takes: ClassVar[Mapping[str, str]] = {"reward_model": OPTIONAL}
    leaves: ClassVar[str] = ""
    headlines: ClassVar[tuple[str, ...]] = ("n_items", "n_missing", "items_per_s")
    measures: ClassVar[tuple[Measure, ...]] = (
        Measure("n_items", _("items")),
        Measure("n_missing", _("Items without an answer"), judged_on=(_ON_ITEMS,)),
        metrics.REWARD,
        metrics.ENDED,
        Measure("items_per_s", _("Items per second")),
        *metrics.MACHINE,
    )
    charts: ClassVar[tuple[Chart, ...]] = (
        Chart(
            _("Speed"),
            _("items per second"),
            {"items_per_s": _("answered")},
            from_zero=True,
            group=curves.SYSTEM,
        ),
    )

    max_items: int | None = knob(
        None,
        _("Max items per suite"),
        _("Evenly spaced, the same for every model. Leave empty to use all items."),
        unit=_("items"),
        min=1,
        max=1_000_000,
    )
    max_new_tokens: int = override(Responses, "max_new_tokens")
    max_thinking_tokens: int = override(Responses, "max_thinking_tokens")
    temperature: float = override(
        Responses,
        "temperature",
        default=0.0,
        help=_("0 always picks the most likely token, so a second run gives the same answers."),
    )
    batch_size: int = knob(
        16,
        _("Batch size"),
        _("Items answered at once. Lower it if memory runs out."),
        unit=_("items"),
        min=1,
        max=4096,
    )
    max_tokens: int = knob(
        4096,
        _("Max item length"),
        _(
            "Prompt and response together, and never more than the model's context. A longer item"
            " gets no answer and is counted."
        ),
        unit=_("tokens"),
        min=16,
        max=131072,
        is_advanced=True,
    )
    n_shown: int = override(Responses, "n_shown")

    def for_dry_run(self) -> Self:
        return replace(
            self,
            max_items=min(self.max_items or _DRY_RUN_ITEMS, _DRY_RUN_ITEMS),
            batch_size=min(self.batch_size, _DRY_RUN_ITEMS),
        )

    def launch_problems(self, *, n_processes: int, n_machines: int, is_sharded: bool) -> list[str]:
        return [ONLY_TRAINING_SHARDS] if is_sharded else []

    def problems(self) -> list[Problem]:
        if self.max_written_tokens >= self.max_tokens:
            text = _(
                "A response of %(n)s tokens leaves no room for the prompt in an item of %(size)s"
                " tokens. Raise the max item length."
            )
            values = {"n": self.max_written_tokens, "size": self.max_tokens}
            return [Problem("max_tokens", text, values)]
        return []

    @classmethod
    def misfit(cls, inputs: Inputs) -> str:
        """Why the model could answer none of the items of a chosen suite."""
        kinds = {suite.kind for suite in inputs.suites}
        if inputs.model == REWARD and kinds - READ:
            return _(
                "A reward model writes no text: it can only be tested on pairs and on the best of"
                " several responses. Choose such suites."
            )
        if inputs.model == REWARD and inputs.beside:
            return _("Another model does not score a reward model. Choose no reward model.")
        if inputs.is_endpoint and LM_EVAL in kinds:
            return _(
                "Tasks of lm-evaluation-harness need the weights of the model, so an external model"
                " cannot run them. Choose other suites."
            )
        if inputs.is_endpoint and kinds & READ:
            return _(
                "An external model gives no likelihoods, so it cannot judge pairs or the best of"
                " several responses. Choose other suites."
            )
        return ""

    def longest(self, rows: sizes.Rows) -> float:
        return min(rows.prompt_tokens + self.max_written_tokens, self.max_tokens)

    @property
    def max_written_tokens(self) -> int:
        """Thinking and answer together."""
        return self.max_new_tokens + self.max_thinking_tokens

    def work(self, rows: sizes.Rows, inputs: Inputs) -> tuple[int, int]:
        suites = inputs.suites or (SuiteSize(GENERATE, rows.n_test),)
        counts: dict[str, int] = {}
        for suite in suites:
            n_items = min(suite.n_items, self.max_items or suite.n_items)
            counts[suite.kind] = counts.get(suite.kind, 0) + n_items
        n_steps = sum(math.ceil(n / self.batch_size) for n in counts.values())
        n_tokens = sum(n * self._tokens(kind, rows) for kind, n in counts.items())
        return n_steps, round(n_tokens)

    def _tokens(self, kind: str, rows: sizes.Rows) -> float:
        """Of one item. The second answer of a flip reads the first one again. What a task of
        lm-evaluation-harness reads, only the harness knows: it counts as a written answer.
        """
        if kind in WRITTEN or kind == LM_EVAL:
            return self.longest(rows) * (2 if kind == FLIP else 1)
        n_read = 1 if kind == CHOICE else rows.n_responses  # choices share their prompt
        written = rows.n_responses * rows.response_tokens
        return min(n_read * rows.prompt_tokens + written, rows.n_responses * self.max_tokens)

    @property
    def n_sequences(self) -> int:
        return self.batch_size

    def n_frozen(self, shape: Shape, beside: Mapping[str, Shape]) -> int:
        judging = beside["reward_model"].n_parameters if "reward_model" in beside else 0
        return shape.n_parameters + judging

    @classmethod
    def presets(cls) -> Mapping[str, Self]:
        return {
            "small": cls(max_items=20, max_new_tokens=64, batch_size=16, max_tokens=1024),
            "balanced": cls(),
            "thorough": cls(max_new_tokens=1024, max_tokens=8192),
        }
