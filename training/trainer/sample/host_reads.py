"""Keeps transformers from reading what the run knows anyway: each read of a GPU waits until it has
done all that it was given.

What is put in its place has the same results, but for rounding where a mask is written out.
"""

import contextlib
import types
from collections.abc import Iterator

import torch
from torch import Tensor
from transformers import masking_utils
from transformers.generation import utils as generation_utils

from training.trainer.sample import fixed_cache


@contextlib.contextmanager
def of_one_sequence() -> Iterator[None]:
    """Around a pass of a row that is one sequence, or that has a mask of its own. transformers
    would read its positions, once a pass and kind of layer, to see whether it is several.
    """
    with _replaced(masking_utils, "find_packed_sequence_indices", _no_further_sequence):
        yield


@contextlib.contextmanager
def of_generate(device: torch.device, max_new_tokens: int) -> Iterator[None]:
    """Around a call of `generate`, which reads twice a token: whether all rows have ended, and
    whether there is padding. Rows that have ended are padded for a few tokens more.
    """
    looks_every = fixed_cache.steps_between_looks(device, max_new_tokens)
    if looks_every == 1:
        yield
        return

    def stop_check(streamer: object = None) -> _RareStopCheck:
        return _RareStopCheck(looks_every, max_new_tokens)

    with (
        _replaced(masking_utils, "fast_all", _not_known),
        _replaced(generation_utils, "StopCheck", stop_check),
    ):
        yield


class _RareStopCheck:
    """transformers' StopCheck, which looks at the device once in `looks_every` tokens."""

    def __init__(self, looks_every: int, max_new_tokens: int) -> None:
        self.looks_every, self.max_new_tokens = looks_every, max_new_tokens
        self.n_tokens = 0

    def __call__(self, unfinished: Tensor, tokens: Tensor, length: int) -> bool:
        self.n_tokens += 1
        if self.n_tokens >= self.max_new_tokens:
            return True
        return self.n_tokens % self.looks_every == 0 and bool(unfinished.max() == 0)

    def finish(self) -> int:
        """No step has to be undone."""
        return 0


def _no_further_sequence(position_ids: Tensor) -> None:
    return None


def _not_known(tensor: Tensor) -> bool:
    """Whether all of a mask is set. If not, the mask is used."""
    return False


@contextlib.contextmanager
def _replaced(module: types.ModuleType, name: str, stand_in: object) -> Iterator[None]:
    """Nothing in releases of transformers that do not have it, which then read."""
    before = getattr(module, name, None)
    if before is None:
        yield
        return
    setattr(module, name, stand_in)
    try:
        yield
    finally:
        setattr(module, name, before)
