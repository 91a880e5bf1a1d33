"""Files that are made to do harm: a few kilobytes that ask for gigabytes, hours or a crash."""

import gzip
import io
import re
import zipfile
from collections.abc import Callable

import pyarrow as pa
import pyarrow.parquet as pq

from tests.labeling.data.formats.containers import jsonl, xlsx
from tests.labeling.importers.hostile.packed import PACKED
from tests.labeling.importers.hostile.texts import TEXTS


def workbook(body: str, *, doctype: str = "", prefix: str = "") -> bytes:
    """A workbook whose first sheet has these rows."""
    made = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(xlsx([{"prompt": "a"}]))) as usual,
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for name in usual.namelist():
            text = usual.read(name).decode()
            if name == "xl/worksheets/sheet1.xml":
                data = f"<sheetData>{body}</sheetData>"
                text = prefix + doctype + re.sub("<sheetData>.*</sheetData>", data, text)
            archive.writestr(name, text)
    return made.getvalue()


def stray(where: str) -> bytes:
    """A prompt in A2 and one cell far from it."""
    return workbook(
        inline("A1", "prompt") + inline("A2", "What is a mole?") + inline(where, "stray"),
    )


def inline(where: str, text: str) -> str:
    """A row with one text."""
    return f'<row><c r="{where}" t="inlineStr"><is><t>{text}</t></is></c></row>'


def wide_csv(n: int, delimiter: str = ",") -> bytes:
    names = delimiter.join(f"column{i}" for i in range(n))
    return f"prompt{delimiter}{names}\n{'a' + delimiter * n}\n".encode()


def wide_objects(n: int) -> bytes:
    return jsonl([{"prompt": "a"} | {f"column{i}": i for i in range(n)}])


def parquet_of(table: pa.Table) -> bytes:
    file = io.BytesIO()
    pq.write_table(table, file)
    return file.getvalue()


def wide_parquet(n: int) -> bytes:
    return parquet_of(pa.table({f"column{i}": ["a"] for i in range(n)}))


def deep_parquet(n: int) -> bytes:
    kind, value = pa.string(), "a"
    for _level in range(n):
        kind, value = pa.list_(kind), [value]  # type: ignore[assignment]
    return parquet_of(pa.table({"prompt": pa.array([value], type=kind)}))


def deep_json(n: int, opening: str = "[", closing: str = "]") -> bytes:
    return ('{"prompt": ' + opening * n + "1" + closing * n + "}\n").encode()


def zipped(name: str, content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return file.getvalue()


_ENTITIES = "".join(
    f'<!ENTITY e{i} "{f"&e{i - 1};" * 10 if i else "aaaaaaaaaa"}">' for i in range(10)
)
_AT = "XFD1048576"

FILES: dict[str, Callable[[], bytes]] = {
    **PACKED,
    **TEXTS,
    "a cell in the last corner of a sheet": lambda: stray(_AT),
    "a cell in the last row": lambda: stray("F1048576"),
    "a cell in the last column": lambda: stray("XFD1"),
    "a cell beyond the columns of Excel": lambda: stray("ZZZZZ1"),
    "a cell beyond the rows of Excel": lambda: stray("A4294967295"),
    "a cell in the last column and row 20,000": lambda: stray("XFD20000"),
    "a cell below row numbers that jump": lambda: workbook(
        '<row r="1048575"/><row>' + "<c><v>1</v></c>" * 500 + "</row>"
    ),
    "a cell whose place is written in entities": lambda: stray("XF&#68;1048576"),
    "a sheet behind a stray byte": lambda: workbook(inline(_AT, "a"), prefix="\n\n?"),
    "a sheet with entities of entities": lambda: workbook(
        inline("A1", "prompt") + inline("A2", "&e9;"), doctype=f"<!DOCTYPE a [{_ENTITIES}]>"
    ),
    "a sheet that ends early": lambda: workbook(inline(_AT, "a") + "</sheetData></worksheet><row>"),
    "a sheet of six million cells": lambda: workbook(
        ("<row>" + "<c><v>1</v></c>" * 300 + "</row>") * 20_000
    ),
    "a sheet of 10,000 columns": lambda: workbook("<row>" + "<c><v>1</v></c>" * 10_000 + "</row>"),
    "a stray cell in a zip": lambda: zipped("a.xlsx", stray(_AT)),
    "a stray cell in gzip": lambda: gzip.compress(stray(_AT), mtime=0),
    "100,000 columns of csv": lambda: wide_csv(100_000),
    "100,000 columns of tsv": lambda: wide_csv(100_000, "\t"),
    "a million columns of csv": lambda: wide_csv(1_000_000),
    "a million columns with one name": lambda: b"a," * 1_000_000 + b"a\n",
    "a million columns in gzip": lambda: gzip.compress(wide_csv(1_000_000), mtime=0),
    "an object of 100,000 fields": lambda: wide_objects(100_000),
    "a list of objects of 100,000 fields": lambda: b"[" + wide_objects(100_000).strip() + b"]",
    "10,000 columns of parquet": lambda: wide_parquet(10_000),
    "lists in lists in json": lambda: deep_json(100_000),
    "lists in lists of 900 levels": lambda: deep_json(900),
    "objects in objects of 900 levels": lambda: deep_json(900, '{"a":', "}"),
    "lists in lists in a json list": lambda: b"[" + deep_json(900).strip() + b"]",
    "300 lists in lists in parquet": lambda: deep_parquet(300),
    "lists in lists in a cell": lambda: b'prompt,chosen\na,"' + b"[" * 50_000 + b'"\n',
    "a json number of 100,000 digits": lambda: b'{"prompt": ' + b"1" * 100_000 + b"}\n",
    "a gigabyte of one line": lambda: gzip.compress(b"a" * 2**30, 1, mtime=0),
    "a gigabyte of json without an end": lambda: gzip.compress(b"[" + b"1" * 2**29, 1, mtime=0),
}
"""What the file is -> its bytes."""
