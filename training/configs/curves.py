"""Charts that several kinds of run share. Each kind lists its own, most important first."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from training.configs.metrics import _

LEARNING, DATA, SYSTEM = "learning", "data", "system"
GROUPS = {LEARNING: _("Learning"), DATA: _("Data"), SYSTEM: _("System")}
"""Groups of charts, in order. System is closed until somebody opens it."""


@dataclass(frozen=True)
class Chart:
    """Metrics drawn in one chart. `curves`: metric → name of its curve.

    `title` starts the sentence above the chart, so it is in the singular: “Loss falls from 2 to 1”.
    `is_share`: the values lie between 0 and 1 and are read as percentages.
    """

    title: str
    unit: str
    curves: Mapping[str, str]
    from_zero: bool = False
    group: str = LEARNING
    is_share: bool = False


@dataclass(frozen=True)
class Scatter:
    """One metric against another, one point per step. `title` starts the sentence, as in Chart."""

    title: str
    x: str
    x_unit: str
    y: str
    y_unit: str
    words: str
    beside: Mapping[str, str] = field(default_factory=dict)
    """further metrics in the unit of y: metric → name of its dots"""


LOSS = Chart(_("Loss"), _("nats"), {"loss": _("training"), "held_out_loss": _("held out")})
PAIR_LOSS = Chart(
    _("Loss over pairs"), _("nats"), {"loss": _("training"), "held_out_loss": _("held out")}
)
POLICY_LOSS = Chart(_("Policy loss"), "", {"loss": _("training")})
ACCURACY = Chart(
    _("Accuracy"),
    _("share"),
    {"accuracy": _("training"), "held_out_accuracy": _("held out")},
    is_share=True,
)
MARGIN = Chart(
    _("Margin"), _("reward"), {"margin": _("training"), "held_out_margin": _("held out")}
)
REWARD = Chart(
    _("Reward"),
    _("per response"),
    {
        "reward": _("rollouts"),
        "best_reward": _("best per prompt"),
        "watchdog": _("Watchdog"),
        "held_out_reward": _("held out"),
    },
)
KL = Chart(
    _("KL to the reference model"),
    _("nats per response"),
    {"kl": _("KL"), "held_out_kl": _("held out")},
    from_zero=True,
)
RESPONSES = Chart(
    _("Response length"),
    _("tokens"),
    {
        "mean_tokens": _("mean length"),
        "response_tokens": _("mean length"),
        "thinking_tokens": _("thinking"),
    },
    from_zero=True,
    group=DATA,
)
ENDED = Chart(
    _("Share of responses that finish naturally"),
    "",
    {"share_ended": _("ended"), "ended": _("ended")},
    group=DATA,
    is_share=True,
)
TOKEN_ACCURACY = Chart(
    _("Token accuracy"), _("share"), {"mean_token_accuracy": _("training")}, is_share=True
)
LENGTH_CORRELATION = Chart(
    _("Correlation of reward with length"),
    "",
    {"reward_length_correlation": _("held out")},
    group=DATA,
)
ENTROPY = Chart(_("Entropy"), _("nats per token"), {"entropy": _("entropy")})
IMPORTANCE = (
    Chart(
        _("Mean weight of what the server wrote"),
        "",
        {"importance_ratio": _("weight")},
        group=SYSTEM,
    ),
    Chart(
        _("Share of what the server wrote at the largest weight"),
        "",
        {"importance_capped": _("rollouts")},
        from_zero=True,
        group=SYSTEM,
        is_share=True,
    ),
)
"""Only of runs whose responses a server wrote."""
LEARNING_RATE = Chart(
    _("Learning rate"),
    "",
    {"learning_rate": _("learning rate"), "lr": _("learning rate")},
    from_zero=True,
    group=SYSTEM,
)
GRADIENT = Chart(_("Gradient norm"), "", {"grad_norm": _("norm")}, from_zero=True, group=SYSTEM)
SPEED = Chart(
    _("Speed"),
    _("tokens per second"),
    {"tokens_per_s": _("speed")},
    from_zero=True,
    group=SYSTEM,
)
GPU_MEMORY = Chart(
    _("GPU memory"), _("peak GB"), {"gpu_memory_gb": _("Memory")}, from_zero=True, group=SYSTEM
)
PACE = Chart(_("Time per step"), _("seconds"), {"seconds": _("time")}, from_zero=True, group=SYSTEM)

OPTIMIZER = (LEARNING_RATE, GRADIENT, SPEED, GPU_MEMORY, PACE)
"""For every kind that uses transformers' Trainer."""
ACCURACY_INTERVAL = ("held_out_accuracy_low", "held_out_accuracy_high")
