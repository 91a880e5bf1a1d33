"""Settings of sampling."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from knobs.fields import Problem, knob, override
from training.configs import curves, metrics
from training.configs.cost import sizes
from training.configs.cost.sizes import Inputs, Shape
from training.configs.curves import Chart
from training.configs.knobs import ONLY_TRAINING_SHARDS, OPTIONAL, RESPONSES, Responses, Settings
from training.configs.metrics import SHARE, Measure, _


@dataclass(frozen=True)
class SampleConfig(Settings):
    """A model's responses to prompts, for raters to compare or a reward model to choose from."""

    kind: ClassVar[str] = "sample"
    trainer: ClassVar[str] = "training.trainer.sample.run"
    label: ClassVar[str] = _("sampling")
    menu: ClassVar[str] = _("Sample responses")
    snapshots: ClassVar[tuple[str, ...]] = ("prompts",)
    snapshot_label: ClassVar[str] = _("Prompts to answer")
    snapshot_heading: ClassVar[str] = _("Prompts")
    snapshot_button: ClassVar[str] = _("Answer these prompts")
    model_label: ClassVar[str] = _("Model that answers")
    model_button: ClassVar[str] = _("Sample responses")
    takes_endpoints: ClassVar[bool] = True
    is_parallel: ClassVar[bool] = True
    uses_server: ClassVar[bool] = True
    takes: ClassVar[Mapping[str, str]] = {"reward_model": OPTIONAL}
    leaves: ClassVar[str] = RESPONSES
    headlines: ClassVar[tuple[str, ...]] = (
        "n_responses",
        "reward",
        "share_ended",
        "mean_tokens",
    )
    measures: ClassVar[tuple[Measure, ...]] = (
        metrics.REWARD,
        metrics.BEST_REWARD,
        metrics.N_PROMPTS,
        *metrics.PROMPTS_TOO_LONG,
        Measure("n_responses", _("responses"), judged_on=(metrics.ON_PROMPTS,)),
        Measure("n_empty", _("Empty responses")),
        Measure("share_ended", _("Finished naturally"), SHARE),
        Measure("mean_tokens", _("Mean length (tokens)")),
        metrics.THINKING_TOKENS,
        Measure("tokens_per_s", _("tokens per second")),
        Measure("responses_per_s", _("Responses per second")),
        *metrics.MACHINE,
    )
    charts: ClassVar[tuple[Chart, ...]] = (
        curves.REWARD,
        curves.RESPONSES,
        curves.ENDED,
        curves.SPEED,
    )
    undrawn: ClassVar[tuple[str, ...]] = ("responses_per_s",)

    n_responses: int = knob(
        4,
        _("Responses"),
        _("Responses per prompt. Raters can compare 4 to 9 well."),
        min=1,
        max=64,
    )
    max_new_tokens: int = override(Responses, "max_new_tokens")
    max_thinking_tokens: int = override(Responses, "max_thinking_tokens")
    temperature: float = override(
        Responses,
        "temperature",
        help=_(
            "How far the model strays from its most likely token. 0 always picks that token and"
            " gives only one response."
        ),
    )
    top_p: float = override(Responses, "top_p", default=0.95, is_advanced=False)
    seed: int = override(
        Settings,
        "seed",
        help=_("The same seed, prompts and machine give the same responses."),
        is_advanced=False,
    )
    batch_size: int = knob(
        32,
        _("Batch size"),
        _("Responses written at once. Lower it if memory runs out."),
        unit=_("responses"),
        min=1,
        max=4096,
        is_advanced=True,
    )
    max_prompts: int | None = knob(
        None,
        _("Max prompts"),
        _("Random sample with the share of each split; leave empty for all."),
        unit=_("prompts"),
        min=1,
        max=10_000_000,
    )
    max_prompt_tokens: int = override(Responses, "max_prompt_tokens", is_advanced=True)
    n_shown: int = override(Responses, "n_shown")

    def for_dry_run(self) -> Self:
        n_prompts = 2 * max(self.batch_size // self.n_responses, 1)
        return replace(self, max_prompts=min(self.max_prompts or n_prompts, n_prompts))

    def launch_problems(self, *, n_processes: int, n_machines: int, is_sharded: bool) -> list[str]:
        return [ONLY_TRAINING_SHARDS] if is_sharded else []

    def problems(self) -> list[Problem]:
        """Problems between fields that are valid by themselves."""
        if self.temperature == 0 and self.n_responses > 1:
            text = _(
                "At temperature 0, all %(n)s responses to a prompt are the same. Raise the"
                " temperature or request one response."
            )
            return [Problem("temperature", text, {"n": self.n_responses})]
        if self.batch_size < self.n_responses:
            text = _(
                "The batch size (%(size)s) must be at least the number of responses per prompt"
                " (%(n)s)."
            )
            return [Problem("batch_size", text, {"size": self.batch_size, "n": self.n_responses})]
        return []

    def longest(self, rows: sizes.Rows) -> float:
        return rows.written(
            max_prompt_tokens=self.max_prompt_tokens, max_new_tokens=self.max_written_tokens
        )

    @property
    def max_written_tokens(self) -> int:
        """Thinking and answer together."""
        return self.max_new_tokens + self.max_thinking_tokens

    @property
    def sampling(self) -> dict[str, float]:
        """As stored with a response."""
        names = ["temperature", "top_p", "max_new_tokens", "seed"]
        names += ["max_thinking_tokens"] if self.max_thinking_tokens else []
        return {name: getattr(self, name) for name in names}

    def work(self, rows: sizes.Rows, inputs: Inputs) -> tuple[int, int]:
        n_prompts = min(rows.n_prompts, self.max_prompts or rows.n_prompts)
        n_steps = math.ceil(n_prompts / max(self.batch_size // self.n_responses, 1))
        return n_steps, round(n_prompts * self.n_responses * self.longest(rows))

    @property
    def n_sequences(self) -> int:
        return self.batch_size

    def n_frozen(self, shape: Shape, beside: Mapping[str, Shape]) -> int:
        judging = beside["reward_model"].n_parameters if "reward_model" in beside else 0
        return shape.n_parameters + judging

    @classmethod
    def presets(cls) -> Mapping[str, Self]:
        return {
            "small": cls(
                n_responses=4,
                max_new_tokens=48,
                batch_size=40,
                max_prompts=20,
                max_prompt_tokens=256,
            ),
            "balanced": cls(),
            "thorough": cls(n_responses=9, max_new_tokens=1024, max_prompt_tokens=4096),
        }
