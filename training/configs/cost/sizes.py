"""Sizes from which a run's cost is computed: model, snapshot and other inputs; and rules of thumb
for bytes, with sources.
"""

from dataclasses import asdict, dataclass

GIB = 1024**3
BYTES = {"float32": 4, "bfloat16": 2, "auto": 2}
# Per trained parameter: weight, gradient and AdamW's two moments in float32 (Rajbhandari 2020,
# §3.1, with float32 master weights).
TRAINED_BYTES = 16
# Per trained parameter in a checkpoint: the weight and AdamW's two moments in float32.
CHECKPOINT_BYTES = 12
# Activations kept per token and layer for the backward pass, as multiples of the hidden size
# (Korthikanti 2022, eq. 2: 34 bytes at 2 bytes each).
ACTIVATIONS_A_LAYER = 17
# Logits and their gradient, in float32.
LOGIT_BYTES = 8
# The CUDA context, allocator rounding, and library buffers.
OVERHEAD_BYTES = 1.0 * GIB


@dataclass(frozen=True)
class Shape:
    """A model's size from its config.json. `kv_width` is the size of the keys or values of one
    token in one layer.
    """

    n_parameters: int
    hidden: int
    n_layers: int
    vocabulary: int
    kv_width: int
    projected: int
    """sum of inputs and outputs of all linear layers except the head: LoRA of rank r trains r times
    as many parameters
    """
    n_heads: int = 0
    """0: of a run that an earlier release measured, as the two below"""
    n_kv_heads: int = 0
    inner: int = 0
    """width between the two halves of a layer's MLP"""

    def as_json(self) -> dict[str, int]:
        return asdict(self)


@dataclass(frozen=True)
class Rows:
    """The size of a snapshot. Counts are for the train split unless stated otherwise; `n_prompts`
    counts distinct prompts, `n_pairs` decided pairs.
    """

    n_rows: int
    n_prompts: int
    n_pairs: int
    n_held_out: int
    """validation, or test if there is no validation"""
    prompt_tokens: float
    response_tokens: float
    n_responses: float = 1.0
    """responses per row"""
    n_test: int = 0
    n_total_rows: int = 0
    """rows of every split"""

    def n_in(self, split: str) -> int:
        """Rows of `split`: train, test, held_out or all."""
        counts = {"train": self.n_rows, "test": self.n_test, "all": self.n_total_rows}
        return counts.get(split, self.n_held_out)

    def written(self, *, max_prompt_tokens: int, max_new_tokens: int) -> float:
        """Tokens of a prompt and a response of maximum length."""
        return min(self.prompt_tokens, max_prompt_tokens) + max_new_tokens


@dataclass(frozen=True)
class SuiteSize:
    """A suite of a benchmark run."""

    kind: str
    n_items: int


@dataclass(frozen=True)
class Inputs:
    """What a run is given: the kinds of snapshot and base model, and the roles of the
    other models.
    """

    snapshot: str = ""
    model: str = "policy"
    beside: frozenset[str] = frozenset()
    suites: tuple[SuiteSize, ...] = ()
    """of a snapshot of suites"""
    is_endpoint: bool = False
    """whether the base model is behind an API"""
