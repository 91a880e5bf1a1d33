"""What was uploaded: suite.yaml and items.jsonl, one zip with both, or one public file."""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from django.utils.translation import gettext as _

from config.performance import upload_limits
from training.benchmarks.suites.formats import lm_eval_task
from training.benchmarks.suites.formats.problems import Notes

MAX_BYTES = upload_limits.SUITE_FILES
MAX_ENTRIES = 100
YAML, TASK, ITEMS = "suite.yaml", "task.yaml", "items.jsonl"
_ZIP = b"PK\x03\x04"
_DATA = (".jsonl", ".json")


@dataclass(frozen=True)
class SuiteFile:
    name: str
    content: bytes


@dataclass(frozen=True)
class Upload:
    """The files by their role. `items` is a JSONL beside a suite.yaml, or a file of any shape."""

    manifest: SuiteFile | None = None
    items: SuiteFile | None = None
    task: SuiteFile | None = None
    data: Sequence[SuiteFile] = ()
    """beside a task: all files of data, from which the task names its own"""


def sorted_out(files: Sequence[SuiteFile], notes: Notes) -> Upload:
    """The upload. Notes files that are too many, too large or cannot be unpacked."""
    unpacked = list(_unpacked(files, notes))
    if sum(len(file.content) for file in unpacked) > MAX_BYTES:
        notes.add(0, _("The files are larger than %(n)d MB together.") % {"n": MAX_BYTES >> 20})
        return Upload()
    manifests = [file for file in unpacked if _is_yaml(file) and not _is_task(file)]
    tasks = [file for file in unpacked if _is_task(file)]
    items = [file for file in unpacked if not _is_yaml(file)]
    data = [file for file in items if tasks and file.name.lower().endswith(_DATA)]
    surplus = [file for file in items if file not in data] if tasks else items[1:]
    for file in [*manifests[1:], *tasks[1:], *surplus]:
        _note_surplus(file, notes)
    manifest, first, task = (
        several[0] if several else None for several in (manifests, data or items, tasks)
    )
    return Upload(manifest, first, task, data)


def _note_surplus(file: SuiteFile, notes: Notes) -> None:
    words = _("“%(name)s” is one file too many. Upload one suite at a time.")
    if file.name.lower().endswith(".py"):
        words = _("“%(name)s” is a program, and a suite cannot run any. Remove it.")
    notes.add(0, words % {"name": file.name[:100]})


def _is_yaml(file: SuiteFile) -> bool:
    return file.name.lower().endswith((".yaml", ".yml"))


def _is_task(file: SuiteFile) -> bool:
    name = file.name.lower()
    if name in (YAML, "suite.yml") or not _is_yaml(file):
        return False
    return name in (TASK, "task.yml") or lm_eval_task.is_task(file.content)


def _unpacked(files: Sequence[SuiteFile], notes: Notes) -> Iterator[SuiteFile]:
    for file in files:
        if file.content.startswith(_ZIP):
            yield from _entries(file, notes)
        else:
            yield SuiteFile(PurePosixPath(file.name).name, file.content)


def _entries(archive: SuiteFile, notes: Notes) -> Iterator[SuiteFile]:
    """The files of a zip without their folders. The sizes that it claims are not trusted."""
    left = MAX_BYTES
    try:
        with zipfile.ZipFile(io.BytesIO(archive.content)) as opened:
            entries = [entry for entry in opened.infolist() if _is_wanted(entry)]
            if len(entries) > MAX_ENTRIES:
                notes.add(0, _("The archive has more than %(n)d files.") % {"n": MAX_ENTRIES})
                return
            for entry in entries:
                if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    raise zipfile.BadZipFile(entry.filename)
                with opened.open(entry) as file:
                    content = file.read(left + 1)
                left -= len(content)
                if left < 0:
                    notes.add(
                        0, _("The archive unpacks to more than %(n)d MB.") % {"n": MAX_BYTES >> 20}
                    )
                    return
                yield SuiteFile(PurePosixPath(entry.filename).name, content)
    except (
        zipfile.BadZipFile,
        zlib.error,
        struct.error,
        EOFError,
        NotImplementedError,
        RuntimeError,  # it is encrypted
        ValueError,
        OSError,
    ):
        notes.add(
            0,
            _("The archive is damaged or encrypted. Pack it again as a plain zip file."),
            archive.name,
        )


def _is_wanted(entry: zipfile.ZipInfo) -> bool:
    """No folders, and nothing of what systems add by themselves."""
    path = PurePosixPath(entry.filename)
    is_added = "__MACOSX" in path.parts or path.name.startswith(".")
    return not entry.is_dir() and not is_added
