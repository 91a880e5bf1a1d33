"""An export as a ZIP archive: README.md, and its rows by split."""

import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.utils import translation

from labeling.data.exports import card, facts, files, offers, projects, shapes
from labeling.data.exports.card import CardFacts, RowTally
from labeling.data.exports.columns import TOOLS, Record
from labeling.data.exports.rows import CHUNK
from labeling.data.exports.shapes import Selection

CARD = "README.md"
_READING = """```python
from datasets import load_dataset

data = load_dataset("path/to/this/folder")
```"""
_SPLITS = ("train", "validation", "test")

Progress = Callable[[int], None]
"""Hears how many rows are written; raises to stop."""


@dataclass(frozen=True)
class Wanted:
    name: str
    shape: str
    style: str
    file_format: str
    selection: Selection


@dataclass(frozen=True)
class Written:
    n_rows: int
    left_out: dict[str, int]
    card: str


def write(wanted: Wanted, *, to: BinaryIO, at: datetime, progress: Progress) -> Written:
    """Writes the archive. It has no rows if nothing was found: then `to` is to be thrown away."""
    tally, left_out = RowTally(), Counter[str]()
    with tempfile.TemporaryDirectory(prefix="export-") as name:
        folder = Path(name)
        rows = shapes.rows(wanted.shape, wanted.style, wanted.selection, left_out)
        counted = _counted(rows, tally, progress)
        convert = shapes.SHAPES[wanted.shape].convert
        if convert is None:
            written = _write_splits(wanted, counted, folder)
        else:
            written = _write_one(wanted, convert(counted, left_out), folder)
        text = _card(wanted, tally, +left_out, written, at)
        with zipfile.ZipFile(to, "w") as archive:
            archive.writestr(CARD, text, zipfile.ZIP_DEFLATED)
            for path in written.values():
                # Parquet is compressed already.
                is_stored = wanted.file_format == "parquet"
                kind = zipfile.ZIP_STORED if is_stored else zipfile.ZIP_DEFLATED
                archive.write(folder / path, path, kind)
    return Written(tally.n_rows, dict(+left_out), text)


def _counted(rows: Iterable[Record], tally: RowTally, progress: Progress) -> Iterator[Record]:
    for row in rows:
        tally.add(row)
        if tally.n_rows % CHUNK == 0:
            progress(tally.n_rows)
        yield row


def _write_splits(wanted: Wanted, rows: Iterable[Record], folder: Path) -> dict[str, str]:
    """A file for each split that has rows: an empty one would break `load_dataset`."""
    (folder / "data").mkdir()
    written: dict[str, str] = {}
    with ExitStack() as stack:
        writers: dict[str, Callable[[Record], None]] = {}
        for row in rows:
            split = row["split"]
            if split not in writers:
                written[split] = f"data/{split}.{wanted.file_format}"
                file = stack.enter_context((folder / written[split]).open("wb"))
                writers[split] = _writer(wanted, file, stack)
            writers[split](row)
    return {split: written[split] for split in _SPLITS if split in written}


def _writer(wanted: Wanted, file: BinaryIO, stack: ExitStack) -> Callable[[Record], None]:
    if wanted.file_format == "parquet":
        table = files.ParquetFile(file, shapes.schema(wanted.shape, wanted.style))
        stack.callback(table.close)
        return table.write
    return lambda row: file.writelines(files.jsonl([row]))


def _write_one(wanted: Wanted, rows: Iterable[Record], folder: Path) -> dict[str, str]:
    name = f"{'tasks' if 'label_studio' in wanted.shape else 'records'}.{wanted.file_format}"
    write = files.jsonl if wanted.file_format == "jsonl" else files.json_list
    with (folder / name).open("wb") as file:
        file.writelines(write(rows))
    return {"": name}


def _card(
    wanted: Wanted,
    tally: RowTally,
    left_out: Counter[str],
    written: dict[str, str],
    at: datetime,
) -> str:
    selection = wanted.selection
    chosen = sorted(tally.campaigns) if selection.campaigns is None else selection.campaigns
    columns: list[str] = []
    if shapes.SHAPES[wanted.shape].schema is not None:
        columns = shapes.schema(wanted.shape, wanted.style).names
        columns += [TOOLS] * tally.has_tools
    with translation.override("en"):
        about = str(offers.BY_SHAPE[wanted.shape].help)
    return card.card(
        CardFacts(
            name=wanted.name,
            about=about,
            shape=wanted.shape,
            style=wanted.style,
            columns=columns,
            files=written,
            tally=tally,
            left_out=left_out,
            options=_options(selection),
            recruitment=facts.recruitment(aliases=tally.raters),
            pools=facts.pools(campaigns=chosen),
            agreement=facts.agreement(campaigns=chosen),
            contact=settings.DATA_CONTACT or settings.SITE_URL,
            at=at,
            notes=projects.NOTES.get(wanted.shape, _READING),
        )
    )


def _options(selection: Selection) -> list[str]:
    late = "Late answers are included (`is_extra`)." if selection.include_extra else ""
    repeats = "Repeats are included (`is_repeat`)." if selection.include_repeats else ""
    licences = (
        f"Only texts under {', '.join(name or 'no stated licence' for name in selection.licences)}."
        if selection.licences is not None
        else ""
    )
    left_out = [
        *(["late answers"] if not late else []),
        *(["repeats"] if not repeats else []),
        "gold items, answers set aside in review, and answers of people who have withdrawn",
    ]
    return [line for line in (late, repeats, licences, f"Left out: {', '.join(left_out)}.") if line]
