"""Settings of an evaluation."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from knobs.fields import Problem, knob, override
from training.configs import curves, metrics
from training.configs.cost import sizes
from training.configs.cost.sizes import Inputs, Shape
from training.configs.curves import Chart
from training.configs.knobs import (
    ONLY_TRAINING_SHARDS,
    OPTIONAL,
    POLICY,
    REWARD,
    Responses,
    Settings,
)
from training.configs.metrics import SHARE, SPLIT, Measure, _

_DRY_RUN_ROWS = 4


@dataclass(frozen=True)
class EvaluateConfig(Settings):
    """Evaluates a model without changing it.

    On demonstrations: the loss of a language model. On comparisons: how often a reward model agrees
    with raters. With a reward model: the mean reward of newly sampled responses and, against
    another model, the win rate.
    """

    kind: ClassVar[str] = "evaluate"
    trainer: ClassVar[str] = "training.trainer.evaluation.evaluate"
    label: ClassVar[str] = _("evaluation")
    menu: ClassVar[str] = _("Evaluate a model")
    snapshots: ClassVar[tuple[str, ...]] = ("demonstrations", "comparisons", "prompts")
    snapshot_label: ClassVar[str] = _("Evaluate on")
    snapshot_heading: ClassVar[str] = _("Evaluate on")
    starts_from: ClassVar[tuple[str, ...]] = (POLICY, REWARD)
    model_label: ClassVar[str] = _("Model to evaluate")
    takes: ClassVar[Mapping[str, str]] = {"reward_model": OPTIONAL, "other_model": OPTIONAL}
    leaves: ClassVar[str] = ""
    is_parallel: ClassVar[bool] = True
    headlines: ClassVar[tuple[str, ...]] = (
        "win_rate",
        "held_out_accuracy",
        "held_out_loss",
        "reward",
        "perplexity",
        "response_tokens",
    )
    measures: ClassVar[tuple[Measure, ...]] = (
        metrics.HELD_OUT_LOSS,
        metrics.HELD_OUT_ACCURACY,
        metrics.N_HELD_OUT_PAIRS,
        metrics.N_TIES,
        metrics.N_CUT,
        metrics.N_LEFT_OUT,
        metrics.N_RESPONSES_LEFT_OUT,
        metrics.HELD_OUT_MARGIN,
        metrics.LENGTH_CORRELATION,
        *metrics.CALIBRATION,
        metrics.REWARD,
        metrics.RESPONSE_TOKENS,
        metrics.ENDED,
        metrics.N_PROMPTS,
        Measure(
            "win_rate",
            _("Win rate against the other model"),
            SHARE,
            judged_on=(metrics.ON_PROMPTS,),
        ),
        Measure("other_reward", _("Reward of the other model")),
        Measure("other_response_tokens", _("Mean length of the other model (tokens)")),
        metrics.PERPLEXITY,
        Measure("measured_on", _("Measured on"), SPLIT),
        Measure("n_rows", _("rows")),
        metrics.N_TOKENS,
        *metrics.MACHINE,
    )
    charts: ClassVar[tuple[Chart, ...]] = (
        curves.LOSS,
        curves.ACCURACY,
        curves.MARGIN,
        curves.REWARD,
        curves.RESPONSES,
        curves.ENDED,
    )
    """used where runs are compared"""
    has_curves: ClassVar[bool] = False

    split: str = knob(
        "held_out",
        _("Rows"),
        _("Training rows show how much was memorised; held-out rows show how good the model is."),
        choices={
            "held_out": _("Held out: validation, else test"),
            "test": _("test"),
            "train": _("train"),
            "all": _("All"),
        },
    )
    max_rows: int | None = knob(
        500,
        _("Max rows"),
        _("Random sample; leave empty for all."),
        unit=_("rows"),
        min=1,
        max=10_000_000,
    )
    max_tokens: int = knob(
        1024,
        _("Max row length"),
        _("Prompt and response together. Longer rows are truncated or dropped and reported."),
        unit=_("tokens"),
        min=16,
        max=131072,
    )
    batch_size: int = knob(
        16,
        _("Batch size"),
        _("Rows computed at once. Lower it if memory runs out."),
        unit=_("rows"),
        min=1,
        max=4096,
    )
    max_new_tokens: int = override(Responses, "max_new_tokens")
    max_thinking_tokens: int = override(Responses, "max_thinking_tokens")
    temperature: float = override(
        Responses,
        "temperature",
        help=_("For the responses that are scored. 0 always picks the most likely token."),
    )
    top_p: float = override(Responses, "top_p")
    n_shown: int = override(Responses, "n_shown", default=20)

    def for_dry_run(self) -> Self:
        return replace(
            self, max_rows=min(self.max_rows or _DRY_RUN_ROWS, _DRY_RUN_ROWS), batch_size=2
        )

    def launch_problems(self, *, n_processes: int, n_machines: int, is_sharded: bool) -> list[str]:
        return [ONLY_TRAINING_SHARDS] if is_sharded else []

    def problems(self) -> list[Problem]:
        if self.max_written_tokens >= self.max_tokens:
            text = _(
                "A response of %(n)s tokens leaves no room for the prompt in a row of %(size)s"
                " tokens. Raise the max row length."
            )
            values = {"n": self.max_written_tokens, "size": self.max_tokens}
            return [Problem("max_tokens", text, values)]
        return []

    @classmethod
    def misfit(cls, inputs: Inputs) -> str:
        """Why nothing could be measured."""
        if inputs.model == REWARD:
            if inputs.snapshot != "comparisons" or inputs.beside:
                return _(
                    "A reward model is evaluated on comparisons, without another model. Choose a"
                    " snapshot of comparisons and no other model."
                )
            return ""
        if "other_model" in inputs.beside and "reward_model" not in inputs.beside:
            return _(
                "To compare two models, a reward model has to score their responses. Choose one."
            )
        if inputs.snapshot != "demonstrations" and "reward_model" not in inputs.beside:
            return _(
                "On this kind of snapshot only responses can be evaluated, and a reward model has"
                " to score them. Choose one."
            )
        return ""

    def longest(self, rows: sizes.Rows) -> float:
        return self.max_tokens

    def work(self, rows: sizes.Rows, inputs: Inputs) -> tuple[int, int]:
        """One step per part: loss on demonstrations, agreement with raters, sampled responses."""
        n_rows = min(rows.n_in(self.split), self.max_rows or rows.n_in(self.split))
        read = min(rows.prompt_tokens + rows.response_tokens, self.max_tokens)
        parts = []
        if inputs.snapshot == "comparisons":
            parts.append(n_rows * rows.n_responses * read)
        elif inputs.snapshot != "prompts":
            parts.append(n_rows * read)
        if "reward_model" in inputs.beside:
            a_row = rows.n_prompts / max(rows.n_rows, 1)
            n_answers = n_rows * min(a_row, 1.0) * (2 if "other_model" in inputs.beside else 1)
            parts.append(n_answers * self._written(rows))
        return max(len(parts), 1), round(sum(parts))

    def _written(self, rows: sizes.Rows) -> float:
        return rows.written(
            max_prompt_tokens=self.max_tokens - self.max_written_tokens,
            max_new_tokens=self.max_written_tokens,
        )

    @property
    def max_written_tokens(self) -> int:
        """Thinking and answer together."""
        return self.max_new_tokens + self.max_thinking_tokens

    @property
    def n_sequences(self) -> int:
        return self.batch_size

    def n_frozen(self, shape: Shape, beside: Mapping[str, Shape]) -> int:
        judging = beside["reward_model"].n_parameters if "reward_model" in beside else 0
        return shape.n_parameters + judging

    @classmethod
    def presets(cls) -> Mapping[str, Self]:
        return {
            "small": cls(max_rows=40, max_tokens=256, batch_size=8, max_new_tokens=48),
            "balanced": cls(),
            "thorough": cls(max_rows=None, max_tokens=2048, max_new_tokens=1024),
        }
