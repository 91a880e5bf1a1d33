"""Which drafts an import's file has: those of a shape, or the answers of a table. A child reads the
file (labeling.importers.child).
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from django.utils.translation import gettext as _

from labeling.importers import formats, readers
from labeling.importers.annotations.plans import Plan
from labeling.importers.child import limits, process
from labeling.importers.child.limits import UnableToRead
from labeling.importers.drafts import Found, ImportDraft, ImportProblem
from labeling.importers.files import lines
from labeling.importers.formats import Look
from labeling.importers.readers import BytesRead, FirstAnswers
from labeling.models import Import

ANNOTATIONS = "annotations"
FORMATS = (*formats.FORMATS, ANNOTATIONS)
"""Everything that an import can be read as."""
TABLES = (ANNOTATIONS, "votes")
"""Formats that are read as a table of answers; the second is from an earlier version."""
ANSWERED = ("rankings", "written", "argilla", "argilla_flat", "label_studio", "prodigy", "arena")
"""Shapes that name the rater of each answer."""


def look(*, path: Path, columns: Mapping[str, str] | None = None) -> Look:
    """What the first rows of a file seem to be. Raises UnableToRead."""
    return process.value(
        readers.look,
        limits.of_page(),
        path=path,
        columns=columns or {},
        n_bytes=lines.LOOKED_AT,
    )


def format_of(path: Path, columns: Mapping[str, str] | None) -> str:
    """The format of a file of answers: a shape that names raters, else a table. Raises
    UnableToRead.
    """
    seen = look(path=path, columns=columns)
    # A table of single responses is the same thing with more columns.
    is_table = seen.format == "arena" and "conversation_a" not in seen.names
    return seen.format if seen.format in ANSWERED and not is_table else ANNOTATIONS


def first_answers(
    *,
    path: Path,
    pairs_path: Path | None = None,
    chosen: Mapping[str, str] | None = None,
    legend: Mapping[str, str] | None = None,
    most: int = 0,
) -> FirstAnswers:
    """The first rows of a table. `chosen` are the roles that somebody chose; without them they are
    guessed. Raises UnableToRead.
    """
    return process.value(
        readers.first_answers,
        limits.of_page(),
        path=path,
        pairs_path=pairs_path,
        chosen=chosen or {},
        legend=legend or {},
        most=most,
        n_bytes=lines.LOOKED_AT,
    )


def whole_format(batch: Import, path: Path, is_alive: Callable[[], None]) -> str:
    """The format of a file that was too large to look at. Raises UnableToRead."""
    return process.long_value(
        readers.format_of, limits.of_worker(path), is_alive, path=path, columns=batch.columns
    )


def read_drafts(
    batch: Import, path: Path, has_read: Callable[[int], None], is_alive: Callable[[], None]
) -> Found:
    """Drafts and problems of an import's file; the last problem is fatal if it could not be read to
    its end. `has_read` hears how many bytes of it were.
    """
    drafts = _within_limits(_entries(batch, path, is_alive), has_read)
    return drafts if batch.annotations else _without_details(drafts)


def _entries(batch: Import, path: Path, is_alive: Callable[[], None]) -> readers.Entries:
    if batch.format in TABLES:
        pairs_path = _pairs_path(batch)
        plan = _plan(batch, path)
        yield from process.stream(
            readers.drafts_of_table,
            limits.of_worker(*filter(None, (path, pairs_path))),
            is_alive,
            path=path,
            pairs_path=pairs_path,
            plan=plan,
        )
        return
    yield from process.stream(
        readers.drafts,
        limits.of_worker(path),
        is_alive,
        path=path,
        file_format=batch.format,
        columns=batch.columns,
    )


def _within_limits(entries: readers.Entries, has_read: Callable[[int], None]) -> Found:
    try:
        for entry in entries:
            if isinstance(entry, BytesRead):
                has_read(entry.n)
            else:
                yield entry
    except UnableToRead as refusal:
        yield ImportProblem(0, refusal.sentence, is_fatal=True)


def _without_details(drafts: Found) -> Found:
    """Without a campaign only ranks and texts are stored. Says so once, where something is lost."""
    is_said = False
    for draft in drafts:
        answer = draft.answer if isinstance(draft, ImportDraft) else None
        if answer is not None and not is_said and answer.has_details:
            is_said = True
            yield ImportProblem(
                draft.line,
                _(
                    "Ratings, reasons and times of answers only come into a campaign. Use Import"
                    " answers for this file to keep them."
                ),
            )
        yield _without_stand_in(draft) if isinstance(draft, ImportDraft) else draft


def _without_stand_in(draft: ImportDraft) -> ImportDraft:
    """Without the reply that stands for a text that was rated and has no response."""
    is_rated = draft.answer is not None and any(draft.answer.ratings) and not draft.is_compared
    text = draft.messages[-1]["content"]
    kept = tuple(reply for reply in draft.replies if reply.text != text or reply.is_human)
    return replace(draft, replies=kept) if is_rated else draft


def survey(batch: Import, path: Path, is_alive: Callable[[], None]) -> Plan:
    """How a file's answers are read, after a look at all of them: what each question's answers are,
    and what the winner's values mean. Raises UnableToRead.
    """
    if batch.format in TABLES:
        pairs_path = _pairs_path(batch)
        return process.long_value(
            readers.plan_of_table,
            limits.of_worker(*filter(None, (path, pairs_path))),
            is_alive,
            path=path,
            pairs_path=pairs_path,
            first=_plan(batch, path),
        )
    return process.long_value(
        readers.plan_of_shape,
        limits.of_worker(path),
        is_alive,
        path=path,
        file_format=batch.format,
        columns=batch.columns,
    )


def _plan(batch: Import, path: Path) -> Plan:
    if "form" in batch.annotations:
        return Plan.of_json(batch.annotations)
    return first_answers(path=path, pairs_path=_pairs_path(batch)).plan


def _pairs_path(batch: Import) -> Path | None:
    return Path(batch.pairs_path) if batch.pairs_path else None
