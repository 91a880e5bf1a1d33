"""Reads an upload: its files to a draft of a suite, or to all their problems."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from django.utils.translation import gettext as _

from training.benchmarks.suites.drafts import ItemDraft, SuiteDraft, hash_of
from training.benchmarks.suites.formats import (
    items,
    lm_eval_task,
    manifest,
    public,
    uploads,
    yaml_file,
)
from training.benchmarks.suites.formats.items import Row
from training.benchmarks.suites.formats.kinds import LM_EVAL
from training.benchmarks.suites.formats.manifest import Manifest
from training.benchmarks.suites.formats.problems import Notes, SuiteProblem, storage_problem
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
        whole.add(0, _("There is no file with items. Upload items.jsonl together with suite.yaml."))
        return _refused(whole)
    if upload.manifest is None and upload.task is None:
        chosen = shape or public.shape_of(upload.items.content)
        if chosen != OWN:
            return _read_public(upload.items, chosen, wishes)
    return _read_own(upload, upload.items, wishes)


def _read_own(upload: Upload, file: SuiteFile, asked: Mapping[str, str]) -> Reading:
    about = Notes(upload.manifest.name if upload.manifest else uploads.YAML)
    fields = dict(yaml_file.read(upload.manifest.content, about)) if upload.manifest else {}
    if upload.manifest is None and upload.task is None:
        about.add(
            0,
            _(
                "There is no suite.yaml, and the items have no known public format. Add a"
                " suite.yaml, or choose the format."
            ),
        )
    if about.n:
        return _refused(about)
    fields |= {name: Given(value) for name, value in asked.items()}
    about_suite = manifest.read(_with_task(fields, upload, about), about)
    if about_suite is None:
        return _refused(about, Notes(file.name))
    if about_suite.kind == LM_EVAL:
        return _read_task(upload, file, about_suite, about)
    notes = Notes(file.name)
    drafts = items.read(items.rows_of(file.content, notes), about_suite, notes)
    digest = hash_of(file.content)
    _check_hash(about_suite, fields, digest, about)
    if about.n or notes.n:
        return _refused(about, notes)
    return Reading(_draft(about_suite, drafts, digest))


def _check_hash(
    about_suite: Manifest, fields: Mapping[str, Given], digest: str, about: Notes
) -> None:
    if not about_suite.sha256 or about_suite.sha256 == digest or about.n:
        return
    words = _(
        "The items have another hash, %(hash)s: they were changed, or this is another file."
        " Correct `sha256` or take the right file."
    )
    line = fields["sha256"].line if "sha256" in fields else 0
    about.add(line, words % {"hash": digest}, about_suite.sha256)


def _with_task(fields: Mapping[str, Given], upload: Upload, about: Notes) -> dict[str, Given]:
    """The fields, with the task's YAML as the option “task”. A task alone is a suite of its own."""
    merged = dict(fields)
    named = merged.pop("task", None)
    if named is not None and (upload.task is None or upload.task.name != named.value):
        words = _("“%(name)s” is not in the upload. Add it.")
        about.add(named.line, words % {"name": named.value}, named.value)
    if upload.task is None:
        return merged
    if upload.manifest is None:
        merged = lm_eval_task.as_suite(upload.task.content) | merged
    options = merged.get("options", Given({}))
    task = upload.task.content.decode("utf-8", errors="replace")
    value = options.value if isinstance(options.value, dict) else {}
    return {**merged, "options": replace(options, value={**value, "task": task})}


def _read_task(upload: Upload, file: SuiteFile, about_suite: Manifest, about: Notes) -> Reading:
    notes = Notes(upload.task.name if upload.task else uploads.TASK)
    if "task" not in about_suite.options:
        if not about.n:
            about.add(0, _("The task is missing. Add its YAML as task.yaml."))
        return _refused(about)
    metric = str(about_suite.options.get("metric", ""))
    task = lm_eval_task.read(about_suite.options["task"], notes, metric=metric)
    if task is None:
        return _refused(about, notes)
    data = upload.data or (file,)
    tested = _file_of(task, task.split, data, notes)
    shots = _file_of(task, task.fewshot_split, data, notes) if task.fewshot_split else None
    used = {part.name for part in (tested, shots) if part is not None}
    for surplus in data:
        if surplus.name not in used and not notes.n:
            words = _("The task does not use “%(name)s”. Remove it.")
            notes.add(0, words % {"name": surplus.name[:100]})
    if notes.n or tested is None:
        return _refused(about, notes)
    of_items, of_shots = Notes(tested.name), Notes(shots.name if shots else "")
    drafts = items.read(items.records_of(tested.content, of_items), about_suite, of_items)
    options = {**about_suite.options, "metric": task.metric}
    if shots is not None:
        options["fewshot"] = _shots(shots.content, of_shots)
    digest = hash_of(tested.content)
    _check_hash(about_suite, {}, digest, about)
    if about.n or of_items.n or of_shots.n:
        return _refused(about, of_items, of_shots)
    return Reading(_draft(replace(about_suite, options=options), drafts, digest))


def _file_of(
    task: lm_eval_task.Task, split: str, data: Sequence[SuiteFile], notes: Notes
) -> SuiteFile | None:
    """The data file of a split. Without a name in the task, the only file is what it tests."""
    names = task.files.get(split, ())
    if not names and split == task.split and len(data) == 1:
        return data[0]
    if len(names) != 1:
        words = _("`data_files` must name one file of the upload for the split “%(split)s”.")
        notes.add(0, words % {"split": split})
        return None
    match = next((file for file in data if file.name == names[0]), None)
    if match is None and split == task.split and [part.name for part in data] == [uploads.ITEMS]:
        return data[0]
    if match is None:
        notes.add(0, _("“%(name)s” is not in the upload. Add it.") % {"name": names[0]})
    return match


def _shots(content: bytes, notes: Notes) -> list[dict[str, object]]:
    """The rows that examples are drawn from."""
    rows = [row.fields for row in items.records_of(content, notes)]
    if len(rows) > lm_eval_task.MAX_SHOTS or len(content) > lm_eval_task.MAX_BYTES:
        words = _("Examples may have at most %(n)d rows and %(size)d KB. Keep fewer.")
        sizes = {"n": lm_eval_task.MAX_SHOTS, "size": lm_eval_task.MAX_BYTES // 1024}
        notes.add(0, words % sizes)
    for row in rows:
        if problem := storage_problem(row):
            notes.add(0, problem)
    return rows


def _read_public(file: SuiteFile, shape: str, asked: Mapping[str, str]) -> Reading:
    notes, about = Notes(file.name), Notes(_("Form"))
    reader = public.READERS[shape]
    rows = list(reader.rows(file.content, notes))
    fields = {name: Given(value) for name, value in {**reader.about, **asked}.items()}
    about_suite = manifest.read(fields, about)
    if about_suite is None:
        return _refused(about, notes, shape=shape)
    drafts = items.read(rows, about_suite, notes)
    if about.n or notes.n:
        return _refused(about, notes, shape=shape)
    return Reading(_draft(about_suite, drafts, _hash_of_rows(rows)), shape=shape)


def _hash_of_rows(rows: Sequence[Row]) -> str:
    return hash_of(items.as_lines(rows))


def _draft(about_suite: Manifest, drafts: tuple[ItemDraft, ...], digest: str) -> SuiteDraft:
    return SuiteDraft(
        slug=about_suite.slug,
        version=about_suite.version,
        name=about_suite.name,
        kind=about_suite.kind,
        area=about_suite.area,
        scorer=about_suite.scorer,
        licence=about_suite.licence,
        origin=about_suite.origin,
        about=about_suite.about,
        options=about_suite.options,
        items=drafts,
        items_hash=digest,
    )


def _refused(*notes: Notes, shape: str = OWN) -> Reading:
    problems = tuple(chain.from_iterable(note.problems for note in notes))
    return Reading(None, problems, sum(note.n_more for note in notes), shape)
