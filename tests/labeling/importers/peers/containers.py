"""The same rows in other kinds of files, and files of kinds that nothing reads."""

import bz2
import io
import lzma

import pyarrow as pa
import pyarrow.ipc

from tests.labeling.data.formats import containers
from tests.labeling.importers.peers.texts import ASK, BAD, FAIR, GOOD, MORE, lines, table

ROWS = [{"prompt": ASK, "chosen": GOOD, "rejected": BAD}]
TEXTS = [{"prompt": ASK, "response": GOOD}, {"prompt": MORE, "response": FAIR}]
VOTES = [
    {"prompt": ASK, "response_a": BAD, "response_b": GOOD, "rater": rater, "winner": winner}
    for rater, winner in (("ann", "B"), ("bob", "tie"))
]
CSV = table("prompt,response", (ASK, GOOD), (MORE, FAIR))


def arrow(*, is_stream: bool) -> bytes:
    data = pa.Table.from_pylist(ROWS)
    file = io.BytesIO()
    new = pa.ipc.new_stream if is_stream else pa.ipc.new_file
    with new(file, data.schema) as writer:
        writer.write_table(data)
    return file.getvalue()


PEERS: dict[str, bytes] = {
    "XLSX": containers.xlsx(TEXTS),
    "XLSX, preferences": containers.xlsx(ROWS),
    "XLSX, votes": containers.xlsx(VOTES),
    "Parquet": containers.parquet(TEXTS),
    "Parquet, preferences": containers.parquet(ROWS),
    "Parquet, votes": containers.parquet(VOTES),
    "gzip": containers.gzipped(ROWS),
    "ZIP": containers.zipped(ROWS),
    "JSON list": containers.json_list(ROWS),
    "JSON with a byte-order mark": b"\xef\xbb\xbf" + lines(*ROWS),
    "JSON with Windows line ends": lines(*ROWS).replace(b"\n", b"\r\n"),
    "JSON in UTF-16": lines(*ROWS).decode().encode("utf-16"),
    "JSON with headings in capitals": lines(
        {name.upper(): value for name, value in ROWS[0].items()}
    ),
    "CSV with a byte-order mark": b"\xef\xbb\xbf" + CSV,
    "CSV with Windows line ends": CSV.replace(b"\n", b"\r\n"),
    "CSV in UTF-16": CSV.decode().encode("utf-16"),
    "CSV with semicolons": table("prompt,response", (ASK, GOOD), (MORE, FAIR), delimiter=";"),
    "CSV in Windows-1252": "prompt,response\nGrößter Fluß?,Die Donau.\n".encode("cp1252"),
    "CSV in Shift-JIS": "prompt,response\nドイツの川は?,エルベ川です。\n".encode("shift-jis"),
    "TSV with a lone quotation mark": (
        f'prompt\tresponse\n{ASK}\t"{GOOD}\n{MORE}\t{FAIR}\n'.encode()
    ),
    "bzip2": bz2.compress(lines(*ROWS)),
    "xz": lzma.compress(lines(*ROWS)),
    "Arrow file": arrow(is_stream=False),
    "Arrow stream": arrow(is_stream=True),
    "a web page": b"<!DOCTYPE html>\n<html><body>Log in</body></html>",
    "a Git LFS pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
}
