"""Sums and means over all processes of a run, in double precision where the device has it.

Measures stay on the device and are read together: each read of a GPU waits until it has done all
that it was given.
"""

from collections.abc import Mapping

import torch
from accelerate import Accelerator
from torch import Tensor

Measures = Mapping[str, float | Tensor]
"""Numbers, or tensors of one number each."""


def sums(accelerator: Accelerator, values: Tensor) -> Tensor:
    """Elementwise."""
    reduced: Tensor = accelerator.reduce(values.to(exact(accelerator)), "sum")
    return reduced


def total(accelerator: Accelerator, value: float) -> float:
    if accelerator.num_processes == 1:
        return value
    number = torch.tensor(value, device=accelerator.device, dtype=exact(accelerator))
    return float(sums(accelerator, number))


def means(accelerator: Accelerator, measures: Measures) -> dict[str, float]:
    """The mean of each process's means. All processes have the same number of episodes, so this is
    the mean over all.
    """
    values = read(measures)
    if accelerator.num_processes == 1:
        return values
    own = torch.tensor([*values.values()], device=accelerator.device, dtype=exact(accelerator))
    means = (sums(accelerator, own) / accelerator.num_processes).tolist()
    return dict(zip(values, means, strict=True))


def read(measures: Measures) -> dict[str, float]:
    """All with one read of the device."""
    tensors = {name: value for name, value in measures.items() if isinstance(value, Tensor)}
    numbers = torch.stack([*tensors.values()]).tolist() if tensors else []
    known = dict(zip(tensors, numbers, strict=True))
    return {name: known[name] if name in known else float(measures[name]) for name in measures}


def exact(accelerator: Accelerator) -> torch.dtype:
    return torch.float32 if accelerator.device.type == "mps" else torch.float64
