"""Cost of a run, estimated before it starts: parameters, tokens, steps, GPU memory and disk.
Standard library only.

The formulas are rules of thumb, and each kind's config has its own; docs/researchers.md says how
far off they were. Time is not estimated here but measured on past runs (see
training.runs.estimates.costs).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from training.configs.cost.sizes import GIB, Inputs, Rows, Shape
from training.configs.knobs import Settings
from training.configs.roles import NONE

CHARACTERS_A_TOKEN = 4
"""For English text and the vocabularies of current models."""
LARGEST_SIZE = 10**9
"""No model's config has a larger number of anything."""


@dataclass(frozen=True)
class Cost:
    """`n_parameters` and everything derived from it are None if the model's config is unknown."""

    n_steps: int
    n_tokens: int
    n_parameters: int | None = None
    n_trained: int | None = None
    memory_gb: float | None = None
    disk_gb: float | None = None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def shape_of(config: Mapping[str, Any]) -> Shape | None:
    """From a model's config.json. None if the architecture uses other names. Exact for Llama,
    Mistral, Qwen 2 and Qwen 3, and within a thousandth for similar models; a mixture of experts
    has many times more weights (see `is_mixture`).
    """
    config = text if isinstance(text := config.get("text_config"), Mapping) else config
    hidden = _size(config, "hidden_size", "n_embd")
    n_layers = _size(config, "num_hidden_layers", "n_layer")
    vocabulary = _size(config, "vocab_size")
    if not (hidden and n_layers and vocabulary):
        return None
    n_heads = _size(config, "num_attention_heads", "n_head") or 1
    head = _size(config, "head_dim") or hidden // n_heads
    n_kv_heads = _size(config, "num_key_value_heads") or n_heads
    kv_width = head * n_kv_heads
    inner = _size(config, "intermediate_size", "n_inner") or 4 * hidden
    n_mlp = 2 if "n_embd" in config else 3  # GPT-2's has no gate
    attention = 2 * hidden * head * n_heads + 2 * hidden * kv_width
    attention += _beside_products(config, queries=head * n_heads, keys=kv_width, head=head)
    a_layer = attention + n_mlp * hidden * inner + 2 * hidden
    n_heads_of_words = 1 if config.get("tie_word_embeddings", True) else 2
    projected = 2 * (hidden + head * n_heads) + 2 * (hidden + kv_width) + n_mlp * (hidden + inner)
    return Shape(
        n_parameters=n_layers * a_layer + n_heads_of_words * vocabulary * hidden + hidden,
        hidden=hidden,
        n_layers=n_layers,
        vocabulary=vocabulary,
        kv_width=kv_width,
        projected=n_layers * projected,
        n_heads=n_heads,
        n_kv_heads=n_kv_heads,
        inner=inner,
    )


def is_mixture(config: Mapping[str, Any]) -> bool:
    """Whether each token takes only some of the weights."""
    config = text if isinstance(text := config.get("text_config"), Mapping) else config
    return _size(config, "num_experts", "num_local_experts", "n_routed_experts") > 1


def _beside_products(config: Mapping[str, Any], *, queries: int, keys: int, head: int) -> int:
    """Weights of a layer's attention besides its products: biases, and norms of each head."""
    family, hidden = config.get("model_type"), _size(config, "hidden_size")
    biases = queries + 2 * keys
    if family == "qwen2":
        return biases
    norms = 2 * head if family == "qwen3" else 0
    return norms + (biases + hidden if config.get("attention_bias") is True else 0)


def _size(config: Mapping[str, Any], *names: str) -> int:
    """The first of these that is a size, or 0: the file may be of somebody else."""
    values = (config.get(name) for name in names)
    return next((n for n in values if isinstance(n, int) and 0 < n < LARGEST_SIZE), 0)


def cost(
    config: Settings,
    rows: Rows,
    inputs: Inputs,
    shape: Shape | None,
    beside: Mapping[str, Shape] = NONE,
) -> Cost:
    """`shape` is the base model's, None if unknown. `beside` holds the shapes of the other models,
    by role.
    """
    n_steps, n_tokens = config.work(rows, inputs)
    if shape is None:
        return Cost(n_steps, n_tokens)
    return Cost(
        n_steps=n_steps,
        n_tokens=n_tokens,
        n_parameters=shape.n_parameters,
        n_trained=config.n_trained(shape),
        memory_gb=round(config.memory(rows, shape, beside) / GIB, 1),
        disk_gb=round(config.disk(shape) / GIB, 2),
    )
