"""Fields that nothing reads and whose values are short and few: in whatever language they may say
whether an answer is good, so an answer beside one is no demonstration. Told by the values in a
file's first rows, not by words.
"""

import re
import unicodedata
from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import chain

from django.utils.translation import gettext as _

from labeling.importers.drafts import ImportProblem, shown
from labeling.importers.files.lines import Value, Values
from labeling.importers.shapes import verdicts
from labeling.importers.shapes.verdicts import Field

FEW = 12
LOOKED_AT = 200
"""As many rows as a preview reads, so that it shows what the import does."""
_MOST_LOOKED_AT = 4_000_000
"""Characters and values that are held while the first rows are looked at."""
_MOST_PATHS = 4_000
_LONGEST = 40
_BEST_GRADE = 100
_METADATA = {
    *("area", "book", "capability", "capabilities", "category", "categories", "chapter", "city"),
    *("cluster", "code", "collection", "config", "constraint", "constraints", "context"),
    *("country", "data", "dataset", "dialect", "difficulty", "domain", "domains", "doi", "field"),
    *("file", "filename", "folder", "format", "from", "genre", "group", "hash", "intent"),
    *("keyword", "keywords", "lang", "language", "languages", "licence", "license", "locale"),
    *("md5", "name", "origin", "path", "persona", "project", "provenance", "publisher", "region"),
    *("role", "scenario", "script", "section", "sha", "sha256", "skill", "skills", "source"),
    *("sources", "split", "style", "subcategory", "subdomain", "subject", "subjects", "subset"),
    *("subtask", "subtopic", "tag", "tags", "task", "tasks", "template", "title", "tone"),
    *("tool", "tools", "topic", "topics", "type", "types", "uri", "url", "uuid", "website"),
    # The same in other languages.
    *("abteilung", "aufgabe", "bereich", "datum", "fach", "gebiet", "herkunft", "kapitel"),
    *("kategorie", "land", "lizenz", "nummer", "quelle", "sprache", "thema", "themen", "titel"),
    *("catégorie", "domaine", "langue", "numéro", "origine", "pays", "sujet", "tâche", "thème"),
    *("titre", "categoria", "dominio", "fecha", "fuente", "idioma", "lengua", "licencia", "país"),
    *("origen", "tarea", "tema", "título", "argomento", "compito", "fonte", "lingua", "titolo"),
    *("assunto", "tarefa", "bron", "onderwerp", "taak", "taal", "język", "kategoria", "temat"),
    *("zadanie", "źródło", "задача", "источник", "категория", "тема", "язык"),
    *("主题", "任务", "分类", "来源", "类别", "语言", "カテゴリ", "出典", "言語"),
}
"""Last words of names that say where a row is from or what it is about."""
_NOTHING = {"", "[]", "{}", "null", "none", "nan"}
_PLACE_OR_TIME = re.compile(r"https?://.*|\d{4}-\d\d(-\d\d.*)?|\d{1,2}[./]\d{1,2}[./]\d{2,4}.*")
_NUMBER = re.compile(r"([+-]?\d+(?:[.,]\d+)?)\s*(?:%|/\s*\d+)?")


class FirstRows:
    """The rows of a file, of which the first have been looked at."""

    def __init__(self, values: Values) -> None:
        self._later = values
        self._first: deque[Value | ImportProblem] = deque()
        self._texts: dict[str, dict[str, str]] = defaultdict(dict)
        self._numbers: dict[str, list[float]] = defaultdict(list)
        size = 0
        for value in values:
            self._first.append(value)
            if isinstance(value, Value) and isinstance(value.value, dict):
                self._note(value.value)
                size += _size(value.value)
            if len(self._first) >= LOOKED_AT or size > _MOST_LOOKED_AT:
                break

    def all(self) -> Values:
        while self._first:
            yield self._first.popleft()
        yield from self._later

    def may_judge(self, row: Mapping[str, object], explained: Collection[str]) -> dict[str, str]:
        """The row's columns, other than those `explained`, that may say whether its answer is
        good, with their values in the first rows.
        """
        fields: dict[str, set[str]] = defaultdict(set)
        for column, path in short_fields(verdicts.all_fields(row, explained)):
            if len(fields[column]) < FEW and not self._says_nothing(path):
                fields[column].add(path)
        return {column: self._values(paths) for column, paths in fields.items() if paths}

    def _note(self, row: Mapping[str, object]) -> None:
        unread, of_messages = verdicts.all_fields(row, ()), verdicts.all_fields(row, row)
        for _column, path, value in chain(unread, of_messages):
            if _is_short(value) and len(self._numbers) + len(self._texts) < _MOST_PATHS:
                number = _number(value)
                if number is not None:
                    self._numbers[path].append(number)
                elif len(self._texts[path]) <= FEW:
                    text = str(value).strip()
                    self._texts[path].setdefault(text.casefold(), text)

    def _says_nothing(self, path: str) -> bool:
        """Whether a column has many texts, or whole numbers each of which comes once, as in a
        count. A grade from 0 to 100 has many numbers too.
        """
        numbers = self._numbers.get(path, [])
        are_different = len(numbers) > FEW and len(set(numbers)) == len(numbers)
        is_numbering = are_different and all(number.is_integer() for number in numbers)
        return len(self._texts.get(path, ())) > FEW or is_numbering

    def _values(self, paths: Collection[str]) -> str:
        texts = {text for path in paths for text in self._texts.get(path, {}).values()}
        numbers = sorted({number for path in paths for number in self._numbers.get(path, ())})
        listed = [*map(shown, sorted(texts)), *(f"{number:g}" for number in numbers)]
        return ", ".join(listed[:FEW])


def short_fields(fields: Iterable[Field]) -> Iterator[tuple[str, str]]:
    """Those with a short value and no usual name: the name, and the names of the parts down to the
    value.
    """
    for column, path, value in fields:
        if not _is_metadata(path) and _is_short(value):
            yield column, path


def no_demonstrations(columns: Mapping[str, str]) -> str:
    """A sentence that names columns with their values."""
    listed = [
        f"{shown(name)} ({values})" if values else shown(name)
        for name, values in sorted(columns.items())[: verdicts.MAX_NAMED]
    ]
    sentence = _(
        "%(names)s may say in other words whether the answer is good, so such answers are stored as"
        " responses, not as demonstrations. If it does, write true or false in it and choose it as"
        " “Good or bad” under Columns. If it does not, remove it from the file."
    )
    return sentence % {"names": "; ".join(listed)}


def _is_short(value: object) -> bool:
    """Whether it could be a verdict: a grade, a letter or a few words. Of true and false verdicts
    know without a look at others.
    """
    number = _number(value)
    if number is not None:
        return not number.is_integer() or abs(number) <= _BEST_GRADE
    if not isinstance(value, str):
        return False
    text = value.strip()
    is_place_or_time = _PLACE_OR_TIME.fullmatch(text)
    return len(text) <= _LONGEST and text.lower() not in _NOTHING and not is_place_or_time


def _number(value: object) -> float | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value) if abs(value) < 1e15 else None
    match = _NUMBER.fullmatch(value.strip()) if isinstance(value, str) else None
    return float(match[1].replace(",", ".")) if match and len(match[1]) < 16 else None


@lru_cache(_MOST_PATHS)
def _is_metadata(path: str) -> bool:
    plain = _without_accents(path)
    return verdicts.counts(plain) or verdicts.last_word(plain) in _USUAL


def _without_accents(text: str) -> str:
    signs = unicodedata.normalize("NFKD", text)
    return "".join(sign for sign in signs if not unicodedata.combining(sign))


_USUAL = frozenset(map(_without_accents, _METADATA))


def _size(row: object) -> int:
    """About how much a row holds: its characters and values."""
    waiting, size = [row], 0
    while waiting:
        part = waiting.pop()
        size += 50 + (len(part) if isinstance(part, str) else 0)
        if isinstance(part, dict | list):
            waiting.extend(part.values() if isinstance(part, dict) else part)
    return size
