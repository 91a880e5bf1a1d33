"""One run in several processes: the first writes what the others have worked out with it, and all
obey the same stop.
"""

import dataclasses
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import distributed

from training.run_dir import RunFolder


def is_wanted() -> bool:
    """Whether accelerate's launcher started this process beside others."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


def n_processes() -> int:
    return int(os.environ.get("WORLD_SIZE", "1"))


def joined(folder: RunFolder) -> RunFolder:
    """The folder as this process is to use it. Where there are GPUs, "cuda" means its own from now
    on.
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
        agree=agree,
        gather=gather if n_processes() > n_here else folder.gather,
    )


def wait() -> None:
    """Until all processes are here."""
    if distributed.is_initialized():
        distributed.barrier()


def agree(claim: bool) -> bool:
    """What the first process says, in all of them: a stop that one sees a step later would leave
    the others waiting for it.
    """
    if not distributed.is_initialized():
        return claim
    device = "cuda" if distributed.get_backend() == "nccl" else "cpu"
    told = torch.tensor([int(claim)], device=device)
    distributed.broadcast(told, src=0)
    return bool(told.item())


def gather(files: Mapping[str, bytes]) -> Sequence[Mapping[str, bytes]]:
    """What all processes bring, to the first; nothing to the others."""
    if not distributed.is_initialized():
        return [files]
    brought: list[Any] | None = (
        [None] * distributed.get_world_size() if distributed.get_rank() == 0 else None
    )
    distributed.gather_object(files, brought)
    return brought or []


def share(tensors: Iterable[torch.Tensor]) -> None:
    """The first process's numbers to all: those on other machines cannot read what lies in its
    folder.
    """
    if distributed.is_initialized():
        for tensor in tensors:
            distributed.broadcast(tensor, src=0)


def part() -> None:
    """At the end, so that no process waits for one that has gone."""
    if distributed.is_initialized():
        distributed.destroy_process_group()
