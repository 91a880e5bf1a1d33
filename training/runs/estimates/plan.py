"""What each card and the machine of a node would hold during a run, what travels between cards, and
why it cannot be. From sizes alone, before anything is loaded. No Django.

Rules of thumb are those of training.configs.cost.sizes, with their sources there; docs/operators.md
says what was compared with what.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from knobs.fields import Problem
from pages.numbers import grouped
from training.configs import roles
from training.configs.cost import estimates
from training.configs.cost import replicas as rollout_replicas
from training.configs.cost.replicas import Replicas, UnableToReplicate
from training.configs.cost.sizes import BYTES, GIB, OVERHEAD_BYTES, Rows, Shape
from training.configs.kinds import KINDS
from training.configs.knobs import Settings
from training.configs.metrics import _
from training.configs.roles import NONE
from training.configs.weights import Weights
from training.processes import launch as processes_launch
from training.processes.launch import Launch

PROCESS_BYTES = 3 * GIB
"""A process with torch and its CUDA libraries in the machine's memory: a guess, without a GPU."""
CPU_PROCESS_BYTES = 1 * GIB
"""Without CUDA; 0.6 were measured."""
PADDED_TOKENS = 1024
"""Sizes of vocabularies are rounded up: for the same tokens, Qwen 2.5's are 151,936 and 152,064."""
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
        has_server = processes_launch.has_server(self.launch, kind=self.config.kind)
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
    misfits: tuple[Problem, ...]
    """what no node could do"""
    too_large: tuple[Problem, ...]
    """what this node has too little memory for"""

    @property
    def problems(self) -> tuple[Problem, ...]:
        return self.misfits + self.too_large


def plan(asked: Asked, node: Node | None) -> Plan:
    """`node` is None if none is known: then nothing is too large."""
    too_large: list[Problem] = []
    shared = None
    try:
        shared = _replicas(asked, node)
    except UnableToReplicate as problem:
        too_large.append(problem.problem)
    card, host = on_a_card(asked), on_the_host(asked)
    misfits = [*launch_misfits(asked.config, asked.launch, asked.n_gpus), *_of_the_model(asked)]
    if node is not None:
        if asked.n_gpus > node.n_cards:
            misfits.append(_too_few_cards(asked, node))
        too_large += _too_much(asked, node, card, host)
    server_card = on_a_server_card(asked, shared) if shared else {}
    return Plan(
        card, server_card, host, traffic(asked, shared), shared, tuple(misfits), tuple(too_large)
    )


# --- what is held ---------------------------------------------------------------------------------


def on_a_card(asked: Asked) -> dict[str, float]:
    """Bytes on each card of the processes, or in the machine where there is none."""
    config, shape = asked.config, asked.shape
    trained, frozen = config.n_trained(shape), config.n_frozen(shape, asked.beside)
    is_offloaded = asked.launch.offloads and asked.n_shards > 1
    shards = math.inf if is_offloaded else asked.n_shards
    parts = {
        _("frozen weights"): frozen * asked.precision / shards,
        _("trained weights"): trained * MASTER / shards,
        _("gradients"): trained * GRADIENT / shards,
        _("optimizer"): trained * MOMENTS / shards,
        _("gathered layers"): _gathered(asked) if asked.n_shards > 1 else 0.0,
    }
    learning, writing = _learning(asked), _writing(asked)
    parts |= learning if sum(learning.values()) >= sum(writing.values()) else writing
    return parts | {_("CUDA and libraries"): OVERHEAD_BYTES}


def on_a_server_card(asked: Asked, shared: Replicas) -> dict[str, float]:
    """vLLM takes nine tenths of a card: what the weights leave is its cache."""
    weights = asked.shape.n_parameters * 2 / shared.cards_each
    needed = rollout_replicas.memory(
        asked.shape, shared.cards_each, max_tokens=_longest(asked), precision=2
    )
    cache = needed - weights - OVERHEAD_BYTES
    return {_("weights"): weights, _("least cache"): cache, _("CUDA and libraries"): OVERHEAD_BYTES}


def on_the_host(asked: Asked) -> dict[str, float]:
    """Bytes on the first machine: its processes, and the most of what it reads and saves."""
    shape, trained = asked.shape, asked.config.n_trained(asked.shape)
    n_here = asked.launch.n_processes
    reads = MASTER if getattr(asked.config, "method", "") == "full" else asked.precision
    copies_read = 1 if asked.n_shards > 1 and not _each_reads(asked) else n_here
    a_process = float(PROCESS_BYTES if asked.n_gpus else CPU_PROCESS_BYTES)
    parts = {_("processes"): (n_here + asked.n_server_cards) * a_process}
    if not asked.n_gpus:
        parts[_("weights and passes")] = n_here * (sum(on_a_card(asked).values()) - OVERHEAD_BYTES)
    if asked.launch.offloads and asked.n_shards > 1:
        states = MASTER + GRADIENT + MOMENTS
        parts[_("offloaded shards")] = trained * states / asked.launch.n_machines
    # Without cards, what is read stays where it is.
    reading = shape.n_parameters * reads * copies_read if asked.n_gpus else 0
    saves_all = asked.launch.n_machines > 1 or asked.config.kind == "ppo"
    saving = shape.n_parameters * MASTER + trained * MOMENTS * saves_all
    is_saved_whole = isinstance(asked.config, Weights) and asked.n_shards > 1
    if is_saved_whole and saving > reading:
        return parts | {_("model and optimizer being saved"): float(saving)}
    return parts | {_("models being read"): float(reading)}


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
    return {_("activations"): kept.activations, _("logits"): kept.logits}


def _writing(asked: Asked) -> dict[str, float]:
    """Responses being written by the process itself, which sharded gathers the policy for them."""
    config, shape = asked.config, asked.shape
    if isinstance(config, Weights) and (not config.uses_server or asked.n_server_cards):
        return {}
    n_sequences = _n_written(asked)
    cache = n_sequences * _longest(asked) * shape.n_layers * 2 * shape.kv_width * asked.precision
    whole = shape.n_parameters * asked.precision if asked.n_shards > 1 else 0
    logits = n_sequences * shape.vocabulary * 8
    return {_("whole policy"): float(whole), _("cache"): cache, _("logits"): float(logits)}


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
    config = asked.config
    if prompt := getattr(config, "max_prompt_tokens", 0):
        written = getattr(config, "max_written_tokens", 0) or getattr(config, "max_new_tokens", 0)
        return int(prompt + written)
    return int(getattr(config, "max_tokens", 0) or config.longest(asked.rows))


def _context_needed(asked: Asked) -> int:
    """Tokens of context without which the trainer refuses to begin. Items of suites are cut to it,
    and a sampling run counts its prompts as they are.
    """
    if asked.config.snapshots == ("suites",):
        return 0
    written = getattr(asked.config, "max_written_tokens", 0)
    return written if asked.config.kind == "sample" else _longest(asked)


# --- what travels ---------------------------------------------------------------------------------


def traffic(asked: Asked, shared: Replicas | None) -> dict[str, float]:
    """Bytes that each card sends: a ring of n cards passes (n−1)/n of what it gathers or adds up,
    and twice that for both (Rajbhandari 2020, §7).
    """
    n, trained = asked.launch.n_total, asked.config.n_trained(asked.shape)
    of_a_ring = (n - 1) / n
    sent: dict[str, float] = {}
    if n > 1 and trained and asked.n_shards == 1:
        sent[_("gradients of an update")] = 2 * of_a_ring * trained * GRADIENT
    if n > 1 and trained and asked.n_shards > 1:
        gathered = 2 * of_a_ring * asked.shape.n_parameters * asked.precision
        sent[_("weights of a forward and backward pass")] = gathered
        sent[_("gradients of a backward pass")] = of_a_ring * trained * GRADIENT
    if shared:
        sent[_("weights of a rollout, to vLLM")] = asked.shape.n_parameters * 2.0
    return sent


# --- what cannot be -------------------------------------------------------------------------------


def launch_misfits(config: Settings, launch: Launch, n_gpus: int) -> Iterator[Problem]:
    """What is wrong with the processes and GPUs that a run asks for, whatever its model."""
    yield from processes_launch.misfits(launch, config=config, n_gpus=n_gpus)
    has_server = processes_launch.has_server(launch, kind=config.kind)
    if not launch.is_parallel and n_gpus > 1 and not has_server:
        yield Problem("n_gpus", _IDLE if KINDS[config.kind].is_parallel else _ONE, {"n": n_gpus})
    if launch.n_processes > processes_launch.MAX_PROCESSES:
        text = _("A run has at most %(n)s processes on a machine.")
        yield Problem("n_processes", text, {"n": processes_launch.MAX_PROCESSES})
    if launch.n_machines > processes_launch.MAX_MACHINES:
        text = _("A run has at most %(n)s machines.")
        yield Problem("n_machines", text, {"n": processes_launch.MAX_MACHINES})
    if launch.offloads and launch.strategy != "fsdp":
        text = _("Only FSDP keeps shards in the machine's memory. Choose FSDP, or do not offload.")
        yield Problem("offloads", text)
    if launch.offloads and not n_gpus:
        text = _("Without GPUs there is nothing to offload from. Do not offload.")
        yield Problem("offloads", text)
    if launch.strategy == "fsdp" and not launch.is_parallel:
        text = _("FSDP shards a model among processes. Ask for at least two, or choose DDP.")
        yield Problem("strategy", text)


_IDLE = _(
    "One process uses one GPU, and the others of %(n)s would be idle. Ask for %(n)s processes, or"
    " for one GPU."
)
_ONE = _("This kind of run uses one process, and so one GPU. Ask for one GPU.")


def _too_few_cards(asked: Asked, node: Node) -> Problem:
    text = _("The run asks for %(n)s GPUs on each machine, and the node has %(cards)s.")
    return Problem("n_gpus", text, {"n": asked.n_gpus, "cards": node.n_cards})


def _of_the_model(asked: Asked) -> Iterator[Problem]:
    shape, known = asked.shape, asked.config_json
    if estimates.is_mixture(known):
        yield Problem("base_model", MIXTURE)
    context, needed = known.get("max_position_embeddings"), _context_needed(asked)
    if isinstance(context, int) and needed > context:
        text = _(
            "The model's context length is %(context)s tokens, but the run asks for %(n)s. Lower"
            " the longest prompt, response or row."
        )
        field = "max_tokens" if hasattr(asked.config, "max_tokens") else "max_new_tokens"
        yield Problem(field, text, {"context": context, "n": needed})
    if known.get("is_encoder_decoder") is True:
        text = _(
            "The model is an encoder and a decoder, which no run takes. Choose a causal model."
        )
        yield Problem("base_model", text)
    if "quantization_config" in known and asked.config.leaves_model():
        text = _("The model's weights are quantized, which no run trains. Choose its full weights.")
        yield Problem("base_model", text)
    rank = getattr(asked.config, "lora_rank", 0)
    is_lora = getattr(asked.config, "method", "") == "lora"
    if is_lora and rank * shape.projected >= shape.n_parameters:
        text = _(
            "Adapters of rank %(rank)s have %(adapters)s weights and the model %(weights)s. Lower"
            " the rank, or choose full fine-tuning."
        )
        weights = {
            "adapters": grouped(rank * shape.projected),
            "weights": grouped(shape.n_parameters),
        }
        yield Problem("lora_rank", text, {"rank": rank} | weights)
    for role in roles.BESIDE:
        other = asked.beside.get(role.name)
        if other is None or not asked.config.uses_server:
            continue  # texts are read with the model's own tokens
        if abs(other.vocabulary - shape.vocabulary) >= PADDED_TOKENS:
            text = _(
                "“%(label)s” has %(n)s tokens and the base model %(base)s: it reads other tokens"
                " than the base model writes. Choose one that was trained from the same base"
                " model."
            )
            sizes = {"n": other.vocabulary, "base": shape.vocabulary}
            yield Problem(role.name, text, {"label": role.label} | sizes)


MIXTURE = _("The model is a mixture of experts, whose weights this plan can't count.")


def _too_much(
    asked: Asked, node: Node, card: Mapping[str, float], host: Mapping[str, float]
) -> Iterator[Problem]:
    held, on_host = sum(card.values()) / GIB, sum(host.values()) / GIB
    if asked.n_gpus and held > node.card_gb:
        text = _(
            "Each GPU would hold %(held)s GB and has %(room)s GB, most of it %(label)s. %(advice)s"
        )
        field, advice = _advice(asked, _largest(card))
        values = {"held": f"{held:.3g}", "room": f"{node.card_gb:.3g}", "label": _largest(card)}
        yield Problem(field, text, values | {"advice": advice})
    if on_host > node.host_gb:
        text = _(
            "The machine would hold %(held)s GB and has %(room)s GB, most of it %(label)s."
            " %(advice)s"
        )
        has_fewer = asked.launch.n_processes > 1
        values = {"held": f"{on_host:.3g}", "room": f"{node.host_gb:.3g}", "label": _largest(host)}
        values["advice"] = (
            _("Ask for fewer processes on it.")
            if has_fewer
            else _("Choose a smaller model, or a machine with more memory.")
        )
        yield Problem("n_processes" if has_fewer else "base_model", text, values)


def _largest(parts: Mapping[str, float]) -> str:
    return max(parts, key=lambda name: parts[name])


def _advice(asked: Asked, largest: str) -> tuple[str, str]:
    """(the field to change, a sentence)"""
    is_lora = getattr(asked.config, "method", "") != "full"
    if largest == "whole policy":
        text = _("Ask for more GPUs than processes, so that vLLM writes the responses.")
        return "n_gpus", text
    if not asked.config.leaves_model():
        if largest in ("cache", "logits"):
            return "batch_size", _("Lower the batch size or the lengths.")
        return "base_model", _("Choose a smaller model, or GPUs with more memory.")
    if largest in ("activations", "logits", "cache"):
        text = _("Lower the batch size or the lengths, or switch gradient checkpointing on.")
        return "batch_size", text
    if asked.n_shards == 1 and asked.launch.is_parallel:
        if is_lora:
            return "strategy", _("Choose FSDP, which divides them among the GPUs.")
        return "strategy", _("Choose FSDP, which divides them among the GPUs, or LoRA.")
    if is_lora:
        return "n_processes", _("Ask for more processes with FSDP.")
    return "n_processes", _("Ask for more processes with FSDP, or LoRA.")


def _replicas(asked: Asked, node: Node | None) -> Replicas | None:
    """None without a server. Raises UnableToReplicate."""
    if not asked.n_server_cards:
        return None
    return rollout_replicas.replicas(
        asked.shape,
        n_cards=asked.n_server_cards,
        card_gb=node.card_gb if node else 0,
        max_tokens=_longest(asked),
    )
