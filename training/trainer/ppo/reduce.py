"""Sums and means over all processes of a run, in double precision where the device has it."""

import torch
from accelerate import Accelerator
from torch import Tensor


def sums(accelerator: Accelerator, values: Tensor) -> Tensor:
    """Elementwise."""
    reduced: Tensor = accelerator.reduce(values.to(_exact(accelerator)), "sum")
    return reduced


def total(accelerator: Accelerator, value: float) -> float:
    if accelerator.num_processes == 1:
        return value
    number = torch.tensor(value, device=accelerator.device, dtype=_exact(accelerator))
    return float(accelerator.reduce(number, "sum"))


def means(accelerator: Accelerator, measures: dict[str, float]) -> dict[str, float]:
    """The mean of each process's means. All processes have the same number of episodes, so this is
    the mean over all.
    """
    return {
        name: total(accelerator, value) / accelerator.num_processes
        for name, value in measures.items()
    }


def _exact(accelerator: Accelerator) -> torch.dtype:
    return torch.float32 if accelerator.device.type == "mps" else torch.float64
