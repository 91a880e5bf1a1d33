"""Reads uploaded files of suites in a child: nothing of them is parsed where pages are made."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from django.utils.translation import gettext as _

from labeling.importers.child import limits, process
from labeling.importers.child.limits import UnableToRead
from training.benchmarks.suites.formats import reading
from training.benchmarks.suites.formats.problems import SuiteProblem
from training.benchmarks.suites.formats.reading import Reading
from training.benchmarks.suites.formats.uploads import SuiteFile


def read(
    files: Sequence[SuiteFile], *, shape: str = "", asked: Mapping[str, str] | None = None
) -> Reading:
    """As `reading.read`; a problem also if the files take too much to be read."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, str(number)) for number, _file in enumerate(files)]
        for path, file in zip(paths, files, strict=True):
            path.write_bytes(file.content)
        try:
            return process.value(
                read_paths,
                limits.of_upload(),
                paths=paths,
                names=[file.name for file in files],
                shape=shape,
                asked=dict(asked or {}),
            )
        except UnableToRead as refusal:
            return Reading(None, (SuiteProblem(_("Upload"), 0, refusal.sentence),))


def read_paths(
    *, paths: list[Path], names: list[str], shape: str, asked: dict[str, str]
) -> Reading:
    """In the child."""
    files = [SuiteFile(name, path.read_bytes()) for name, path in zip(names, paths, strict=True)]
    return reading.read(files, shape=shape, asked=asked)
