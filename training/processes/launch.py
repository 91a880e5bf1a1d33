"""How a run's processes are started: one directly, several by accelerate's launcher with a config
written for it. Pure.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from knobs.fields import Problem
from training.configs.kinds import KINDS
from training.configs.knobs import Settings
from training.configs.metrics import _

CONFIG = "accelerate.json"
STRATEGIES: Mapping[str, str] = {
    "ddp": _("DDP: each process holds the whole model"),
    "fsdp": _("FSDP: weights, gradients and optimizer sharded"),
}
DEEPSPEED = ("zero2", "zero3")
"""What earlier releases offered. Their runs and schedules may still have it."""
NO_DEEPSPEED = _(
    "DeepSpeed is no longer offered: it was never tested. Choose FSDP, which shards weights,"
    " gradients and optimizer as ZeRO-3 does."
)
SERVER_CARDS = "ROLLOUT_SERVER_CARDS"
"""In a child's environment: the GPUs of its vLLM server, which no process trains on."""
MAX_PROCESSES = 64
MAX_MACHINES = 32
_EXIT_CODE = re.compile(r"exitcode\s*:\s*(-\d+)")


@dataclass(frozen=True)
class Launch:
    """The processes that a run requests: `n_processes` on each of `n_machines`.

    `offloads`: FSDP keeps its shards and the optimizer state in the machine's memory.
    """

    n_processes: int = 1
    strategy: str = "ddp"
    offloads: bool = False
    n_machines: int = 1

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> "Launch":
        """Ignores what only a later release knows, whose runs a node may see during an upgrade."""
        return cls(**{name: raw[name] for name in raw.keys() & cls.__dataclass_fields__.keys()})

    def as_json(self) -> dict[str, object]:
        return asdict(self)

    @property
    def n_total(self) -> int:
        return self.n_processes * self.n_machines

    @property
    def is_parallel(self) -> bool:
        return self.n_total > 1


SINGLE_PROCESS = Launch()


@dataclass(frozen=True)
class Rendezvous:
    """Where the machines of a run connect, and this machine's rank; the first has rank 0."""

    address: str = "127.0.0.1"
    port: int = 0
    rank: int = 0


class NoSuchStrategy(Exception):
    """The run has a strategy that this release does not have; the text says so."""


class UnableToLaunch(Exception):
    """The operator's command cannot be started several times; the text is that command."""


def of_step(launch: Launch, *, kind: str) -> Launch:
    """The launch of a chain's step. Sampling and evaluation have no FSDP: each process holds the
    whole model.
    """
    if not KINDS[kind].is_parallel:
        return SINGLE_PROCESS
    is_training = KINDS[kind].leaves_model()
    return launch if is_training else replace(launch, strategy="ddp", offloads=False)


def gpus_of_step(n_gpus: int, launch: Launch, *, kind: str) -> int:
    """The GPUs of a chain's step: those beyond one for each process are for steps with a vLLM
    server.
    """
    return n_gpus if has_server(launch, kind=kind) else min(n_gpus, launch.n_processes)


def has_server(launch: Launch, *, kind: str) -> bool:
    """Whether vLLM writes the responses of such a run, on GPUs beyond those of its processes."""
    return KINDS[kind].uses_server and launch.n_machines == 1


def misfits(launch: Launch, *, config: Settings, n_gpus: int) -> list[Problem]:
    """The same with the fields to change."""
    is_known = launch.strategy in STRATEGIES
    shards_nothing = launch.strategy == "fsdp" and not config.leaves_model()
    field = "n_processes" if is_known and not shards_nothing else "strategy"
    wrong = problems(launch, kind=config.kind, config=config, n_gpus=n_gpus)
    return [Problem(field, sentence) for sentence in wrong]


def problems(launch: Launch, *, kind: str, config: Settings, n_gpus: int) -> list[str]:
    """What is wrong with this launch for such a run, as sentences."""
    if launch.strategy in DEEPSPEED:
        return [NO_DEEPSPEED]
    if launch.strategy not in STRATEGIES:
        return [
            f"There is no strategy called “{launch.strategy}”. Choose one of:"
            f" {', '.join(STRATEGIES)}."
        ]
    if not launch.is_parallel:
        return []
    if not KINDS[kind].is_parallel:
        return [_("This kind of run uses one process. Request one.")]
    wrong = []
    is_served = has_server(launch, kind=kind) and n_gpus > launch.n_processes
    if n_gpus not in (0, launch.n_processes) and not is_served:
        wrong.append(
            _(
                "Each process needs its own GPU. Request as many GPUs as processes, or 0 to run on"
                " CPUs."
            )
        )
    return wrong + config.launch_problems(
        n_processes=launch.n_total,
        n_machines=launch.n_machines,
        is_sharded=launch.strategy == "fsdp",
    )


def config_of(launch: Launch, *, n_gpus: int, rendezvous: Rendezvous) -> dict[str, Any]:
    """The config for `accelerate launch --config_file` on one of the machines. Precision is set by
    the trainer, not here. Raises NoSuchStrategy.
    """
    if launch.strategy not in STRATEGIES:
        raise NoSuchStrategy(NO_DEEPSPEED)
    settings: dict[str, object] = {
        "compute_environment": "LOCAL_MACHINE",
        "distributed_type": {"ddp": "MULTI_GPU", "fsdp": "FSDP"}[launch.strategy],
        "num_machines": launch.n_machines,
        "machine_rank": rendezvous.rank,
        "num_processes": launch.n_total,
        "main_process_ip": rendezvous.address,
        "main_process_port": rendezvous.port,
        "mixed_precision": "no",
        "use_cpu": n_gpus == 0,
        "gpu_ids": "all",
        "rdzv_backend": "static",
        "same_network": True,
        "debug": False,
        "downcast_bf16": "no",
        "main_training_function": "main",
        "tpu_use_cluster": False,
        "tpu_use_sudo": False,
    }
    if launch.strategy == "fsdp":
        settings["fsdp_config"] = {
            "fsdp_version": 2,
            "fsdp_reshard_after_forward": True,
            "fsdp_auto_wrap_policy": "TRANSFORMER_BASED_WRAP",
            "fsdp_cpu_ram_efficient_loading": True,
            "fsdp_sync_module_states": True,
            "fsdp_offload_params": launch.offloads,
            # On one machine each process writes its shard of a checkpoint to the shared folder.
            # Processes on other machines have a folder of their own: the first one writes all.
            "fsdp_state_dict_type": "SHARDED_STATE_DICT"
            if launch.n_machines == 1
            else "FULL_STATE_DICT",
        }
    return settings


def command(trainer: Sequence[str], *, config: str, folder: str) -> list[str]:
    """The launcher's command. `trainer` is the operator's command for one process, such as “python
    -m module”. Raises UnableToLaunch.
    """
    if len(trainer) < 3 or trainer[1] != "-m":
        raise UnableToLaunch(" ".join(trainer))
    python, _m, module, *more = trainer
    return [
        python,
        "-m",
        "accelerate.commands.launch",
        "--config_file",
        config,
        "--module",
        module,
        *more,
        folder,
    ]


def exit_code(code: int, log: str) -> int:
    """The launcher exits with 1 whatever ended its processes; the signal that killed one is in its
    log.
    """
    killed = _EXIT_CODE.findall(log) if code == 1 else []
    return int(killed[-1]) if killed else code
