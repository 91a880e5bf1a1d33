"""YAML of strangers: only texts, numbers, lists and mappings, and no more of them than are written.
A few aliases expand to gigabytes, and deep nesting exhausts the stack.
"""

from collections.abc import Mapping, Sequence

import yaml
from django.utils.translation import gettext as _

BROKEN = (yaml.YAMLError, ValueError, OverflowError)
MAX_VALUES = 20_000
MAX_NESTED = 100
_FAST = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class NotPlain(Exception):
    """The YAML is well formed and still not read; `line` counts from 1."""

    def __init__(self, line: int, sentence: str, value: object = "") -> None:
        super().__init__(sentence)
        self.line, self.sentence, self.value = line, sentence, value


def compose(text: str, *, max_depth: int, with_aliases: bool = False) -> yaml.Node | None:
    """The nodes of a document; None if it is empty. Raises NotPlain or one of BROKEN. With aliases,
    use `value` on a node, which counts what they expand to.
    """
    # The slow loader has the better words for what is broken.
    loader = _FAST if with_aliases else yaml.SafeLoader
    depth = 0
    for event in yaml.parse(text, Loader=loader):
        line = event.start_mark.line + 1 if event.start_mark else 0
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > max_depth:
            raise NotPlain(line, _("This is nested too deeply. Flatten it."))
        if isinstance(event, yaml.AliasEvent) and not with_aliases:
            sentence = _("Aliases (*) are not supported. Write the value out.")
            raise NotPlain(line, sentence, event.anchor)
    return yaml.compose(text, Loader=loader)


def value(node: yaml.Node) -> object:
    """A node as texts, booleans, lists and mappings. Raises NotPlain."""
    return _Values().of(node, ())


class _Values:
    def __init__(self) -> None:
        self._n = 0

    def of(self, node: yaml.Node, around: Sequence[yaml.Node]) -> object:
        self._n += 1
        if self._n > MAX_VALUES or len(around) > MAX_NESTED:
            line = node.start_mark.line + 1 if node.start_mark else 0
            raise NotPlain(line, _("Aliases (*) make this too large. Write the values out."))
        inside = (*around, node)
        if isinstance(node, yaml.MappingNode):
            pairs: Mapping[str, object] = {
                key.value: self.of(child, inside)
                for key, child in node.value
                if isinstance(key, yaml.ScalarNode)
            }
            return pairs
        if isinstance(node, yaml.SequenceNode):
            return [self.of(child, inside) for child in node.value]
        return _scalar(node)


def _scalar(node: yaml.Node) -> object:
    text = str(node.value)
    if node.tag.endswith(":null"):
        return None
    return text.lower() in ("true", "yes", "on") if node.tag.endswith(":bool") else text
