"""What a run will cost, told before it starts: parameters, tokens, steps, memory of a GPU, disk.
Pure, standard library only.

The formulas are rules of thumb, each with its source; docs/researchers.md says how far off they
were. Time is not among them: it is measured on past runs, as seconds for a token and a parameter
(see training.selectors.costs).
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from training.configs import (
    DpoConfig,
    EvaluateConfig,
    PpoConfig,
    PretrainConfig,
    RewardConfig,
    RlooConfig,
    SampleConfig,
    Settings,
    SftConfig,
    Training,
    Weights,
)

GIB = 1024**3
CHARACTERS_A_TOKEN = 4
"""of English, in the vocabularies of today's models"""
BYTES = {"float32": 4, "bfloat16": 2, "auto": 2}
# Weight and gradient in float32 and AdamW's two numbers (Rajbhandari 2020, §3.1, with float32
# master weights).
TRAINED_BYTES = 16
# What a layer keeps of a token for the way back, in numbers of the model's width (Korthikanti 2022,
# eq. 2, 34 bytes at 2 each).
ACTIVATIONS_A_LAYER = 17
# Logits and their gradient, in float32.
LOGIT_BYTES = 8
# CUDA's context, the allocator's rounding and what a library holds.
OVERHEAD_BYTES = 1.0 * GIB
# A run, and five folds of four fifths each.
FOLDED = 5


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
    """What a snapshot has to learn from. `n_prompts` counts different ones, `n_pairs` decided
    pairs.
    """

    n_rows: int
    n_prompts: int
    n_pairs: int
    n_held_out: int
    prompt_tokens: float
    response_tokens: float
    n_responses: float = 1.0
    """beside each other in a row"""


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
    shape: Shape | None,
    judge: Shape | None = None,
    watchdog: Shape | None = None,
) -> Cost:
    """Of one run. `judge` is the shape of its reward model, `watchdog` of a second one; None where
    it has none.

    A reward model that a kind cannot do without counts as large as the model until it is named.
    """
    n_steps, n_tokens = work(config, rows)
    if shape is None:
        return Cost(n_steps, n_tokens)
    n_trained = trained(config, shape)
    watching = watchdog.n_parameters * BYTES[config.dtype] if watchdog else 0
    return Cost(
        n_steps=n_steps,
        n_tokens=n_tokens,
        n_parameters=shape.n_parameters,
        n_trained=n_trained,
        memory_gb=round((memory(config, rows, shape, judge) + watching) / GIB, 1),
        disk_gb=round(disk(config, shape) / GIB, 2),
    )


def work(config: Settings, rows: Rows) -> tuple[int, int]:
    """(steps, tokens that go through the model while it learns or writes): a row of an epoch counts
    once.
    """
    if isinstance(config, PpoConfig):
        n_steps = max(1, config.n_episodes // config.batch_size)
        return n_steps, round(n_steps * config.batch_size * _written(config, rows))
    if isinstance(config, SampleConfig):
        n_prompts = min(rows.n_prompts, config.max_prompts or rows.n_prompts)
        n_steps = math.ceil(n_prompts / max(config.batch_size // config.n_responses, 1))
        return n_steps, round(n_prompts * config.n_responses * _written(config, rows))
    if isinstance(config, EvaluateConfig):
        n_rows = min(rows.n_held_out, config.max_rows or rows.n_held_out)
        return 1, round(n_rows * min(rows.prompt_tokens + rows.response_tokens, config.max_tokens))
    if not isinstance(config, Training):
        raise TypeError(f"Nobody has said what {type(config).__name__} costs.")
    n_items, tokens_an_item = _items(config, rows)
    a_step = config.batch_size * config.accumulation
    if isinstance(config, RlooConfig):
        n_prompts_a_step = max(1, a_step // config.n_responses)
        n_steps = config.max_steps or n_items // n_prompts_a_step * config.n_epochs
        return n_steps, round(n_steps * a_step * tokens_an_item)
    n_steps = config.max_steps or math.ceil(n_items / a_step) * config.n_epochs
    n_seen = config.max_steps * a_step if config.max_steps else n_items * config.n_epochs
    n_times = FOLDED if isinstance(config, RewardConfig) and config.cross_validates else 1
    return n_steps, round(n_times * n_seen * tokens_an_item)


def trained(config: Settings, shape: Shape) -> int:
    """How many numbers the optimizer moves."""
    if not isinstance(config, Weights):
        return 0
    n_models = 2 if isinstance(config, PpoConfig) else 1
    if config.method == "full":
        return n_models * shape.n_parameters
    share = 1.0
    if isinstance(config, Training) and config.lora_targets == "attention":
        share = (
            (3 * shape.hidden + shape.kv_width) * shape.n_layers / shape.projected
        )  # queries and values
    return round(n_models * config.lora_rank * shape.projected * share)


def memory(config: Settings, rows: Rows, shape: Shape, judge: Shape | None) -> float:
    """Bytes on each GPU when every GPU holds whole models (one GPU, or DDP).

    Weights of what is loaded; 16 bytes for each number that is trained; activations of the tokens
    computed at once.
    """
    precision = BYTES[config.dtype]
    frozen = _loaded(config, shape, judge) * precision
    if not isinstance(config, Weights):
        n_sequences = config.batch_size if isinstance(config, SampleConfig | EvaluateConfig) else 1
        cache = (
            n_sequences * _written(config, rows) * shape.n_layers * 2 * shape.kv_width * precision
        )
        return frozen + cache + n_sequences * shape.vocabulary * LOGIT_BYTES + OVERHEAD_BYTES
    n_tokens = at_once(config, rows)
    layers = math.sqrt(shape.n_layers) if config.saves_memory else shape.n_layers
    activations = n_tokens * layers * shape.hidden * ACTIVATIONS_A_LAYER * precision
    logits = 0 if isinstance(config, RewardConfig) else n_tokens * shape.vocabulary * LOGIT_BYTES
    return frozen + trained(config, shape) * TRAINED_BYTES + activations + logits + OVERHEAD_BYTES


def at_once(config: Weights, rows: Rows) -> float:
    """Tokens of one forward and backward pass, the longest rows taken."""
    if isinstance(config, PpoConfig):
        return config.row_tokens
    if isinstance(config, RlooConfig):
        return config.batch_size * _written(config, rows)
    if isinstance(config, RewardConfig):
        return config.batch_size * min(
            rows.prompt_tokens + rows.n_responses * rows.response_tokens,
            rows.n_responses * config.max_tokens,
        )
    if isinstance(config, DpoConfig):
        return 2 * config.batch_size * config.max_tokens
    if isinstance(config, SftConfig | PretrainConfig):
        return config.batch_size * config.max_tokens
    raise TypeError(f"Nobody has said what {type(config).__name__} computes at once.")


def disk(config: Settings, shape: Shape) -> float:
    """Bytes: the model that is left, and the checkpoints on the way (weights that train, and two
    numbers for each).
    """
    if not isinstance(config, Weights):
        return 0.0
    left = shape.n_parameters * BYTES[config.dtype]
    return left + (config.keep_checkpoints + 1) * trained(config, shape) * 12


def _loaded(config: Settings, shape: Shape, judge: Shape | None) -> int:
    """Numbers that are held and not trained."""
    if isinstance(config, PpoConfig) and config.method == "full":
        return 2 * shape.n_parameters
    if isinstance(config, PpoConfig | RlooConfig):
        return shape.n_parameters + (judge or shape).n_parameters
    if isinstance(config, EvaluateConfig | SampleConfig):
        return shape.n_parameters + (judge.n_parameters if judge else 0)
    if isinstance(config, Weights) and config.method == "full":
        return shape.n_parameters if isinstance(config, DpoConfig) else 0
    return shape.n_parameters


def _items(config: Training, rows: Rows) -> tuple[int, float]:
    """(what a batch is made of, tokens of one)."""
    if isinstance(config, RlooConfig):
        return min(rows.n_prompts, config.max_rows or rows.n_prompts), _written(config, rows)
    response = rows.response_tokens
    if isinstance(config, RewardConfig):
        share = (
            min(1.0, config.max_rows / rows.n_pairs) if config.max_rows and rows.n_pairs else 1.0
        )
        return (
            max(1, round(rows.n_prompts * share)),
            rows.prompt_tokens + rows.n_responses * response,
        )
    if isinstance(config, DpoConfig):
        return min(rows.n_pairs, config.max_rows or rows.n_pairs), 2 * min(
            rows.prompt_tokens + response, config.max_tokens
        )
    if isinstance(config, PretrainConfig):
        n_blocks = int(rows.n_rows * (rows.prompt_tokens + response) // config.max_tokens)
        return max(1, min(n_blocks, config.max_rows or n_blocks)), config.max_tokens
    if isinstance(config, SftConfig):
        return min(rows.n_rows, config.max_rows or rows.n_rows), min(
            rows.prompt_tokens + response, config.max_tokens
        )
    raise TypeError(f"Nobody has said what a batch of {type(config).__name__} is made of.")


def _written(config: Settings, rows: Rows) -> float:
    """Tokens of a prompt and a response that goes as far as it may."""
    if isinstance(config, PpoConfig | RlooConfig | SampleConfig):
        return min(rows.prompt_tokens, config.max_prompt_tokens) + config.max_new_tokens
    if isinstance(config, EvaluateConfig):
        return config.max_tokens
    return rows.prompt_tokens + rows.response_tokens
