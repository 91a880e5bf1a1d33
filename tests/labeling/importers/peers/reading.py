"""A file as the two doors read it: Import file and Import answers."""

import io
from pathlib import Path
from tempfile import NamedTemporaryFile

from labeling.data.imports import drafts_of_file
from labeling.importers import formats
from labeling.importers.annotations import tables
from labeling.importers.drafts import ImportDraft, ImportProblem

Read = tuple[list[ImportDraft], list[str]]
"""The drafts and the problems."""


def split(found: list[ImportDraft | ImportProblem]) -> Read:
    drafts = [entry for entry in found if isinstance(entry, ImportDraft)]
    return drafts, [str(entry) for entry in found if isinstance(entry, ImportProblem)]


def read_file(content: bytes) -> Read:
    file_format = formats.guess_format(io.BytesIO(content))
    return split(list(formats.read(io.BytesIO(content), file_format)))


def read_answers(content: bytes) -> Read:
    """The answers; or no drafts, and what somebody has to say first."""
    with NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        path = Path(file.name)
        if drafts_of_file.format_of(path, None) != drafts_of_file.ANNOTATIONS:
            return read_file(content)
        table = tables.look(path=path)
        if table.missing:
            return [], [table.missing]
        return split(tables.first_drafts(path, None, table.plan, 1_000))
