"""Which precision a run computes in: the one that its processor or GPU computes fast."""

import dataclasses
import functools
import time
from collections.abc import Callable
from typing import Any, TypeVar

import torch

from training.configs.knobs import Settings
from training.trainer.modeling import float32_products

# With bfloat16 units a product is two to eight times as fast; without them it is slower than in
# float32.
_MUCH_FASTER = 1.5
_ROWS, _WIDTH, _TURNS = 256, 512, 5
_AUTO = "auto"
_KNOBS = ("dtype", "rollout_dtype")
Config = TypeVar("Config", bound=Settings)


def auto_dtype(config: Settings, *, kept: str, from_first: Callable[[bool], bool] = bool) -> str:
    """What `auto` stands for in this run: `kept`, if an earlier attempt has measured it, so that
    the run goes on as it began; else what rank 0 measures. "" if no setting is `auto`.
    """
    if _AUTO not in (getattr(config, knob, None) for knob in _KNOBS):
        return ""
    return kept or ("bfloat16" if from_first(is_bfloat16_fast()) else "float32")


def settled(config: Config, auto: str) -> Config:
    """The config with `auto` in place of each setting that leaves the precision open."""
    is_open = [knob for knob in _KNOBS if getattr(config, knob, None) == _AUTO]
    changes: dict[str, Any] = dict.fromkeys(is_open, auto)
    return dataclasses.replace(config, **changes)


def dtype(name: str) -> torch.dtype:
    """The config's choice. `auto` is bfloat16 where it is fast."""
    if name == "float32" or (name == "auto" and not is_bfloat16_fast()):
        return torch.float32
    return torch.bfloat16


@functools.cache
def is_bfloat16_fast() -> bool:
    """Measured on a CPU: many take bfloat16 and convert every product, which is slower."""
    if torch.cuda.is_available():
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return bfloat16_speedup() >= _MUCH_FASTER


def bfloat16_speedup() -> float:
    """How many times as fast a small product is in bfloat16, which takes 50 to 200 ms to find out.
    In CPU time of one thread, and the best of a few turns, so that other work on the machine does
    not decide.
    """
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)  # threads that wait for one another would count
    try:
        return _speedup()
    finally:
        torch.set_num_threads(n_threads)


def _speedup() -> float:
    products = {
        name: (torch.ones(_ROWS, _WIDTH, dtype=name), torch.ones(_WIDTH, _WIDTH, dtype=name))
        for name in (torch.float32, torch.bfloat16)
    }
    best = dict.fromkeys(products, float("inf"))
    for turn in range(_TURNS + 1):
        for name, (rows, weight) in products.items():
            seconds = _cpu_seconds(rows, weight)
            if turn:  # the first one also prepares the kernel
                best[name] = min(best[name], seconds)
    return best[torch.float32] / max(best[torch.bfloat16], 1e-9)


@torch.no_grad()
def _cpu_seconds(rows: torch.Tensor, weight: torch.Tensor) -> float:
    is_onednn = rows.dtype == torch.float32 and float32_products.is_onednn_faster()
    multiply = float32_products.product if is_onednn else torch.nn.functional.linear
    started_at = time.process_time()
    multiply(rows, weight)
    return time.process_time() - started_at


def sentence(config: Settings, kept: str = "") -> str:
    """What the run computes in and why, for its page. `kept`: what an earlier attempt measured."""
    if config.dtype == _AUTO and kept:
        return f"Precision: {kept}, as when the run began."
    return f"Precision: {_named(config.dtype)}, {_reason(config.dtype)}."


def _named(choice: str) -> str:
    return str(dtype(choice)).removeprefix("torch.")


def _reason(choice: str) -> str:
    hardware = "GPU" if torch.cuda.is_available() else "processor"
    if choice == "bfloat16" and not is_bfloat16_fast():
        return f"as set, although this {hardware} has no fast bfloat16 units"
    if choice != "auto":
        return "as set"
    if is_bfloat16_fast():
        return f"because this {hardware} has fast bfloat16 units"
    return f"because this {hardware} has no fast bfloat16 units"
