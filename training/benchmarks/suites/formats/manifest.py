"""What suite.yaml says of a suite, checked."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeGuard

from django.utils.translation import gettext as _

from training.benchmarks.scoring.scorers import SCORERS
from training.benchmarks.suites.formats import yaml_file
from training.benchmarks.suites.formats.kinds import AREAS, KINDS, WANTS, rules_in
from training.benchmarks.suites.formats.problems import (
    ItemLine,
    Notes,
    short_problem,
    storage_problem,
)
from training.benchmarks.suites.formats.yaml_file import Given

SHORT = {"id": 64, "version": 32, "name": 120, "licence": 64, "source": 500}
REQUIRED = ("id", "version", "name", "kind", "area", "licence")
FIELDS = (*SHORT, "kind", "area", "scorer", "about", "options", "sha256")
MAX_ABOUT = 20_000
MAX_CHALLENGE, MAX_METRIC = 1000, 100
_SLUG = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*")


@dataclass(frozen=True)
class Manifest:
    slug: str
    version: str
    name: str
    kind: str
    area: str
    scorer: str
    licence: str
    origin: str = ""
    about: str = ""
    sha256: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)


def read(fields: Mapping[str, Given], notes: Notes) -> Manifest | None:
    """The checked manifest; None if its kind is unknown, because then nothing else can be read.
    Whether it is right is told by the notes.
    """
    reader = _Reader(fields, notes)
    reader.note_unknown()
    texts = {name: reader.short(name) for name in SHORT}
    kind = reader.one_of("kind", tuple(KINDS))
    area = reader.one_of("area", AREAS)
    reader.note_missing()
    reader.check_slug(texts["id"])
    if kind not in KINDS:
        return None
    return Manifest(
        slug=texts["id"],
        version=texts["version"],
        name=texts["name"],
        kind=kind,
        area=area,
        scorer=reader.scorer(kind),
        licence=texts["licence"],
        origin=texts["source"],
        about=reader.about(),
        sha256=reader.sha256(),
        options=reader.options(kind),
    )


@dataclass(frozen=True)
class _Reader:
    given: Mapping[str, Given]
    notes: Notes

    def wrong(self, name: str, sentence: str) -> None:
        entry = self.given.get(name, Given(""))
        self.notes.add(entry.line, sentence, "" if entry.value is None else entry.value)

    def has(self, name: str) -> bool:
        return name in self.given and self.given[name].value not in (None, "")

    def note_unknown(self) -> None:
        for name, entry in self.given.items():
            if name not in FIELDS:
                words = _(
                    "`%(name)s` is not a field of a suite. Remove it, or use one of: %(known)s."
                )
                self.notes.add(entry.line, words % {"name": name, "known": ", ".join(FIELDS)}, name)

    def note_missing(self) -> None:
        for name in REQUIRED:
            if not self.has(name):
                self.wrong(
                    name,
                    _("`%(name)s` is missing. Add it to the file or enter it on the form.")
                    % {"name": name},
                )

    def short(self, name: str) -> str:
        if not self.has(name):
            return ""
        value = self.given[name].value
        if not isinstance(value, str):
            self.wrong(name, _("`%(name)s` must be text.") % {"name": name})
            return ""
        if problem := short_problem(name, value, SHORT[name]):
            self.wrong(name, problem)
        return str(value).strip()

    def one_of(self, name: str, known: tuple[str, ...]) -> str:
        if not self.has(name):
            return ""
        value = self.given[name].value
        if value not in known:
            words = _("`%(name)s` must be one of: %(known)s.")
            self.wrong(name, words % {"name": name, "known": ", ".join(known)})
            return ""
        return str(value)

    def check_slug(self, slug: str) -> None:
        if slug and not _SLUG.fullmatch(slug):
            self.wrong("id", _("`id` may have lower-case letters, digits, - and _ between them."))

    def scorer(self, kind: str) -> str:
        """The scorer's name; the kind's usual one if none is given."""
        known = tuple(name for name, scorer in SCORERS.items() if kind in scorer.kinds)
        if not self.has("scorer") and not KINDS[kind].usual_scorer:
            self.wrong(
                "scorer",
                _("`scorer` is missing. Use one of: %(known)s.") % {"known": ", ".join(known)},
            )
        return self.one_of("scorer", known) or KINDS[kind].usual_scorer

    def about(self) -> str:
        value = self.given["about"].value if self.has("about") else ""
        if not isinstance(value, str) or len(value) > MAX_ABOUT or storage_problem(value):
            self.wrong(
                "about",
                _("`about` must be text of at most %(n)d characters.") % {"n": MAX_ABOUT},
            )
            return ""
        return str(value).strip()

    def sha256(self) -> str:
        value = self.given["sha256"].value if self.has("sha256") else ""
        if value != "" and not re.fullmatch(r"[0-9a-f]{64}", str(value)):
            self.wrong("sha256", _("`sha256` must be 64 hexadecimal digits, in lower case."))
        return str(value)

    def options(self, kind: str) -> Mapping[str, Any]:
        value = yaml_file.plain(self.given["options"].value) if self.has("options") else {}
        if not isinstance(value, dict):
            self.wrong("options", _("`options` must be a mapping of names to values."))
            return {}
        if problem := storage_problem(value):
            self.wrong("options", problem)
            return {}
        known = KINDS[kind].options
        for name in sorted(value.keys() - known):
            self.wrong(
                "options",
                _(
                    "“%(name)s” is not an option of kind “%(kind)s”. Remove it. Its options:"
                    " %(known)s."
                )
                % {"name": name, "kind": kind, "known": ", ".join(sorted(known)) or "–"},
            )
        return self._checked_options(value)

    def _checked_options(self, value: dict[str, object]) -> Mapping[str, object]:
        task, rules = value.get("task"), value.get("rules", {})
        for name, limit in (("challenge", MAX_CHALLENGE), ("metric", MAX_METRIC)):
            if name in value and not _is_text(value[name], limit):
                self.wrong(
                    "options",
                    _("The option “%(name)s” must be text of at most %(n)d characters.")
                    % {"name": name, "n": limit},
                )
        if "task" in value and not _is_text(task, yaml_file.MAX_BYTES):
            self.wrong(
                "options", _("The task must be the YAML of a task of lm-evaluation-harness.")
            )
        if not isinstance(value.get("chat_template", False), bool):
            self.wrong("options", _("The option “chat_template” must be true or false."))
        if "wants" in value and value["wants"] not in WANTS:
            self.wrong("options", _("The option “wants” must be “complies” or “refuses”."))
        if not isinstance(rules, dict):
            self.wrong("options", _("The option “rules” must be a mapping of rules to values."))
            return {}
        line = ItemLine(self.notes, self.given["options"].line, rules) if rules else None
        return value | {"rules": rules_in(line)} if line else value


def _is_text(value: object, limit: int) -> TypeGuard[str]:
    return isinstance(value, str) and 0 < len(value.strip()) <= limit
