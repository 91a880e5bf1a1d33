"""The German catalogue: every marked string is translated, none is stale or fuzzy, and both files
match.
"""

import ast
import gettext
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parents[2]
CATALOGUE = ROOT / "locale" / "de" / "LC_MESSAGES" / "django.po"
FOLDERS = (
    "accounts",
    "arithmetic",
    "config",
    "jobs",
    "knobs",
    "labeling",
    "pages",
    "templates",
    "training",
)
# How many of the first arguments are words, by function; a context comes before them and is one
# argument more.
N_WORDS = {
    "_": 1,
    "gettext": 1,
    "gettext_lazy": 1,
    "gettext_noop": 1,
    "pgettext": 1,
    "pgettext_lazy": 1,
}
N_WORDS |= {"ngettext": 2, "ngettext_lazy": 2, "npgettext": 2, "npgettext_lazy": 2}
CALL_IN_TEMPLATE = re.compile(
    r"\b(_|n?p?gettext)\(((?:\s*u?(?:'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\")\s*,?)+)"
)
PLACEHOLDER = re.compile(r"%\(\w+\)[-+ #0\d.]*[a-zA-Z]|%%|\{\w+\}|<[^>]*>")


@dataclass(frozen=True)
class Key:
    """What a string is looked up by."""

    text: str
    context: str | None = None
    plural: str | None = None


@dataclass
class Entry:
    """One block of the catalogue."""

    fields: dict[str, str] = field(default_factory=dict)
    is_fuzzy: bool = False

    @property
    def key(self) -> Key:
        return Key(
            self.fields["msgid"], self.fields.get("msgctxt"), self.fields.get("msgid_plural")
        )

    @property
    def translations(self) -> list[str]:
        return [value for name, value in self.fields.items() if name.startswith("msgstr")]


@cache
def entries(path: Path = CATALOGUE) -> list[Entry]:
    found = []
    for block in path.read_text(encoding="utf-8").split("\n\n"):
        entry, name = Entry(), ""
        for line in block.splitlines():
            if line.startswith("#"):
                entry.is_fuzzy |= line.startswith("#,") and "fuzzy" in line
                continue
            word, _, quoted = line.partition(" ") if not line.startswith('"') else ("", "", line)
            name = word or name
            entry.fields[name] = entry.fields.get(name, "") + ast.literal_eval(quoted)
        if entry.fields.get("msgid"):
            found.append(entry)
    return found


def key_of(function: str, arguments: list[str]) -> Key:
    context = arguments.pop(0) if function.removeprefix("n").startswith("p") else None
    return Key(arguments[0], context, arguments[1] if N_WORDS[function] == 2 else None)


def marked_in_python(source: str) -> Iterator[Key]:
    if "_(" not in source and "gettext" not in source:
        return  # to parse every module takes seconds
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        function = (
            node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        )
        if function in N_WORDS:
            words = [
                argument.value
                for argument in node.args
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
            ]
            if words:
                yield key_of(function, words)


def marked_in_template(source: str) -> Iterator[Key]:
    """Django itself turns a template into lines that look like calls of gettext."""
    for function, arguments in CALL_IN_TEMPLATE.findall(templatize(source)):
        words = ast.literal_eval(f"[{arguments.strip().rstrip(',')}]")
        yield key_of(function, words)


@cache
def marked() -> dict[Key, str]:
    """Every string marked for translation, and one file that contains it."""
    found: dict[Key, str] = {}
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix not in {".py", ".html", ".txt"} or not path.is_file():
                continue
            read = marked_in_python if path.suffix == ".py" else marked_in_template
            found |= dict.fromkeys(
                read(path.read_text(encoding="utf-8")), str(path.relative_to(ROOT))
            )
    return found


def test_the_search_for_marked_strings_finds_each_way_of_marking() -> None:
    python = (
        '_("a" " b"); ngettext("one", "many", n); pgettext("unit", "s"); translation.gettext("c");'
        " gettext(name)"
    )
    block = "{% blocktranslate count n=n %}{{ n }} x{% plural %}{{ n }} xs{% endblocktranslate %}"
    template = '{% translate "50 %" %}' + block + '{{ x|default:_("y") }}'

    assert set(marked_in_python(python)) == {
        Key("a b"),
        Key("one", plural="many"),
        Key("s", "unit"),
        Key("c"),
    }
    assert set(marked_in_template(template)) == {
        Key("50 %%"),
        Key("%(n)s x", plural="%(n)s xs"),
        Key("y"),
    }


def test_every_marked_string_is_in_the_catalogue() -> None:
    known = {(entry.key.context, entry.key.text) for entry in entries()}

    missing = {
        key.text: file for key, file in marked().items() if (key.context, key.text) not in known
    }

    assert missing == {}, (
        "run `make messages` and translate what is new"
        " (CONTRIBUTING.md, “Words in other languages”)"
    )


def test_the_catalogue_holds_no_string_that_is_gone() -> None:
    wanted = {(key.context, key.text) for key in marked()}

    assert [
        entry.key.text for entry in entries() if (entry.key.context, entry.key.text) not in wanted
    ] == []


def test_every_string_has_a_translation() -> None:
    assert [
        entry.key.text
        for entry in entries()
        if not entry.translations or not all(entry.translations)
    ] == []


def test_no_translation_is_a_guess() -> None:
    assert [entry.key.text for entry in entries() if entry.is_fuzzy] == []


def test_a_string_with_a_plural_has_both_forms() -> None:
    plurals = [entry for entry in entries() if entry.key.plural is not None]

    assert [entry.key.text for entry in plurals if len(entry.translations) != 2] == []


def test_the_sentence_in_place_of_a_number_is_marked() -> None:
    sentences = {
        f"{path.relative_to(ROOT)}:{node.lineno}": node.args[0]
        for path in sorted((ROOT / "labeling").rglob("*.py"))
        if "absent(" in (source := path.read_text(encoding="utf-8"))
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "absent" and node.args
    }
    unmarked = [
        place
        for place, sentence in sentences.items()
        if isinstance(sentence, ast.Constant | ast.JoinedStr)
    ]

    assert sentences
    assert unmarked == [], (
        "write absent(gettext_noop(…)): the page translates it, and a sentence with numbers in it"
        " is no entry"
    )


def test_placeholders_and_markup_survive_translation() -> None:
    changed = []
    for entry in entries():
        originals = (
            [entry.key.text] if entry.key.plural is None else [entry.key.text, entry.key.plural]
        )
        for original, translation in zip(originals, entry.translations, strict=True):
            if sorted(PLACEHOLDER.findall(original)) != sorted(PLACEHOLDER.findall(translation)):
                changed.append((original, translation))

    assert changed == []


def test_the_compiled_catalogue_says_what_the_text_says() -> None:
    expected: dict[object, str] = {}
    for entry in entries():
        name = (
            entry.key.text
            if entry.key.context is None
            else f"{entry.key.context}\x04{entry.key.text}"
        )
        forms = [name] if entry.key.plural is None else [(name, 0), (name, 1)]
        expected |= dict(zip(forms, entry.translations, strict=True))

    with CATALOGUE.with_suffix(".mo").open("rb") as file:
        compiled = dict(vars(gettext.GNUTranslations(file))["_catalog"])
    compiled.pop("", None)

    assert compiled == expected, "run `make messages` again"
