"""Settings of pretraining."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

from knobs.fields import Problem, knob, override
from training.configs import curves, metrics
from training.configs.cost import sizes
from training.configs.curves import Chart
from training.configs.metrics import Best, Measure, _
from training.configs.weights import RowTraining


@dataclass(frozen=True)
class PretrainConfig(RowTraining):
    """Next-token training on text, from a model's weights or from random weights in the same
    architecture.

    Documents are concatenated with an end token in between and split into rows of equal length, so
    that there is no padding (GPT-3, Brown 2020, App. B, which also used warm-up and cosine).
    """

    kind: ClassVar[str] = "pretrain"
    label: ClassVar[str] = _("pretraining")
    menu: ClassVar[str] = _("Pretrain on text")
    snapshots: ClassVar[tuple[str, ...]] = ("text", "demonstrations")
    """from demonstrations it takes the whole conversation, formatted by the chat template"""
    is_parallel: ClassVar[bool] = True
    headlines: ClassVar[tuple[str, ...]] = (
        "held_out_loss",
        "perplexity",
    )
    measures: ClassVar[tuple[Measure, ...]] = (
        metrics.HELD_OUT_LOSS,
        metrics.HELD_OUT_SPLIT,
        metrics.N_HELD_OUT,
        metrics.N_TRAIN,
        metrics.PERPLEXITY,
        Measure("n_documents", _("Documents")),
        metrics.N_TOKENS,
        Measure("n_parameters", _("Parameters")),
        *metrics.MACHINE,
    )
    best: ClassVar[Best | None] = Best("held_out_loss_after", is_more_better=False)
    charts: ClassVar[tuple[Chart, ...]] = (
        curves.LOSS,
        curves.TOKEN_ACCURACY,
        curves.ENTROPY,
        *curves.OPTIMIZER,
    )

    start: str = knob(
        "base",
        _("Weights"),
        _("The weights of the selected model, or random weights in the same architecture."),
        choices={
            "base": _("The model's weights"),
            "scratch": _("Random weights, same architecture"),
        },
    )
    tokenizer: str = knob(
        "model",
        _("Tokenizer"),
        _(
            "The model's tokenizer, or a new one that learns its vocabulary from this text. A new"
            " one works only with random weights."
        ),
        choices={"model": _("The model's"), "own": _("New, from this text")},
    )
    vocabulary: int = knob(
        16384,
        _("Vocabulary"),
        _("Maximum number of tokens in a new tokenizer."),
        unit=_("tokens"),
        min=300,
        max=1_000_000,
        is_advanced=True,
    )
    method: str = override(
        RowTraining,
        "method",
        default="full",
        help=_(
            "Full trains every weight. LoRA trains small adapters and merges them at the end; it"
            " needs trained weights to start from."
        ),
    )
    learning_rate: float = override(
        RowTraining,
        "learning_rate",
        default=3e-4,
        help=_(
            "Peak learning rate. From scratch 3e-4 to 1e-3; to continue a trained model, a tenth of"
            " that."
        ),
    )
    max_tokens: int = override(
        RowTraining,
        "max_tokens",
        label=_("Row length"),
        help=_("Length of every row. The rest of the last row is dropped."),
    )
    warmup: float = override(RowTraining, "warmup", default=0.02)
    weight_decay: float = override(RowTraining, "weight_decay", default=0.1)

    def problems(self) -> list[Problem]:
        wrong = []
        if self.start == "scratch" and self.method == "lora":
            text = _("LoRA can't train random weights. Choose full fine-tuning.")
            wrong.append(Problem("method", text))
        if self.start == "base" and self.tokenizer == "own":
            text = _(
                "The base model's weights only work with its own tokenizer. Start from random"
                " weights or keep the tokenizer."
            )
            wrong.append(Problem("tokenizer", text))
        return wrong

    @property
    def keeps_weights(self) -> bool:
        return self.start == "base"

    def items(self, rows: sizes.Rows) -> tuple[int, float]:
        """Rows of equal length, split from concatenated documents."""
        n_tokens = rows.n_rows * (rows.prompt_tokens + rows.response_tokens)
        n_blocks = int(n_tokens // self.max_tokens)
        return max(1, min(n_blocks, self.max_rows or n_blocks)), self.max_tokens

    @classmethod
    def presets(cls) -> Mapping[str, Self]:
        return {
            "small": cls(
                method="lora",
                learning_rate=2e-4,
                batch_size=4,
                accumulation=2,
                max_tokens=256,
                max_rows=150,
                max_held_out_rows=40,
                checkpoint_every=10,
            ),
            "balanced": cls(learning_rate=3e-5),
            "thorough": cls(
                start="scratch",
                tokenizer="own",
                learning_rate=6e-4,
                batch_size=32,
                accumulation=8,
                max_tokens=2048,
                max_held_out_rows=2000,
                evaluate_every=500,
                checkpoint_every=500,
            ),
        }
