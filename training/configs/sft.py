"""Settings of supervised fine-tuning."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

from knobs.fields import knob, override
from training.configs import curves, metrics
from training.configs.cost import sizes
from training.configs.curves import Chart
from training.configs.metrics import Best, Measure, _
from training.configs.weights import RowTraining


@dataclass(frozen=True)
class SftConfig(RowTraining):
    """Supervised fine-tuning on demonstrations; the loss covers only the completion.

    InstructGPT (Ouyang 2022, App. C): batch size 32, cosine to 10 %, no warm-up, 16 epochs,
    learning rate 9.65e-6 for full fine-tuning of 1.3B and 6B models.
    """

    kind: ClassVar[str] = "sft"
    label: ClassVar[str] = _("SFT")
    menu: ClassVar[str] = _("Fine-tune on demonstrations")
    snapshots: ClassVar[tuple[str, ...]] = ("demonstrations",)
    is_parallel: ClassVar[bool] = True
    headlines: ClassVar[tuple[str, ...]] = ("held_out_loss",)
    measures: ClassVar[tuple[Measure, ...]] = (
        metrics.HELD_OUT_LOSS,
        metrics.HELD_OUT_SPLIT,
        metrics.N_HELD_OUT,
        metrics.N_TRAIN,
        metrics.N_CUT,
        metrics.N_LEFT_OUT,
        metrics.KEPT_STEP,
        *metrics.MACHINE,
    )
    best: ClassVar[Best | None] = Best("held_out_loss_after", is_more_better=False)
    charts: ClassVar[tuple[Chart, ...]] = (
        curves.LOSS,
        curves.TOKEN_ACCURACY,
        curves.ENTROPY,
        *curves.OPTIMIZER,
    )

    n_epochs: int = override(
        RowTraining,
        "n_epochs",
        default=2,
        help=_(
            "Number of passes over the snapshot. InstructGPT used 16; held-out loss is best after"
            " one, but raters prefer more."
        ),
    )

    evaluate_every: int = override(RowTraining, "evaluate_every", default=50)
    keeps_best: bool = knob(
        True,
        _("Keep the best"),
        _(
            "Keeps the weights with the lowest held-out loss of all evaluations. Needs a validation"
            " split; with FSDP, the last weights are kept."
        ),
        is_advanced=True,
    )
    packs: bool = knob(
        False,
        _("Pack rows"),
        _(
            "Puts several short demonstrations into one row; none sees the others. Saves padding."
            " The batch size then counts full rows, so lower it."
        ),
        is_advanced=True,
    )

    def items(self, rows: sizes.Rows) -> tuple[int, float]:
        """A packed row is full, as near as whole demonstrations come to it."""
        n_rows, tokens_a_row = super().items(rows)
        if not self.packs:
            return n_rows, tokens_a_row
        n_packed = max(1, math.ceil(n_rows * tokens_a_row / self.max_tokens))
        return n_packed, n_rows * tokens_a_row / n_packed

    @classmethod
    def presets(cls) -> Mapping[str, Self]:
        return {
            "small": cls(
                n_epochs=1,
                learning_rate=5e-4,
                batch_size=4,
                accumulation=2,
                max_tokens=256,
                max_rows=150,
                max_held_out_rows=40,
                # One short epoch: nothing to choose, and each evaluation would take long.
                evaluate_every=0,
                checkpoint_every=10,
            ),
            "balanced": cls(),
            "thorough": cls(
                method="full",
                n_epochs=16,
                learning_rate=9.65e-6,
                max_tokens=2048,
                max_held_out_rows=2000,
                evaluate_every=200,
                # InstructGPT kept the last of 16 epochs, although the loss was lowest after one.
                keeps_best=False,
                checkpoint_every=200,
            ),
        }
