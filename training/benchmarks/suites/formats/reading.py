"""Reads an upload: its files to a draft of a suite, or to all their problems."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from django.utils.translation import gettext as _

from training.benchmarks.suites.drafts import ItemDraft, SuiteDraft, hash_of
from training.benchmarks.suites.formats import items, manifest, public, uploads, yaml_file
from training.benchmarks.suites.formats.items import Row
from training.benchmarks.suites.formats.kinds import LM_EVAL
from training.benchmarks.suites.formats.manifest import Manifest
from training.benchmarks.suites.formats.problems import Notes, SuiteProblem
from training.benchmarks.suites.formats.uploads import SuiteFile, Upload
from training.benchmarks.suites.formats.yaml_file import Given

OWN = "suite"
"""The format of suite.yaml with items.jsonl, beside the names of public shapes."""


@dataclass(frozen=True)
class Reading:
    """The draft, or why there is none. `shape` is the format as which the upload was read."""

    draft: SuiteDraft | None
    problems: Sequence[SuiteProblem] = ()
    n_more: int = 0
    """problems beyond those listed"""
    shape: str = OWN

    @property
    def n_problems(self) -> int:
        return len(self.problems) + self.n_more


def read(
    files: Sequence[SuiteFile], *, shape: str = "", asked: Mapping[str, str] | None = None
) -> Reading:
    """`asked` has fields of suite.yaml that stand in for those of the files, `shape` the format:
    empty finds it out. Never raises because of what the files hold.
    """
    wishes = {name: value for name, value in (asked or {}).items() if value}
    whole = Notes(_("Upload"))
    upload = uploads.sorted_out(files, whole)
    if whole.n:
        return _refused(whole)
    if upload.items is None:
        whole.add(0, _("There is no file of items. Upload items.jsonl beside suite.yaml."))
        return _refused(whole)
    if upload.manifest is None and (found := shape or public.shape_of(upload.items.content)) != OWN:
        return _read_public(upload.items, found, wishes)
    return _read_own(upload, upload.items, wishes)


def _read_own(upload: Upload, file: SuiteFile, asked: Mapping[str, str]) -> Reading:
    about = Notes(upload.manifest.name if upload.manifest else uploads.YAML)
    given = dict(yaml_file.read(upload.manifest.content, about)) if upload.manifest else {}
    if upload.manifest is None:
        about.add(
            0,
            _(
                "There is no suite.yaml, and the items have no known public format. Add a"
                " suite.yaml, or choose the format."
            ),
        )
    if about.n:
        return _refused(about)
    given |= {name: Given(value) for name, value in asked.items()}
    found = manifest.read(_with_task(given, upload), about)
    notes = Notes(file.name)
    if found is None:
        return _refused(about, notes)
    drafts = items.read(items.rows_of(file.content, notes), found, notes)
    digest = hash_of(file.content)
    if found.sha256 and found.sha256 != digest and not about.n:
        about.add(
            given["sha256"].line,
            _(
                "The items have another hash, %(hash)s: they were changed, or this is another file."
                " Correct `sha256` or take the right file."
            )
            % {"hash": digest},
            found.sha256,
        )
    _check_task(found, about)
    if about.n or notes.n:
        return _refused(about, notes)
    return Reading(_draft(found, drafts, digest))


def _with_task(given: Mapping[str, Given], upload: Upload) -> dict[str, Given]:
    """task.yaml is the option “task”."""
    if upload.task is None:
        return dict(given)
    options = given.get("options", Given({}))
    task = upload.task.content.decode("utf-8", errors="replace")
    value = options.value if isinstance(options.value, dict) else {}
    return {**given, "options": replace(options, value={**value, "task": task})}


def _check_task(found: Manifest, about: Notes) -> None:
    if found.kind == LM_EVAL and "task" not in found.options:
        about.add(0, _("The task is missing. Add its YAML as task.yaml."))


def _read_public(file: SuiteFile, shape: str, asked: Mapping[str, str]) -> Reading:
    notes, about = Notes(file.name), Notes(_("Form"))
    reader = public.READERS[shape]
    rows = list(reader.rows(file.content, notes))
    given = {name: Given(value) for name, value in {**reader.about, **asked}.items()}
    found = manifest.read(given, about)
    if found is None:
        return _refused(about, notes, shape=shape)
    drafts = items.read(rows, found, notes)
    if about.n or notes.n:
        return _refused(about, notes, shape=shape)
    return Reading(_draft(found, drafts, _hash_of_rows(rows)), shape=shape)


def _hash_of_rows(rows: Sequence[Row]) -> str:
    return hash_of(items.as_lines(rows))


def _draft(found: Manifest, drafts: tuple[ItemDraft, ...], digest: str) -> SuiteDraft:
    return SuiteDraft(
        slug=found.slug,
        version=found.version,
        name=found.name,
        kind=found.kind,
        area=found.area,
        scorer=found.scorer,
        licence=found.licence,
        origin=found.origin,
        about=found.about,
        options=found.options,
        items=drafts,
        items_hash=digest,
    )


def _refused(*notes: Notes, shape: str = OWN) -> Reading:
    problems = tuple(chain.from_iterable(one.problems for one in notes))
    return Reading(None, problems, sum(one.n_more for one in notes), shape)
