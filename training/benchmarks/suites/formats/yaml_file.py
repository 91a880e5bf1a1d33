"""suite.yaml as fields with their lines. Only texts, numbers, lists and mappings: no tags, no
aliases.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml
from django.utils.translation import gettext as _

from labeling.importers.files import plain_yaml
from training.benchmarks.suites.formats.problems import MAX_DEPTH, Notes

MAX_BYTES = 256 * 1024
_TRUE, _FALSE = ("true", "yes", "on"), ("false", "no", "off")


@dataclass(frozen=True)
class Given:
    """A value as it was given; `line` is 0 if it was not given in a file."""

    value: Any
    line: int = 0


def read(content: bytes, notes: Notes) -> Mapping[str, Given]:
    """The fields of the file. Notes what cannot be read."""
    text = _text(content, notes)
    if text is None:
        return {}
    try:
        node = plain_yaml.compose(text, max_depth=MAX_DEPTH)
    except plain_yaml.NotPlain as problem:
        notes.add(problem.line, problem.sentence, problem.value)
        return {}
    except plain_yaml.BROKEN as problem:
        _note_broken(problem, notes)
        return {}
    if not isinstance(node, yaml.MappingNode):
        notes.add(1, _("The file must be a list of fields such as `id: my-suite`."))
        return {}
    return _fields(node, notes)


def _text(content: bytes, notes: Notes) -> str | None:
    if len(content) > MAX_BYTES:
        notes.add(0, _("The file is larger than %(n)d KB.") % {"n": MAX_BYTES // 1024})
        return None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = content.count(b"\n", 0, problem.start) + 1
        notes.add(line, _("Not UTF-8 text. Save the file as UTF-8."))
        return None


def _note_broken(problem: Exception, notes: Notes) -> None:
    mark = getattr(problem, "problem_mark", None)
    what = str(getattr(problem, "problem", None) or _("a character or number that is not allowed"))
    notes.add(
        mark.line + 1 if mark else 0,
        _("Not YAML: %(what)s. Fix this line.") % {"what": what},
    )


def _fields(node: yaml.MappingNode, notes: Notes) -> dict[str, Given]:
    fields: dict[str, Given] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        name = key.value if isinstance(key, yaml.ScalarNode) else ""
        if name in fields:
            notes.add(line, _("`%(name)s` appears twice. Remove one.") % {"name": name})
        fields[name] = Given(_value(value), line)
    return fields


def _value(node: yaml.Node) -> object:
    """As JSON has it. Dates stay texts, and so do versions such as 1.10 (see `manifest`)."""
    if isinstance(node, yaml.MappingNode):
        return {str(_value(key)): _value(value) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [_value(child) for child in node.value]
    return Scalar(node.value) if node.tag.endswith((":int", ":float")) else _word(node)


class Scalar(str):
    """A number as it is written, so that version 1.10 is not 1.1."""

    def number(self) -> int | float | str:
        try:
            value = json.loads(self)
        except ValueError:
            return str(self)
        return value if isinstance(value, int | float) else str(self)


def _word(node: yaml.Node) -> object:
    text = str(node.value)
    if node.tag.endswith(":null"):
        return None
    if node.tag.endswith(":bool"):
        return text.lower() in _TRUE if text.lower() in (*_TRUE, *_FALSE) else text
    return text


def plain(value: object) -> object:
    """The value with its numbers as numbers."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value.number() if isinstance(value, Scalar) else value
