"""Settings of GRPO."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

from knobs.fields import Problem, knob, override
from training.configs import curves, metrics
from training.configs.cost.sizes import Inputs
from training.configs.curves import Chart
from training.configs.knobs import OPTIONAL, Section
from training.configs.metrics import Measure, _
from training.configs.online import rewards
from training.configs.online.groups import Groups
from training.configs.online.rewards import RewardMix

LUSPO, SEQUENCE = "luspo", "sequence"


@dataclass(frozen=True)
class GrpoConfig(RewardMix, Groups):
    """Group relative policy optimisation: a response's advantage is its reward less the mean of its
    group, over the group's standard deviation (Shao 2024, “DeepSeekMath”, §4.1). The rewards come
    from a reward model, from rules, or from several of both.

    DeepSeekMath: 64 responses per prompt, 1,024 per step, one update, β 0.04, learning rate 1e-6.
    """

    kind: ClassVar[str] = "grpo"
    label: ClassVar[str] = _("GRPO")
    menu: ClassVar[str] = _("Improve with GRPO")
    trainer: ClassVar[str] = "training.trainer.online.grpo"
    takes: ClassVar[Mapping[str, str]] = {"reward_model": OPTIONAL, "reference_model": OPTIONAL}
    sections: ClassVar[tuple[Section, ...]] = (rewards.SECTION,)
    headlines: ClassVar[tuple[str, ...]] = ("reward", "kl", "response_tokens", "ended")
    measures: ClassVar[tuple[Measure, ...]] = (
        metrics.HELD_OUT_SPLIT,
        metrics.REWARD,
        *rewards.MEASURES,
        metrics.KL,
        metrics.RESPONSE_TOKENS,
        metrics.ENDED,
        metrics.N_HELD_OUT_PROMPTS,
        metrics.N_PROMPTS,
        metrics.KEPT_STEP,
        *metrics.PROMPTS_TOO_LONG,
        *metrics.IMPORTANCE.values(),
        *metrics.MACHINE,
    )
    charts: ClassVar[tuple[Chart, ...]] = (
        curves.REWARD,
        *rewards.CHARTS,
        curves.KL,
        curves.POLICY_LOSS,
        Chart(
            _("Share of prompts whose responses all earn the same"),
            "",
            {"same_reward": _("rollouts")},
            group=curves.DATA,
            is_share=True,
        ),
        curves.RESPONSES,
        curves.ENDED,
        curves.ENTROPY,
        Chart(
            _("Share of tokens that is clipped"),
            "",
            {"clip_fraction": _("policy")},
            from_zero=True,
            group=curves.SYSTEM,
            is_share=True,
        ),
        *curves.IMPORTANCE,
        *curves.OPTIMIZER,
    )

    n_responses: int = override(
        Groups,
        "n_responses",
        default=8,
        help=_("Responses per prompt. Each is compared with the mean of all of them."),
    )
    kl_coef: float = override(
        Groups,
        "kl_coef",
        default=0.04,
        help=_("Weight of the drift from the reference model in the loss. 0: free to drift."),
    )
    loss: str = knob(
        "dapo",
        _("Loss"),
        _(
            "How the tokens of a step are weighed. DAPO (Yu 2025) counts every token alike; GRPO"
            " (Shao 2024) every response, which favours short good and long bad ones."
        ),
        choices={
            "dapo": _("DAPO: every token alike"),
            "grpo": _("GRPO: every response alike"),
            "dr_grpo": _("Dr. GRPO: by the max response length"),
            "bnpo": _("BNPO: every token of a batch alike"),
            "cispo": _("CISPO: clips the weights, keeps every token"),
            "sapo": _("SAPO: a soft gate in place of clipping"),
            LUSPO: _("LUSPO: by length, with ratios per response"),
            "vespo": _("VESPO: soft weights per response"),
        },
    )
    importance: str = knob(
        "token",
        _("Probability ratio"),
        _("Per response is GSPO (Zheng 2025)."),
        choices={"token": _("Per token"), SEQUENCE: _("Per response (GSPO)")},
        is_advanced=True,
    )
    n_passes: int = knob(
        1,
        _("Passes"),
        _("Weight updates on the same responses. With one, the ratio is 1 and nothing is clipped."),
        min=1,
        max=16,
        is_advanced=True,
    )
    epsilon: float = knob(
        0.2,
        _("ε"),
        _("The ratio is clipped at 1 − ε, and at 1 + ε if the next field is empty."),
        min=0.0,
        max=1.0,
        is_advanced=True,
    )
    epsilon_high: float | None = knob(
        None,
        _("Upper ε"),
        _("The ratio is clipped at 1 + this. DAPO: 0.28. For CISPO the largest weight: 5."),
        min=0.0,
        max=100.0,
        is_advanced=True,
    )
    scale: str = knob(
        "group",
        _("Scale of advantages"),
        _("What advantages are divided by. Dr. GRPO (Liu 2025) divides by nothing."),
        choices={
            "group": _("Spread of the group"),
            "batch": _("Spread of the step"),
            "none": _("Nothing"),
        },
        is_advanced=True,
    )
    mixing: str = knob(
        "sum_then_normalize",
        _("Mixing of rewards"),
        _("GDPO (2026) scales each reward by its own spread in the group before the sum."),
        choices={
            "sum_then_normalize": _("Sum, then scale"),
            "normalize_then_sum": _("Scale each, then sum (GDPO)"),
        },
        is_advanced=True,
    )
    masks_unfinished: bool = knob(
        False,
        _("Skip unfinished responses"),
        _("Does not learn from responses that are cut off (DAPO)."),
        is_advanced=True,
    )

    @property
    def n_updates(self) -> int:
        return self.n_passes

    def problems(self) -> list[Problem]:
        problems = [*super().problems(), *self.mix_problems()]
        if self.loss == LUSPO and self.importance != SEQUENCE:
            text = _("LUSPO needs the probability ratio per response. Change one of the two.")
            problems.append(Problem("importance", text))
        # Between two updates on the same responses, there is nothing to resume from.
        for name in ("checkpoint_every", "evaluate_every", "max_steps"):
            if (getattr(self, name) or 0) % self.n_passes:
                text = _("%(value)s steps must be a multiple of the passes (%(n)s).")
                values = {"value": getattr(self, name), "n": self.n_passes}
                problems.append(Problem(name, text, values))
        return problems

    def data_problems(self, snapshot: str, *, has_text: bool = False) -> list[str]:
        if self.needs_reference and snapshot != "demonstrations":
            return [
                _(
                    "Exact answer, contained answer and number need reference answers, and a"
                    " snapshot of prompts has none. Choose a snapshot of demonstrations, or set"
                    " their weights to 0."
                )
            ]
        return []

    def input_problems(self, inputs: Inputs) -> list[str]:
        return self.mix_misfits(has_model="reward_model" in inputs.beside)

    @classmethod
    def presets(cls) -> Mapping[str, Self]:
        return {
            "small": cls(
                learning_rate=5e-5,
                n_responses=4,
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
                n_responses=64,
                loss="grpo",
                accumulation=128,
                max_held_out_rows=500,
                max_new_tokens=1024,
                evaluate_every=20,
                checkpoint_every=50,
            ),
        }
