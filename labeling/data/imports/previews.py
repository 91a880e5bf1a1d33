"""The first rows of an uploaded file, as an import would store them, before anything is stored."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core import signing
from django.core.files import File
from django.utils.translation import gettext as _

from accounts.models import User
from arithmetic.chats import Message, Tool
from labeling.data.imports import drafts_of_file, uploads
from labeling.importers import formats, readers
from labeling.importers.child import limits, process
from labeling.importers.child.limits import UnableToRead
from labeling.importers.drafts import ImportDraft, ImportProblem, Reply
from labeling.importers.files import lines

SHOWN = 5
"""Prompts in a preview."""
READ = 200
"""Rows that are read for it."""
MAX_NAMES = 200
KEPT_FOR = timedelta(days=1)
_SALT = "import-preview"
_PREFIX = "preview-"


@dataclass(frozen=True)
class KeptFile:
    """An uploaded file that waits to be imported. `token` names it in a form."""

    path: Path
    name: str
    token: str


@dataclass(frozen=True)
class PreviewReply:
    turn: Message
    words: tuple[str, ...]
    """what is stored with it: its kind, model, rank, label, scores, licence"""


@dataclass(frozen=True)
class PreviewRow:
    line: int
    messages: tuple[Message, ...]
    tools: tuple[Tool, ...]
    replies: tuple[PreviewReply, ...]
    words: tuple[str, ...]
    """category, language, licence and so on"""


@dataclass(frozen=True)
class Preview:
    format: str
    names: tuple[str, ...]
    """the file's own columns"""
    rows: tuple[PreviewRow, ...]
    problems: tuple[ImportProblem, ...]

    @property
    def asks(self) -> bool:
        """Whether columns may say that answers are bad, and nobody has said what they mean."""
        return any(problem.asks for problem in self.problems)


def keep(*, upload: "File[bytes]", by: User, now: datetime) -> KeptFile:
    """Copy an upload below UPLOADS_DIR for a day, so that it need not be sent again."""
    path = new_file(now=now)
    uploads.write(upload, path)
    return kept_as(path=path, name=Path(upload.name or "–").name[:255], by=by)


def new_file(*, now: datetime) -> Path:
    """Where to write a file that is kept for a day."""
    folder = Path(settings.UPLOADS_DIR) / "imports"
    folder.mkdir(parents=True, exist_ok=True)
    _delete_old(folder, now)
    return folder / f"{_PREFIX}{uuid.uuid4().hex}"


def kept_as(*, path: Path, name: str, by: User) -> KeptFile:
    """A file that `new_file` named, for the form of this person."""
    token = signing.dumps({"file": path.name, "name": name, "by": by.pk}, salt=_SALT)
    return KeptFile(path, name, token)


def kept_file(*, token: str, by: User) -> KeptFile | None:
    """The file that a token names; None if it is gone, or was uploaded by somebody else."""
    found = _named_by(token, by)
    return found if found is not None and found.path.is_file() else None


def imported_as(*, token: str, by: User) -> Path | None:
    """Where the file that a token names lies once its import has started."""
    found = _named_by(token, by)
    return started(found.path) if found is not None else None


def started(path: Path) -> Path:
    """Where a kept file is moved by the import that starts with it: always to the same place, so
    that it starts one.
    """
    return path.with_name(path.name.removeprefix(_PREFIX))


def _named_by(token: str, by: User) -> KeptFile | None:
    try:
        token_data = signing.loads(token, salt=_SALT, max_age=KEPT_FOR)
    except signing.BadSignature:
        return None
    path = Path(settings.UPLOADS_DIR) / "imports" / token_data["file"]
    return KeptFile(path, token_data["name"], token) if token_data["by"] == by.pk else None


def preview(
    *, path: Path, file_format: str | None, columns: Mapping[str, str], with_judgments: bool
) -> Preview:
    """What the file's first rows become. Reads no more than READ rows and a budget of bytes."""
    try:
        seen = process.value(
            readers.first_rows,
            limits.of_page(),
            path=path,
            file_format=file_format or "",
            columns=columns,
            most=READ,
            shown=SHOWN,
            n_bytes=lines.LOOKED_AT,
        )
    except UnableToRead as refusal:
        unread = ImportProblem(0, refusal.sentence)
        return Preview(file_format or "", (), (), (unread,))
    if not seen.format:
        unseen = ImportProblem(0, formats.too_large_to_look_at())
        return Preview(file_format or "", (), (), (unseen,))
    drafts = [entry for entry in seen.entries if isinstance(entry, ImportDraft)]
    problems = tuple(entry for entry in seen.entries if isinstance(entry, ImportProblem))
    if not seen.entries:
        problems = (ImportProblem(0, _("The file contains no usable prompt.")),)
    rows = tuple(row(draft, with_judgments=with_judgments) for draft in drafts)
    return Preview(seen.format, seen.names[:MAX_NAMES], rows, problems)


def preview_upload(*, upload: "File[bytes]", **arguments: Any) -> Preview:
    """Like `preview`, of a file that is not kept."""
    with process.on_disk(upload) as path:
        return preview(path=path, **arguments)


def column_names(*, path: Path) -> tuple[str, ...]:
    """The names of the columns in the first rows of a file; none if its rows are texts, or cannot
    be read.
    """
    try:
        seen = drafts_of_file.look(path=path)
    except UnableToRead:
        return ()
    return seen.names[:MAX_NAMES]


def _delete_old(folder: Path, now: datetime) -> None:
    oldest = (now - KEPT_FOR).timestamp()
    for path in folder.glob(f"{_PREFIX}*"):
        if path.stat().st_mtime < oldest:
            path.unlink(missing_ok=True)


def row(draft: ImportDraft, *, with_judgments: bool) -> PreviewRow:
    """A draft as a page shows it."""
    words: list[str] = [draft.language, draft.licence, *draft.sensitive]
    if draft.category != "other":
        words.insert(0, draft.category.replace("_", " "))
    is_all_bad = draft.answer is not None and draft.answer.is_all_bad
    if (draft.is_compared or is_all_bad) and with_judgments:
        words.append(_("ranking by %(rater)s") % {"rater": draft.worker or _("the dataset")})
    elif draft.answer is not None and any(draft.answer.ratings):
        words.append(_("rating by %(rater)s") % {"rater": draft.worker or _("the dataset")})
    if is_all_bad:
        words.append(_("all are bad"))
    if draft.answer is not None and draft.answer.strength is not None:
        words.append(_("strength %(n)d") % {"n": draft.answer.strength})
    if draft.answer is not None and draft.answer.at is not None:
        words.append(f"{draft.answer.at:%Y-%m-%d %H:%M}")
    return PreviewRow(
        draft.line,
        draft.messages,
        draft.tools,
        tuple(
            _reply(reply, _ratings_of(draft, place), draft, with_judgments)
            for place, reply in enumerate(draft.replies)
        ),
        tuple(filter(None, words)),
    )


def _ratings_of(draft: ImportDraft, place: int) -> Mapping[str, object]:
    ratings = draft.answer.ratings if draft.answer else ()
    return ratings[place] if place < len(ratings) else {}


def _reply(
    reply: Reply, ratings: Mapping[str, object], draft: ImportDraft, with_judgments: bool
) -> PreviewReply:
    is_demonstration = reply.is_human and with_judgments
    words: list[object] = [_("demonstration") if is_demonstration else _("response"), reply.author]
    if reply.rank is not None and draft.is_compared and with_judgments:
        words.append(_("rank %(n)d") % {"n": reply.rank})
    for name, value in (*reply.marks.items(), *ratings.items()):
        value = str(value).lower() if isinstance(value, bool) else value
        words.append(f"{name.replace('_', ' ')} {value}")
    words.append(reply.licence)
    return PreviewReply(reply.turn, tuple(str(word) for word in words if word))
