"""Writes the client's rows and operations from the site's schema: `make client`.

A list is a page of rows with `next_cursor`, or a feed if it has `has_more` too. What a program has
to do in several calls is written by hand (`preferably_client.following`).
"""

import json
import keyword
import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
CLIENT = Path(__file__).resolve().parents[1] / "src/preferably_client"
SITE = {"PREFERABLY_MODE": "test", "DATABASE_URL": "sqlite://:memory:"}
"""Settings for a site that only describes its API."""
WRITTEN = ("operations.py", "rows.py")
MADE = "Made from the site's schema by `make client`; do not edit."
BY_HAND = {"read_run_points"}
"""Pages with cursors of their own."""
JSON, FORM = "application/json", "multipart/form-data"
PLAIN = {"integer": "int", "number": "float", "boolean": "bool", "string": "str"}
WIDTH = 90
METHODS = ("get", "post", "patch", "delete")
IRREGULAR = {"people": "person", "bonuses": "bonus"}

Schema = dict[str, Any]


def files_of(schema: Schema) -> dict[Path, str]:
    """The text of each generated file."""
    made = Generator(schema)
    texts = dict(zip(WRITTEN, (made.operations(), made.rows()), strict=True))
    return {CLIENT / name: formatted(text, CLIENT / name) for name, text in texts.items()}


class Generator:
    def __init__(self, schema: Schema) -> None:
        self.components: dict[str, Schema] = schema["components"]["schemas"]
        self.used: set[str] = set()
        """Names of rows and of sets of values that a signature or a row mentions."""
        self.calls = [
            (method, path, operation)
            for path, methods in schema["paths"].items()
            for method, operation in methods.items()
            if method in METHODS and path.startswith("/api/v1/") and self._is_ours(operation)
        ]

    def _is_ours(self, operation: Schema) -> bool:
        return operation["operationId"] not in {*BY_HAND, "schema_retrieve", "read_schema"}

    # --- rows ---------------------------------------------------------------------------------

    def rows(self) -> str:
        """All rows that responses hold. Run it after `operations`, which finds them."""
        self.used |= {"Point"} & self.components.keys()
        done: dict[str, str] = {}
        while missing := sorted(self.used - done.keys()):
            for name in missing:
                done[name] = self._row(name)
        names = sorted(done, key=lambda name: ("enum" not in self.components[name], name))
        head = f'"""The API\'s responses as frozen dataclasses.\n\n{MADE}\n"""\n'
        imports = (
            "from __future__ import annotations\n\n"
            "from dataclasses import dataclass\nfrom datetime import datetime\n"
            "from typing import Any, Literal\n"
        )
        everything = f"__all__ = {json.dumps(sorted(done))}\n"
        return "\n\n".join([head, imports, everything, *(done[name] for name in names)])

    def _row(self, name: str) -> str:
        component = self.components[name]
        if "enum" in component:
            return f"{name} = Literal[{', '.join(map(repr, component['enum']))}]"
        lines = ["@dataclass(frozen=True)", f"class {name}:"]
        words = str(component.get("description", ""))
        if not words.startswith("Serializes "):  # it says something to our readers only
            lines += docstring(words, indent=4)
        for field, about in component.get("properties", {}).items():
            assert not keyword.iskeyword(field), f"{name}.{field} needs another name in Python."
            lines.append(f"    {field}: {self.hint(about)}")
            lines += docstring(sentence_of(about), indent=4)
        return "\n".join([*lines, "" if component.get("properties") else "    pass"])

    # --- types --------------------------------------------------------------------------------

    def hint(self, about: Schema, *, is_argument: bool = False) -> str:
        """The Python type of a value. Arguments take mappings where responses have rows."""
        found = self._hint(about, is_argument)
        is_open = about.get("nullable") and found != "Any" and not found.endswith("| None")
        return f"{found} | None" if is_open else found

    def _hint(self, about: Schema, is_argument: bool) -> str:
        if "$ref" in about:
            return self._named(about["$ref"].rpartition("/")[2], is_argument)
        for union in ("allOf", "oneOf", "anyOf"):
            if union in about:
                return self._union(about[union], is_argument)
        kind = about.get("type")
        if kind == "array":
            inner = self.hint(about["items"], is_argument=is_argument)
            return f"{'Sequence' if is_argument else 'list'}[{inner}]"
        if kind == "object":
            more = about.get("additionalProperties")
            inner = self.hint(more, is_argument=is_argument) if isinstance(more, dict) else "Any"
            return f"{'Mapping' if is_argument else 'dict'}[str, {inner}]"
        if kind == "string" and about.get("format") == "date-time":
            return "datetime"
        if kind == "string" and "enum" in about:
            return f"Literal[{', '.join(repr(value) for value in about['enum'] if value)}]"
        return PLAIN.get(kind or "", "Any")

    def _union(self, parts: list[Schema], is_argument: bool) -> str:
        names = [part.get("$ref", "").rpartition("/")[2] for part in parts]
        kept = [part for part, name in zip(parts, names, strict=True) if name != "NullEnum"]
        if "BlankEnum" in names:
            return "str" if len(names) == len(kept) else "str | None"
        hints = dict.fromkeys(self.hint(part, is_argument=is_argument) for part in kept)
        found = " | ".join(hints)
        return found if len(names) == len(kept) else f"{found} | None"

    def _named(self, name: str, is_argument: bool) -> str:
        component = self.components[name]
        if "enum" in component:
            if not all(isinstance(value, str) for value in component["enum"]):
                return "int"
            self.used.add(name)
            return name
        if component.get("type") != "object":
            return self.hint(component, is_argument=is_argument)
        if is_argument or not component.get("properties"):
            return "Mapping[str, Any]" if is_argument else "dict[str, Any]"
        self.used.add(name)
        return name

    # --- operations ---------------------------------------------------------------------------

    def operations(self) -> str:
        methods = [text for call in self.calls for text in self._methods(*call)]
        head = f'"""One method per operation of the schema, with its name.\n\n{MADE}\n"""\n'
        values = sorted(self.used | {"Point"})
        imports = (
            "from collections.abc import Mapping, Sequence\nfrom datetime import datetime\n"
            "from os import PathLike\nfrom typing import Any, Literal\n\n"
            "from preferably_client.core import (UNSET, Call, Download, Listing, Unset, delete,"
            " feed, fetch, get, given, pages, patch, post, upload)\n"
            "from preferably_client.operation import download, listing, operation\n"
            f"from preferably_client.rows import ({', '.join(values)})\n"
        )
        # A method may have the name of a type, such as `list`; none of ours has.
        return "\n\n".join([head, imports, "class Operations:", *methods])

    def _methods(self, method: str, path: str, operation: Schema) -> Iterator[str]:
        bodies = operation.get("requestBody", {}).get("content", {})
        yield Method(self, method, path, operation, bodies.get(JSON)).text()
        if FORM in bodies:
            yield Method(self, method, path, operation, bodies[FORM], is_form=True).text()


class Method:
    """One method of the client."""

    def __init__(
        self,
        made: Generator,
        method: str,
        path: str,
        operation: Schema,
        body: Schema | None,
        *,
        is_form: bool = False,
    ) -> None:
        self.made, self.method, self.operation, self.is_form = made, method, operation, is_form
        self.name = operation["operationId"] + ("_from_file" if is_form else "")
        self.ids = {key: id_name(path, key) for key in re.findall(r"\{(\w+)\}", path)}
        parts = path.removeprefix("/api/v1/")
        for key, name in self.ids.items():
            parts = parts.replace(f"{{{key}}}", f"{{{name}}}")
        self.path = f'{"f" if self.ids else ""}"{parts}"'
        self.fields, self.required = self._fields(body)
        self.query = [one for one in operation.get("parameters", []) if one["in"] == "query"]

    def _fields(self, body: Schema | None) -> tuple[dict[str, Schema], list[str]]:
        if body is None:
            return {}, []
        about = body["schema"]
        about = self.made.components[about["$ref"].rpartition("/")[2]] if "$ref" in about else about
        required = [] if self.method == "patch" else about.get("required", [])
        return about["properties"], required

    def text(self) -> str:
        status, content = self._answer()
        if status == 204:
            kind, returns, body = "operation", "Call[None]", f"delete({self.path})"
        elif JSON not in content:
            kind, returns, body = "download", "Download", self._downloads()
        else:
            kind, returns, body = self._reads(content[JSON]["schema"])
        signature = ", ".join(["self", *self._parameters(kind, body)])
        lines = [f"    @{kind}", f"    def {self.name}({signature}) -> {returns}:"]
        lines += docstring(self._words(body), indent=8)
        return "\n".join([*lines, f"        return {body}", ""])

    def _answer(self) -> tuple[int, Schema]:
        found = {int(status): one for status, one in self.operation["responses"].items()}
        status = min(found)
        return status, found[status].get("content", {})

    def _reads(self, about: Schema) -> tuple[str, str, str]:
        name = about.get("$ref", "").rpartition("/")[2]
        page = self.made.components.get(name, {}).get("properties", {})
        if {"next_cursor", "results"} <= page.keys():
            row = self.made.hint(page["results"]["items"])
            is_feed = "has_more" in page
            cursor = ", cursor=cursor" if is_feed else ""
            query = "".join(f", {one['name']}={one['name']}" for one in self._filters())
            kind = "feed" if is_feed else "pages"
            return "listing", f"Listing[{row}]", f"{kind}({row}, {self.path}{cursor}{query})"
        row = self.made.hint(about)
        if self.method == "get":
            query = "".join(f", {one['name']}={one['name']}" for one in self.query)
            return "operation", f"Call[{row}]", f"get({row}, {self.path}{query})"
        return "operation", f"Call[{row}]", self._writes(row)

    def _writes(self, row: str) -> str:
        fields = [name for name in self.fields if not self._is_file(name)]
        fixed = [f'"{name}": {name}' for name in fields if name in self.required]
        optional = [f'"{name}": {name}' for name in fields if name not in self.required]
        parts = [f"{{{', '.join(fixed)}}}"] if fixed or not optional else []
        parts += [f"given({{{', '.join(optional)}}})"] if optional else []
        if self.is_form:
            files = ", ".join(f'"{name}": {name}' for name in self.fields if self._is_file(name))
            return f"upload({row}, {self.path}, {{{files}}}, {' | '.join(parts)})"
        body = f", {' | '.join(parts)}" if fields else ""
        # A response with a secret is not stored for its key.
        once = ", is_repeatable=False" if self._has_secret(row) else ""
        return f"{self.method}({row}, {self.path}{body}{once})"

    def _has_secret(self, row: str) -> bool:
        return "secret" in self.made.components.get(row, {}).get("properties", {})

    def _downloads(self) -> str:
        query = "".join(f", {one['name']}={one['name']}" for one in self.query)
        return f"fetch({self.path}, path{query})"

    def _filters(self) -> list[Schema]:
        return [one for one in self.query if one["name"] not in {"cursor", "limit"}]

    def _is_file(self, name: str) -> bool:
        return bool(self.fields[name].get("format") == "binary")

    def _parameters(self, kind: str, body: str) -> Iterator[str]:
        yield from (f"{name}: int" for name in self.ids.values())
        if kind == "download":
            yield "path: str | PathLike[str]"
        # One required field needs no name; the order of several would be an accident.
        named = [name for name in self.fields if name in self.required]
        unnamed = named if len(named) == 1 else [name for name in named if self._is_file(name)]
        yield from (f"{name}: {self._argument(name)}" for name in unnamed)
        optional = [name for name in self.fields if name not in self.required]
        further = [name for name in named if name not in unnamed]
        query = self._filters() if kind == "listing" else self.query
        is_feed = body.startswith("feed(")
        if further or optional or query or is_feed:
            yield "*"
        if is_feed:
            yield "cursor: int = 0"
        yield from (f"{name}: {self._argument(name)}" for name in further)
        for name in optional:
            hint = self._argument(name)
            is_open = hint.endswith(" | None")
            yield f"{name}: {hint.removesuffix(' | None')} | Unset{' | None' * is_open} = UNSET"
        for one in query:
            hint = self.made.hint(one["schema"], is_argument=True)
            yield f"{one['name']}: {hint}" + ("" if one.get("required") else " | None = None")

    def _argument(self, name: str) -> str:
        if self._is_file(name):
            return "str | PathLike[str]"
        return self.made.hint(self.fields[name], is_argument=True)

    def _words(self, body: str) -> str:
        words = [self.operation.get("description", "").strip()]
        arguments = [(name, sentence_of(about)) for name, about in self.fields.items()]
        arguments += [(one["name"], sentence_of(one)) for one in self._filters()]
        listed = [f"`{name}`: {sentence}" for name, sentence in arguments if sentence]
        if body.startswith("feed("):
            words.append("Starts after the id `cursor`.")
        return "\n\n".join(filter(None, [" ".join(filter(None, words)), *listed]))


# --- words ----------------------------------------------------------------------------------------


def id_name(path: str, key: str) -> str:
    """`campaign_id` for /campaigns/{id}."""
    before = path.partition(f"/{{{key}}}")[0].rpartition("/")[2].replace("-", "_")
    return f"{singular(before)}_id" if key == "id" else key


def singular(word: str) -> str:
    for many, one in IRREGULAR.items():
        if word.endswith(many):
            return word.removesuffix(many) + one
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    return word.removesuffix("s")


def sentence_of(about: Schema) -> str:
    """The help of a field. That of a choice repeats its values, which the type has already."""
    words = str(about.get("description", ""))
    return "\n".join(line for line in words.splitlines() if not line.startswith("* `")).strip()


def docstring(words: str, *, indent: int) -> list[str]:
    """The lines of a docstring; none without words."""
    words = sentence_of({"description": words}).replace("\\", "\\\\")
    if not words:
        return []
    paragraphs = [
        textwrap.fill(" ".join(part.split()), WIDTH - indent, break_on_hyphens=False)
        for part in re.split(r"\n\s*\n", words)
    ]
    text = "\n\n".join(paragraphs)
    end = "\n" if "\n" in text or len(text) > WIDTH - indent - 6 else ""
    return textwrap.indent(f'"""{text}{end}"""', " " * indent).splitlines()


def formatted(text: str, path: Path) -> str:
    """As `make fix` would leave it, with the imports that are used."""
    ruff = [sys.executable, "-m", "ruff"]
    options = ["--isolated", "--line-length", "100", "--stdin-filename", str(path), "-"]
    for step in (["check", "--fix-only", "--select", "F401,I", "--quiet"], ["format"]):
        text = _output([*ruff, *step, *options], text)
    return text


def _output(command: list[str], text: str = "") -> str:
    environment = os.environ | SITE
    return subprocess.run(  # noqa: S603  # our own commands
        command,
        input=text,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        cwd=ROOT,
        env=environment,
    ).stdout


def out_of_date(schema: Schema) -> Iterable[Path]:
    return [
        path
        for path, text in files_of(schema).items()
        if not path.exists() or path.read_text() != text
    ]


def write_client() -> None:
    """Writes both files from the schema of the site in this checkout."""
    command = [sys.executable, "manage.py", "spectacular", "--format", "openapi-json"]
    for path, text in files_of(json.loads(_output(command))).items():
        unfinished = path.with_name(f"{path.name}.{os.getpid()}")
        unfinished.write_text(text)
        unfinished.replace(path)  # other processes read these files


def write_missing_client() -> None:
    if not all((CLIENT / name).exists() for name in WRITTEN):
        write_client()


if __name__ == "__main__":
    write_client()
