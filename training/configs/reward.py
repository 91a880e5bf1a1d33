"""Settings of a reward model."""

from dataclasses import dataclass, replace
from typing import ClassVar, Self

from training.configs.knobs import _, again, knob
from training.configs.weights import Rows


@dataclass(frozen=True)
class RewardConfig(Rows):
    """A reward model from whole rankings: which of two responses would a rater put first?

    InstructGPT (Ouyang 2022, App. C): one epoch and never more (a second one overfits), cosine to
    10 %, 64 prompts a batch, learning rate 9e-6 for full fine-tuning.
    """

    snapshots: ClassVar[tuple[str, ...]] = ("comparisons",)
    starts_from: ClassVar[tuple[str, ...]] = ("policy", "reward")
    leaves: ClassVar[str] = "reward"
    is_parallel: ClassVar[bool] = True

    n_epochs: int = again(
        Rows,
        "n_epochs",
        help=_("How often the run goes through its snapshot. A second epoch overfits."),
    )
    learning_rate: float = again(Rows, "learning_rate", default=1e-4)
    batch_size: int = again(
        Rows,
        "batch_size",
        help=_(
            "Prompts computed at once, each with all its responses: all pairs of a prompt are one"
            " element (Ouyang 2022, §3.5)."
        ),
        unit=_("prompts"),
    )
    margin: str = knob(
        "none",
        _("Margin"),
        _(
            "How far apart rewards must be for a strong preference (Llama 2, §3.2.2). Needs"
            " comparisons that gave their strength."
        ),
        choices={"none": _("none"), "small": _("up to 1"), "large": _("up to 3")},
        is_advanced=True,
    )
    rating_margin: float = knob(
        0.0,
        _("Margin a point"),
        _(
            "How much further apart rewards must lie for each point between the overall ratings of"
            " two responses. 0: none."
        ),
        min=0.0,
        max=10.0,
        is_advanced=True,
    )
    accumulation: int = again(Rows, "accumulation", default=8)
    max_rows: int | None = again(
        Rows,
        "max_rows",
        help=_("Train on a sample of this many pairs, drawn by the seed. Empty: all."),
        unit=_("pairs"),
    )
    centering: float = knob(
        0.0,
        _("Centering"),
        _(
            "Weight of a penalty that keeps rewards near 0 on average. 0.01 is usual where it is"
            " wanted."
        ),
        min=0.0,
        max=10.0,
        is_advanced=True,
    )
    cross_validates: bool = knob(
        False,
        _("Cross-validate over raters"),
        _(
            "First trains five more models, each without a fifth of the raters, and measures them"
            " on those. Four times more work."
        ),
        is_advanced=True,
    )

    def rehearsed(self) -> Self:
        return replace(super().rehearsed(), cross_validates=False)


PRESETS: dict[str, RewardConfig] = {
    "small": RewardConfig(
        learning_rate=3e-4,
        batch_size=2,
        accumulation=2,
        max_tokens=256,
        max_rows=150,
        max_held_out_rows=60,
        checkpoint_every=10,
    ),
    "balanced": RewardConfig(),
    "thorough": RewardConfig(
        method="full",
        learning_rate=9e-6,
        max_tokens=2048,
        max_held_out_rows=5000,
        evaluate_every=100,
        checkpoint_every=200,
    ),
}
