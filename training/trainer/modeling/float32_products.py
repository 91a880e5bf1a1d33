"""Products in float32 at the full speed of the processor.

torch computes them with MKL, which uses half the width of other makers' vector units: on an AMD
processor with AVX-512, oneDNN, which torch uses for bfloat16, is twice as fast, and as exact.
"""

import functools
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

_CPU_INFO = Path("/proc/cpuinfo")


@functools.cache
def is_onednn_faster() -> bool:
    """Decided by the processor's make, never by measuring: a run that is resumed has to compute the
    same numbers.
    """
    try:
        processor = _CPU_INFO.read_text(encoding="utf-8")
    except OSError:
        return False
    has_units = torch.backends.mkldnn.is_available() and "avx512f" in processor
    return has_units and torch.backends.mkl.is_available() and "GenuineIntel" not in processor


def product(rows: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """(…, in) rows and (out, in) weights → (…, out), by oneDNN, without a gradient. Either may be a
    transposed view.
    """
    result: Tensor = torch.ops.mkldnn._linear_pointwise(
        rows, weight, bias, "none", [], ""
    )  # torch has no public name for it
    return result


class _Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, rows: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        # Frozen weights, as under LoRA, do not need the rows again.
        ctx.save_for_backward(rows if ctx.needs_input_grad[1] else None, weight)
        return product(rows, weight, bias)

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, *gradients: Tensor
    ) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        (gradient,) = gradients
        rows, weight = ctx.saved_tensors
        flat = gradient.reshape(-1, gradient.shape[-1])  # (N, out)
        for_rows = for_weight = for_bias = None
        if ctx.needs_input_grad[0]:
            for_rows = product(gradient, weight.t())
        if ctx.needs_input_grad[1]:
            for_weight = product(flat.t(), rows.reshape(-1, rows.shape[-1]).t())
        if ctx.needs_input_grad[2]:
            for_bias = flat.sum(0)
        return for_rows, for_weight, for_bias


class FastLinear(nn.Linear):
    """nn.Linear, which it is in all other precisions and on other devices."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002  # torch's name
        is_float32 = input.dtype == self.weight.dtype == torch.float32
        if not is_float32 or input.device.type != "cpu" or torch.is_autocast_enabled("cpu"):
            return super().forward(input)
        if input.numel() == 0:
            return super().forward(input)
        if torch.is_grad_enabled():
            result: Tensor = _Product.apply(input, self.weight, self.bias)
            return result
        return product(input, self.weight, self.bias)


def use(model: nn.Module) -> None:
    """Lets the model's linear layers compute as fast as this processor can."""
    if not is_onednn_faster():
        return
    for module in model.modules():
        if type(module) is nn.Linear:
            module.__class__ = FastLinear
