"""What RLOO and GRPO have in common: groups of responses to a prompt, and what they cost."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from knobs.fields import Problem, knob, override
from training.configs.cost import sizes
from training.configs.cost.sizes import Inputs, Shape
from training.configs.knobs import REQUIRED, Responses, ServerKnobs, SpotCheckKnobs
from training.configs.metrics import Best, _
from training.configs.weights import Training


@dataclass(frozen=True)
class Groups(Training, ServerKnobs, SpotCheckKnobs):
    """The policy writes a group of responses to each prompt. What it learns from each is how its
    reward differs from that of the others.
    """

    snapshots: ClassVar[tuple[str, ...]] = ("prompts", "demonstrations")
    """from demonstrations it takes the prompts"""
    closes_settings: ClassVar[bool] = True
    is_parallel: ClassVar[bool] = True
    uses_server: ClassVar[bool] = True
    best: ClassVar[Best | None] = Best("reward_after", is_more_better=True)
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
    missing_end_penalty: float = override(Responses, "missing_end_penalty")
    keeps_best: bool = knob(
        True,
        _("Keep the best"),
        _(
            "Keeps the weights of the evaluation whose reward on held-out prompts rose most surely."
            " Half of the prompts choose, and the others are reported. Needs evaluations during"
            " training and a validation split; with FSDP, the last weights are kept."
        ),
        is_advanced=True,
    )
    schedule: str = override(
        Training, "schedule", default="constant", help=_("How the learning rate decreases.")
    )
    n_shown: int = override(
        Responses, "n_shown", help=_("Responses per evaluation shown on the run's page.")
    )

    def for_dry_run(self) -> Self:
        return replace(super().for_dry_run(), n_spot_checks=0)

    @property
    def n_updates(self) -> int:
        """Weight updates on the same responses."""
        return 1

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
        n_steps = self.max_steps or n_prompts // n_prompts_a_step * self.n_epochs * self.n_updates
        return n_steps, round(n_steps * a_step * tokens_a_response)

    def tokens_at_once(self, rows: sizes.Rows) -> float:
        return self.batch_size * self.longest(rows)

    def n_frozen(self, shape: Shape, beside: Mapping[str, Shape]) -> int:
        """The reference and the reward model."""
        needed = self.takes["reward_model"] == REQUIRED
        judge = beside.get("reward_model", shape if needed else None)
        return shape.n_parameters + (judge.n_parameters if judge else 0)
