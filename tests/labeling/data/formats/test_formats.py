"""Every shape that can be imported: found by looking at the file, stored, shown and exported."""

import io
import json
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import User
from labeling.data.exports import shapes
from labeling.data.imports import services as imports_services
from labeling.data.imports.forms import FORMATS
from labeling.importers import formats
from labeling.importers.drafts import ImportDraft, ImportProblem
from labeling.models import Demonstration, Import, Prompt, RankedResponse, Response
from tests.cast import NOON
from tests.html import page_of
from tests.labeling.answers import words
from tests.labeling.data.formats.containers import (
    CONTAINERS,
    TABLES,
    json_list,
    jsonl,
    parquet,
    xlsx,
    zipped,
)
from tests.labeling.data.formats.samples import SAMPLES, Sample

pytestmark = pytest.mark.slow

SignedIn = Callable[[User], Client]

ROOT = Path(__file__).resolve().parents[4]
DOCS = (ROOT / "docs" / "importing.md").read_text()

every_sample = pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES)


def brought(content: bytes, folder: Path) -> Import:
    path = folder / "sample"
    path.write_bytes(content)
    batch = imports_services.start_import(
        path=path,
        file_name="sample",
        file_format=None,
        source_name="sample",
        licence="CC0-1.0",
        with_judgments=True,
        stores_responses=True,
        is_rung=False,
        by=None,
        now=NOON,
    )
    imports_services.IMPORTS.run(batch.pk, clock=lambda: NOON)
    batch.refresh_from_db()
    return batch


def read(content: bytes, file_format: str | None = None) -> list[ImportDraft | ImportProblem]:
    return list(
        formats.read(io.BytesIO(content), file_format or formats.guess_format(io.BytesIO(content)))
    )


# --- shapes ---------------------------------------------------------------------------------------


@pytest.mark.django_db
@every_sample
def test_a_sample_is_stored_as_what_it_is(sample: Sample, tmp_path: Path) -> None:
    batch = brought(jsonl(sample.rows), tmp_path)

    assert (batch.format, batch.state) == (sample.format, Import.State.PUBLISHED)
    assert {prompt.messages[-1]["content"] for prompt in Prompt.objects.all()} == sample.prompts
    assert set(Response.objects.values_list("text", flat=True)) == sample.responses
    assert set(Demonstration.objects.values_list("text", flat=True)) == sample.demonstrations
    best = set(RankedResponse.objects.filter(rank=1).values_list("response__text", flat=True))
    assert best == {chosen for chosen, _rejected in sample.pairs}


@pytest.mark.django_db
@every_sample
def test_a_sample_leaves_as_training_rows(sample: Sample, tmp_path: Path) -> None:
    brought(jsonl(sample.rows), tmp_path)

    written = {row["completion"][0]["content"] for row in shapes.records("demonstrations")}
    pairs = {
        (row["chosen"][0]["content"], row["rejected"][0]["content"])
        for row in shapes.records("preferences")
    }

    assert (written, pairs) == (sample.demonstrations, sample.pairs)


@pytest.mark.django_db
def test_a_file_of_good_and_bad_responses_leaves_as_it_came(tmp_path: Path) -> None:
    sample = SAMPLES["TRL unpaired preference"]
    brought(jsonl(sample.rows), tmp_path)

    found = {
        (row["completion"], row["label"]) for row in shapes.records("unpaired", style="standard")
    }

    assert found == {(row["completion"], row["label"]) for row in sample.rows}


@pytest.mark.django_db
@every_sample
def test_the_report_names_every_field_that_is_not_imported(sample: Sample, tmp_path: Path) -> None:
    batch = brought(jsonl(sample.rows), tmp_path)

    report = " ".join(problem["sentence"] for problem in batch.problems)
    assert [name for name in sample.not_imported if name not in report] == []
    assert ("not imported" in report) == bool(sample.not_imported)


@pytest.mark.django_db
@every_sample
def test_a_sample_is_shown_before_and_after_its_import(
    sample: Sample, tmp_path: Path, settings: Any, alice: User, signed_in: SignedIn
) -> None:
    settings.UPLOADS_DIR = tmp_path
    client = signed_in(alice)
    form = {"source_name": "s", "licence": "CC0-1.0", "preview": "1"}
    file = SimpleUploadedFile("sample.jsonl", jsonl(sample.rows))

    preview = words(client.post("/prompts/imports/new/", form | {"file": file}))
    brought(jsonl(sample.rows), tmp_path)
    pages = " ".join(words(client.get(f"/prompts/{prompt.pk}/")) for prompt in Prompt.objects.all())

    texts = {line for text in sample.responses for line in text.splitlines()}
    for page in (preview, pages):
        assert [text for text in texts if text not in page] == []


@every_sample
@pytest.mark.parametrize("container", CONTAINERS.values(), ids=CONTAINERS)
def test_a_sample_is_the_same_in_every_kind_of_file(
    container: Callable[[Any], bytes], sample: Sample
) -> None:
    def texts(content: bytes) -> list[Any]:
        return [
            (draft.messages, [(r.text, r.rank, r.is_human, dict(r.marks)) for r in draft.replies])
            for draft in read(content)
            if isinstance(draft, ImportDraft)
        ]

    assert texts(container(sample.rows)) == texts(jsonl(sample.rows)) != []


def test_every_shape_has_a_sample_a_choice_and_a_line_in_the_docs() -> None:
    assert {sample.format for sample in SAMPLES.values()} == set(formats.FORMATS) - {"csv", "plain"}
    assert {value for value, _label in FORMATS} == {"", *formats.FORMATS}
    assert [name for name in SAMPLES if f"| {name} |" not in DOCS] == []


# --- files ----------------------------------------------------------------------------------------

TABLE = [
    {"prompt": "Größe der Elbe?", "response": 'Etwa „1.094 km“;\nsie ist "lang".'},
    {"prompt": "Un café ?", "response": ""},
]


@pytest.mark.parametrize("container", TABLES.values(), ids=TABLES)
def test_a_table_is_the_same_in_every_kind_of_file(container: Callable[[Any], bytes]) -> None:
    first, second = (one for one in read(container(TABLE)) if isinstance(one, ImportDraft))

    assert first.messages[0]["content"] == TABLE[0]["prompt"]
    assert first.replies[0].text.replace("\r\n", "\n") == TABLE[0]["response"]
    assert (second.messages[0]["content"], second.replies) == (TABLE[1]["prompt"], ())


def test_a_workbook_has_whole_numbers_and_names_its_other_sheets() -> None:
    problem, draft = read(xlsx([{"prompt": 7, "response": "Hi"}], "Notes"))

    assert "Only the sheet “Data” is imported. The others are left out: Notes." in str(problem)
    assert isinstance(draft, ImportDraft)
    assert draft.messages[0]["content"] == "7"


def test_a_damaged_workbook_is_named() -> None:
    content = xlsx([{"prompt": "Hi"}]).replace(b"<worksheet", b"<wirksheet")

    *_rest, problem = read(content, "plain")

    assert isinstance(problem, ImportProblem)
    assert problem.is_fatal


@pytest.mark.parametrize("end", [40, -40])
def test_a_damaged_parquet_file_is_named(end: int) -> None:
    [problem] = read(parquet([{"prompt": "Hi"}])[:end], "plain")

    assert isinstance(problem, ImportProblem)
    assert problem.is_fatal
    assert "The Parquet file is damaged" in problem.sentence


def test_an_archive_names_the_files_it_leaves_out_and_the_place_of_each_row() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.jsonl", jsonl([{"prompt": "One"}, {"prompt": ""}]))
        archive.writestr("b.csv", "prompt\nTwo\n")
        archive.writestr("README.md", "# Data")

    one, problem, two, left_out = read(file.getvalue())

    assert isinstance(one, ImportDraft)
    assert isinstance(two, ImportDraft)
    assert (one.file, two.file) == ("a.jsonl", "b.csv")
    assert str(problem).startswith("Line 2: a.jsonl: `prompt` is empty")
    assert "not imported: README.md" in str(left_out)


@pytest.mark.django_db
def test_a_prompt_from_an_archive_says_which_file_it_is_from(tmp_path: Path) -> None:
    brought(zipped([{"prompt": "Hi"}]), tmp_path)

    assert Prompt.objects.get().origin == "sample data/train.jsonl line 1"


@pytest.mark.parametrize(
    ("content", "line", "says"),
    [
        (b'[\n {"prompt": "a"},\n {"prompt": "b"\n', 3, "ends too early"),
        (b'[{"prompt": "a"},\n{"prompt": nonsense}]', 2, "The JSON is broken here"),
        (b'[{"prompt": "a"}]\n["b"]', 2, "Text follows the end"),
        (b'[{"prompt": "a", "prompt": "b"}]', 1, "is there twice"),
        (b'[{"prompt": "a\xff"}]', 1, "not UTF-8"),
    ],
)
def test_a_list_that_is_broken_is_damaged_as_a_whole(content: bytes, line: int, says: str) -> None:
    problem = read(content)[-1]

    assert isinstance(problem, ImportProblem)
    assert (problem.line, problem.is_fatal) == (line, True)
    assert says in problem.sentence


def test_json_objects_over_several_lines_are_read() -> None:
    content = json.dumps({"prompt": "a"}, indent=2) + "\n" + json.dumps({"prompt": "b"}, indent=2)

    first, second = read(content.encode())

    assert isinstance(second, ImportDraft)
    assert (first.line, second.line) == (1, 4)


@pytest.mark.slow
def test_a_long_list_is_read_in_constant_memory() -> None:
    content = json_list([{"prompt": "x" * 400}] * 20_000)
    tracemalloc.start()
    n = sum(1 for _ in formats.read(io.BytesIO(content), "jsonl"))
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert n == 20_000
    assert peak < 8_000_000


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b'"prompt","response"\n"a","b"\n', "csv"),
        (b'"prompt"\n"a"\n', "csv"),
        (b'"a question"\n"another"\n', "jsonl"),
        (b"prompt\tresponse\n", "csv"),
    ],
)
def test_quoted_headings_are_told_from_json_texts(start: bytes, kind: str) -> None:
    assert formats.guess_format(io.BytesIO(start)) == kind


@pytest.mark.django_db
def test_the_page_of_an_import_says_what_the_file_was_read_as(
    tmp_path: Path, alice: User, signed_in: SignedIn
) -> None:
    batch = brought(jsonl(SAMPLES["ShareGPT"].rows), tmp_path)

    page = page_of(signed_in(alice).get(f"/prompts/imports/{batch.pk}/"))

    assert "read as ShareGPT" in page
