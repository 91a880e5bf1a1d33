"""Config base classes for runs that train: Weights, Training (by epochs), RowTraining (rows of
prompt and response).
"""

import math
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from knobs.fields import knob
from training.configs.cost import sizes
from training.configs.cost.sizes import Inputs, Shape
from training.configs.knobs import Settings
from training.configs.metrics import _

DRY_RUN_STEPS = 2
DRY_RUN_HELD_OUT = 8


@dataclass(frozen=True)
class Pass:
    """Bytes of a forward and backward pass over the longest rows."""

    activations: float
    logits: float


@dataclass(frozen=True)
class Weights(Settings):
    """LoRA or full fine-tuning, and how checkpoints are saved."""

    method: str = knob(
        "lora",
        _("Method"),
        _(
            "LoRA trains small adapters and merges them at the end, so the model is complete either"
            " way. Full trains every weight."
        ),
        choices={"lora": _("LoRA"), "full": _("Full fine-tuning")},
    )
    max_grad_norm: float = knob(
        1.0,
        _("Max gradient norm"),
        _("Longer gradients are clipped to this norm."),
        min=0.0,
        max=1000.0,
        is_advanced=True,
        is_last=True,
    )
    lora_rank: int = knob(
        16,
        _("LoRA rank"),
        _("Size of the adapters."),
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
        _("Computes activations twice to save memory: a third slower, much less memory."),
        is_advanced=True,
        is_last=True,
    )
    checkpoint_every: int = knob(
        50,
        _("Checkpoint every"),
        _("The most a killed run can lose. 0: save only when stopped."),
        unit=_("steps"),
        min=0,
        max=1_000_000,
        is_advanced=True,
        is_last=True,
    )
    keep_checkpoints: int = knob(
        2,
        _("Checkpoints to keep"),
        _("Older checkpoints are deleted."),
        min=1,
        max=100,
        is_advanced=True,
        is_last=True,
    )
    keeps_state: str = knob(
        "lora",
        _("Keep the final state"),
        _(
            "Includes the optimizer, so that you can extend the run later. With full fine-tuning it"
            " takes three times the size of the weights."
        ),
        choices={
            "lora": _("With LoRA, where it is small"),
            "always": _("Always"),
            "never": _("Never"),
        },
        is_advanced=True,
        is_last=True,
    )

    @property
    def keeps_last_state(self) -> bool:
        return self.keeps_state == "always" or (
            self.keeps_state == "lora" and self.method == "lora"
        )

    @abstractmethod
    def tokens_at_once(self, rows: sizes.Rows) -> float:
        """Tokens of one forward and backward pass, for the longest rows."""

    def n_trained(self, shape: Shape) -> int:
        if self.method == "full":
            return shape.n_parameters
        return self.lora_rank * shape.projected

    def n_frozen(self, shape: Shape, beside: Mapping[str, Shape]) -> int:
        return 0 if self.method == "full" else shape.n_parameters

    def logits(self, n_tokens: float, shape: Shape) -> float:
        """Logits computed for this many tokens."""
        return n_tokens * shape.vocabulary

    def memory(self, rows: sizes.Rows, shape: Shape, beside: Mapping[str, Shape]) -> float:
        """Loaded weights, 16 bytes per trained parameter, and one pass."""
        frozen = self.n_frozen(shape, beside) * sizes.BYTES[self.dtype]
        trained = self.n_trained(shape) * sizes.TRAINED_BYTES
        kept = self.one_pass(rows, shape)
        return frozen + trained + kept.activations + kept.logits + sizes.OVERHEAD_BYTES

    def one_pass(self, rows: sizes.Rows, shape: Shape) -> Pass:
        """What is kept for the backward pass."""
        n_tokens = self.tokens_at_once(rows)
        layers = math.sqrt(shape.n_layers) if self.saves_memory else shape.n_layers
        a_layer = shape.hidden * sizes.ACTIVATIONS_A_LAYER * sizes.BYTES[self.dtype]
        return Pass(n_tokens * layers * a_layer, self.logits(n_tokens, shape) * sizes.LOGIT_BYTES)

    def disk(self, shape: Shape) -> float:
        """The resulting model, and its checkpoints."""
        left = shape.n_parameters * sizes.BYTES[self.dtype]
        n_checkpoints = self.keep_checkpoints + 1
        return left + n_checkpoints * self.n_trained(shape) * sizes.CHECKPOINT_BYTES


@dataclass(frozen=True)
class Training(Weights):
    """Training with transformers' Trainer, by epochs of a snapshot."""

    extended_by: ClassVar[tuple[str, ...]] = ("max_steps", "n_epochs")

    n_epochs: int = knob(1, _("Epochs"), _("Number of passes over the snapshot."), min=1, max=100)
    learning_rate: float = knob(
        2e-4,
        _("Learning rate"),
        _("Peak learning rate. LoRA needs ten to thirty times as much as full fine-tuning."),
        min=1e-8,
        max=1.0,
    )
    batch_size: int = knob(
        8,
        _("Batch size"),
        _("Rows computed at once. Lower it if memory runs out, and raise gradient accumulation."),
        unit=_("rows"),
        min=1,
        max=4096,
    )
    accumulation: int = knob(
        4,
        _("Gradient accumulation steps"),
        _("Batches per weight update. The effective batch size is batch size × this."),
        min=1,
        max=4096,
    )
    max_rows: int | None = knob(
        None,
        _("Max rows"),
        _("Random sample; leave empty for all."),
        unit=_("rows"),
        min=1,
        max=100_000_000,
    )
    max_held_out_rows: int | None = knob(
        500,
        _("Held-out rows"),
        _("Measure before and after on at most this many held-out rows. Leave empty for all."),
        unit=_("rows"),
        min=1,
        max=10_000_000,
    )
    schedule: str = knob(
        "cosine",
        _("Learning-rate schedule"),
        _(
            "How the learning rate decreases. InstructGPT used a cosine that ends at a tenth of the"
            " peak."
        ),
        choices={
            "cosine": _("Cosine to 10 %"),
            "linear": _("Linear to 0"),
            "constant": _("Constant"),
        },
        is_advanced=True,
    )
    warmup: float = knob(
        0.0,
        _("Warm-up"),
        _("Share of steps over which the learning rate rises from 0 to its peak."),
        min=0.0,
        max=0.5,
        is_advanced=True,
    )
    weight_decay: float = knob(
        0.0,
        _("Weight decay"),
        _("How strongly AdamW pulls the weights towards 0."),
        min=0.0,
        max=1.0,
        is_advanced=True,
    )
    lora_dropout: float = knob(
        0.0,
        _("LoRA dropout"),
        _("Share of the adapters' input dropped during training."),
        min=0.0,
        max=0.9,
        is_advanced=True,
    )
    lora_targets: str = knob(
        "all-linear",
        _("LoRA targets"),
        _("Which layers get an adapter."),
        choices={
            "all-linear": _("All linear layers"),
            "attention": _("Attention queries and values"),
        },
        is_advanced=True,
    )
    log_every: int = knob(
        1,
        _("Log every"),
        _("Number of steps per point of the curve."),
        unit=_("steps"),
        min=1,
        max=100_000,
        is_advanced=True,
    )
    evaluate_every: int = knob(
        0,
        _("Evaluate every"),
        _("Measures on held-out rows during training. 0: only before and after."),
        unit=_("steps"),
        min=0,
        max=1_000_000,
        is_advanced=True,
    )
    max_steps: int | None = knob(
        None,
        _("Steps"),
        _("Overrides the number of epochs. Leave empty to train by epochs."),
        unit=_("steps"),
        min=1,
        max=100_000_000,
        is_advanced=True,
    )

    def for_dry_run(self) -> Self:
        n_held_out = min(self.max_held_out_rows or DRY_RUN_HELD_OUT, DRY_RUN_HELD_OUT)
        return replace(
            self,
            max_steps=DRY_RUN_STEPS,
            max_held_out_rows=n_held_out,
            evaluate_every=0,
            checkpoint_every=0,
            log_every=1,
            keeps_state="never",
        )

    @abstractmethod
    def items(self, rows: sizes.Rows) -> tuple[int, float]:
        """(items in total, tokens per item)."""

    @property
    def n_trainings(self) -> int:
        """How many trainings of equal size the run does, one after the other."""
        return 1

    def work(self, rows: sizes.Rows, inputs: Inputs) -> tuple[int, int]:
        n_items, tokens_an_item = self.items(rows)
        a_step = self.batch_size * self.accumulation
        n_steps = self.max_steps or math.ceil(n_items / a_step) * self.n_epochs
        n_seen = self.max_steps * a_step if self.max_steps else n_items * self.n_epochs
        return n_steps, round(self.n_trainings * n_seen * tokens_an_item)

    def n_trained(self, shape: Shape) -> int:
        if self.method == "full" or self.lora_targets != "attention":
            return super().n_trained(shape)
        queries_and_values = (3 * shape.hidden + shape.kv_width) * shape.n_layers
        return self.lora_rank * queries_and_values


@dataclass(frozen=True)
class RowTraining(Training):
    """Training on rows of prompt and response together."""

    max_tokens: int = knob(
        1024,
        _("Max row length"),
        _("Prompt and response together. Longer rows are truncated or dropped and reported."),
        unit=_("tokens"),
        min=16,
        max=131072,
    )

    def items(self, rows: sizes.Rows) -> tuple[int, float]:
        return min(rows.n_rows, self.max_rows or rows.n_rows), min(
            rows.prompt_tokens + rows.response_tokens, self.max_tokens
        )

    def tokens_at_once(self, rows: sizes.Rows) -> float:
        return self.batch_size * self.max_tokens
