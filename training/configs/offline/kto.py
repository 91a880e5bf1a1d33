"""Settings of KTO."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

from knobs.fields import knob, override
from training.configs import curves, metrics
from training.configs.cost import sizes
from training.configs.curves import Chart
from training.configs.metrics import ON_ROWS, SHARE, Best, Measure, _
from training.configs.offline.with_reference import WithReference


@dataclass(frozen=True)
class KtoConfig(WithReference):
    """Kahneman-Tversky optimisation (Ethayarajh 2024): trains a policy on responses that people
    call good or bad one by one, without pairs, a reward model or sampling.

    Published settings: β 0.1, batch size 32, learning rate 5e-7 for full fine-tuning.
    """

    kind: ClassVar[str] = "kto"
    label: ClassVar[str] = _("KTO")
    menu: ClassVar[str] = _("Learn from good and bad responses with KTO")
    trainer: ClassVar[str] = "training.trainer.offline.kto"
    snapshots: ClassVar[tuple[str, ...]] = ("unpaired",)
    headlines: ClassVar[tuple[str, ...]] = (
        "held_out_accuracy",
        "held_out_loss",
        "held_out_margin",
    )
    measures: ClassVar[tuple[Measure, ...]] = (
        metrics.HELD_OUT_LOSS,
        Measure("held_out_accuracy", _("Good responses above bad ones"), SHARE, (ON_ROWS,)),
        metrics.HELD_OUT_SPLIT,
        metrics.N_HELD_OUT,
        Measure("n_good", _("Good responses to train on")),
        Measure("n_bad", _("Bad responses to train on")),
        Measure("good_weight", _("Weight of a good response")),
        Measure("bad_weight", _("Weight of a bad response")),
        metrics.N_RESPONSES_LEFT_OUT,
        metrics.N_PROMPTS_CUT,
        Measure("held_out_margin", _("Mean reward difference"), judged_on=(ON_ROWS,)),
        Measure("held_out_kl", _("Reference point (nats per response)"), judged_on=(ON_ROWS,)),
        *metrics.MACHINE,
    )
    best: ClassVar[Best | None] = Best("held_out_accuracy_after", is_more_better=True)
    charts: ClassVar[tuple[Chart, ...]] = (
        Chart(_("KTO loss"), "", {"loss": _("training"), "held_out_loss": _("held out")}),
        Chart(
            _("Share of good responses above bad ones"),
            _("share"),
            {"held_out_accuracy": _("held out")},
            is_share=True,
        ),
        curves.MARGIN,
        Chart(
            _("Implied reward"),
            _("β·log(π/π₀)"),
            {"good_reward": _("good responses"), "bad_reward": _("bad responses")},
        ),
        Chart(
            _("Reference point"),
            _("nats per response"),
            {"kl": _("training"), "held_out_kl": _("held out")},
            from_zero=True,
        ),
        curves.ENTROPY,
        *curves.OPTIMIZER,
    )
    undrawn: ClassVar[tuple[str, ...]] = (
        *curves.ACCURACY_INTERVAL,
        "held_out_margin_low",
        "held_out_margin_high",
    )

    learning_rate: float = override(
        WithReference,
        "learning_rate",
        default=5e-6,
        help=_("Peak learning rate. Full fine-tuning needs about 5e-7; more makes KTO unstable."),
        min=1e-9,
    )
    batch_size: int = override(
        WithReference,
        "batch_size",
        help=_(
            "Responses computed at once, each with another prompt of the batch too, which tells how"
            " far the policy has moved. Lower it if memory runs out, and raise gradient"
            " accumulation."
        ),
        min=2,
    )
    max_rows: int | None = override(
        WithReference, "max_rows", help=_("Random sample; leave empty for all.")
    )
    balances: bool = knob(
        True,
        _("Balance good and bad"),
        _("All good responses together then count as much as all bad ones."),
    )
    good_weight: float = knob(
        1.0,
        _("Weight of good responses"),
        _("Multiplies their loss, on top of the balance."),
        min=0.01,
        max=100.0,
        is_advanced=True,
    )
    bad_weight: float = knob(
        1.0,
        _("Weight of bad responses"),
        _("Multiplies their loss, on top of the balance. More avoids what people dislike."),
        min=0.01,
        max=100.0,
        is_advanced=True,
    )

    def items(self, rows: sizes.Rows) -> tuple[int, float]:
        """Each response with its own prompt and with another one."""
        n_rows, tokens = super().items(rows)
        return n_rows, 2 * tokens

    @classmethod
    def presets(cls) -> Mapping[str, Self]:
        return {
            "small": cls(
                learning_rate=1e-4,
                batch_size=4,
                accumulation=2,
                max_tokens=256,
                max_rows=240,
                max_held_out_rows=80,
                checkpoint_every=10,
            ),
            "balanced": cls(),
            "thorough": cls(
                method="full",
                learning_rate=5e-7,
                max_tokens=2048,
                max_held_out_rows=2000,
                evaluate_every=100,
                checkpoint_every=200,
            ),
        }
