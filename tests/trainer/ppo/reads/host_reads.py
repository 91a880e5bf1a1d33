"""Counts how often Python reads a tensor. On a GPU each read waits until the device has done all
that it was given.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

# Operators whose result Python or the shape of the result depends on.
_READING = {
    "_local_scalar_dense",  # item(), float(), int(), bool() and `if tensor`
    "nonzero",
    "masked_select",
    "equal",
    "_unique",
    "_unique2",
    "unique_dim",
    "unique_consecutive",
}
# Those that take boolean masks as indices and then call nonzero.
_INDEXING = {"index", "index_put", "index_put_"}
# Methods that reach no operator where the tensor is on the CPU already.
_METHODS = {"tolist", "numpy", "cpu"}


class HostReads:
    """Within it, `counts` by name. It counts on the CPU what would wait on a GPU."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._modes = _Operators(self.counts), _Methods(self.counts)

    @property
    def total(self) -> int:
        return self.counts.total()

    def __enter__(self) -> "HostReads":
        for mode in self._modes:
            mode.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        for mode in reversed(self._modes):
            mode.__exit__(*error)


class _Operators(TorchDispatchMode):
    def __init__(self, counts: Counter[str]) -> None:
        super().__init__()
        self.counts = counts

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        name = func.overloadpacket.__name__
        has_mask = name in _INDEXING and any(
            index is not None and index.dtype == torch.bool for index in args[1]
        )
        has_unknown_size = name == "repeat_interleave" and (kwargs or {}).get("output_size") is None
        if name in _READING or has_mask or has_unknown_size:
            self.counts[name] += 1
        return func(*args, **(kwargs or {}))


class _Methods(TorchFunctionMode):
    def __init__(self, counts: Counter[str]) -> None:
        super().__init__()
        self.counts = counts

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        name = getattr(func, "__name__", "")
        if name in _METHODS:
            self.counts[name] += 1
        return func(*args, **(kwargs or {}))
