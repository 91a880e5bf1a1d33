"""Settings of RLOO."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

from knobs.fields import knob
from training.configs import curves, metrics
from training.configs.curves import Chart
from training.configs.knobs import OPTIONAL, REQUIRED
from training.configs.metrics import Measure, _
from training.configs.online.groups import Groups


@dataclass(frozen=True)
class RlooConfig(Groups):
    """REINFORCE leave-one-out: the other responses to the same prompt are the baseline (Ahmadian
    2024). PPO's objective without a value model.

    Ahmadian 2024, App. B: four responses per prompt, KL coefficient 0.03 (0.1 if it drifts),
    learning rate 1e-6 for full fine-tuning.
    """

    kind: ClassVar[str] = "rloo"
    label: ClassVar[str] = _("RLOO")
    menu: ClassVar[str] = _("Improve with RLOO")
    trainer: ClassVar[str] = "training.trainer.online.rloo"
    takes: ClassVar[Mapping[str, str]] = {"reward_model": REQUIRED, "reference_model": OPTIONAL}
    headlines: ClassVar[tuple[str, ...]] = (
        "reward",
        "response_tokens",
        "ended",
    )
    measures: ClassVar[tuple[Measure, ...]] = (
        metrics.HELD_OUT_SPLIT,
        metrics.REWARD,
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
        curves.POLICY_LOSS,
        curves.REWARD,
        curves.KL,
        curves.RESPONSES,
        curves.ENDED,
        curves.ENTROPY,
        *curves.IMPORTANCE,
        *curves.OPTIMIZER,
    )

    normalizes_advantages: bool = knob(
        False,
        _("Normalise advantages"),
        _("Scales advantages to mean 0 and variance 1 over a step's responses."),
        is_advanced=True,
    )

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
