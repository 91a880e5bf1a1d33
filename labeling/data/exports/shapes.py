"""The shapes of exports: what a row is, its columns, and how it is read."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

import pyarrow as pa
from django.utils.translation import gettext_noop

from labeling.data.exports import judged, projects, trl
from labeling.data.exports.columns import Record
from labeling.data.exports.consensus import (
    as_consensus,
    as_rating_consensus,
    consensus_rows,
    rating_rows,
)
from labeling.data.exports.rows import ComparisonRow
from labeling.data.exports.streams import (
    adjudications,
    comparisons,
    demonstrations,
    marked,
    prompts,
)

OTHER_LICENCE = gettext_noop("rows with a text under another licence")
FILE_FORMATS = ("jsonl", "parquet", "json")
CHATS, TEXTS = "conversational", "standard"
"""TRL's names for a row with lists of messages, and for one with texts."""


@dataclass(frozen=True)
class Selection:
    """Which judgments are exported. None means all."""

    campaigns: Collection[int] | None = None
    include_imports: bool = True
    include_extra: bool = False
    include_gold: bool = False
    include_repeats: bool = False
    include_set_aside: bool = False
    licences: Collection[str] | None = None


Read = Callable[[Selection, "Counter[str]"], Iterator[Record]]
Convert = Callable[[Iterable[Record], "Counter[str]"], Iterator[Record]]


@dataclass(frozen=True)
class Shape:
    """`schema` is None for the files of other tools, which have no columns: `convert` makes them of
    rows. `styles`: whether it exists with chats, with texts, or both; the first is the usual one.
    """

    read: Read
    schema: pa.Schema | None
    styles: tuple[str, ...] = (CHATS,)
    convert: Convert | None = None

    @property
    def formats(self) -> tuple[str, ...]:
        return ("jsonl", "parquet") if self.schema else ("json", "jsonl")


def records(
    shape: str,
    *,
    style: str = "",
    left_out: Counter[str] | None = None,
    **selection: object,
) -> Iterator[Record]:
    """Rows of this shape (a key of SHAPES), as JSON values. `selection` has the fields of
    Selection. With `licences`, only rows whose texts are all under one of these. `left_out` counts
    what the shape cannot hold.
    """
    counter: Counter[str] = Counter() if left_out is None else left_out
    read = rows(shape, style, Selection(**selection), counter)  # type: ignore[arg-type]
    convert = SHAPES[shape].convert
    return convert(read, counter) if convert else read


def rows(shape: str, style: str, selection: Selection, left_out: Counter[str]) -> Iterator[Record]:
    """The same before it is converted for another tool."""
    read = SHAPES[shape].read(selection, left_out)
    return trl.as_plain(read, left_out) if _is_flattened(shape, style) else read


def _is_flattened(shape: str, style: str) -> bool:
    return style == TEXTS != SHAPES[shape].styles[0]


def schema(shape: str, style: str = "") -> pa.Schema:
    """The columns. Raises KeyError for a shape without columns."""
    columns = SHAPES[shape].schema
    if columns is None:
        raise KeyError(shape)
    return trl.plain_schema(columns) if _is_flattened(shape, style) else columns


def licences_in(record: Record) -> set[str]:
    """The licences of a row's texts: the prompt's, which may be empty, and those that the other
    texts have. A text without one was written here.
    """
    names = ("response_licence", "chosen_licence", "rejected_licence", "licence_a", "licence_b")
    others = {record.get(name) or "" for name in names}
    others |= {response["licence"] for response in record.get("responses", ())}
    return {record["prompt_licence"]} | (others - {""})


# --- readers --------------------------------------------------------------------------------------


def _limited(read: Read) -> Read:
    """Leaves out the rows with a text under a licence that was not chosen."""

    def limited(selection: Selection, left_out: Counter[str]) -> Iterator[Record]:
        for record in read(selection, left_out):
            if selection.licences is None or licences_in(record) <= set(selection.licences):
                yield record
            else:
                left_out[OTHER_LICENCE] += 1

    return limited


def _judgments(selection: Selection) -> dict[str, object]:
    return {
        "campaigns": selection.campaigns,
        "include_imports": selection.include_imports,
        "include_extra": selection.include_extra,
        "include_gold": selection.include_gold,
        "include_set_aside": selection.include_set_aside,
    }


@_limited
def _demonstrations(selection: Selection, _left_out: Counter[str]) -> Iterator[Record]:
    return map(judged.as_prompt_completion, demonstrations(**_judgments(selection)))  # type: ignore[arg-type]


@_limited
def _dialogues(selection: Selection, _left_out: Counter[str]) -> Iterator[Record]:
    rows = demonstrations(**_judgments(selection))  # type: ignore[arg-type]
    return (judged.as_dialogue(row) for row in rows if row.is_last)


@_limited
def _preferences(selection: Selection, left_out: Counter[str]) -> Iterator[Record]:
    for row in _compared(selection):
        yield from judged.as_preferences(row, left_out)


@_limited
def _rankings(selection: Selection, _left_out: Counter[str]) -> Iterator[Record]:
    return map(judged.as_ranking, _compared(selection, include_single=True))


@_limited
def _rankings_of_several(selection: Selection, _left_out: Counter[str]) -> Iterator[Record]:
    return map(judged.as_ranking, _compared(selection))


@_limited
def _adjudicated(selection: Selection, _left_out: Counter[str]) -> Iterator[Record]:
    return map(judged.as_adjudicated, adjudications(campaigns=selection.campaigns))


@_limited
def _consensus(selection: Selection, _left_out: Counter[str]) -> Iterator[Record]:
    return map(as_consensus, consensus_rows(campaigns=selection.campaigns))


@_limited
def _rating_consensus(selection: Selection, _left_out: Counter[str]) -> Iterator[Record]:
    return map(as_rating_consensus, rating_rows(campaigns=selection.campaigns))


@_limited
def _prompts(selection: Selection, _left_out: Counter[str]) -> Iterator[Record]:
    return map(trl.as_prompt, prompts(campaigns=selection.campaigns))


@_limited
def _unpaired(selection: Selection, left_out: Counter[str]) -> Iterator[Record]:
    for row in _compared(selection, include_single=True):
        yield from trl.as_unpaired(row, left_out)
    called_good = demonstrations(**_judgments(selection), only_called_good=True)  # type: ignore[arg-type]
    yield from map(trl.as_called_good, called_good)
    yield from trl.as_marked(marked(mark="label", campaigns=selection.campaigns), left_out)


@_limited
def _stepwise(selection: Selection, left_out: Counter[str]) -> Iterator[Record]:
    return trl.as_stepwise(marked(mark="labels", campaigns=selection.campaigns), left_out)


def _implicit(selection: Selection, left_out: Counter[str]) -> Iterator[Record]:
    return map(trl.as_implicit, _preferences(selection, left_out))


def _compared(selection: Selection, *, include_single: bool = False) -> Iterator[ComparisonRow]:
    return comparisons(
        **_judgments(selection),  # type: ignore[arg-type]
        include_repeats=selection.include_repeats,
        include_single=include_single,
    )


SHAPES: dict[str, Shape] = {
    "prompts": Shape(_prompts, trl.SCHEMAS["prompts"], (CHATS, TEXTS)),
    "demonstrations": Shape(_demonstrations, judged.SCHEMAS["demonstrations"], (CHATS, TEXTS)),
    "dialogues": Shape(_dialogues, judged.SCHEMAS["dialogues"], (CHATS, TEXTS)),
    "preferences": Shape(_preferences, judged.SCHEMAS["preferences"], (CHATS, TEXTS)),
    "implicit": Shape(_implicit, trl.SCHEMAS["implicit"], (CHATS, TEXTS)),
    "unpaired": Shape(_unpaired, trl.SCHEMAS["unpaired"], (CHATS, TEXTS)),
    "stepwise": Shape(_stepwise, trl.SCHEMAS["stepwise"], (TEXTS,)),
    "rankings": Shape(_rankings, judged.SCHEMAS["rankings"]),
    "adjudicated": Shape(_adjudicated, judged.SCHEMAS["adjudicated"]),
    "consensus": Shape(_consensus, judged.SCHEMAS["consensus"]),
    "rating_consensus": Shape(_rating_consensus, judged.SCHEMAS["rating_consensus"]),
    "label_studio": Shape(_rankings_of_several, None, convert=projects.label_studio),
    "label_studio_texts": Shape(_demonstrations, None, convert=projects.label_studio),
    "argilla": Shape(_rankings_of_several, None, convert=projects.argilla),
    "argilla_texts": Shape(_demonstrations, None, convert=projects.argilla),
}
