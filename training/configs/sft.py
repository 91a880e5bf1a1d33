"""Settings of supervised fine-tuning."""

from dataclasses import dataclass
from typing import ClassVar

from training.configs.knobs import _, again
from training.configs.weights import Rows


@dataclass(frozen=True)
class SftConfig(Rows):
    """Supervised fine-tuning on demonstrations; the loss is on the completion alone.

    InstructGPT (Ouyang 2022, App. C): batch 32, cosine to 10 %, no warm-up, 16 epochs, learning
    rate 9.65e-6 for full fine-tuning of 1.3B and 6B.
    """

    snapshots: ClassVar[tuple[str, ...]] = ("demonstrations",)
    is_parallel: ClassVar[bool] = True

    n_epochs: int = again(
        Rows,
        "n_epochs",
        default=2,
        help=_(
            "How often the run goes through its snapshot. InstructGPT took 16; held-out loss is"
            " best after one, raters like more."
        ),
    )


PRESETS: dict[str, SftConfig] = {
    "small": SftConfig(
        n_epochs=1,
        learning_rate=5e-4,
        batch_size=4,
        accumulation=2,
        max_tokens=256,
        max_rows=150,
        max_held_out_rows=40,
        checkpoint_every=10,
    ),
    "balanced": SftConfig(),
    "thorough": SftConfig(
        method="full",
        n_epochs=16,
        learning_rate=9.65e-6,
        max_tokens=2048,
        max_held_out_rows=2000,
        evaluate_every=200,
        checkpoint_every=200,
    ),
}
