"""Settings of DPO."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

from knobs.fields import Problem, knob, override
from training.configs import curves, metrics
from training.configs.cost import sizes
from training.configs.curves import Chart
from training.configs.metrics import Best, Measure, _
from training.configs.offline.with_reference import WithReference


@dataclass(frozen=True)
class DpoConfig(WithReference):
    """Direct preference optimisation (Rafailov 2023): trains a policy on preferences, without a
    reward model or sampling.

    Published settings: β 0.1 (0.5 for summaries), batch size 64, learning rate 1e-6 for full
    fine-tuning, 150 warm-up steps.
    """

    kind: ClassVar[str] = "dpo"
    label: ClassVar[str] = _("DPO")
    menu: ClassVar[str] = _("Learn preferences with DPO")
    trainer: ClassVar[str] = "training.trainer.offline.dpo"
    snapshots: ClassVar[tuple[str, ...]] = ("comparisons",)
    is_parallel: ClassVar[bool] = True
    headlines: ClassVar[tuple[str, ...]] = (
        "held_out_accuracy",
        "held_out_loss",
        "held_out_margin",
    )
    measures: ClassVar[tuple[Measure, ...]] = (
        metrics.HELD_OUT_LOSS,
        metrics.HELD_OUT_ACCURACY,
        metrics.HELD_OUT_SPLIT,
        metrics.N_HELD_OUT_PAIRS,
        metrics.N_TRAIN_PAIRS,
        metrics.N_TIES,
        metrics.N_RESPONSES_LEFT_OUT,
        metrics.N_PROMPTS_CUT,
        metrics.HELD_OUT_MARGIN,
        *metrics.MACHINE,
    )
    best: ClassVar[Best | None] = Best("held_out_accuracy_after", is_more_better=True)
    charts: ClassVar[tuple[Chart, ...]] = (
        curves.PAIR_LOSS,
        curves.ACCURACY,
        curves.MARGIN,
        Chart(
            _("Implied reward"),
            _("β·log(π/π₀)"),
            {"chosen_reward": _("preferred responses"), "rejected_reward": _("the others")},
        ),
        curves.TOKEN_ACCURACY,
        curves.ENTROPY,
        *curves.OPTIMIZER,
    )
    undrawn: ClassVar[tuple[str, ...]] = curves.ACCURACY_INTERVAL

    learning_rate: float = override(
        WithReference,
        "learning_rate",
        default=5e-6,
        help=_(
            "Peak learning rate. Full fine-tuning needs about 1e-6; DPO tolerates less than"
            " supervised fine-tuning."
        ),
        min=1e-9,
    )
    batch_size: int = override(
        WithReference,
        "batch_size",
        default=4,
        help=_(
            "Pairs computed at once (two sequences each). Lower it if memory runs out, and raise"
            " gradient accumulation."
        ),
        unit=_("pairs"),
    )
    accumulation: int = override(WithReference, "accumulation", default=16)
    max_rows: int | None = override(
        WithReference,
        "max_rows",
        help=_("Random sample; leave empty for all."),
        unit=_("pairs"),
    )
    loss: str = knob(
        "sigmoid",
        _("Loss"),
        _(
            "Sigmoid is the published loss. IPO (Azar 2023) stops pushing decided pairs further"
            " apart; hinge is as in SLiC."
        ),
        choices={"sigmoid": _("Sigmoid"), "ipo": "IPO", "hinge": _("Hinge")},
        is_advanced=True,
    )
    label_smoothing: float = knob(
        0.0,
        _("Label smoothing"),
        _(
            "Share of preferences assumed to be the wrong way round (conservative DPO). Only with"
            " the sigmoid loss."
        ),
        min=0.0,
        max=0.49,
        is_advanced=True,
    )

    def problems(self) -> list[Problem]:
        if self.label_smoothing and self.loss != "sigmoid":
            text = _(
                "Only the sigmoid loss has label smoothing. Set label smoothing to 0, or choose"
                " the sigmoid loss."
            )
            return [*super().problems(), Problem("label_smoothing", text)]
        return super().problems()

    def items(self, rows: sizes.Rows) -> tuple[int, float]:
        """Pairs of two sequences each."""
        _n_rows, tokens = super().items(rows)
        return min(rows.n_pairs, self.max_rows or rows.n_pairs), 2 * tokens

    @classmethod
    def presets(cls) -> Mapping[str, Self]:
        return {
            "small": cls(
                learning_rate=1e-4,
                batch_size=2,
                accumulation=2,
                max_tokens=256,
                max_rows=120,
                max_held_out_rows=40,
                checkpoint_every=10,
            ),
            "balanced": cls(),
            "thorough": cls(
                method="full",
                learning_rate=1e-6,
                batch_size=8,
                accumulation=8,
                max_tokens=2048,
                max_held_out_rows=2000,
                evaluate_every=100,
                checkpoint_every=200,
            ),
        }
