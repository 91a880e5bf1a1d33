"""The life cycle of an import: start, run, publish, discard. labeling.data.imports.rows writes its
batches.
"""

import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files import File
from django.db import OperationalError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import audit_log
from accounts.models import User
from accounts.refusals import Refusal
from arithmetic import chats
from jobs import guard
from jobs.messages import Message
from jobs.protocol import Clock, Kind
from labeling.data import sources
from labeling.data.imports import clearing, drafts_of_file, previews, uploads
from labeling.data.imports import rows as imports_rows
from labeling.data.imports.answers.writer import AnswerWriter
from labeling.data.imports.problems import Problems
from labeling.data.imports.selectors import is_publishable, uncleared_import_ids
from labeling.importers.child.limits import UnableToRead
from labeling.importers.columns import Columns
from labeling.importers.drafts import ImportDraft, ImportProblem
from labeling.models import Campaign, Import, Source
from labeling.quality.services import QUALITY

# Rows per transaction. It takes a few tenths of a second on two cores; on SQLite, others wait to
# write meanwhile.
BATCH = 100
BATCH_CHARACTERS = 200_000
_ALIVE_EVERY = timedelta(seconds=5)
_MANY_ROWS = 1_000
"""From this many rows on, an import ends with ANALYZE, so that queries are planned for them."""

IMPORTS = Kind(
    Import,
    task="labeling.data.imports.tasks.run_import",
    limit=timedelta(hours=6),
    silent_after=timedelta(seconds=60),  # a batch takes about a second
    crashed=gettext_lazy("The worker crashed three times on this file."),
    failed=Import.State.REFUSED,
    fresh={"bytes_read": 0, "counts": {}, "problems": []},
    stamps=("heartbeat_at", "started_at"),
    with_rows=("source",),
    every=timedelta(seconds=30),
)
CLEARING = Message(
    "labeling.data.imports.tasks.clear_import",
    limit=timedelta(hours=1),
    argument="import_id",
)
"""Deletes the rows of a discarded import."""
CLEARING.wakes(uncleared_import_ids, every=timedelta(seconds=30))


class UnableToImport(Refusal):
    """Raised when a file cannot be imported, or an import cannot be published or discarded; the
    text says why.
    """


class UnexplainedColumns(UnableToImport):
    """Columns may say whether answers are good, and nobody has said what they mean."""


class AlreadyStarted(UnableToImport):
    """Another tab or a second press has started the import of these files."""


def start_import(
    *,
    path: Path,
    file_name: str,
    file_format: str | None,
    source_name: str,
    licence: str,
    is_strict: bool = False,
    with_judgments: bool = False,
    stores_responses: bool = False,
    pairs_path: Path | None = None,
    columns: Columns | None = None,
    campaign: str = "",
    roles: Mapping[str, str] | None = None,
    legend: Mapping[str, str] | None = None,
    is_rung: bool = True,
    by: User | None,
    now: datetime,
) -> Import:
    """Queue a file for import. Without `is_rung`, no worker is notified, because the caller runs it
    itself.

    With judgments, a file with columns that may say whether answers are good is refused, unless
    `stores_responses` says that the answers beside them become responses. Its first rows decide.

    Without `file_format` it is guessed from the first row: by the worker, if a web request would
    have to unpack too much. With the name of a `campaign`, answers
    go into a campaign that is made for them; `roles` (heading → role) and `legend` (value of the
    winner → meaning) say how a table of answers is read, as far as its first rows do not. Raises
    UnableToImport.
    """
    for needed in filter(None, (path, pairs_path)):
        if not needed.is_file():
            raise UnableToImport(_("File not found: %(path)s.") % {"path": needed})
    if not licence.strip():
        raise UnableToImport(_("Enter the licence of the data, such as CC-BY-4.0."))
    annotations: dict[str, object] = {}
    try:
        if campaign.strip() or file_format == drafts_of_file.ANNOTATIONS:
            file_format = file_format or drafts_of_file.format_of(path, columns)
            annotations = _annotations(
                path, pairs_path, file_format, campaign.strip(), roles, legend
            )
        if file_format is None:
            file_format = drafts_of_file.look(path=path, columns=columns).format
    except UnableToRead as refusal:
        raise UnableToImport(refusal.sentence) from refusal
    if with_judgments and not (stores_responses or annotations):
        _refuse_unexplained_columns(path, file_format, columns or {})
    with transaction.atomic():
        batch = Import.objects.create(
            file_name=file_name,
            path=str(path),
            pairs_path=str(pairs_path or ""),
            format=file_format,
            is_strict=is_strict,
            with_judgments=with_judgments or bool(annotations),
            columns=dict(columns or {}),
            annotations=annotations,
            source=_source(source_name.strip(), licence.strip(), now),
            licence=licence.strip(),
            bytes_total=path.stat().st_size,
            created_by=by,
            created_at=now,
        )
        audit_log.record(
            by, "import", batch, after={"file": file_name, "source": source_name}, now=now
        )
        if is_rung:
            IMPORTS.wake_on_commit(batch.pk)
    return batch


def _refuse_unexplained_columns(path: Path, file_format: str, columns: Columns) -> None:
    """Raises UnexplainedColumns where somebody has to say first what columns mean."""
    seen = previews.preview(
        path=path, file_format=file_format, columns=columns, with_judgments=True
    )
    if asked := [str(problem) for problem in seen.problems if problem.asks]:
        sentence = _(
            "Nothing is imported yet. Say what the columns named here mean, or that the answers"
            " beside them are stored as responses. %(columns)s"
        )
        raise UnexplainedColumns(sentence % {"columns": " ".join(asked)})


def _annotations(
    path: Path,
    pairs_path: Path | None,
    file_format: str,
    campaign: str,
    roles: Mapping[str, str] | None,
    legend: Mapping[str, str] | None,
) -> dict[str, object]:
    """What is stored with an import of answers. Raises UnableToImport if nobody could read them."""
    if not campaign:
        raise UnableToImport(_("Enter a name for the campaign that will hold the answers."))
    if Campaign.every.filter(name__in=[campaign, f"{campaign} (texts)"]).exists():
        raise UnableToImport(_("Another campaign already has this name. Choose a different one."))
    going = Import.objects.filter(state__in=[Import.State.QUEUED, Import.State.RUNNING])
    if going.filter(annotations__campaign=campaign).exists():
        raise UnableToImport(
            _("An import into a campaign of this name has not ended yet. Choose a different name.")
        )
    wanted: dict[str, object] = {"campaign": campaign}
    if file_format != drafts_of_file.ANNOTATIONS:
        return wanted
    table = drafts_of_file.first_answers(
        path=path, pairs_path=pairs_path, chosen=roles, legend=legend
    )
    if table.missing:
        raise UnableToImport(table.missing)
    return wanted | table.plan.as_json


def start_upload(
    *,
    upload: "File[bytes]",
    texts: "File[bytes] | None" = None,
    by: User,
    now: datetime,
    **arguments: Any,
) -> Import:
    """Store uploaded files below UPLOADS_DIR and queue them like `start_import`; the copies are
    deleted if that is refused.
    """
    path, pairs_path = _stored(upload), None
    name = Path(upload.name or "–").name[:255]
    try:
        pairs_path = _stored(texts) if texts is not None else None
        return start_import(
            path=path, pairs_path=pairs_path, file_name=name, **arguments, by=by, now=now
        )
    except (UnableToImport, OSError, OperationalError):
        for copy in filter(None, (path, pairs_path)):
            copy.unlink(missing_ok=True)
        raise


def _stored(upload: "File[bytes]") -> Path:
    """A copy of an upload. The name from the browser is shown, and never used as a path."""
    folder = Path(settings.UPLOADS_DIR) / "imports"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / uuid.uuid4().hex
    uploads.write(upload, path)
    return path


def start_kept(
    *, path: Path, pairs_path: Path | None = None, by: User, now: datetime, **arguments: Any
) -> Import:
    """Queue files that were kept for a preview. They stay where they were if the import is
    refused. Raises AlreadyStarted if they are gone.
    """
    kept = [old for old in (path, pairs_path) if old is not None]
    moved = [previews.started(old) for old in kept]
    try:
        for old, to in zip(kept, moved, strict=True):
            old.rename(to)
    except FileNotFoundError as gone:
        raise AlreadyStarted(already_started()) from gone
    try:
        pairs = moved[1] if pairs_path is not None else None
        return start_import(path=moved[0], pairs_path=pairs, **arguments, by=by, now=now)
    except UnableToImport:
        for old, to in zip(kept, moved, strict=True):
            to.rename(old)
        raise


def already_started() -> str:
    return _("This import was started already. Nothing else was started.")


def publish(*, batch: Import, by: User | None, now: datetime) -> None:
    """Publish a rejected import, despite its problems. Raises UnableToImport when it was not read
    to its end.
    """
    with transaction.atomic():
        refused = Import.objects.filter(pk=batch.pk, state=Import.State.REFUSED)
        if not is_publishable(batch) or not guard.update_one(
            refused, state=Import.State.PUBLISHED, finished_at=now
        ):
            raise UnableToImport(_("This import has nothing left to publish."))
        _show_campaigns(batch)
        audit_log.record(by, "publish", batch, now=now)
    batch.refresh_from_db()


def discard(*, batch: Import, by: User | None, now: datetime) -> None:
    """Hide an import's rows at once, and queue their deletion. Raises UnableToImport if other rows
    depend on them.
    """
    with transaction.atomic():
        # The change comes first: it waits for a running batch to end, and makes a running import
        # stop.
        not_discarded = Import.objects.filter(pk=batch.pk).exclude(state=Import.State.DISCARDED)
        if not guard.update_one(not_discarded, state=Import.State.DISCARDED, finished_at=now):
            raise UnableToImport(_("This import has already been discarded."))
        if clearing.is_built_on(batch):
            raise UnableToImport(
                _("Campaigns, judgments or snapshots use this import, so it can't be discarded.")
            )
        Campaign.every.filter(import_batch=batch).update(is_hidden=True)
        audit_log.record(by, "discard", batch, now=now)
        CLEARING.wake_on_commit(batch.pk)
    batch.refresh_from_db()


def clear_import(*, import_id: int) -> None:
    """Delete the rows of a discarded import in short transactions. Does nothing for any other
    import.
    """
    batch = Import.objects.filter(pk=import_id, state=Import.State.DISCARDED).first()
    if batch is not None:
        clearing.delete_rows(batch)
        uploads.delete(batch)


@dataclass
class _RowCounts:
    """What a run has found so far. Problems are stored up to a limit, and counted without one."""

    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(imports_rows.COUNTED, 0))
    problems: Problems = field(default_factory=Problems)
    damage: str = ""
    """why nothing of the file may be published, if the file is damaged"""
    n_read: int = 0
    """bytes of the file"""

    def has_read(self, n: int) -> None:
        self.n_read = n

    def add_problem(self, problem: ImportProblem) -> None:
        self.counts["problems"] += 1
        if problem.is_fatal:
            self.damage = str(problem)
        self.problems.add(problem)


def _source(name: str, licence: str, now: datetime) -> Source:
    try:
        return sources.source_of_data(name=name, licence=licence, now=now)
    except sources.UnableToUseSource as problem:
        raise UnableToImport(problem.sentence) from problem


@IMPORTS
def _run(batch: Import, clock: Clock) -> None:
    """Read the file to its end and publish or reject the import. The rows that a dead worker left
    are deleted first.
    """
    tally = _RowCounts()
    if batch.attempt > 1:
        clearing.delete_rows(batch)
    path = uploads.find(batch.path)

    def is_alive() -> None:
        if batch.heartbeat_at is None or clock() - batch.heartbeat_at >= _ALIVE_EVERY:
            _heartbeat(batch, tally, clock())

    try:
        path.open("rb").close()
        imports_rows.index_unkeyed_prompts(is_alive=lambda: _heartbeat(batch, tally, clock()))
        if not batch.format:
            batch.format = drafts_of_file.whole_format(batch, path, is_alive)
            batch.save(update_fields=["format"])
        answers = _answers(batch, path, is_alive, clock)
        rows = drafts_of_file.read_drafts(batch, path, tally.has_read, is_alive)
        for drafts in _batches(rows, tally):
            _write(batch, drafts, answers, tally, clock)
        if answers is not None:
            answers.finish()
    except OSError as error:
        why = _("The file could not be read completely: %(why)s.") % {"why": error.strerror}
        _finish(batch, tally, Import.State.REFUSED, clock(), why)
        return
    except UnableToRead as refusal:
        _finish(batch, tally, Import.State.REFUSED, clock(), refusal.sentence)
        return
    if tally.damage:
        _finish(batch, tally, Import.State.REFUSED, clock(), tally.damage)
    elif not tally.counts["prompts"] + tally.counts["duplicates"]:
        _finish(
            batch,
            tally,
            Import.State.REFUSED,
            clock(),
            _("The file contains no usable prompt."),
        )
    elif batch.is_strict and tally.counts["problems"]:
        _finish(batch, tally, Import.State.REFUSED, clock())
    else:
        if sum(tally.counts.values()) >= _MANY_ROWS:
            imports_rows.update_statistics()
        _finish(batch, tally, Import.State.PUBLISHED, clock())


def _answers(
    batch: Import, path: Path, is_alive: Callable[[], None], clock: Clock
) -> AnswerWriter | None:
    """What writes the answers into a campaign; None if they are not wanted there."""
    if not batch.annotations.get("campaign"):
        return None
    plan = drafts_of_file.survey(batch, path, is_alive)
    batch.annotations |= plan.as_json
    batch.save(update_fields=["annotations"])
    return AnswerWriter(batch=batch, plan=plan, now=clock())


def _show_campaigns(batch: Import) -> None:
    """Show the campaigns of an import that is published now, and have their quality computed."""
    for campaign in Campaign.every.filter(import_batch=batch, is_hidden=True):
        Campaign.every.filter(pk=campaign.pk).update(is_hidden=False)
        QUALITY.wake_on_commit(campaign.pk)


def _batches(
    drafts: Iterator[ImportDraft | ImportProblem], tally: _RowCounts
) -> Iterator[list[ImportDraft]]:
    """Drafts in batches that take about half a second to write; problems are added to the tally. A
    batch may contain no drafts.
    """
    lot: list[ImportDraft] = []
    n_seen = size = 0
    for draft in drafts:
        n_seen += 1
        if isinstance(draft, ImportProblem):
            tally.add_problem(draft)
        else:
            lot.append(draft)
            turns = (*draft.messages, *(reply.turn for reply in draft.replies))
            size += sum(len(m["content"]) + len(chats.parts_of(m)) for m in turns)
        if n_seen >= BATCH or size >= BATCH_CHARACTERS:
            yield lot
            lot, n_seen, size = [], 0, 0
    yield lot


def _write(
    batch: Import,
    drafts: list[ImportDraft],
    answers: AnswerWriter | None,
    tally: _RowCounts,
    clock: Clock,
) -> None:
    prepared = imports_rows.prepare(drafts)
    with transaction.atomic():
        counts, problems = imports_rows.write(
            batch=batch, prepared=prepared, answers=answers, now=clock()
        )
        for name, n in counts.items():
            tally.counts[name] += n
        for problem in problems:
            tally.add_problem(problem)
        # Last, so that the row is locked only briefly; a lost claim rolls back the whole batch.
        _heartbeat(batch, tally, clock())


def _heartbeat(batch: Import, tally: _RowCounts, now: datetime) -> None:
    batch.beat(now=now, bytes_read=tally.n_read, counts=tally.counts)


def _finish(batch: Import, tally: _RowCounts, state: str, now: datetime, error: str = "") -> None:
    changes: dict[str, object] = {} if error else {"bytes_read": batch.bytes_total}
    changes |= {
        "error": error,
        "counts": tally.counts,
        "problems": tally.problems.as_json,
    }
    if not batch.annotations or state != Import.State.PUBLISHED:
        batch.end(state, now=now, **changes)
        return
    with transaction.atomic():
        batch.end(state, now=now, **changes)
        _show_campaigns(batch)
