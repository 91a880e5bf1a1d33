"""What a run will cost, told before it starts: parameters, tokens, steps, memory of a GPU, disk.
Pure, standard library only.

The formulas are rules of thumb: each kind's config has its own. docs/researchers.md says how far
off they were. Time is not among them: it is measured on past runs, as seconds for a token and a
parameter (see training.runs.costs).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from training.configs.knobs import Settings
from training.configs.roles import NONE
from training.configs.sizes import GIB, Inputs, Rows, Shape

CHARACTERS_A_TOKEN = 4
"""of English, in the vocabularies of today's models"""


@dataclass(frozen=True)
class Cost:
    """`n_parameters` is None where nobody has seen the model's config yet, and then so is all that
    follows from it.
    """

    n_steps: int
    n_tokens: int
    n_parameters: int | None = None
    n_trained: int | None = None
    memory_gb: float | None = None
    disk_gb: float | None = None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def shape_of(config: Mapping[str, Any]) -> Shape | None:
    """From config.json; None for an architecture whose names are not these. Exact for Llama and its
    kin.
    """
    config = config.get("text_config", config)
    hidden = config.get("hidden_size") or config.get("n_embd")
    n_layers = config.get("num_hidden_layers") or config.get("n_layer")
    vocabulary = config.get("vocab_size")
    if not (hidden and n_layers and vocabulary):
        return None
    n_heads = config.get("num_attention_heads") or config.get("n_head") or 1
    head = config.get("head_dim") or hidden // n_heads
    kv_width = head * (config.get("num_key_value_heads") or n_heads)
    inner = config.get("intermediate_size") or config.get("n_inner") or 4 * hidden
    n_mlp = 2 if "n_embd" in config else 3  # GPT-2's has no gate
    attention = 2 * hidden * head * n_heads + 2 * hidden * kv_width
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
    )


def cost(
    config: Settings,
    rows: Rows,
    inputs: Inputs,
    shape: Shape | None,
    beside: Mapping[str, Shape] = NONE,
) -> Cost:
    """Of one run. `shape` is its model's, None where nobody knows it; `beside` has those of the
    models beside it, by role.
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
