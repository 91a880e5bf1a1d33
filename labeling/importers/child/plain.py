"""Values to lines of JSON and back, by their types: what a child reads must not be able to run
anything in the process that asked, as a pickle can.
"""

import json
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from typing import Any, Union, cast, get_args, get_origin, get_type_hints

Decoder = Callable[[Any], object]
_KIND = ""
"""The key with the name of a dataclass."""


def line(value: object) -> bytes:
    return _ENCODER.encode(value).encode() + b"\n"


def _plain(value: object) -> object:
    if is_dataclass(value):
        return {**vars(value), _KIND: type(value).__name__}
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return str(value)


_ENCODER = json.JSONEncoder(default=_plain)


def value_of(content: bytes, kind: object) -> object:
    """What `line` was given, of this type."""
    return of_plain(json.loads(content), kind)


def of_plain(plain: object, kind: object) -> object:
    decode = _decoder(kind)
    return plain if decode is None else decode(plain)


@cache
def result_of(reader: Callable[..., object]) -> object:
    """The type of a reader's result, or of each if it is an iterator."""
    kind = get_type_hints(reader)["return"]
    return get_args(kind)[0] if get_origin(kind) is Iterator else kind


@cache
def arguments_of(reader: Callable[..., object]) -> Mapping[str, object]:
    hints = get_type_hints(reader)
    return {name: kind for name, kind in hints.items() if name != "return"}


@cache
def _decoder(kind: Any) -> Decoder | None:
    """None for what JSON keeps as it is."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return _of_union(inner)
    if origin is tuple or origin is Sequence:
        decode = _decoder(inner[0])
        return partial(_tuple, decode) if inner[1:] in ((), (...,)) else cast(Decoder, tuple)
    if origin is list:
        decode = _decoder(inner[0])
        return None if decode is None else partial(_list, decode)
    if origin in (dict, Mapping):
        decode = _decoder(inner[1])
        return None if decode is None else partial(_mapping, decode)
    if kind is datetime:
        return datetime.fromisoformat
    if kind is Path:
        return Path
    return _of_dataclass(kind) if is_dataclass(kind) else None


def _of_union(kinds: Sequence[type]) -> Decoder | None:
    by_name = {str(kind.__name__): _of_dataclass(kind) for kind in kinds if is_dataclass(kind)}
    if by_name:

        def decode(plain: Any) -> object:
            return None if plain is None else by_name[plain[_KIND]](plain)

        return decode
    decoders = [decoder for kind in kinds if (decoder := _decoder(kind)) is not None]
    if not decoders:
        return None
    [only] = decoders  # a union of two such types cannot be told apart
    return lambda plain: None if plain is None else only(plain)


def _of_dataclass(kind: Any) -> Decoder:
    hints = get_type_hints(kind)
    names = [each.name for each in fields(kind) if each.init]
    decoders = [(name, decode) for name in names if (decode := _decoder(hints[name])) is not None]

    def decoded(plain: Mapping[str, object]) -> object:
        values = {name: plain[name] for name in names}
        for name, decode in decoders:
            values[name] = decode(values[name])
        return kind(**values)

    return decoded


def _tuple(decode: Decoder | None, plain: Sequence[object]) -> object:
    return tuple(plain if decode is None else map(decode, plain))


def _list(decode: Decoder, plain: Sequence[object]) -> object:
    return list(map(decode, plain))


def _mapping(decode: Decoder, plain: Mapping[str, object]) -> object:
    return {name: decode(value) for name, value in plain.items()}
