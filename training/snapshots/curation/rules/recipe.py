"""A recipe: rules in order, each with its thresholds. The same recipe always has the same
fingerprint, whatever the order of keys in its JSON.
"""

import dataclasses
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, ClassVar, get_args

from training.snapshots.curation.rules import phrases
from training.snapshots.curation.rules.contamination import Decontamination
from training.snapshots.curation.rules.duplicates import (
    KEEPS,
    AuthorCap,
    ExactDuplicates,
    NearDuplicates,
)
from training.snapshots.curation.rules.language import Language
from training.snapshots.curation.rules.personal_data import Keys, PersonalData
from training.snapshots.curation.rules.phrases import Blocklist, Boilerplate
from training.snapshots.curation.rules.quality import (
    C4Quality,
    FineWebQuality,
    GopherQuality,
    Length,
)
from training.snapshots.curation.rules.repetition import Repetition

# Goes up when a rule decides differently, so that two fingerprints are equal only if two results
# are.
VERSION = 3


@dataclass(frozen=True)
class Licences:
    """Only documents under a licence of the list; "CC-BY-4.0" and "cc-by-4.0" are the same."""

    NAME: ClassVar[str] = "licence"
    allowed: tuple[str, ...] = ()

    def allows(self, licence: str) -> bool:
        return licence.casefold() in {allowed.casefold() for allowed in self.allowed}


TextRule = (
    Length
    | GopherQuality
    | C4Quality
    | FineWebQuality
    | Repetition
    | Language
    | PersonalData
    | Keys
    | Blocklist
    | Boilerplate
)
CorpusRule = ExactDuplicates | NearDuplicates | AuthorCap
Rule = TextRule | CorpusRule | Decontamination | Licences
RULES: dict[str, type[Rule]] = {
    rule.NAME: rule
    for rule in (
        Licences,
        Length,
        Language,
        GopherQuality,
        C4Quality,
        FineWebQuality,
        Repetition,
        Blocklist,
        Boilerplate,
        Keys,
        PersonalData,
        Decontamination,
        ExactDuplicates,
        NearDuplicates,
        AuthorCap,
    )
}
_CORPUS = (ExactDuplicates, NearDuplicates, AuthorCap)


class UnableToRead(ValueError):
    """The recipe's JSON is wrong. The message says where."""


@dataclass(frozen=True)
class Recipe:
    name: str
    rules: tuple[Rule, ...]
    restored: tuple[str, ...] = ()
    """ids of documents that stay whatever the rules say"""

    def __post_init__(self) -> None:
        is_of_all = [isinstance(rule, _CORPUS) for rule in self.rules]
        if is_of_all != sorted(is_of_all):
            raise UnableToRead("Rules that compare documents come last.")
        if len({rule.NAME for rule in self.rules}) < len(self.rules):
            raise UnableToRead("A rule is in the recipe twice.")

    @property
    def near(self) -> NearDuplicates | None:
        return next((rule for rule in self.rules if isinstance(rule, NearDuplicates)), None)

    def as_json(self) -> dict[str, Any]:
        """Every threshold, also those that have their usual value."""
        rules = [{"rule": rule.NAME, **dataclasses.asdict(rule)} for rule in self.rules]
        plain: dict[str, object] = json.loads(
            json.dumps({"name": self.name, "rules": rules, "restored": sorted(self.restored)})
        )
        return plain

    def fingerprint(self, *, items: str = "") -> str:
        """SHA-256 of the rules, their lists and the `items` (a digest) that they look for."""
        about = {key: value for key, value in self.as_json().items() if key != "name"}
        lists = {
            name: phrases.digest_of(name)
            for rule in self.rules
            if isinstance(rule, Blocklist | Boilerplate)
            for name in rule.lists
        }
        whole = {**about, "lists": lists, "items": items, "version": VERSION}
        return sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()


def from_json(data: Mapping[str, object]) -> Recipe:
    """Raises UnableToRead."""
    rules = data.get("rules")
    if not isinstance(rules, list) or not all(isinstance(rule, dict) for rule in rules):
        raise UnableToRead("“rules” is a list of objects.")
    restored = data.get("restored", [])
    if not isinstance(restored, list) or not all(isinstance(entry, str) for entry in restored):
        raise UnableToRead("“restored” is a list of ids.")
    name = str(data.get("name", "own"))[:80]
    return Recipe(name, tuple(map(_rule, rules)), tuple(sorted(restored)))


def _rule(data: Mapping[str, object]) -> Rule:
    name = data.get("rule")
    if not isinstance(name, str) or name not in RULES:
        raise UnableToRead(f"There is no rule {name!r}. There are: {', '.join(RULES)}.")
    fields = {field.name: field for field in dataclasses.fields(RULES[name])}
    settings = {key: _frozen(value) for key, value in data.items() if key != "rule"}
    if unknown := sorted(settings.keys() - fields.keys()):
        raise UnableToRead(f"{name} has no {unknown[0]!r}. It has: {', '.join(fields)}.")
    for key, value in settings.items():
        is_off = value is None and type(None) in get_args(fields[key].type)
        if not is_off and not _is_like(value, fields[key].default):
            raise UnableToRead(f"{name}: {key} cannot be {value!r}.")
    if settings.get("keeps", KEEPS[0]) not in KEEPS:
        raise UnableToRead(f"{name}: keeps is one of {', '.join(KEEPS)}.")
    for blocklist in settings.get("lists", ()):
        if blocklist not in phrases.names():
            raise UnableToRead(f"{name}: there is no list {blocklist!r}.")
    return RULES[name](**settings)


def _frozen(value: object) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


def _is_like(value: object, usual: object) -> bool:
    """Whether a value has the type of the usual one."""
    if isinstance(usual, bool) or isinstance(value, bool):
        return isinstance(usual, bool) and isinstance(value, bool)
    if usual is None or isinstance(usual, int | float):
        return isinstance(value, int | float) and math.isfinite(value)
    if isinstance(usual, tuple):
        like = usual[0] if usual else ""
        return isinstance(value, tuple) and all(_is_entry(entry, like) for entry in value)
    return isinstance(value, str)


def _is_entry(value: object, like: object) -> bool:
    """An entry of a list: a word, or a pair of run length and share."""
    if isinstance(like, str):
        return isinstance(value, str)
    return isinstance(value, tuple) and [type(entry) for entry in value] in (
        [int, float],
        [int, int],
    )


# The floor of 50 words and the rules about lines are for web pages. A prompt or an answer may be a
# word, a list or a program.
_WEB = (
    Length(),
    Language(),
    GopherQuality(),
    FineWebQuality(),
    C4Quality(),
    Repetition(),
    Blocklist(),
    Boilerplate(),
    Keys(),
    PersonalData(),
    Decontamination(),
    ExactDuplicates(),
    NearDuplicates(),
)
_TALK = (
    Repetition(max_lines=None, max_line_characters=0.5, max_paragraphs=0.5, top_grams=()),
    Blocklist(),
    Keys(),
    PersonalData(),
    Decontamination(),
    ExactDuplicates(),
    NearDuplicates(runs_of="characters"),
)
PRESETS: dict[str, Recipe] = {
    "text": Recipe("text", _WEB),
    "light": Recipe(
        "light", (Keys(), PersonalData(), Decontamination(), ExactDuplicates(), NearDuplicates())
    ),
    "prompt": Recipe("prompt", (*_TALK, AuthorCap())),
    "demonstration": Recipe("demonstration", (Length(1), *_TALK[:2], Boilerplate(), *_TALK[2:])),
    # Responses are what models wrote: their way of speaking is what is being judged.
    "response": Recipe("response", _TALK),
}
"""kind → the recipe to start from. "light" is for text that is not from the web: books, code."""
