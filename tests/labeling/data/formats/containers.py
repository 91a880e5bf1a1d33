"""Rows written into every kind of file that can be imported."""

import csv
import gzip
import io
import json
import zipfile
from collections.abc import Callable, Sequence
from typing import Any
from xml.sax.saxutils import escape

import pyarrow as pa
import pyarrow.parquet as pq


def jsonl(rows: Sequence[Any]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def json_list(rows: Sequence[Any]) -> bytes:
    return json.dumps(list(rows), indent=2).encode()


def parquet(rows: Sequence[Any]) -> bytes:
    """Every row has every column, as in Parquet. It cannot hold empty objects."""
    names = dict.fromkeys(name for row in rows for name, value in row.items() if value != {})
    file = io.BytesIO()
    pq.write_table(
        pa.Table.from_pylist([{name: row.get(name) for name in names} for row in rows]), file
    )
    return file.getvalue()


def zipped(rows: Sequence[Any]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data/train.jsonl", jsonl(rows))
        archive.writestr("__MACOSX/data/._train.jsonl", b"\x00\x05")
    return file.getvalue()


def gzipped(rows: Sequence[Any]) -> bytes:
    return gzip.compress(jsonl(rows), mtime=0)


def table(rows: Sequence[dict[str, str]], *, delimiter: str, encoding: str) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode(encoding)


def xlsx(rows: Sequence[dict[str, Any]], *other_sheets: str) -> bytes:
    """A workbook as small as Excel's schema allows, with texts in the cells themselves."""
    names = ["Data", *other_sheets]
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("[Content_Types].xml", _CONTENT_TYPES)
        archive.writestr("_rels/.rels", _relation("rId1", "officeDocument", "xl/workbook.xml"))
        sheets = "".join(
            f'<sheet name="{escape(name)}" sheetId="{n}" r:id="rId{n}"/>'
            for n, name in enumerate(names, start=1)
        )
        archive.writestr(
            "xl/workbook.xml", f"<workbook {_MAIN} {_R}><sheets>{sheets}</sheets></workbook>"
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            _relation(
                *(
                    part
                    for n in range(1, len(names) + 1)
                    for part in (f"rId{n}", "worksheet", f"worksheets/sheet{n}.xml")
                )
            ),
        )
        cells = [list(rows[0]), *(list(row.values()) for row in rows)]
        for n in range(1, len(names) + 1):
            body = "".join(map(_row, cells)) if n == 1 else _row(["other"])
            archive.writestr(
                f"xl/worksheets/sheet{n}.xml",
                f"<worksheet {_MAIN}><sheetData>{body}</sheetData></worksheet>",
            )
    return file.getvalue()


def _row(cells: Sequence[Any]) -> str:
    return "<row>" + "".join(map(_cell, cells)) + "</row>"


def _cell(value: Any) -> str:
    if isinstance(value, int | float):
        return f"<c><v>{value}</v></c>"
    return f'<c t="inlineStr"><is><t>{escape(value)}</t></is></c>'


def _relation(*parts: str) -> str:
    triples = zip(parts[::3], parts[1::3], parts[2::3], strict=True)
    inner = "".join(
        f'<Relationship Id="{name}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for name, kind, target in triples
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{inner}</Relationships>'


_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_R = f'xmlns:r="{_OFFICE}"'
_CONTENT_TYPES = f'<Types xmlns="{_PACKAGE}/content-types"/>'

CONTAINERS: dict[str, Callable[[Sequence[Any]], bytes]] = {
    "JSON lines": jsonl,
    "JSON list": json_list,
    "Parquet": parquet,
    "ZIP": zipped,
    "gzip": gzipped,
}
TABLES: dict[str, Callable[[Sequence[Any]], bytes]] = {
    "CSV": lambda rows: table(rows, delimiter=",", encoding="utf-8"),
    "CSV with a byte-order mark": lambda rows: table(rows, delimiter=";", encoding="utf-8-sig"),
    "CSV in UTF-16": lambda rows: table(rows, delimiter="\t", encoding="utf-16"),
    "TSV": lambda rows: table(rows, delimiter="\t", encoding="utf-8"),
    "XLSX": xlsx,
}
