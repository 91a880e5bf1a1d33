"""The fields of PPO's config, in the order of the form."""

from dataclasses import dataclass

from knobs.fields import knob, override
from training.configs.knobs import DTYPES, Responses, ServerKnobs, SpotCheckKnobs
from training.configs.metrics import _
from training.configs.weights import Weights


@dataclass(frozen=True)
class PpoKnobs(Weights, ServerKnobs, SpotCheckKnobs):
    """Defaults are InstructGPT's if published (Ouyang 2022, App. C)."""

    method: str = override(
        Weights,
        "method",
        help=_(
            "With LoRA, the reference is the policy with its adapter off and the value model is the"
            " reward model with an adapter. Full training holds four models."
        ),
    )
    n_episodes: int = knob(
        10_000,
        _("Episodes"),
        _("Total number of responses to sample and train on. InstructGPT: 256,000."),
        min=1,
        max=100_000_000,
    )
    batch_size: int = knob(
        64,
        _("Rollout"),
        _("Episodes sampled before each weight update. InstructGPT: 512."),
        unit=_("episodes"),
        min=1,
        max=65536,
    )
    n_minibatches: int = knob(
        1,
        _("Minibatches"),
        _("Number of parts a rollout is split into, one optimizer step each. InstructGPT: 8."),
        min=1,
        max=1024,
    )
    n_inner_epochs: int = knob(
        1,
        _("Inner epochs"),
        _("How often each rollout is used for training. InstructGPT: 1."),
        min=1,
        max=32,
        is_advanced=True,
    )
    row_tokens: int = knob(
        2048,
        _("Tokens per row"),
        _(
            "Sequences are packed into rows of about this many tokens. The result does not change."
            " Lower it if memory runs out."
        ),
        unit=_("tokens"),
        min=64,
        max=1_000_000,
        is_advanced=True,
    )
    learning_rate: float = knob(
        2e-5,
        _("Learning rate"),
        _(
            "For the policy. Full fine-tuning needs about 1e-6 to 1e-5; without ptx, InstructGPT’s"
            " runs above 8e-6 diverged."
        ),
        min=1e-9,
        max=1.0,
    )
    value_learning_rate: float = knob(
        5e-5,
        _("Value learning rate"),
        _("For the value model. InstructGPT: 9e-6, full fine-tuning."),
        min=1e-9,
        max=1.0,
        is_advanced=True,
    )
    warmup_steps: int = knob(
        10,
        _("Warm-up"),
        _(
            "Rollouts over which the learning rate rises from a tenth of its peak. After that it"
            " stays constant."
        ),
        unit=_("rollouts"),
        min=0,
        max=100_000,
        is_advanced=True,
    )
    kl_coef: float = override(
        Responses,
        "kl_coef",
        help=_(
            "Penalty per nat of drift from the reference model. InstructGPT: 0.02; 0.05 allows less"
            " drift."
        ),
    )
    kl_control: str = knob(
        "fixed",
        _("β control"),
        _("Fixed, or adapted to keep the KL of a sequence near a target (Ziegler 2019)."),
        choices={"fixed": _("Fixed value"), "adaptive": _("Adaptive")},
        is_advanced=True,
    )
    kl_target: float = knob(
        6.0,
        _("KL target"),
        _("For adaptive β."),
        unit=_("nats per response"),
        min=0.01,
        max=1000.0,
        is_advanced=True,
    )
    kl_horizon: int = knob(
        10_000,
        _("KL horizon"),
        _("How many episodes adaptive β takes to react."),
        min=1,
        max=10_000_000,
        is_advanced=True,
    )
    kl_ceiling: float = knob(
        0.0,
        _("KL limit"),
        _(
            "Stops and keeps the last good checkpoint when a rollout's KL goes above this. 0: no"
            " limit."
        ),
        unit=_("nats per response"),
        min=0.0,
        max=10_000.0,
    )
    gamma: float = knob(
        1.0,
        _("γ (discount)"),
        _("1: no discount, as published."),
        min=0.0,
        max=1.0,
        is_advanced=True,
    )
    lam: float = knob(
        0.95,
        _("λ (GAE)"),
        _("1: no bias, high variance; 0: the reverse."),
        min=0.0,
        max=1.0,
        is_advanced=True,
    )
    whitens_advantages: bool = knob(
        True,
        _("Whiten advantages"),
        _("Scales advantages to mean 0 and variance 1 over the whole rollout."),
        is_advanced=True,
    )
    clip_ratio: float = knob(
        0.2,
        _("Ratio clip"),
        _("How far a token's probability may move in one rollout."),
        min=0.01,
        max=1.0,
        is_advanced=True,
    )
    clip_value: float = knob(
        0.2,
        _("Value clip"),
        _("How far a value may move in one rollout."),
        min=0.01,
        max=100.0,
        is_advanced=True,
    )
    max_new_tokens: int = override(Responses, "max_new_tokens")
    max_prompt_tokens: int = override(Responses, "max_prompt_tokens")
    temperature: float = override(
        Responses,
        "temperature",
        help=_("For the rollouts. InstructGPT: 1."),
        min=0.05,
        is_advanced=True,
    )
    top_p: float = override(
        Responses,
        "top_p",
        help=_("For the rollouts. Below 1 they no longer come from the policy itself."),
    )
    missing_end: str = knob(
        "penalty",
        _("Unfinished responses"),
        _("They lose a fixed amount of reward, are left out of training, or count like any other."),
        choices={"penalty": _("Penalty"), "drop": _("Left out"), "keep": _("active")},
        is_advanced=True,
    )
    missing_end_penalty: float = override(Responses, "missing_end_penalty")
    normalizes_reward: bool = knob(
        False,
        _("Normalise rewards"),
        _("Scales rewards by their running mean and standard deviation."),
        is_advanced=True,
    )
    reward_clip: float = knob(
        0.0,
        _("Reward clip"),
        _("Rewards are clipped to ± this value. 0: no limit."),
        min=0.0,
        max=1000.0,
        is_advanced=True,
    )
    ptx_coef: float = knob(
        0.0,
        _("γ of PPO-ptx"),
        _(
            "Weight of the language-model loss on the text or the demonstrations mixed in."
            " InstructGPT: 27.8, on pretraining text."
        ),
        min=0.0,
        max=1000.0,
    )
    ptx_per_episode: float = knob(
        1.0,
        _("ptx rows per episode"),
        _("Demonstrations, or blocks of text, mixed in per episode. InstructGPT: 8."),
        min=0.0,
        max=64.0,
        is_advanced=True,
    )
    ema_decay: float = knob(
        0.0,
        _("EMA"),
        _(
            "Keeps a moving average of the weights and saves it. InstructGPT: 0.992. 0 turns it"
            " off."
        ),
        min=0.0,
        max=0.99999,
        is_advanced=True,
    )
    ended_floor: float = knob(
        0.5,
        _("Minimum share finished"),
        _(
            "Warns when the share of finished responses falls below this fraction of its starting"
            " value. 0: only watch."
        ),
        min=0.0,
        max=1.0,
        is_advanced=True,
    )
    watchdog_drop: float = knob(
        0.0,
        _("Watchdog"),
        _(
            "Stops when the watchdog's mean reward over several rollouts falls this far below its"
            " starting value, by more than chance. 0: only watch."
        ),
        min=0.0,
        max=1000.0,
        is_advanced=True,
    )
    stops_at_warnings: bool = knob(
        False,
        _("Stop at warnings"),
        _(
            "Honest runs show many of these signs too, so they warn on the run's page and do not"
            " stop it. Spot checks by raters find the step to keep."
        ),
        is_advanced=True,
    )
    evaluate_every: int = knob(
        20,
        _("Evaluate every"),
        _(
            "Measures reward on held-out prompts during training and keeps the best checkpoint. 0:"
            " only before and after."
        ),
        unit=_("rollouts"),
        min=0,
        max=1_000_000,
    )
    max_held_out_prompts: int = knob(
        64,
        _("Held-out prompts"),
        _("Evaluate on at most this many."),
        unit=_("prompts"),
        min=1,
        max=100_000,
        is_advanced=True,
    )
    checkpoint_every: int = override(Weights, "checkpoint_every", default=10, unit=_("rollouts"))
    dtype: str = override(
        Weights,
        "dtype",
        help=_("Precision of policy, reference and value model. Trained weights stay float32."),
    )
    rollout_dtype: str = knob(
        "auto",
        _("Rollout precision"),
        _("Precision of sampling and of the reward model."),
        choices=DTYPES,
        is_advanced=True,
    )
    n_shown: int = override(
        Responses, "n_shown", help=_("Responses per evaluation shown on the run's page.")
    )
