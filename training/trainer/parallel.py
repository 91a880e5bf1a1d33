"""One run in several processes: the first one writes for all, and all stop at the same step."""

import dataclasses
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import distributed

from training.processes.run_dir import RunFolder


def n_processes() -> int:
    return int(os.environ.get("WORLD_SIZE", "1"))


def joined(folder: RunFolder) -> RunFolder:
    """The folder as this process uses it. If there are GPUs, "cuda" means this process's own from
    now on.
    """
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
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
