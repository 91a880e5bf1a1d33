"""Folders of models that are made to do harm: each by its name, as a function that writes it."""

import json
import pickle
import struct
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.labeling.importers.hostile.files import deep_json
from tests.labeling.importers.hostile.packed import noise

Tensors = Mapping[str, object]
WEIGHTS = {"a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}}


def safetensors(header: bytes, n_bytes: int, *, length: int | None = None) -> bytes:
    return struct.pack("<Q", len(header) if length is None else length) + header + bytes(n_bytes)


def of(tensors: Tensors, n_bytes: int = 24) -> bytes:
    return safetensors(json.dumps(tensors).encode(), n_bytes)


def one(**fields: object) -> bytes:
    """One tensor that is right but for these fields."""
    return of({"a": WEIGHTS["a"] | fields})


def tokenizer(n_tokens: int) -> bytes:
    vocabulary = {f"token {n}": n for n in range(n_tokens)}
    return json.dumps({"version": "1.0", "model": {"type": "BPE", "vocab": vocabulary}}).encode()


def _index(name: str) -> bytes:
    return json.dumps({"metadata": {}, "weight_map": {"a": name}}).encode()


GOOD: Mapping[str, bytes] = {
    "config.json": json.dumps(
        {"hidden_size": 8, "num_hidden_layers": 2, "vocab_size": 100, "model_type": "llama"}
    ).encode(),
    "tokenizer.json": tokenizer(100),
    "tokenizer_config.json": b"{}",
    "model.safetensors": of({"__metadata__": {"format": "pt"}, **WEIGHTS}),
}
_WEIGHTS, _CONFIG, _TOKENIZER = "model.safetensors", "config.json", "tokenizer.json"
_ADAPTER = "adapter/adapter_model.safetensors"
BAD: Mapping[str, Callable[[], dict[str, bytes]]] = {
    "a header of 8 EB": lambda: {_WEIGHTS: safetensors(b"{}", 24, length=2**63 - 1)},
    "a header of 90 MB that is not there": lambda: {
        _WEIGHTS: safetensors(b"{}", 24, length=90_000_000)
    },
    "a header of 120 MB": lambda: {_WEIGHTS: safetensors(b"{" + b" " * 120_000_000 + b"}", 0)},
    "a header of 30 MB of lists": lambda: {
        _WEIGHTS: safetensors(b'{"a": [' + b"[]," * 10_000_000 + b"[]]}", 0)
    },
    "a header of a million tensors": lambda: {
        _WEIGHTS: of({f"tensor {n}": WEIGHTS["a"] for n in range(1_000_000)}, 23)
    },
    "a header of 300,000 tensors": lambda: {
        _WEIGHTS: of({f"tensor {n}": WEIGHTS["a"] for n in range(300_000)}, 23)
    },
    "a header of lists in lists": lambda: {_WEIGHTS: safetensors(deep_json(100_000), 24)},
    "a header that is a list": lambda: {_WEIGHTS: safetensors(b"[]", 24)},
    "a header of noise": lambda: {_WEIGHTS: safetensors(noise(1_000), 24)},
    "a tensor beyond the file": lambda: {_WEIGHTS: one(data_offsets=[0, 2**62], shape=[2**60])},
    "a tensor that ends before it begins": lambda: {_WEIGHTS: one(data_offsets=[24, 0])},
    "a tensor of negative size": lambda: {_WEIGHTS: one(shape=[-2, -3])},
    "a tensor larger than its place": lambda: {_WEIGHTS: one(shape=[10**9, 10**9])},
    "a tensor of a million dimensions": lambda: {_WEIGHTS: one(shape=[10**9] * 1_000_000)},
    "a tensor without a place": lambda: {_WEIGHTS: one(data_offsets=None)},
    "weights that are cut off": lambda: {_WEIGHTS: GOOD[_WEIGHTS][:-1]},
    "weights with more behind them": lambda: {_WEIGHTS: GOOD[_WEIGHTS] + b"PK\x03\x04"},
    "weights of seven bytes": lambda: {_WEIGHTS: b"\0" * 7},
    "weights that are a pickle": lambda: {_WEIGHTS: pickle.dumps({"a": 1}, protocol=4)},
    "weights that are an archive of pickles": lambda: {_WEIGHTS: b"PK\x03\x04" + bytes(100)},
    "an adapter that is a pickle": lambda: {_ADAPTER: pickle.dumps({"a": 1}, protocol=2)},
    "an index that climbs out": lambda: {
        "model.safetensors.index.json": _index("../../../../etc/passwd")
    },
    "an index that names a file of another folder": lambda: {
        "adapter/adapter_model.safetensors.index.json": _index("../model.safetensors")
    },
    "an index of files that are not there": lambda: {
        "model.safetensors.index.json": _index("model-00001-of-00002.safetensors")
    },
    "an index without files": lambda: {"model.safetensors.index.json": b'{"weight_map": [1]}'},
    "a config of lists in lists": lambda: {_CONFIG: deep_json(100_000)},
    "a config that is a list": lambda: {_CONFIG: b"[1]"},
    "a config that is a pickle": lambda: {_CONFIG: pickle.dumps({}, protocol=4)},
    "a config of noise": lambda: {_CONFIG: noise(10_000)},
    "a config that is cut off": lambda: {_CONFIG: b'{"hidden_size": 8'},
    "a config of 300 MB": lambda: {_CONFIG: b'{"a": "' + b"a" * 300_000_000 + b'"}'},
    "a number of a million digits": lambda: {_CONFIG: b'{"a": ' + b"1" * 1_000_000 + b"}"},
    "a tokenizer of lists in lists": lambda: {_TOKENIZER: deep_json(100_000)},
    "a tokenizer of 60 MB of lists": lambda: {
        _TOKENIZER: b'{"model": [' + b"[]," * 20_000_000 + b"[]]}"
    },
    "a tokenizer of 100 MB": lambda: {_TOKENIZER: b" " * 100_000_000},
    "a tokenizer that is a pickle": lambda: {_TOKENIZER: pickle.dumps({}, protocol=4)},
    "a tokenizer that is cut off": lambda: {_TOKENIZER: tokenizer(1_000)[:-10]},
    "a tokenizer_config of 100 MB": lambda: {"tokenizer_config.json": b" " * 100_000_000},
}
"""What differs from GOOD. Each ends in a refusal."""
LARGE: Mapping[str, Callable[[], dict[str, bytes]]] = {
    "a vocabulary of 300,000 tokens": lambda: {_TOKENIZER: tokenizer(300_000)},
    "sizes that are no numbers": lambda: {
        _CONFIG: b'{"hidden_size": "a", "num_hidden_layers": [1], "vocab_size": {}}'
    },
    "sizes that are too large": lambda: {
        _CONFIG: b'{"hidden_size": %d, "num_hidden_layers": -1, "vocab_size": 1}' % 10**300
    },
    "a text_config that is null": lambda: {_CONFIG: b'{"text_config": null}'},
}
"""The same, of what may be a model."""
EITHER: Mapping[str, Callable[[], dict[str, bytes]]] = {
    "a vocabulary of a million tokens": lambda: {_TOKENIZER: tokenizer(1_000_000)},
}
"""Four times the largest known: registered on a quick machine, and refused on a slow one."""
MODELS = {**BAD, **LARGE, **EITHER}


def write(folder: Path, files: Mapping[str, bytes]) -> Path:
    """A folder of a good model with these files in place of its own."""
    for name, content in {**GOOD, **files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder
