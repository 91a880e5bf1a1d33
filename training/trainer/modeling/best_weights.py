"""Keeps the trained weights of the step with the lowest held-out loss, beside the checkpoints."""

import math
from typing import Any

import safetensors.torch
import torch

from training.processes import run_dir
from training.processes.run_dir import RunFolder
from training.trainer import parallel

_FOLDER, _FILE = "best", "weights.safetensors"


class BestWeights:
    """On disk, so a resumed run has those of earlier attempts. Collective: every process calls each
    method. Not for sharded weights.
    """

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self.path = folder.path / _FOLDER / _FILE
        self.step, self.loss = self._found()

    def offer(self, model: Any, *, step: int, loss: float) -> None:
        """Keeps the weights if their loss is lower than that of the weights kept so far."""
        if not loss < self.loss:
            return
        self.step, self.loss = step, loss
        weights = {name: p.detach().contiguous() for name, p in trained(model).items()}
        if not self.folder.rank:
            size = sum(p.numel() * p.element_size() for p in weights.values())
            run_dir.ensure_free_space(self.folder.path, size, "the best weights")
        with self.folder.published(self.path.parent) as aside:
            measured = {"step": str(step), "loss": repr(loss)}
            safetensors.torch.save_file(weights, aside / _FILE, metadata=measured)

    @torch.no_grad()
    def restore(self, model: Any, *, step: int, loss: float | None) -> int:
        """Gives the model the weights kept, if their loss is lower. Returns the step of the weights
        that it has now.
        """
        if not self.folder.from_first(loss is not None and self.loss < loss):
            return step
        parameters = trained(model)
        if self.path.exists():  # on the first machine
            for name, weight in safetensors.torch.load_file(self.path).items():
                parameters[name].copy_(weight)
        parallel.broadcast(p.data for p in parameters.values())
        return self.step

    def remove(self) -> None:
        if not self.folder.rank:
            run_dir.remove(self.path.parent)

    def _found(self) -> tuple[int, float]:
        if not self.path.exists():
            return 0, math.inf
        with safetensors.safe_open(self.path, framework="pt") as file:
            measured = file.metadata() or {}
        return int(measured["step"]), float(measured["loss"])


def trained(model: torch.nn.Module) -> dict[str, torch.nn.Parameter]:
    """The trained parameters by name; tied ones once."""
    return {name: p for name, p in model.named_parameters() if p.requires_grad}
