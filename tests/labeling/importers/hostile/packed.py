"""Hostile files that are packed, cut off, or something else than they seem."""

import bz2
import gzip
import io
import lzma
import os
import pickle
import random
import struct
import tarfile
import zipfile
from collections.abc import Callable

import pyarrow as pa
import pyarrow.parquet as pq

from tests.labeling.data.formats.containers import jsonl, xlsx

GOOD = jsonl([{"prompt": f"What is {n} and {n}?"} for n in range(50)])


def parquet_of(table: pa.Table, compression: str = "zstd") -> bytes:
    """Without statistics, which take six seconds for a text of 300 MB and are too large to keep;
    with a dictionary only for what is one, as the text would be hashed for it.
    """
    file = io.BytesIO()
    repeated = [field.name for field in table.schema if pa.types.is_dictionary(field.type)]
    pq.write_table(
        table, file, compression=compression, write_statistics=False, use_dictionary=repeated
    )
    return file.getvalue()


def zipped(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return file.getvalue()


def linked() -> bytes:
    """A ZIP whose member is a symbolic link to a file of the machine."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        member = zipfile.ZipInfo("data.jsonl")
        member.create_system, member.external_attr = 3, 0o120777 << 16
        archive.writestr(member, "/etc/passwd")
    return file.getvalue()


def lying_sizes() -> bytes:
    """A ZIP that claims 10 bytes for a member of 300 MB."""
    content = bytearray(zipped(("data.jsonl", b"a" * 300_000_000)))
    start = content.rindex(b"PK\x01\x02")
    content[start + 24 : start + 28] = struct.pack("<I", 10)
    return bytes(content)


def overlapping() -> bytes:
    """A ZIP whose 200 members share the bytes of one of 5 MB."""
    inner = bytearray(zipped(("a.jsonl", b"a" * 5_000_000)))
    start = inner.rindex(b"PK\x01\x02")
    directory, end = bytes(inner[start:-22]), bytearray(inner[-22:])
    end[8:12] = struct.pack("<HH", 200, 200)
    end[12:16] = struct.pack("<I", len(directory) * 200)
    return bytes(inner[:start]) + directory * 200 + bytes(end)


def tarred() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        member = tarfile.TarInfo("../../data.jsonl")
        member.size = len(GOOD)
        archive.addfile(member, io.BytesIO(GOOD))
    return file.getvalue()


def arrow_file() -> bytes:
    file = io.BytesIO()
    table = pa.table({"prompt": ["Why?"]})
    with pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)
    return file.getvalue()


def arrow_stream() -> bytes:
    file = io.BytesIO()
    table = pa.table({"prompt": ["Why?"]})
    with pa.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table)
    return file.getvalue()


def repeated_text() -> pa.Table:
    """1,000 rows of one text of 10 MB, which is stored once."""
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * 1000), pa.array(["a" * 10_000_000]))
    return pa.table({"prompt": texts})


def with_footer(length: int) -> bytes:
    return b"PAR1" + b"a" * 1000 + struct.pack("<I", length) + b"PAR1"


def noise(n: int) -> bytes:
    return random.Random(4).randbytes(n)


class _Harmful:
    def __reduce__(self) -> tuple[object, ...]:
        return os.system, ("touch /tmp/preferably-was-here",)


GOOD_PARQUET = parquet_of(pa.table({"prompt": ["Why?"] * 1000}))


def long() -> bytes:
    """Not a constant: every test process would hold it for the whole run."""
    return b"a" * 300_000_000


PACKED: dict[str, Callable[[], bytes]] = {
    "a parquet with one text of 300 MB": lambda: parquet_of(
        pa.table({"prompt": [long().decode()]})
    ),
    "a parquet with 10 GB of one repeated text": lambda: parquet_of(repeated_text()),
    "a parquet with 300 MB in a list": lambda: parquet_of(
        pa.table({"messages": pa.array([["a" * 1000] * 300_000])})
    ),
    "a parquet that is cut off": lambda: GOOD_PARQUET[:-200],
    "a parquet without a middle": lambda: GOOD_PARQUET[:40] + GOOD_PARQUET[-400:],
    "a parquet with a footer of 4 GB": lambda: with_footer(2**32 - 1),
    "a parquet with a footer of noise": lambda: b"PAR1" + noise(900) + b"\x84\x03\0\0PAR1",
    "an arrow file": arrow_file,
    "an arrow stream": arrow_stream,
    "a workbook that is cut off": lambda: xlsx([{"prompt": "Why?"}])[:-300],
    "a zip that climbs out of its folder": lambda: zipped(("../../../etc/data.jsonl", b"[")),
    "a zip with an absolute path": lambda: zipped(("/etc/passwd", b"root"), ("/a.csv", b"\0")),
    "a zip with a symbolic link": linked,
    "a zip with 20,000 members": lambda: zipped(*((f"{n}.jsonl", b"{") for n in range(20_000))),
    "a zip in a zip in a zip": lambda: zipped(
        ("a.jsonl", zipped(("b.jsonl", zipped(("c.jsonl", GOOD)))))
    ),
    "a zip with one line of 300 MB": lambda: zipped(("a.jsonl", long())),
    "a zip that lies about its sizes": lying_sizes,
    "a zip whose 200 members are one": overlapping,
    "a zip with lzma in it": lambda: zipped(("a.jsonl", long()), method=zipfile.ZIP_LZMA),
    "a zip with bzip2 in it": lambda: zipped(("a.jsonl", long()), method=zipfile.ZIP_BZIP2),
    "a zip that is cut off": lambda: zipped(("a.jsonl", noise(10_000)))[:5_000],
    "a zip of nothing": lambda: zipped(("empty/", b"")),
    "a gzip that is cut off": lambda: gzip.compress(noise(10_000), mtime=0)[:5_000],
    "a gzip with noise behind it": lambda: gzip.compress(GOOD, mtime=0) + noise(1000),
    "a gzip of 20,000 gzips": lambda: gzip.compress(b"{\n", mtime=0) * 20_000,
    "a gzip in a gzip in a gzip": lambda: gzip.compress(
        gzip.compress(gzip.compress(long(), mtime=0), mtime=0), mtime=0
    ),
    "a bzip2 bomb": lambda: bz2.compress(long()),
    "an xz bomb": lambda: lzma.compress(long(), preset=0),
    "a zstandard bomb": lambda: bytes(pa.compress(long(), codec="zstd", asbytes=True)),
    "a tar that climbs out of its folder": tarred,
    "a pickle that runs a program": lambda: pickle.dumps(_Harmful()),
    "a png": lambda: b"\x89PNG\r\n\x1a\n" + noise(5_000),
    "a pdf": lambda: b"%PDF-1.7\n" + noise(5_000),
    "a database": lambda: b"SQLite format 3\0" + noise(5_000),
    "a safetensors header of 8 EB": lambda: struct.pack("<Q", 2**63 - 1) + b'{"a":{}}',
    "noise": lambda: noise(1_000_000),
}
