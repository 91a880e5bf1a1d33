"""What runs that change weights have in common, and what those have that go through rows of a
snapshot.
"""

from dataclasses import dataclass, replace
from typing import Self

from training.configs.knobs import Settings, _, knob

REHEARSED_STEPS = 2
REHEARSED_HELD_OUT = 8


@dataclass(frozen=True)
class Weights(Settings):
    """Adapters or all weights, and how the state is saved on the way."""

    method: str = knob(
        "lora",
        _("Method"),
        _(
            "LoRA trains small adapters and merges them at the end: the model is whole either way."
            " Full trains every weight."
        ),
        choices={"lora": _("LoRA"), "full": _("full fine-tuning")},
    )
    max_grad_norm: float = knob(
        1.0,
        _("Gradient ceiling"),
        _("Longer gradients are shortened to this norm."),
        min=0.0,
        max=1000.0,
        is_advanced=True,
        is_last=True,
    )
    lora_rank: int = knob(
        16,
        _("LoRA rank"),
        _("Width of the adapters."),
        min=1,
        max=1024,
        is_advanced=True,
        is_last=True,
    )
    lora_alpha: int = knob(
        32,
        _("LoRA alpha"),
        _("Scale of the adapters; twice the rank is usual."),
        min=1,
        max=4096,
        is_advanced=True,
        is_last=True,
    )
    saves_memory: bool = knob(
        False,
        _("Gradient checkpointing"),
        _("Computes activations twice to hold fewer: a third slower, much less memory."),
        is_advanced=True,
        is_last=True,
    )
    checkpoint_every: int = knob(
        50,
        _("Checkpoint every"),
        _("What a killed run loses at most. 0: only when it is stopped."),
        unit=_("steps"),
        min=0,
        max=1_000_000,
        is_advanced=True,
        is_last=True,
    )
    keep_checkpoints: int = knob(
        2,
        _("Keep checkpoints"),
        _("Older ones are removed."),
        min=1,
        max=100,
        is_advanced=True,
        is_last=True,
    )
    keeps_state: str = knob(
        "lora",
        _("Keep the last state"),
        _(
            "Optimizer and all, so that the run can be extended later. With full fine-tuning it"
            " takes three times the weights."
        ),
        choices={
            "lora": _("with LoRA, where it is small"),
            "always": _("always"),
            "never": _("never"),
        },
        is_advanced=True,
        is_last=True,
    )

    @property
    def keeps_last_state(self) -> bool:
        return self.keeps_state == "always" or (
            self.keeps_state == "lora" and self.method == "lora"
        )


@dataclass(frozen=True)
class Training(Weights):
    """Through transformers' Trainer: epochs of a snapshot."""

    n_epochs: int = knob(
        1, _("Epochs"), _("How often the run goes through its snapshot."), min=1, max=100
    )
    learning_rate: float = knob(
        2e-4,
        _("Learning rate"),
        _("Highest step size. LoRA wants ten to thirty times what full fine-tuning does."),
        min=1e-8,
        max=1.0,
    )
    batch_size: int = knob(
        8,
        _("Batch"),
        _("Rows computed at once. Lower it when memory runs out, and raise accumulation."),
        unit=_("rows"),
        min=1,
        max=4096,
    )
    accumulation: int = knob(
        4,
        _("Accumulation"),
        _("Batches added up before the weights move: the effective batch is batch × accumulation."),
        min=1,
        max=4096,
    )
    max_rows: int | None = knob(
        None,
        _("At most"),
        _("Train on a sample of this many rows, drawn by the seed. Empty: all."),
        unit=_("rows"),
        min=1,
        max=100_000_000,
    )
    max_held_out_rows: int | None = knob(
        500,
        _("Held-out rows"),
        _("Measure before and after on at most this many held-out rows. Empty: all."),
        unit=_("rows"),
        min=1,
        max=10_000_000,
    )
    schedule: str = knob(
        "cosine",
        _("Schedule"),
        _(
            "How the learning rate falls. InstructGPT's is a cosine that ends at a tenth of its"
            " peak."
        ),
        choices={
            "cosine": _("cosine to 10 %"),
            "linear": _("linear to 0"),
            "constant": _("constant"),
        },
        is_advanced=True,
    )
    warmup: float = knob(
        0.0,
        _("Warm-up"),
        _("Share of the steps in which the learning rate rises from 0 to its peak."),
        min=0.0,
        max=0.5,
        is_advanced=True,
    )
    weight_decay: float = knob(
        0.0,
        _("Weight decay"),
        _("AdamW's pull of the weights towards 0."),
        min=0.0,
        max=1.0,
        is_advanced=True,
    )
    lora_dropout: float = knob(
        0.0,
        _("LoRA dropout"),
        _("Share of the adapters' input dropped while training."),
        min=0.0,
        max=0.9,
        is_advanced=True,
    )
    lora_targets: str = knob(
        "all-linear",
        _("LoRA targets"),
        _("Which layers get an adapter."),
        choices={
            "all-linear": _("every linear layer"),
            "attention": _("the attention's queries and values"),
        },
        is_advanced=True,
    )
    log_every: int = knob(
        1,
        _("Log every"),
        _("One point of the curve each so many steps."),
        unit=_("steps"),
        min=1,
        max=100_000,
        is_advanced=True,
    )
    evaluate_every: int = knob(
        0,
        _("Evaluate every"),
        _("Measure on held-out rows along the way. 0: only before and after."),
        unit=_("steps"),
        min=0,
        max=1_000_000,
        is_advanced=True,
    )
    max_steps: int | None = knob(
        None,
        _("Steps"),
        _("So many, whatever the epochs would come to. Empty: by epochs."),
        unit=_("steps"),
        min=1,
        max=100_000_000,
        is_advanced=True,
    )

    def rehearsed(self) -> Self:
        n_held_out = min(self.max_held_out_rows or REHEARSED_HELD_OUT, REHEARSED_HELD_OUT)
        return replace(
            self,
            max_steps=REHEARSED_STEPS,
            max_held_out_rows=n_held_out,
            evaluate_every=0,
            checkpoint_every=0,
            log_every=1,
            keeps_state="never",
        )


@dataclass(frozen=True)
class Rows(Training):
    """Of which each row is prompt and response together."""

    max_tokens: int = knob(
        1024,
        _("Longest row"),
        _("Prompt and response together. What is longer is cut or left out, counted and said."),
        unit=_("tokens"),
        min=16,
        max=131072,
    )
