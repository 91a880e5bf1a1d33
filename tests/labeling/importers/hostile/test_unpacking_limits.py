"""A small compressed file can unpack to more than a disk holds, so there is a limit."""

import gzip
import io
import zipfile

import pytest

from labeling.importers import formats
from labeling.importers.drafts import ImportDraft, ImportProblem
from labeling.importers.files import arrow
from tests.labeling.data.formats.containers import jsonl, parquet, xlsx

ROWS = [{"prompt": f"What is {n} and {n}?" + " " * 500} for n in range(50)]


def zipped(name: str, content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return file.getvalue()


def read(content: bytes) -> list[ImportDraft | ImportProblem]:
    return list(formats.read(io.BytesIO(content), formats.guess_format(io.BytesIO(content))))


PACKED = {
    "parquet in gzip": gzip.compress(parquet(ROWS)),
    "parquet in a zip": zipped("a.parquet", parquet(ROWS)),
    "workbook in gzip": gzip.compress(xlsx(ROWS)),
    "workbook in a zip": zipped("a.xlsx", xlsx(ROWS)),
    "zip in gzip": gzip.compress(zipped("a.jsonl", jsonl(ROWS))),
}
every_packed = pytest.mark.parametrize("content", PACKED.values(), ids=PACKED)


@every_packed
def test_a_packed_file_beyond_the_limit_is_refused_as_a_whole(
    content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrow, "MAX_UNPACKED", 100)

    found = read(content)

    assert not any(isinstance(one, ImportDraft) for one in found)
    assert any(one.is_fatal and "Split it" in one.sentence for one in found)


@every_packed
def test_a_packed_file_within_the_limit_is_read(content: bytes) -> None:
    assert sum(isinstance(one, ImportDraft) for one in read(content)) == len(ROWS)


def test_what_is_not_packed_has_no_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrow, "MAX_UNPACKED", 100)

    assert sum(isinstance(one, ImportDraft) for one in read(parquet(ROWS))) == len(ROWS)
