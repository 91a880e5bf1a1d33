"""The rows of a table of answers, one a line, whatever they look like in the file: nested lists of
annotations become lines of their own, and values become texts.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from labeling.importers.annotations import roles

Cells = Mapping[str, Any]
"""Heading → text; messages of a conversation stay a list."""

_NESTED = {
    *("annotations", "votes", "labels", "ratings", "judgments", "judgements", "answers", "scores"),
    *("humanlabels", "humanratings", "responses", "annotators", "raters", "reviews"),
}
RATER, VALUE = "rater", "value"
"""Headings of lines made of an object of raters and their answers."""
_MAX_CELL = 200_000


def rows(value: Mapping[str, Any]) -> Iterator[Cells]:
    """The lines of one row: several if it has a list of annotations, or an object with one answer
    of each rater.
    """
    unnamed = [name for name, nested in value.items() if _is_unnamed(name, nested)]
    if unnamed and not roles.named(roles.RATER, value.keys()):
        outer = _flat({key: cell for key, cell in value.items() if key not in unnamed})
        for name in unnamed:
            whose = roles.compact(name).removesuffix(_last_word(name)) or RATER
            for number, part in enumerate(value[name], start=1):
                yield {**outer, RATER: f"{whose} {number}", **_flat(part)}
        return
    for name, nested in value.items():
        if roles.compact(name) not in _NESTED:
            continue
        if _is_annotations(nested):
            yield from _joined(value, name, nested)
            return
        if isinstance(nested, dict) and nested and all(map(_is_plain, nested.values())):
            answers = [{RATER: rater, VALUE: answer} for rater, answer in nested.items()]
            yield from _joined(value, name, answers)
            return
    yield _flat(value)


def _is_annotations(nested: object) -> bool:
    """Whether it is a list of objects that name a rater."""
    if not isinstance(nested, list) or not nested:
        return False
    are_objects = all(isinstance(value, dict) for value in nested)
    return are_objects and bool(roles.named(roles.RATER, nested[0].keys()))


_LISTS = ("annotations", "ratings", "judgments", "judgements", "scores", "votes")


def _last_word(name: str) -> str:
    return next((word for word in _LISTS if roles.compact(name).endswith(word)), "")


def _is_unnamed(name: str, nested: object) -> bool:
    """Whether it is a list with the scores of several annotators who have no names, as SummEval's
    `expert_annotations`: they are numbered.
    """
    if not _last_word(name) or not isinstance(nested, list) or len(nested) < _FEWEST:
        return False
    are_scores = all(
        isinstance(part, dict)
        and part
        and part.keys() == nested[0].keys()
        and all(isinstance(score, int | float) for score in part.values())
        for part in nested
    )
    return are_scores and not roles.named(roles.RATER, nested[0].keys())


_FEWEST = 2


def _joined(
    value: Mapping[str, object], name: str, nested: list[dict[str, object]]
) -> Iterator[Cells]:
    """The row's own fields win over those of an annotation with the same name, such as its id."""
    outer = _flat({key: cell for key, cell in value.items() if key != name})
    for part in nested:
        inner = _flat(part)
        renamed = {(f"annotation {key}" if key in outer else key): inner[key] for key in inner}
        yield {**outer, **renamed}


def _flat(value: Mapping[str, object]) -> dict[str, object]:
    """Objects of plain values become columns of their own, such as `scores.helpful`."""
    flat: dict[str, object] = {}
    for name, cell in _of_schemes(value).items():
        cell = only_answer(cell)
        if isinstance(cell, dict) and cell and all(map(_is_plain, cell.values())):
            flat |= {f"{name}.{key}": text(inner) for key, inner in cell.items()}
        else:
            flat[name] = cell if isinstance(cell, list | dict) else text(cell)
    return flat


_SCHEME = ":::"


def _of_schemes(value: Mapping[str, object]) -> Mapping[str, object]:
    """Potato has a column for each answer to a question, such as quality:::3: the answer of the row
    is the one whose column is filled. Several stay a list.
    """
    if not any(_SCHEME in name for name in value):
        return value
    plain = {name: cell for name, cell in value.items() if _SCHEME not in name}
    asked: dict[str, list[str]] = {}
    for name, cell in value.items():
        scheme, mark, answer = name.partition(_SCHEME)
        if mark:
            is_filled = cell not in (None, "", False, [])
            asked.setdefault(scheme, []).extend([answer.removeprefix("scale_")] * is_filled)
    return plain | {
        name: answers[0] if len(answers) == 1 else answers or "" for name, answers in asked.items()
    }


def only_answer(cell: object) -> object:
    """What Label Studio's short exports say of one question: {"selected": "left"} is “left”, also
    as text in a table.
    """
    if isinstance(cell, str) and _SHORT_TEXT.match(cell):
        try:
            return only_answer(json.loads(cell))
        except (ValueError, RecursionError):
            return cell
    answer = cell[0] if isinstance(cell, list) and len(cell) == 1 else cell
    if not isinstance(answer, dict) or len(answer) != 1:
        return cell
    [(name, value)] = answer.items()
    if name == "choices" and isinstance(value, list):
        value = value[0] if len(value) == 1 else value
    return value if name in _SHORT and _is_plain(value) else cell


_SHORT = ("selected", "choices", "rating", "number")
_SHORT_TEXT = re.compile(r'\s*(?:\[\s*)?\{\s*"(?:selected|choices|rating|number)"\s*:')


def text(cell: object) -> str:
    """A cell as text: nothing is empty, and 2.0 is 2."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    return str(cell)[: _MAX_CELL + 1]


def of(row: Cells, heading: str) -> str:
    """The text of a cell, without spaces around it; empty if there is none."""
    cell = row.get(heading, "") if heading else ""
    return cell.strip() if isinstance(cell, str) else ""


def _is_plain(cell: object) -> bool:
    return cell is None or isinstance(cell, str | int | float | bool)
