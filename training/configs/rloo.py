"""Settings of RLOO."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

from knobs.fields import Problem, knob, override
from training.configs import curves, metrics
from training.configs.cost import sizes
from training.configs.cost.sizes import Inputs, Shape
from training.configs.curves import Chart
from training.configs.knobs import OPTIONAL, REQUIRED, Responses
from training.configs.metrics import Best, Measure, _
from training.configs.weights import Training


@dataclass(frozen=True)
class RlooConfig(Training):
    """REINFORCE leave-one-out: the other responses to the same prompt are the baseline (Ahmadian
    2024). PPO's objective without a value model.

    Ahmadian 2024, App. B: four responses per prompt, KL coefficient 0.03 (0.1 if it drifts),
    learning rate 1e-6 for full fine-tuning.
    """

    kind: ClassVar[str] = "rloo"
    label: ClassVar[str] = _("RLOO")
    menu: ClassVar[str] = _("Improve with RLOO")
    snapshots: ClassVar[tuple[str, ...]] = ("prompts", "demonstrations")
    """from demonstrations it takes the prompts"""
    takes: ClassVar[Mapping[str, str]] = {"reward_model": REQUIRED, "reference_model": OPTIONAL}
    is_parallel: ClassVar[bool] = True
    uses_server: ClassVar[bool] = True
    headlines: ClassVar[tuple[str, ...]] = (
        "reward",
        "response_tokens",
        "ended",
    )
    measures: ClassVar[tuple[Measure, ...]] = (
        metrics.HELD_OUT_SPLIT,
        metrics.REWARD,
        Measure("kl", _("KL to the reference model, nats per response")),
        metrics.RESPONSE_TOKENS,
        metrics.ENDED,
        metrics.N_HELD_OUT_PROMPTS,
        metrics.N_PROMPTS,
        *metrics.PROMPTS_TOO_LONG,
        *metrics.MACHINE,
    )
    best: ClassVar[Best | None] = Best("reward_after", is_more_better=True)
    charts: ClassVar[tuple[Chart, ...]] = (
        curves.POLICY_LOSS,
        curves.REWARD,
        curves.KL,
        curves.RESPONSES,
        curves.ENDED,
        curves.ENTROPY,
        *curves.OPTIMIZER,
    )
    undrawn: ClassVar[tuple[str, ...]] = ("held_out_response_tokens", "held_out_ended")

    learning_rate: float = override(
        Training,
        "learning_rate",
        default=1e-5,
        help=_("Peak learning rate. Full fine-tuning needs about 1e-6."),
        min=1e-9,
    )
    n_responses: int = knob(
        4,
        _("Responses"),
        _("Responses per prompt. The mean of the others is the baseline for each."),
        min=2,
        max=64,
    )
    batch_size: int = override(
        Training,
        "batch_size",
        help=_(
            "Responses computed at once. Lower it if memory runs out, and raise gradient"
            " accumulation."
        ),
        unit=_("responses"),
    )
    accumulation: int = override(
        Training,
        "accumulation",
        default=8,
        help=_("Batches per weight update: each step writes batch size × this many responses."),
    )
    max_rows: int | None = override(
        Training,
        "max_rows",
        help=_("Random sample of prompts; leave empty for all."),
        unit=_("prompts"),
    )
    max_held_out_rows: int | None = override(
        Training,
        "max_held_out_rows",
        default=64,
        label=_("Held-out prompts"),
        help=_(
            "Measure reward before and after on at most this many held-out prompts. Leave empty for"
            " all."
        ),
        unit=_("prompts"),
    )
    max_new_tokens: int = override(Responses, "max_new_tokens")
    max_prompt_tokens: int = override(Responses, "max_prompt_tokens")
    kl_coef: float = override(
        Responses,
        "kl_coef",
        default=0.03,
        help=_("Penalty per nat of drift from the reference model, subtracted from the reward."),
    )
    temperature: float = override(
        Responses,
        "temperature",
        help=_("For the responses it learns from."),
        min=0.05,
        is_advanced=True,
    )
    normalizes_advantages: bool = knob(
        False,
        _("Normalise advantages"),
        _("Scales advantages to mean 0 and variance 1 over a step's responses."),
        is_advanced=True,
    )
    missing_end_penalty: float = override(Responses, "missing_end_penalty")
    schedule: str = override(
        Training, "schedule", default="constant", help=_("How the learning rate decreases.")
    )
    n_shown: int = override(
        Responses, "n_shown", help=_("Responses per evaluation shown on the run's page.")
    )

    def problems(self) -> list[Problem]:
        if self.batch_size * self.accumulation % self.n_responses:
            text = _(
                "Batch size × gradient accumulation (%(size)s) must be a multiple of the responses"
                " per prompt (%(n)s)."
            )
            size = self.batch_size * self.accumulation
            return [Problem("accumulation", text, {"size": size, "n": self.n_responses})]
        return []

    def launch_problems(self, *, n_processes: int, n_machines: int, is_sharded: bool) -> list[str]:
        a_step = self.batch_size * n_processes * max(1, round(self.accumulation / n_processes))
        if a_step % self.n_responses:
            return [
                _(
                    "The responses of a step do not divide evenly among the processes. Change the"
                    " batch size, the gradient accumulation or the processes."
                )
            ]
        return []

    def longest(self, rows: sizes.Rows) -> float:
        return rows.written(
            max_prompt_tokens=self.max_prompt_tokens, max_new_tokens=self.max_new_tokens
        )

    def items(self, rows: sizes.Rows) -> tuple[int, float]:
        """(prompts, tokens of one response)."""
        return min(rows.n_prompts, self.max_rows or rows.n_prompts), self.longest(rows)

    def work(self, rows: sizes.Rows, inputs: Inputs) -> tuple[int, int]:
        """Prompts that do not fill a step are left out."""
        n_prompts, tokens_a_response = self.items(rows)
        a_step = self.batch_size * self.accumulation
        n_prompts_a_step = max(1, a_step // self.n_responses)
        n_steps = self.max_steps or n_prompts // n_prompts_a_step * self.n_epochs
        return n_steps, round(n_steps * a_step * tokens_a_response)

    def tokens_at_once(self, rows: sizes.Rows) -> float:
        return self.batch_size * self.longest(rows)

    def n_frozen(self, shape: Shape, beside: Mapping[str, Shape]) -> int:
        """The reference and the reward model."""
        return shape.n_parameters + beside.get("reward_model", shape).n_parameters

    @classmethod
    def presets(cls) -> Mapping[str, Self]:
        return {
            "small": cls(
                learning_rate=5e-5,
                batch_size=8,
                accumulation=1,
                max_rows=40,
                max_held_out_rows=20,
                max_new_tokens=48,
                max_prompt_tokens=192,
                checkpoint_every=5,
            ),
            "balanced": cls(),
            "thorough": cls(
                method="full",
                learning_rate=1e-6,
                accumulation=64,
                max_held_out_rows=500,
                max_new_tokens=512,
                evaluate_every=20,
                checkpoint_every=50,
            ),
        }
