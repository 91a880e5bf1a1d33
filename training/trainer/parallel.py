"""One run in several processes: the first one writes for all, and all stop at the same step."""

import dataclasses
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import torch
from accelerate.state import PartialState
from accelerate.utils import (
    DistributedType,
    disable_fsdp_ram_efficient_loading,
    enable_fsdp_ram_efficient_loading,
)
from torch import distributed

from training.processes.run_dir import RunFolder

Item = TypeVar("Item")
Found = TypeVar("Found")


def n_processes() -> int:
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_sharded() -> bool:
    """Whether the launcher was told to shard the weights with FSDP."""
    return n_processes() > 1 and os.environ.get("ACCELERATE_USE_FSDP") == "true"


def joined(folder: RunFolder) -> RunFolder:
    """The folder as this process uses it. If there are GPUs, "cuda" means this process's own from
    now on.
    """
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    if is_sharded():
        _start_sharding()
    rank, n_here = int(os.environ["RANK"]), int(os.environ["LOCAL_WORLD_SIZE"])
    return dataclasses.replace(
        folder,
        rank=rank,
        is_first_here=rank % n_here == 0,
        is_elsewhere=rank >= n_here,
        wait=wait,
        from_first=from_first,
        gather=gather if n_processes() > n_here else folder.gather,
    )


def _start_sharding() -> None:
    """Connects the processes before a model is loaded: only the first one reads its weights, and
    sends each process its shard.

    Accelerate has no FSDP on CPUs, although its FSDP2 code and torch's run there. It decides by the
    kind of device, so that is what we change.
    """
    state = PartialState(cpu=not torch.cuda.is_available())
    if state.distributed_type == DistributedType.MULTI_CPU:
        state._shared_state["distributed_type"] = DistributedType.MULTI_GPU


def connect() -> None:
    """Starts the processes' group, for kinds that have no Trainer or Accelerator to do so."""
    if n_processes() > 1 and not distributed.is_initialized():
        PartialState(cpu=not torch.cuda.is_available())


def is_first() -> bool:
    return not distributed.is_initialized() or distributed.get_rank() == 0


def own_part(items: Sequence[Item]) -> list[tuple[int, Item]]:
    """The items that this process works on, every n-th with its number; all, if it is alone."""
    step = distributed.get_world_size() if distributed.is_initialized() else 1
    first = distributed.get_rank() if distributed.is_initialized() else 0
    return list(enumerate(items))[first::step]


def gathered(own: dict[int, Found]) -> list[Found]:
    """What all processes found, in the order of the numbers, in each of them."""
    parts: list[Any] = [own]
    if distributed.is_initialized():
        parts = [None] * distributed.get_world_size()
        distributed.all_gather_object(parts, own)
    values = {number: value for part in parts for number, value in part.items()}
    return [values[number] for number in sorted(values)]


@contextmanager
def reading(*, may_shard: bool) -> Iterator[None]:
    """Inside, only the first process reads the weights of a model that the run shards; those of
    any other model are read by each.
    """
    if not is_sharded() or may_shard:
        yield
        return
    disable_fsdp_ram_efficient_loading()
    try:
        yield
    finally:
        enable_fsdp_ram_efficient_loading()


def wait() -> None:
    """A barrier: returns when all processes have called it."""
    if distributed.is_initialized():
        distributed.barrier()


def from_first(value: bool) -> bool:
    """Returns the first process's value in all of them. If each process checked for itself, one
    could see a stop a step later than the others, which would then wait for it forever.
    """
    if not distributed.is_initialized():
        return value
    device = "cuda" if distributed.get_backend() == "nccl" else "cpu"
    shared = torch.tensor([int(value)], device=device)
    distributed.broadcast(shared, src=0)
    return bool(shared.item())


def decided_by_first(decide: Callable[[], bool]) -> bool:
    """Calls `decide` in the first process, and returns its answer in all of them."""
    if not distributed.is_initialized():
        return decide()
    return from_first(is_first() and decide())


def most(n: int) -> int:
    """The highest of the numbers of all processes."""
    return max(gathered({distributed.get_rank(): n})) if distributed.is_initialized() else n


def gather(files: Mapping[str, bytes]) -> Sequence[Mapping[str, bytes]]:
    """The files of all processes in the first process; empty in the others."""
    if not distributed.is_initialized():
        return [files]
    received: list[Any] | None = (
        [None] * distributed.get_world_size() if distributed.get_rank() == 0 else None
    )
    distributed.gather_object(files, received)
    return received or []


def broadcast(tensors: Iterable[torch.Tensor]) -> None:
    """Copies the first process's values to all: processes on other machines cannot read its
    folder.
    """
    if distributed.is_initialized():
        for tensor in tensors:
            distributed.broadcast(tensor, src=0)


def destroy_process_group() -> None:
    """Call at the end, so that no process waits for one that has exited."""
    if distributed.is_initialized():
        distributed.destroy_process_group()
