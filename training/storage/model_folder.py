"""Whether the files in a model's folder are what their names say. They come from outside, so a
child with little memory and time parses them (labeling.importers.child). No weights are read.
"""

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from django.utils.translation import gettext as _

from accounts.refusals import Refusal
from labeling.importers.child import limits, process
from labeling.importers.child.limits import Limits, UnableToRead
from training.processes import run_dir

_MB = 1024**2
CONFIG = "config.json"
_ADAPTER_CONFIG, _TOKENIZER = "adapter_config.json", "tokenizer.json"
_JSON_MB: Mapping[str, int] = {
    **dict.fromkeys((CONFIG, "generation_config.json", _ADAPTER_CONFIG, "chat_template.json"), 4),
    **dict.fromkeys(("preprocessor_config.json", "processor_config.json"), 4),
    **dict.fromkeys(("tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"), 32),
    **dict.fromkeys((_TOKENIZER, "vocab.json"), 64),
}
"""The most megabytes of a file: several times those of the largest known models."""
_INDEX, _INDEX_MB = ".index.json", 32
_WEIGHTS = ".safetensors"
_HEADER_MB = 32
"""The safetensors library takes 100; a shard with 10,000 tensors has one."""
_ITEM_BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "F4": 4, "F6_E2M3": 6,
    "F6_E3M2": 6, "I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32,
    "C64": 64, "F64": 64, "I64": 64, "U64": 64,
}  # fmt: skip
_MOST_DIMENSIONS = 64
_PICKLES = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"PK\x03\x04")
"""What pickles and PyTorch's archives of pickles begin with."""


class UnreadableModel(Refusal):
    """A file of the model is not what its name says; the text names it and says what to do."""


def check(folder: Path, *, within: Limits | None = None) -> None:
    """Raises UnreadableModel. `within`: a page's limits as a rule."""
    try:
        problem = process.value(problem_in, within or limits.of_page(), folder=folder)
    except UnableToRead as refusal:
        raise UnreadableModel(
            _(
                "The files of the model can't be read: they are damaged, or take too much memory or"
                " time. Try again, or copy the model's folder again."
            )
        ) from refusal
    if problem:
        raise UnreadableModel(problem)


# --- in the child ---------------------------------------------------------------------------------


class _Bad(Exception):
    """The text is the sentence."""


def problem_in(*, folder: Path) -> str:
    """A sentence about the first file that is not what its name says; empty if all are."""
    try:
        for own in (folder, folder / run_dir.ADAPTER):
            for path in sorted(own.iterdir()) if own.is_dir() else ():
                if path.is_file():
                    _check_file(path)
    except _Bad as problem:
        return str(problem)
    return ""


def _check_file(path: Path) -> None:
    if path.name.endswith(_INDEX):
        _check_index(path)
    elif path.name.endswith(_WEIGHTS):
        with path.open("rb") as file:
            _check_weights(path.name, file, path.stat().st_size)
    elif path.name in _JSON_MB:
        _json_object(path, _JSON_MB[path.name])


def _json_object(path: Path, most_mb: int) -> dict[str, object]:
    name = path.name
    if path.stat().st_size > most_mb * _MB:
        raise _Bad(
            _("%(name)s has more than %(n)d MB. It is no file of a model.")
            % {"name": name, "n": most_mb}
        )
    content = path.read_bytes()
    _refuse_pickle(name, content)
    return _object_in(name, content)


def _object_in(name: str, content: bytes) -> dict[str, object]:
    try:
        read: object = json.loads(content)
    except (ValueError, RecursionError) as problem:
        # An error of Unicode is a ValueError as well.
        raise _Bad(
            _("%(name)s is no JSON, or it is cut off. Copy the model's folder again.")
            % {"name": name}
        ) from problem
    if not isinstance(read, dict):
        raise _Bad(_("%(name)s has no fields. Copy the model's folder again.") % {"name": name})
    return read


def _refuse_pickle(name: str, content: bytes) -> None:
    if content.startswith(_PICKLES):
        raise _Bad(
            _(
                "%(name)s is a pickle, which can run programs when it is loaded. Save the model"
                " again as safetensors."
            )
            % {"name": name}
        )


def _check_index(path: Path) -> None:
    names = _json_object(path, _INDEX_MB).get("weight_map")
    if not isinstance(names, dict):
        raise _Bad(
            _("%(name)s names no files. Copy the model's folder again.") % {"name": path.name}
        )
    for name in {str(name) for name in names.values()}:
        if os.path.basename(name) != name or not (path.parent / name).is_file():
            raise _Bad(
                _("%(index)s names the file “%(name)s”, which is not in the model's folder.")
                % {"index": path.name, "name": name[:100]}
            )


def _check_weights(name: str, file: BinaryIO, n_bytes: int) -> None:
    """The header of safetensors: its length, then JSON with the place of each tensor. See
    https://huggingface.co/docs/safetensors#format.
    """
    begin = file.read(8)
    _refuse_pickle(name, begin)
    n_header = int.from_bytes(begin, "little")
    if len(begin) < 8 or n_header > n_bytes - 8:
        raise _Bad(
            _("%(name)s is no safetensors file, or it is cut off. Copy the model's folder again.")
            % {"name": name}
        )
    if n_header > _HEADER_MB * _MB:
        raise _Bad(
            _("The header of %(name)s has more than %(n)d MB. It is no file of a model.")
            % {"name": name, "n": _HEADER_MB}
        )
    tensors = _object_in(name, file.read(n_header))
    tensors.pop("__metadata__", None)
    end = max((_end_of(name, tensor) for tensor in tensors.values()), default=0)
    if 8 + n_header + end != n_bytes:
        raise _Bad(
            _("%(name)s has %(n)d bytes and should have %(all)d. Copy the model's folder again.")
            % {"name": name, "n": n_bytes, "all": 8 + n_header + end}
        )


def _end_of(name: str, tensor: object) -> int:
    match tensor:
        case {"dtype": str(kind), "shape": list(sizes), "data_offsets": [int(begin), int(end)]}:
            if len(sizes) <= _MOST_DIMENSIONS and all(
                type(size) is int and size >= 0 for size in sizes
            ):
                n_bits = math.prod(sizes) * _ITEM_BITS.get(kind, 0)
                is_known = kind not in _ITEM_BITS or n_bits == 8 * (end - begin)
                if 0 <= begin <= end and is_known:
                    return end
    raise _Bad(
        _("%(name)s describes its tensors wrongly. Copy the model's folder again.") % {"name": name}
    )
