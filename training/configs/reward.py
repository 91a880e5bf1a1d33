"""Settings of a reward model."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from knobs.fields import knob, override
from training.configs import curves, metrics
from training.configs.cost import sizes
from training.configs.cost.sizes import Shape
from training.configs.curves import Chart
from training.configs.knobs import POLICY, REWARD
from training.configs.metrics import SHARE, Best, Measure, _
from training.configs.weights import RowTraining


@dataclass(frozen=True)
class RewardConfig(RowTraining):
    """A reward model trained on whole rankings: which of two responses would a rater prefer?

    InstructGPT (Ouyang 2022, App. C): one epoch (a second one overfits), cosine to 10 %, batches of
    64 prompts, learning rate 9e-6 for full fine-tuning.
    """

    kind: ClassVar[str] = "reward"
    trainer: ClassVar[str] = "training.trainer.reward.run"
    label: ClassVar[str] = _("reward model")
    menu: ClassVar[str] = _("Train a reward model")
    snapshots: ClassVar[tuple[str, ...]] = ("comparisons",)
    starts_from: ClassVar[tuple[str, ...]] = (POLICY, REWARD)
    leaves: ClassVar[str] = REWARD
    is_parallel: ClassVar[bool] = True
    headlines: ClassVar[tuple[str, ...]] = (
        "held_out_accuracy",
        "held_out_loss",
        "held_out_margin",
        "reward_length_correlation",
    )
    measures: ClassVar[tuple[Measure, ...]] = (
        metrics.HELD_OUT_LOSS,
        metrics.HELD_OUT_ACCURACY,
        metrics.HELD_OUT_SPLIT,
        metrics.N_HELD_OUT_PAIRS,
        metrics.N_TRAIN_PAIRS,
        metrics.N_TIES,
        Measure("n_train_prompts", _("Training prompts")),
        metrics.N_RESPONSES_LEFT_OUT,
        metrics.N_PROMPTS_CUT,
        Measure("n_held_out_responses_left_out", _("Held-out responses dropped: too long")),
        Measure("n_held_out_prompts_cut", _("Held-out prompts truncated at the start")),
        Measure("unseen_raters_accuracy", _("Accuracy on unseen raters, mean of folds"), SHARE),
        Measure("unseen_raters_spread", _("Standard deviation"), SHARE),
        Measure("seen_raters_accuracy", _("Accuracy on seen raters, mean of folds"), SHARE),
        Measure("seen_raters_spread", _("Standard deviation"), SHARE),
        metrics.HELD_OUT_MARGIN,
        metrics.LENGTH_CORRELATION,
        *metrics.CALIBRATION,
        Measure("reward_bias", _("Mean demonstration reward, subtracted")),
        Measure("n_demonstrations", _("Demonstrations used for that")),
        Measure("n_demonstrations_left_out", _("Demonstrations dropped: too long")),
        Measure("n_demonstrations_cut", _("Demonstration prompts truncated at the start")),
        Measure("shares_prefix", _("Prompts computed once for all responses")),
        *metrics.MACHINE,
    )
    best: ClassVar[Best | None] = Best("held_out_accuracy_after", is_more_better=True)
    charts: ClassVar[tuple[Chart, ...]] = (
        curves.PAIR_LOSS,
        curves.ACCURACY,
        curves.MARGIN,
        curves.LENGTH_CORRELATION,
        Chart(
            _("Size of a step"),
            _("tokens"),
            {"tokens": _("tokens")},
            from_zero=True,
            group=curves.SYSTEM,
        ),
        *curves.OPTIMIZER,
    )
    undrawn: ClassVar[tuple[str, ...]] = curves.ACCURACY_INTERVAL

    n_epochs: int = override(
        RowTraining,
        "n_epochs",
        help=_("Number of passes over the snapshot. A second epoch overfits."),
    )
    learning_rate: float = override(RowTraining, "learning_rate", default=1e-4)
    batch_size: int = override(
        RowTraining,
        "batch_size",
        help=_(
            "Prompts computed at once, each with all its responses. All pairs of a prompt are one"
            " element (Ouyang 2022, §3.5)."
        ),
        unit=_("prompts"),
    )
    margin: str = knob(
        "none",
        _("Margin"),
        _(
            "How far apart rewards must be for a strong preference (Llama 2, §3.2.2). Needs"
            " comparisons with a strength."
        ),
        choices={"none": _("None"), "small": _("Up to 1"), "large": _("Up to 3")},
        is_advanced=True,
    )
    rating_margin: float = knob(
        0.0,
        _("Margin per point"),
        _(
            "Extra distance between rewards per point of difference in the overall ratings. 0:"
            " none."
        ),
        min=0.0,
        max=10.0,
        is_advanced=True,
    )
    part: str = knob(
        "all",
        _("Part of the rankings"),
        _(
            "To train a reward model and a watchdog for it that have no ranking in common. Divided"
            " by raters, or by prompts if there are few raters."
        ),
        choices={
            "all": _("All"),
            "larger": _("Three fifths"),
            "smaller": _("The other two fifths"),
        },
        is_advanced=True,
    )
    accumulation: int = override(RowTraining, "accumulation", default=8)
    max_rows: int | None = override(
        RowTraining,
        "max_rows",
        help=_("Random sample; leave empty for all."),
        unit=_("pairs"),
    )
    centering: float = knob(
        0.0,
        _("Centering"),
        _("Weight of a penalty that keeps rewards near 0 on average. 0.01 is a common choice."),
        min=0.0,
        max=10.0,
        is_advanced=True,
    )
    reads_thinking: bool = knob(
        False,
        _("Judge the thinking too"),
        _(
            "Also reads what a model thought before it answered. Raters are not shown it unless the"
            " guideline asks. Runs that use this reward model then give it the thinking as well."
        ),
        is_advanced=True,
    )
    cross_validates: bool = knob(
        False,
        _("Cross-validate over raters"),
        _(
            "First trains five more models, each without a fifth of the raters, and tests them on"
            " those raters. Adds four times the work."
        ),
        is_advanced=True,
    )

    def for_dry_run(self) -> Self:
        return replace(super().for_dry_run(), cross_validates=False)

    def launch_problems(self, *, n_processes: int, n_machines: int, is_sharded: bool) -> list[str]:
        if n_machines > 1 and self.cross_validates:
            return [
                _(
                    "Cross-validation runs on one machine. Request one, or turn cross-validation"
                    " off."
                )
            ]
        return []

    def items(self, rows: sizes.Rows) -> tuple[int, float]:
        """Prompts with all their responses; `max_rows` counts pairs. All prompts, also with a part
        of the rankings: where several raters judged a prompt, both parts have it.
        """
        is_sample = self.max_rows and rows.n_pairs
        share = min(1.0, self.max_rows / rows.n_pairs) if self.max_rows and is_sample else 1.0
        n_prompts = max(1, round(rows.n_prompts * share))
        return n_prompts, rows.prompt_tokens + rows.n_responses * rows.response_tokens

    @property
    def n_trainings(self) -> int:
        """One training, plus five folds on four fifths of the data each."""
        return 5 if self.cross_validates else 1

    def tokens_at_once(self, rows: sizes.Rows) -> float:
        return self.batch_size * min(
            rows.prompt_tokens + rows.n_responses * rows.response_tokens,
            rows.n_responses * self.max_tokens,
        )

    def logits(self, n_tokens: float, shape: Shape) -> float:
        """The head gives one reward per sequence and no logits per token."""
        return 0.0

    @classmethod
    def presets(cls) -> Mapping[str, Self]:
        return {
            "small": cls(
                learning_rate=3e-4,
                batch_size=2,
                accumulation=2,
                max_tokens=256,
                max_rows=150,
                max_held_out_rows=60,
                checkpoint_every=10,
            ),
            "balanced": cls(),
            "thorough": cls(
                method="full",
                learning_rate=9e-6,
                max_tokens=2048,
                max_held_out_rows=5000,
                evaluate_every=100,
                checkpoint_every=200,
            ),
        }
