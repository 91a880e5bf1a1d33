"""One frozen dataclass per kind of run. Form, command line and docs are made from the fields' help, unit, range and choices.

Standard library only: the web side, the supervisor and the child process all read this file.
"""

import dataclasses
import math
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


def _(text: str) -> str:
    """Marks a text for translation; the page translates it when it is shown."""
    return text


def _knob(
    default: Any,
    label: str,
    help: str,  # noqa: A002 the word that forms use
    *,
    unit: str = "",
    min: float | None = None,  # noqa: A002
    max: float | None = None,  # noqa: A002
    choices: Mapping[str, str] | None = None,
    is_advanced: bool = False,
) -> Any:
    metadata = {
        "label": label,
        "help": help,
        "unit": unit,
        "min": min,
        "max": max,
        "choices": choices,
        "is_advanced": is_advanced,
    }
    return field(default=default, metadata=metadata)


_DTYPES = {
    "auto": _("automatic: bfloat16 where the hardware computes with it, else float32"),
    "bfloat16": _("bfloat16: half the memory"),
    "float32": _("float32: exact"),
}
_HUB_HELP = _("Let the run download a model from the hub by its name. Off, nothing leaves the node and only local folders load.")


@dataclass(frozen=True)
class _Training:
    """What every run that changes weights has in common."""

    method: str = _knob(
        "lora",
        _("Method"),
        _("LoRA trains small adapters and merges them at the end: the model is whole either way. Full trains every weight."),
        choices={"lora": _("LoRA"), "full": _("full fine-tuning")},
    )
    n_epochs: int = _knob(1, _("Epochs"), _("How often the run goes through its snapshot."), min=1, max=100)
    learning_rate: float = _knob(
        2e-4,
        _("Learning rate"),
        _("Highest step size. LoRA wants ten to thirty times what full fine-tuning does."),
        min=1e-8,
        max=1.0,
    )
    batch_size: int = _knob(
        8,
        _("Batch"),
        _("Rows computed at once. Lower it when memory runs out, and raise accumulation."),
        unit=_("rows"),
        min=1,
        max=4096,
    )
    accumulation: int = _knob(
        4,
        _("Accumulation"),
        _("Batches added up before the weights move: the effective batch is batch × accumulation."),
        min=1,
        max=4096,
    )
    max_tokens: int = _knob(
        1024,
        _("Longest row"),
        _("Prompt and response together. What is longer is cut or left out, counted and said."),
        unit=_("tokens"),
        min=16,
        max=131072,
    )
    max_rows: int | None = _knob(
        None,
        _("At most"),
        _("Train on a sample of this many rows, drawn by the seed. Empty: all."),
        unit=_("rows"),
        min=1,
        max=100_000_000,
    )
    max_held_out_rows: int | None = _knob(
        500,
        _("Held-out rows"),
        _("Measure before and after on at most this many held-out rows. Empty: all."),
        unit=_("rows"),
        min=1,
        max=10_000_000,
    )
    schedule: str = _knob(
        "cosine",
        _("Schedule"),
        _("How the learning rate falls. InstructGPT's is a cosine that ends at a tenth of its peak."),
        choices={"cosine": _("cosine to 10 %"), "linear": _("linear to 0"), "constant": _("constant")},
        is_advanced=True,
    )
    warmup: float = _knob(
        0.0,
        _("Warm-up"),
        _("Share of the steps in which the learning rate rises from 0 to its peak."),
        min=0.0,
        max=0.5,
        is_advanced=True,
    )
    weight_decay: float = _knob(
        0.0, _("Weight decay"), _("AdamW's pull of the weights towards 0."), min=0.0, max=1.0, is_advanced=True
    )
    max_grad_norm: float = _knob(
        1.0, _("Gradient ceiling"), _("Longer gradients are shortened to this norm."), min=0.0, max=1000.0, is_advanced=True
    )
    lora_rank: int = _knob(16, _("LoRA rank"), _("Width of the adapters."), min=1, max=1024, is_advanced=True)
    lora_alpha: int = _knob(
        32, _("LoRA alpha"), _("Scale of the adapters; twice the rank is usual."), min=1, max=4096, is_advanced=True
    )
    lora_dropout: float = _knob(
        0.0, _("LoRA dropout"), _("Share of the adapters' input dropped while training."), min=0.0, max=0.9, is_advanced=True
    )
    lora_targets: str = _knob(
        "all-linear",
        _("LoRA targets"),
        _("Which layers get an adapter."),
        choices={"all-linear": _("every linear layer"), "attention": _("the attention's queries and values")},
        is_advanced=True,
    )
    dtype: str = _knob("auto", _("Numbers"), _("Precision of the computation."), choices=_DTYPES, is_advanced=True)
    saves_memory: bool = _knob(
        False,
        _("Gradient checkpointing"),
        _("Computes activations twice to hold fewer: a third slower, much less memory."),
        is_advanced=True,
    )
    seed: int = _knob(
        42, _("Seed"), _("Same seed, same snapshot, same machine: same run."), min=0, max=2**31 - 1, is_advanced=True
    )
    log_every: int = _knob(
        1, _("Log every"), _("One point of the curve each so many steps."), unit=_("steps"), min=1, max=100_000, is_advanced=True
    )
    evaluate_every: int = _knob(
        0,
        _("Evaluate every"),
        _("Measure on held-out rows along the way. 0: only before and after."),
        unit=_("steps"),
        min=0,
        max=1_000_000,
        is_advanced=True,
    )
    checkpoint_every: int = _knob(
        50,
        _("Checkpoint every"),
        _("What a killed run loses at most. 0: only when it is stopped."),
        unit=_("steps"),
        min=0,
        max=1_000_000,
        is_advanced=True,
    )
    keep_checkpoints: int = _knob(2, _("Keep checkpoints"), _("Older ones are removed."), min=1, max=100, is_advanced=True)
    allows_hub: bool = _knob(False, _("Allow the hub"), _HUB_HELP, is_advanced=True)

    def problems(self) -> "list[Problem]":
        """What is wrong between fields that are each right."""
        return []


@dataclass(frozen=True)
class SftConfig(_Training):
    """Supervised fine-tuning on demonstrations; the loss is on the completion alone.

    InstructGPT (Ouyang 2022, App. C): batch 32, cosine to 10 %, no warm-up, 16 epochs, learning rate 9.65e-6 for full
    fine-tuning of 1.3B and 6B.
    """

    n_epochs: int = _knob(
        2,
        _("Epochs"),
        _("How often the run goes through its snapshot. InstructGPT took 16; held-out loss is best after one, raters like more."),
        min=1,
        max=100,
    )


@dataclass(frozen=True)
class RewardConfig(_Training):
    """A reward model from whole rankings: which of two responses would a rater put first?

    InstructGPT (Ouyang 2022, App. C): one epoch and never more (a second one overfits), cosine to 10 %, 64 prompts a batch,
    learning rate 9e-6 for full fine-tuning.
    """

    n_epochs: int = _knob(
        1, _("Epochs"), _("How often the run goes through its snapshot. A second epoch overfits."), min=1, max=100
    )
    learning_rate: float = _knob(
        1e-4,
        _("Learning rate"),
        _("Highest step size. LoRA wants ten to thirty times what full fine-tuning does."),
        min=1e-8,
        max=1.0,
    )
    batch_size: int = _knob(
        8,
        _("Batch"),
        _("Prompts computed at once, each with all its responses: all pairs of a prompt are one element (Ouyang 2022, §3.5)."),
        unit=_("prompts"),
        min=1,
        max=4096,
    )
    margin: str = _knob(
        "none",
        _("Margin"),
        _("How far apart rewards must be for a strong preference (Llama 2, §3.2.2). Needs comparisons that gave their strength."),
        choices={"none": _("none"), "small": _("up to 1"), "large": _("up to 3")},
        is_advanced=True,
    )
    accumulation: int = _knob(
        8,
        _("Accumulation"),
        _("Batches added up before the weights move: the effective batch is batch × accumulation."),
        min=1,
        max=4096,
    )
    max_rows: int | None = _knob(
        None,
        _("At most"),
        _("Train on a sample of this many pairs, drawn by the seed. Empty: all."),
        unit=_("pairs"),
        min=1,
        max=100_000_000,
    )
    centering: float = _knob(
        0.0,
        _("Centering"),
        _("Weight of a penalty that keeps rewards near 0 on average. 0.01 is usual where it is wanted."),
        min=0.0,
        max=10.0,
        is_advanced=True,
    )


@dataclass(frozen=True)
class SampleConfig:
    """Responses of a model to a snapshot of prompts, for raters to compare."""

    n_responses: int = _knob(4, _("Responses"), _("How many to each prompt. Raters compare 4 to 9 of them well."), min=1, max=64)
    max_new_tokens: int = _knob(
        256, _("Longest response"), _("Where a response is cut off if it has not ended."), unit=_("tokens"), min=1, max=32768
    )
    temperature: float = _knob(
        1.0,
        _("Temperature"),
        _("How far the model strays from its likeliest word. 0: always the likeliest, one response only."),
        min=0.0,
        max=5.0,
    )
    top_p: float = _knob(0.95, _("Top-p"), _("Draw from the likeliest words that together have this share."), min=0.01, max=1.0)
    seed: int = _knob(42, _("Seed"), _("Same seed, same prompts, same machine: same responses."), min=0, max=2**31 - 1)
    batch_size: int = _knob(
        32,
        _("Batch"),
        _("Responses written at once. Lower it when memory runs out."),
        unit=_("responses"),
        min=1,
        max=4096,
        is_advanced=True,
    )
    max_prompts: int | None = _knob(
        None,
        _("At most"),
        _("Answer the first so many prompts of the snapshot that are not too long. Empty: all."),
        unit=_("prompts"),
        min=1,
        max=10_000_000,
    )
    max_prompt_tokens: int = _knob(
        1024,
        _("Longest prompt"),
        _("Longer prompts are left out, counted and said."),
        unit=_("tokens"),
        min=8,
        max=131072,
        is_advanced=True,
    )
    n_shown: int = _knob(
        8, _("Samples shown"), _("How many of the responses appear on the run's page."), min=0, max=200, is_advanced=True
    )
    dtype: str = _knob("auto", _("Numbers"), _("Precision of the computation."), choices=_DTYPES, is_advanced=True)
    allows_hub: bool = _knob(False, _("Allow the hub"), _HUB_HELP, is_advanced=True)

    def problems(self) -> "list[Problem]":
        """What is wrong between fields that are each right."""
        if self.temperature == 0 and self.n_responses > 1:
            sentence = (
                f"Temperature 0 writes the same response every time, and {self.n_responses} are wanted. "
                "Raise the temperature or ask for one response."
            )
            return [Problem("temperature", sentence)]
        if self.batch_size < self.n_responses:
            sentence = f"Batch is {self.batch_size}, and must hold the {self.n_responses} responses of one prompt at least."
            return [Problem("batch_size", sentence)]
        return []


@dataclass(frozen=True)
class PpoConfig:
    """PPO against a reward model (Ouyang 2022, App. C; Ziegler 2019). Defaults are InstructGPT's where it published one."""

    method: str = _knob(
        "lora",
        _("Method"),
        _("LoRA: the reference is the policy with its adapter off, the value model the reward model with one. Full: four."),
        choices={"lora": _("LoRA"), "full": _("full fine-tuning")},
    )
    n_episodes: int = _knob(
        10_000, _("Episodes"), _("Responses sampled and learned from, in all. InstructGPT took 256,000."), min=1, max=100_000_000
    )
    batch_size: int = _knob(
        64, _("Rollout"), _("Episodes sampled before the weights move. InstructGPT: 512."), unit=_("episodes"), min=1, max=65536
    )
    n_minibatches: int = _knob(
        1, _("Minibatches"), _("Parts a rollout is cut into, one optimizer step each. InstructGPT: 8."), min=1, max=1024
    )
    n_inner_epochs: int = _knob(
        1, _("Inner epochs"), _("How often a rollout is learned from. InstructGPT: 1."), min=1, max=32, is_advanced=True
    )
    row_tokens: int = _knob(
        2048,
        _("Tokens a row"),
        _("Sequences are packed into rows of about so many tokens; the result does not change. Lower it when memory runs out."),
        unit=_("tokens"),
        min=64,
        max=1_000_000,
        is_advanced=True,
    )
    learning_rate: float = _knob(
        2e-5, _("Learning rate"), _("Of the policy. Full fine-tuning wants about 1e-6 to 1e-5."), min=1e-9, max=1.0
    )
    value_learning_rate: float = _knob(
        5e-5, _("Value learning rate"), _("Of the value model. InstructGPT: 9e-6, full."), min=1e-9, max=1.0, is_advanced=True
    )
    warmup_steps: int = _knob(
        10,
        _("Warm-up"),
        _("Rollouts over which the learning rate rises from a tenth of its peak; then it stays."),
        unit=_("rollouts"),
        min=0,
        max=100_000,
        is_advanced=True,
    )
    max_grad_norm: float = _knob(
        1.0, _("Gradient ceiling"), _("Longer gradients are shortened to this norm."), min=0.0, max=1000.0, is_advanced=True
    )
    kl_coef: float = _knob(
        0.02,
        _("β (KL)"),
        _("Penalty a nat of drift from the SFT model. InstructGPT: 0.02; 0.05 holds tighter."),
        min=0.0,
        max=10.0,
    )
    kl_control: str = _knob(
        "fixed",
        _("β control"),
        _("Fixed, or steered so that the KL of a sequence stays near a target (Ziegler 2019)."),
        choices={"fixed": _("fixed"), "adaptive": _("steered to a target")},
        is_advanced=True,
    )
    kl_target: float = _knob(
        6.0, _("KL target"), _("For a steered β."), unit=_("nats a response"), min=0.01, max=1000.0, is_advanced=True
    )
    kl_horizon: int = _knob(
        10_000, _("KL horizon"), _("How many episodes a steered β takes to react."), min=1, max=10_000_000, is_advanced=True
    )
    kl_ceiling: float = _knob(
        0.0,
        _("KL ceiling"),
        _("Stop and keep the last good checkpoint when a rollout's KL passes it. 0: none."),
        unit=_("nats a response"),
        min=0.0,
        max=10_000.0,
    )
    gamma: float = _knob(1.0, _("γ (discount)"), _("1: no discount, as published."), min=0.0, max=1.0, is_advanced=True)
    lam: float = _knob(0.95, _("λ (GAE)"), _("1: no bias, high variance; 0: the reverse."), min=0.0, max=1.0, is_advanced=True)
    whitens_advantages: bool = _knob(
        True, _("Whiten advantages"), _("To mean 0 and variance 1 over the whole rollout."), is_advanced=True
    )
    clip_ratio: float = _knob(
        0.2, _("Ratio clip"), _("How far a token's probability may move on one rollout."), min=0.01, max=1.0, is_advanced=True
    )
    clip_value: float = _knob(
        0.2, _("Value clip"), _("How far a value may move on one rollout."), min=0.01, max=100.0, is_advanced=True
    )
    max_new_tokens: int = _knob(
        256, _("Longest response"), _("Where a response is cut off if it has not ended."), unit=_("tokens"), min=1, max=32768
    )
    max_prompt_tokens: int = _knob(
        1024, _("Longest prompt"), _("Longer prompts are left out, counted and said."), unit=_("tokens"), min=8, max=131072
    )
    temperature: float = _knob(1.0, _("Temperature"), _("Of the rollouts. InstructGPT: 1."), min=0.05, max=5.0, is_advanced=True)
    top_p: float = _knob(
        1.0,
        _("Top-p"),
        _("Of the rollouts. Below 1 they no longer come from the policy itself."),
        min=0.01,
        max=1.0,
        is_advanced=True,
    )
    missing_end: str = _knob(
        "penalty",
        _("A response that does not end"),
        _("Loses a fixed amount of reward, is left out of the learning, or counts like any other."),
        choices={"penalty": _("penalty"), "drop": _("left out"), "keep": _("counts")},
        is_advanced=True,
    )
    missing_end_penalty: float = _knob(
        1.0,
        _("Penalty for no end"),
        _("Taken off the reward of a response that does not end."),
        min=0.0,
        max=1000.0,
        is_advanced=True,
    )
    normalizes_reward: bool = _knob(False, _("Normalise rewards"), _("By their running mean and deviation."), is_advanced=True)
    reward_clip: float = _knob(
        0.0, _("Reward clip"), _("Rewards beyond ± this are cut to it. 0: none."), min=0.0, max=1000.0, is_advanced=True
    )
    ptx_coef: float = _knob(
        0.0,
        _("γ of PPO-ptx"),
        _("Weight of the language-model loss on demonstrations mixed in. InstructGPT: 27.8 on pretraining text."),
        min=0.0,
        max=1000.0,
    )
    ptx_per_episode: float = _knob(
        1.0,
        _("ptx rows an episode"),
        _("Demonstrations mixed in for each episode. InstructGPT: 8."),
        min=0.0,
        max=64.0,
        is_advanced=True,
    )
    ema_decay: float = _knob(
        0.0,
        _("EMA"),
        _("Keep a moving average of the weights, and save that. InstructGPT: 0.992. 0: none."),
        min=0.0,
        max=0.99999,
        is_advanced=True,
    )
    ended_floor: float = _knob(
        0.5,
        _("Ended, at least"),
        _("Stop when the share of responses that end falls below this part of its start. 0: only watch."),
        min=0.0,
        max=1.0,
        is_advanced=True,
    )
    watchdog_drop: float = _knob(
        0.0,
        _("Watchdog"),
        _("Stop when the watchdog's mean reward falls this far below its start. 0: only watch."),
        min=0.0,
        max=1000.0,
        is_advanced=True,
    )
    evaluate_every: int = _knob(
        0,
        _("Evaluate every"),
        _("Reward on held-out prompts along the way; the best checkpoint is kept. 0: only before and after."),
        unit=_("rollouts"),
        min=0,
        max=1_000_000,
    )
    max_held_out_prompts: int = _knob(
        64, _("Held-out prompts"), _("Measure on at most so many."), unit=_("prompts"), min=1, max=100_000, is_advanced=True
    )
    checkpoint_every: int = _knob(
        10,
        _("Checkpoint every"),
        _("What a killed run loses at most. 0: only when it is stopped."),
        unit=_("rollouts"),
        min=0,
        max=1_000_000,
        is_advanced=True,
    )
    keep_checkpoints: int = _knob(2, _("Keep checkpoints"), _("Older ones are removed."), min=1, max=100, is_advanced=True)
    lora_rank: int = _knob(16, _("LoRA rank"), _("Width of the adapters."), min=1, max=1024, is_advanced=True)
    lora_alpha: int = _knob(
        32, _("LoRA alpha"), _("Scale of the adapters; twice the rank is usual."), min=1, max=4096, is_advanced=True
    )
    dtype: str = _knob(
        "auto",
        _("Numbers"),
        _("Precision of policy, reference and value; trained weights stay float32."),
        choices=_DTYPES,
        is_advanced=True,
    )
    rollout_dtype: str = _knob(
        "auto",
        _("Numbers of the rollouts"),
        _("Precision of sampling and of the reward model."),
        choices=_DTYPES,
        is_advanced=True,
    )
    saves_memory: bool = _knob(
        False,
        _("Gradient checkpointing"),
        _("Computes activations twice to hold fewer: a third slower, much less memory."),
        is_advanced=True,
    )
    n_shown: int = _knob(
        8, _("Samples shown"), _("Responses of each evaluation that appear on the run's page."), min=0, max=200, is_advanced=True
    )
    seed: int = _knob(
        42, _("Seed"), _("Same seed, same snapshot, same machine: same run."), min=0, max=2**31 - 1, is_advanced=True
    )
    allows_hub: bool = _knob(False, _("Allow the hub"), _HUB_HELP, is_advanced=True)

    def problems(self) -> "list[Problem]":
        """What is wrong between fields that are each right."""
        if self.batch_size % self.n_minibatches:
            sentence = (
                f"{self.batch_size} episodes cannot be cut into {self.n_minibatches} equal minibatches. Change one of the two."
            )
            return [Problem("n_minibatches", sentence)]
        return []


Config = SftConfig | RewardConfig | PpoConfig | SampleConfig
KINDS: dict[str, type[SftConfig] | type[RewardConfig] | type[PpoConfig] | type[SampleConfig]] = {
    "sft": SftConfig,
    "reward": RewardConfig,
    "ppo": PpoConfig,
    "sample": SampleConfig,
}

# Minutes on two CPU cores; one GPU; the published recipe.
PRESETS: dict[str, dict[str, Config]] = {
    "sft": {
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
    },
    "reward": {
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
            method="full", learning_rate=9e-6, max_tokens=2048, max_held_out_rows=5000, evaluate_every=100, checkpoint_every=200
        ),
    },
    "ppo": {
        "small": PpoConfig(
            n_episodes=152,
            batch_size=8,
            learning_rate=1e-4,
            value_learning_rate=2e-4,
            warmup_steps=3,
            kl_coef=0.05,
            max_new_tokens=48,
            max_prompt_tokens=192,
            row_tokens=512,
            max_held_out_prompts=20,
            checkpoint_every=5,
        ),
        "balanced": PpoConfig(),
        "thorough": PpoConfig(
            method="full",
            n_episodes=256_000,
            batch_size=512,
            n_minibatches=8,
            learning_rate=9e-6,
            value_learning_rate=9e-6,
            ptx_coef=27.8,
            ptx_per_episode=8.0,
            ema_decay=0.992,
            evaluate_every=20,
            max_held_out_prompts=500,
        ),
    },
    "sample": {
        "small": SampleConfig(n_responses=4, max_new_tokens=48, batch_size=40, max_prompts=20, max_prompt_tokens=256),
        "balanced": SampleConfig(),
        "thorough": SampleConfig(n_responses=9, max_new_tokens=1024, max_prompt_tokens=4096),
    },
}


@dataclass(frozen=True)
class Knob:
    """One field of a config, as a form or a page of documentation shows it. `type` is str, int, float or bool."""

    name: str
    type: type
    default: Any
    label: str
    help: str
    unit: str
    min: float | None
    max: float | None
    choices: Mapping[str, str] | None
    is_optional: bool
    is_advanced: bool


@dataclass(frozen=True)
class Problem:
    """What is wrong with one field; `field` is empty when it concerns the whole."""

    field: str
    sentence: str

    def __str__(self) -> str:
        return self.sentence


def knobs(kind: str) -> tuple[Knob, ...]:
    """The fields of this kind's config in the order they are shown."""
    hints = typing.get_type_hints(KINDS[kind])
    found = []
    for entry in dataclasses.fields(KINDS[kind]):
        hint = hints[entry.name]
        is_optional = isinstance(hint, types.UnionType)
        plain = next(part for part in typing.get_args(hint) if part is not type(None)) if is_optional else hint
        found.append(Knob(name=entry.name, type=plain, default=entry.default, is_optional=is_optional, **entry.metadata))
    return tuple(found)


def parse(kind: str, raw: Mapping[str, Any]) -> tuple[Config | None, list[Problem]]:
    """The config that `raw` (JSON or a form's text) stands for, or every problem with it. Missing fields take the default."""
    if kind not in KINDS:
        return None, [Problem("", f"There is no kind of run called “{kind}”. Choose one of: {', '.join(KINDS)}.")]
    specs = {knob.name: knob for knob in knobs(kind)}
    problems = [Problem(name, f"“{name}” is not a setting of {kind} runs. Remove it.") for name in raw if name not in specs]
    values: dict[str, Any] = {}
    for name, spec in specs.items():
        if name not in raw:
            continue
        value, sentence = _read(spec, raw[name])
        if sentence:
            problems.append(Problem(name, sentence))
        values[name] = value
    if problems:
        return None, problems
    config = KINDS[kind](**values)
    problems = config.problems()
    return (None, problems) if problems else (config, [])


def as_json(config: Config) -> dict[str, Any]:
    """The config as `parse` reads it back."""
    return dataclasses.asdict(config)


def _read(knob: Knob, raw: Any) -> tuple[Any, str]:
    """(value, "") or (None, what is wrong)."""
    if raw is None or raw == "":
        return (None, "") if knob.is_optional else (None, f"{knob.label} is empty. The default is {_shown(knob.default)}.")
    if knob.type is bool:
        return _read_flag(knob, raw)
    if knob.type is str:
        return _read_choice(knob, raw)
    return _read_number(knob, raw)


def _read_flag(knob: Knob, raw: Any) -> tuple[Any, str]:
    flags = {True: True, False: False, "true": True, "on": True, "false": False, "off": False}
    key = raw.lower() if isinstance(raw, str) else raw
    if isinstance(key, bool | str) and key in flags:
        return flags[key], ""
    return None, f"{knob.label} is {_shown(raw)}, and must be true or false."


def _read_choice(knob: Knob, raw: Any) -> tuple[Any, str]:
    choices = knob.choices or {}
    if isinstance(raw, str) and raw in choices:
        return raw, ""
    return None, f"{knob.label} is {_shown(raw)}, and must be one of: {', '.join(choices)}."


def _read_number(knob: Knob, raw: Any) -> tuple[Any, str]:
    noun = "a whole number" if knob.type is int else "a number"
    value = _number(raw)
    if value is None or (knob.type is int and not value.is_integer()):
        return None, f"{knob.label} is {_shown(raw)}, and must be {noun}."
    if (knob.min is not None and value < knob.min) or (knob.max is not None and value > knob.max):
        unit = f" {knob.unit}" if knob.unit else ""
        return None, f"{knob.label} is {_shown(raw)}, and must lie between {_shown(knob.min)} and {_shown(knob.max)}{unit}."
    return knob.type(value), ""


def _number(raw: Any) -> float | None:
    if isinstance(raw, bool) or not isinstance(raw, int | float | str):
        return None
    try:
        value = float(raw)
    except (ValueError, OverflowError):
        return None
    return value if math.isfinite(value) else None


def _shown(value: Any) -> str:
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    text = f"“{value}”" if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else text[:57] + "…"
