"""What each card and the machine of a node would hold during a run, what travels between cards, and
why it cannot be. From sizes alone, before anything is loaded. Standard library only.

Rules of thumb are those of training.configs.cost.sizes, with their sources there; docs/operators.md
says what was compared with what.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from training.configs.cost import estimates
from training.configs.cost import replicas as rollout_replicas
from training.configs.cost.replicas import Replicas, UnableToReplicate
from training.configs.cost.sizes import BYTES, GIB, OVERHEAD_BYTES, Rows, Shape
from training.configs.kinds import KINDS
from training.configs.knobs import Settings
from training.configs.roles import NONE
from training.configs.weights import Weights
from training.processes import launch as processes_launch
from training.processes.launch import Launch

PROCESS_BYTES = 3 * GIB
"""A process with torch and its CUDA libraries in the machine's memory: a guess, without a GPU."""
MASTER, GRADIENT, MOMENTS = 4, 4, 8
"""Bytes for each trained weight, all float32 (Rajbhandari 2020, §3.1)."""
LAYERS_AT_ONCE = 2
"""FSDP2 gathers the next layer while one computes (torch, fully_shard)."""


@dataclass(frozen=True)
class Node:
    """What a machine has, in GB as nvidia-smi and free count them (2³⁰ bytes)."""

    n_cards: int
    card_gb: float
    host_gb: float


@dataclass(frozen=True)
class Asked:
    """What is planned. `config_json` is the base model's, for what its `shape` does not say."""

    config: Settings
    shape: Shape
    rows: Rows
    n_gpus: int = 1
    launch: Launch = processes_launch.SINGLE_PROCESS
    beside: Mapping[str, Shape] = field(default_factory=lambda: NONE)
    config_json: Mapping[str, Any] = field(default_factory=lambda: NONE)

    @property
    def precision(self) -> int:
        return BYTES[self.config.dtype]

    @property
    def n_shards(self) -> int:
        return self.launch.n_total if self.launch.strategy == "fsdp" else 1

    @property
    def n_server_cards(self) -> int:
        """Cards on which no process trains."""
        has_server = KINDS[self.config.kind].uses_server and self.launch.n_machines == 1
        return max(0, self.n_gpus - self.launch.n_processes) if has_server else 0


@dataclass(frozen=True)
class Plan:
    """Bytes by what they are for."""

    card: Mapping[str, float]
    """of a process that trains; what is never there at the same time counts by its largest"""
    server_card: Mapping[str, float]
    """empty without a vLLM server"""
    host: Mapping[str, float]
    traffic: Mapping[str, float]
    """sent by each card, for each update or rollout"""
    replicas: Replicas | None
    problems: tuple[str, ...]


def plan(asked: Asked, node: Node) -> Plan:
    shared, problems = _replicas(asked, node), list(_problems(asked, node))
    if isinstance(shared, str):
        problems.append(shared)
        shared = None
    card, host = on_a_card(asked), on_the_host(asked)
    problems += _too_much(asked, node, card, host)
    server_card = on_a_server_card(asked, shared) if shared else {}
    return Plan(card, server_card, host, traffic(asked, shared), shared, tuple(problems))


# --- what is held ---------------------------------------------------------------------------------


def on_a_card(asked: Asked) -> dict[str, float]:
    """Bytes on each card of the processes, or in the machine where there is none."""
    config, shape = asked.config, asked.shape
    trained, frozen = config.n_trained(shape), config.n_frozen(shape, asked.beside)
    is_offloaded = asked.launch.offloads and asked.n_shards > 1
    shards = math.inf if is_offloaded else asked.n_shards
    parts = {
        "frozen weights": frozen * asked.precision / shards,
        "trained weights": trained * MASTER / shards,
        "gradients": trained * GRADIENT / shards,
        "optimizer": trained * MOMENTS / shards,
        "gathered layers": _gathered(asked) if asked.n_shards > 1 else 0.0,
    }
    learning, writing = _learning(asked), _writing(asked)
    parts |= learning if sum(learning.values()) >= sum(writing.values()) else writing
    return parts | {"CUDA and libraries": OVERHEAD_BYTES}


def on_a_server_card(asked: Asked, shared: Replicas) -> dict[str, float]:
    """vLLM takes nine tenths of a card: what the weights leave is its cache."""
    weights = asked.shape.n_parameters * 2 / shared.cards_each
    needed = rollout_replicas.memory(
        asked.shape, shared.cards_each, max_tokens=_longest(asked), precision=2
    )
    cache = needed - weights - OVERHEAD_BYTES
    return {"weights": weights, "least cache": cache, "CUDA and libraries": OVERHEAD_BYTES}


def on_the_host(asked: Asked) -> dict[str, float]:
    """Bytes on the first machine: its processes, and the most of what it reads and saves."""
    shape, trained = asked.shape, asked.config.n_trained(asked.shape)
    n_here = asked.launch.n_processes
    reads = MASTER if getattr(asked.config, "method", "") == "full" else asked.precision
    copies_read = 1 if asked.n_shards > 1 and not _each_reads(asked) else n_here
    parts = {"processes": (n_here + asked.n_server_cards) * float(PROCESS_BYTES)}
    if not asked.n_gpus:
        parts["weights and passes"] = n_here * (sum(on_a_card(asked).values()) - OVERHEAD_BYTES)
    if asked.launch.offloads and asked.n_shards > 1:
        states = MASTER + GRADIENT + MOMENTS
        parts["offloaded shards"] = trained * states / asked.launch.n_machines
    # Without cards, what is read stays where it is.
    reading = shape.n_parameters * reads * copies_read if asked.n_gpus else 0
    saves_all = asked.launch.n_machines > 1 or asked.config.kind == "ppo"
    saving = shape.n_parameters * MASTER + trained * MOMENTS * saves_all
    is_saved_whole = isinstance(asked.config, Weights) and asked.n_shards > 1
    if is_saved_whole and saving > reading:
        return parts | {"model and optimizer being saved": float(saving)}
    return parts | {"models being read": float(reading)}


def _each_reads(asked: Asked) -> bool:
    """The reference of RLOO and GRPO is read by each process; other models by the first one."""
    has_reference = asked.config.kind in ("rloo", "grpo")
    return has_reference and getattr(asked.config, "method", "") == "full"


def _learning(asked: Asked) -> dict[str, float]:
    """One forward and backward pass."""
    config, shape = asked.config, asked.shape
    if not isinstance(config, Weights):
        return {}
    kept = config.one_pass(asked.rows, shape)
    return {"activations": kept.activations, "logits": kept.logits}


def _writing(asked: Asked) -> dict[str, float]:
    """Responses being written by the process itself, which sharded gathers the policy for them."""
    config, shape = asked.config, asked.shape
    if isinstance(config, Weights) and (not config.uses_server or asked.n_server_cards):
        return {}
    n_sequences = _n_written(asked)
    cache = n_sequences * _longest(asked) * shape.n_layers * 2 * shape.kv_width * asked.precision
    whole = shape.n_parameters * asked.precision if asked.n_shards > 1 else 0
    logits = n_sequences * shape.vocabulary * 8
    return {"whole policy": float(whole), "cache": cache, "logits": float(logits)}


def _n_written(asked: Asked) -> int:
    """Responses that a process writes at once."""
    config = asked.config
    if not isinstance(config, Weights):
        return config.n_sequences
    size = int(getattr(config, "batch_size", 1))
    if config.kind == "ppo":  # the episodes of a rollout are divided
        return math.ceil(size / asked.launch.n_total)
    return size * max(1, round(getattr(config, "accumulation", 1) / asked.launch.n_total))


def _gathered(asked: Asked) -> float:
    """Layers in the precision of the run, and the head, which FSDP2 keeps between the passes."""
    shape = asked.shape
    words = shape.vocabulary * shape.hidden
    layer = max(0, shape.n_parameters - words) / shape.n_layers
    return (LAYERS_AT_ONCE * layer + words) * asked.precision


def _longest(asked: Asked) -> int:
    """Tokens of the longest prompt and response."""
    limits = (getattr(asked.config, name, 0) for name in ("max_prompt_tokens", "max_new_tokens"))
    written = sum(limits)
    return int(
        written or getattr(asked.config, "max_tokens", 0) or asked.config.longest(asked.rows)
    )


# --- what travels ---------------------------------------------------------------------------------


def traffic(asked: Asked, shared: Replicas | None) -> dict[str, float]:
    """Bytes that each card sends: a ring of n cards passes (n−1)/n of what it gathers or adds up,
    and twice that for both (Rajbhandari 2020, §7).
    """
    n, trained = asked.launch.n_total, asked.config.n_trained(asked.shape)
    of_a_ring = (n - 1) / n
    sent: dict[str, float] = {}
    if n > 1 and trained and asked.n_shards == 1:
        sent["gradients of an update"] = 2 * of_a_ring * trained * GRADIENT
    if n > 1 and trained and asked.n_shards > 1:
        gathered = 2 * of_a_ring * asked.shape.n_parameters * asked.precision
        sent["weights of a forward and backward pass"] = gathered
        sent["gradients of a backward pass"] = of_a_ring * trained * GRADIENT
    if shared:
        sent["weights of a rollout, to vLLM"] = asked.shape.n_parameters * 2.0
    return sent


# --- what cannot be -------------------------------------------------------------------------------


def _problems(asked: Asked, node: Node) -> Iterator[str]:
    config, launch = asked.config, asked.launch
    yield from processes_launch.problems(
        launch, kind=config.kind, config=config, n_gpus=asked.n_gpus
    )
    yield from _of_the_node(asked, node)
    yield from _of_the_model(asked)
    if launch.offloads and launch.strategy != "fsdp":
        yield "Only FSDP keeps shards in the machine's memory. Choose FSDP, or do not offload."
    if launch.offloads and not asked.n_gpus:
        yield "Without GPUs there is nothing to offload from. Do not offload."
    if launch.strategy == "fsdp" and not launch.is_parallel:
        yield "FSDP shards a model among processes. Ask for at least two, or choose DDP."


def _of_the_node(asked: Asked, node: Node) -> Iterator[str]:
    launch = asked.launch
    if asked.n_gpus > node.n_cards:
        yield (
            f"The run asks for {asked.n_gpus} GPUs on each machine, and the node has"
            f" {node.n_cards}."
        )
    idle = asked.n_gpus - 1 - asked.n_server_cards
    if not launch.is_parallel and idle > 0:
        yield (
            f"One process uses one GPU, and {idle} would be idle. Ask for {asked.n_gpus}"
            " processes, or for one GPU."
        )
    if launch.n_processes > processes_launch.MAX_PROCESSES:
        yield f"A run has at most {processes_launch.MAX_PROCESSES} processes on a machine."
    if launch.n_machines > processes_launch.MAX_MACHINES:
        yield f"A run has at most {processes_launch.MAX_MACHINES} machines."


def _of_the_model(asked: Asked) -> Iterator[str]:
    shape, known = asked.shape, asked.config_json
    if estimates.is_mixture(known):
        yield "The model is a mixture of experts, whose weights this plan can't count."
    context = known.get("max_position_embeddings")
    if isinstance(context, int) and _longest(asked) > context:
        yield (
            f"The model's context length is {context} tokens, but the run asks for"
            f" {_longest(asked)}. Lower the longest prompt, response or row."
        )
    if known.get("is_encoder_decoder") is True:
        yield "The model is an encoder and a decoder, which no run takes. Choose a causal model."
    if "quantization_config" in known:
        yield "The model's weights are quantized, which no run trains. Choose its full weights."
    rank = getattr(asked.config, "lora_rank", 0)
    is_lora = getattr(asked.config, "method", "") == "lora"
    if is_lora and rank * shape.projected >= shape.n_parameters:
        yield (
            f"Adapters of rank {rank} have {rank * shape.projected:,} weights and the model"
            f" {shape.n_parameters:,}. Lower the rank, or choose full fine-tuning."
        )
    for role, other in asked.beside.items():
        if other.vocabulary != shape.vocabulary:
            yield (
                f"The {role.replace('_', ' ')} has {other.vocabulary} tokens and the base model"
                f" {shape.vocabulary}: it reads other tokens than the policy writes."
            )


def _too_much(
    asked: Asked, node: Node, card: Mapping[str, float], host: Mapping[str, float]
) -> Iterator[str]:
    held, on_host = sum(card.values()) / GIB, sum(host.values()) / GIB
    if asked.n_gpus and held > node.card_gb:
        yield (
            f"Each card would hold {held:.3g} GB and has {node.card_gb:.3g} GB, most of it"
            f" {_largest(card)}. {_advice(asked, card)}"
        )
    if on_host > node.host_gb:
        yield (
            f"The machine would hold {on_host:.3g} GB and has {node.host_gb:.3g} GB, most of it"
            f" {_largest(host)}. Ask for fewer processes on it."
        )


def _largest(parts: Mapping[str, float]) -> str:
    return max(parts, key=lambda name: parts[name])


def _advice(asked: Asked, card: Mapping[str, float]) -> str:
    is_lora = getattr(asked.config, "method", "") != "full"
    match _largest(card):
        case "activations" | "logits" | "cache":
            return "Lower the batch size or the lengths, or switch gradient checkpointing on."
        case "whole policy":
            return "Ask for more GPUs than processes, so that vLLM writes the responses."
        case _ if asked.n_shards == 1 and asked.launch.is_parallel:
            advice = "Choose FSDP, which divides them among the cards"
        case _:
            advice = "Ask for more processes with FSDP"
    return f"{advice}." if is_lora else f"{advice}, or LoRA."


def _replicas(asked: Asked, node: Node) -> Replicas | str | None:
    """None without a server; the sentence of a refusal."""
    if not asked.n_server_cards:
        return None
    try:
        return rollout_replicas.replicas(
            asked.shape,
            n_cards=asked.n_server_cards,
            card_gb=node.card_gb,
            max_tokens=_longest(asked),
        )
    except UnableToReplicate as problem:
        return str(problem)
