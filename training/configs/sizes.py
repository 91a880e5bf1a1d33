"""What the cost of a run is computed from: the sizes of its model and its snapshot, and what else
it is given. Rules of thumb for bytes, each with its source.
"""

from dataclasses import asdict, dataclass

GIB = 1024**3
BYTES = {"float32": 4, "bfloat16": 2, "auto": 2}
# Weight and gradient in float32 and AdamW's two numbers (Rajbhandari 2020, §3.1, with float32
# master weights).
TRAINED_BYTES = 16
# A checkpoint: the weight in float32, and AdamW's two numbers.
CHECKPOINT_BYTES = 12
# What a layer keeps of a token for the backward pass, in numbers of the model's width (Korthikanti
# 2022, eq. 2, 34 bytes at 2 each).
ACTIVATIONS_A_LAYER = 17
# Logits and their gradient, in float32.
LOGIT_BYTES = 8
# CUDA's context, the allocator's rounding, and what libraries hold.
OVERHEAD_BYTES = 1.0 * GIB


@dataclass(frozen=True)
class Shape:
    """What a model's config.json says about its size. `kv_width` is of keys or values of one token
    in one layer.
    """

    n_parameters: int
    hidden: int
    n_layers: int
    vocabulary: int
    kv_width: int
    projected: int
    """inputs and outputs of all linear layers but the head, added up: a LoRA of rank r trains r
    times as many numbers
    """

    def as_json(self) -> dict[str, int]:
        return asdict(self)


@dataclass(frozen=True)
class Rows:
    """The size of a snapshot. Counts are of the train split unless they say otherwise; `n_prompts`
    counts different prompts, `n_pairs` decided pairs.
    """

    n_rows: int
    n_prompts: int
    n_pairs: int
    n_held_out: int
    """validation, or test where there is no validation"""
    prompt_tokens: float
    response_tokens: float
    n_responses: float = 1.0
    """responses in a row"""
    n_test: int = 0
    n_total_rows: int = 0
    """rows of every split"""

    def n_in(self, split: str) -> int:
        """Rows of `split`: train, test, held_out or all."""
        counts = {"train": self.n_rows, "test": self.n_test, "all": self.n_total_rows}
        return counts.get(split, self.n_held_out)

    def written(self, *, max_prompt_tokens: int, max_new_tokens: int) -> float:
        """Tokens of a prompt and of the longest response to it."""
        return min(self.prompt_tokens, max_prompt_tokens) + max_new_tokens


@dataclass(frozen=True)
class Inputs:
    """What a run is given: the kinds of its snapshot and its model, and the roles of the models
    beside it.
    """

    snapshot: str = ""
    model: str = "policy"
    beside: frozenset[str] = frozenset()
