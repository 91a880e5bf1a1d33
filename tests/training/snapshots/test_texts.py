"""Text for pretraining: how files are read, what curation drops, and the resulting snapshot."""

import io
import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import User
from tests.training.conftest import NOW
from training.models import Snapshot
from training.registry import services as registry_services
from training.runs import run_queue
from training.snapshots import freeze
from training.snapshots import services as snapshots_services
from training.snapshots.freeze import UnableToCreate
from training.snapshots.pretraining import texts
from training.snapshots.pretraining.documents import Document
from training.snapshots.pretraining.texts import Documents


def documents_of(name: str, content: bytes) -> Documents:
    return Documents(name, io.BytesIO(content))


def test_lines_of_json_are_documents() -> None:
    found = documents_of("a.jsonl", b'{"text": "One.", "source": "wiki"}\n\n{"text": "Two."}\n')

    assert list(found) == [Document("One.", "wiki"), Document("Two.", "a.jsonl")]
    assert found.problems() == []


def test_plain_text_is_cut_at_its_ends() -> None:
    found = documents_of(
        "a.txt", b"\xef\xbb\xbfOne,\r\nstill one.\n<|endoftext|>\r\nTwo.\n<|endoftext|>\n"
    )

    assert list(found) == [Document("One,\nstill one.", "a.txt"), Document("Two.", "a.txt")]
    assert found.problems() == []


def test_every_bad_line_is_reported() -> None:
    found = documents_of("a.jsonl", b'{"text": "One."}\nno\n{"text": ""}\n[1]\n')

    assert [problem.line for problem in found.problems()] == [2, 3, 4]


@pytest.mark.parametrize("name", ["a.txt", "a.jsonl"])
def test_bytes_that_are_not_text_are_reported_with_their_line(name: str) -> None:
    found = documents_of(name, b'{"text": "fine"}\n\xff\xfe')

    assert [problem.line for problem in found.problems()] == [2]


def test_a_large_file_becomes_a_snapshot_without_being_held_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "large.jsonl"
    with path.open("w") as file:
        for number in range(200):
            file.write(json.dumps({"text": f"{number} " * 20_000}) + "\n")
    size = path.stat().st_size

    tracemalloc.start()
    with path.open("rb") as uploaded:
        found = Documents(path.name, uploaded)
        assert found.problems() == []
        texts.freeze(found, folder=tmp_path / "frozen", licence="", min_characters=10)
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < size / 4


def test_short_ones_and_repeats_are_left_out_and_counted(tmp_path: Path) -> None:
    documents = [Document(f"Document number {n} about the sky.", "s") for n in range(60)]
    documents += [Document("DOCUMENT number 7, about the sky!", "s"), Document("Hm.", "s")]

    frozen = texts.freeze(
        documents, folder=tmp_path / "frozen", licence="CC0-1.0", min_characters=10
    )

    assert frozen.n_rows == 60
    assert frozen.card["left_out"] == {"said before": 1, "too short": 1}
    assert all(frozen.card["splits"][split] for split in ("train", "validation", "test"))
    assert freeze.is_intact(tmp_path / "frozen", frozen.fingerprint)


def test_nothing_to_learn_from_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(UnableToCreate, match="No documents remain"):
        texts.freeze(
            [Document("Hm.", "s")], folder=tmp_path / "frozen", licence="", min_characters=10
        )

    assert list(tmp_path.glob("*frozen*")) == []


@pytest.mark.django_db
def test_a_snapshot_of_text_feeds_a_pretraining_run(noor: User) -> None:
    documents = [Document(f"Document number {n} about the sky.", "s") for n in range(40)]
    snapshot = snapshots_services.create_text_snapshot(
        name="Skies", documents=documents, licence="CC0-1.0", min_characters=10, by=noor, now=NOW
    )
    model = registry_services.register_model(
        name="base",
        kind="policy",
        location="/models/x",
        licence="",
        is_elsewhere=True,
        by=noor,
        now=NOW,
    )

    run = run_queue.queue_run(
        kind="pretrain", name="x", config={}, snapshot=snapshot, base_model=model, by=noor, now=NOW
    )

    line = (
        (Path(settings.SNAPSHOTS_DIR) / snapshot.folder / "train.jsonl").read_text().splitlines()[0]
    )
    assert json.loads(line)["text"].startswith("Document number")
    assert run.snapshot.kind == Snapshot.Kind.TEXT


@pytest.mark.django_db
def test_a_file_becomes_a_snapshot_on_its_page(
    noor: User, signed_in: Callable[..., Client]
) -> None:
    client = signed_in(noor)
    content = "".join(
        json.dumps({"text": f"Document number {n} about the sky."}) + "\n" for n in range(40)
    ).encode()
    given = {"name": "Skies", "licence": "CC0-1.0", "min_characters": "10"}

    answer = client.post(
        "/snapshots/new/?kind=text", given | {"file": SimpleUploadedFile("skies.jsonl", content)}
    )

    snapshot = Snapshot.objects.get()
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/snapshots/{snapshot.pk}/")
    page = client.get(answer.headers["Location"]).content
    assert b"40 documents" in page
    assert b"run-next" not in page, "one kind of run takes it, and its button is on top"
