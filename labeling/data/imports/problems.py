"""The problems of an import as they are stored: one that many lines have is said once."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from labeling.importers.drafts import ImportProblem

KEPT = 5_000
"""Different sentences, or lines with one."""
SAID_BY_LINE = 20
"""A sentence that more lines have is said once, with their number and where they are."""
_RANGES = 20


@dataclass
class _Lines:
    """The lines with one problem, as ranges."""

    n: int = 0
    ranges: list[list[int]] = field(default_factory=list)
    """the first ones; each its first and last line"""
    is_cut: bool = False

    def add(self, line: int) -> None:
        self.n += 1
        if not self.is_cut and self.ranges and line == self.ranges[-1][1] + 1:
            self.ranges[-1][1] = line
        elif len(self.ranges) < max(_RANGES, SAID_BY_LINE):
            self.ranges.append([line, line])
        else:
            self.is_cut = True

    @property
    def words(self) -> str:
        """Such as “1–40, 43, 50, …”."""
        parts = [
            f"{first}" if first == last else f"{first}\N{EN DASH}{last}"
            for first, last in self.ranges[:_RANGES]
        ]
        return ", ".join([*parts, "…"] if self.is_cut else parts)


@dataclass
class Problems:
    by_sentence: dict[str, _Lines] = field(default_factory=dict)

    def add(self, problem: ImportProblem) -> None:
        lines = self.by_sentence.get(problem.sentence)
        if lines is None and len(self.by_sentence) < KEPT:
            lines = self.by_sentence[problem.sentence] = _Lines()
        if lines is not None:
            lines.add(problem.line)

    @property
    def as_json(self) -> list[dict[str, object]]:
        """By line. A row of several lines has their number as `n_lines`."""
        rows = [
            row for sentence, lines in self.by_sentence.items() for row in _rows(sentence, lines)
        ]
        return [row for _line, row in sorted(rows, key=lambda row: row[0])[:KEPT]]


def _rows(sentence: str, lines: _Lines) -> Iterator[tuple[int, dict[str, object]]]:
    if lines.n <= SAID_BY_LINE:
        for first, last in lines.ranges:
            for line in range(first, last + 1):
                yield line, {"line": line, "sentence": sentence}
        return
    words = _("%(sentence)s %(n)d lines have this problem: %(lines)s.")
    whole = words % {"sentence": sentence, "n": lines.n, "lines": lines.words}
    line = lines.ranges[0][0]
    yield line, {"line": line, "sentence": whole, "n_lines": lines.n}
