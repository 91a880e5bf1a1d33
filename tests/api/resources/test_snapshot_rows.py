"""A researcher reads the rows of a snapshot: by page, and as files."""

import io
import json
from pathlib import Path

import pyarrow.parquet as pq
from django.conf import LazySettings

from accounts.models import User
from labeling.models import Prompt, Rater, Response
from labeling.people.withdrawals import withdrawal
from tests.api.conftest import Caller
from tests.cast import NOON
from tests.training.snapshots.test_freezing import compare, demonstrate, on_split
from training.models import Snapshot
from training.snapshots import services as snapshots_services
from training.snapshots.services import Filters


def cut(kind: str, by: User) -> Snapshot:
    return snapshots_services.create_snapshot(
        kind=kind, name=kind, filters=Filters(), by=by, now=NOON
    )


def test_rows_come_by_page_with_the_licence_of_every_text(
    calling: Caller, noor: User, rosa: Rater
) -> None:
    for prompt in on_split("train", 3):
        judgment = compare(prompt, rosa, [1, 2])
    Prompt.objects.update(licence="CC-BY-4.0")
    Response.objects.filter(ranked__rank=1).update(licence="CC-BY-NC-4.0")
    snapshot, client = cut("comparisons", noor), calling(noor)

    first = client.get(f"/api/v1/snapshots/{snapshot.pk}/rows?limit=2").json()
    rest = client.get(
        f"/api/v1/snapshots/{snapshot.pk}/rows?limit=2&cursor={first['next_cursor']}"
    ).json()
    other = client.get(f"/api/v1/snapshots/{snapshot.pk}/rows?split=test").json()

    rows = first["results"] + rest["results"]
    assert [len(page["results"]) for page in (first, rest, other)] == [2, 1, 0]
    assert rest["next_cursor"] is None
    assert rows[-1]["judgment"] == judgment.pk
    assert rows[-1]["prompt"] == judgment.prompt.messages
    assert {row["prompt_licence"] for row in rows} == {"CC-BY-4.0"}
    assert {one["licence"] for one in rows[0]["responses"] if one["rank"] == 1} == {"CC-BY-NC-4.0"}


def test_rows_of_a_rater_who_has_withdrawn_have_no_answers_and_are_in_no_file(
    calling: Caller, noor: User, rosa: Rater, raul: Rater
) -> None:
    prompts = on_split("train", 2)
    gone, stays = demonstrate(prompts[0], rosa), demonstrate(prompts[1], raul)
    snapshot, client = cut("demonstrations", noor), calling(noor)
    withdrawal.withdraw_rater(rater=rosa, by=None, now=NOON)

    page = client.get(f"/api/v1/snapshots/{snapshot.pk}/rows").json()["results"]
    file = client.get(f"/api/v1/snapshots/{snapshot.pk}/file")

    assert [(row["judgment"], row["is_withheld"]) for row in page] == [
        (gone.pk, True),
        (stays.pk, False),
    ]
    assert "completion" not in page[0]
    lines = b"".join(file).decode().splitlines()
    assert [json.loads(line)["judgment"] for line in lines] == [stays.pk]


def test_a_file_is_the_same_as_jsonl_and_as_parquet(
    calling: Caller, noor: User, rosa: Rater
) -> None:
    prompts = on_split("train", 2)
    demonstrate(prompts[0], rosa)
    compare(prompts[1], rosa, [2, 1, None])
    client = calling(noor)

    for kind in ("demonstrations", "comparisons", "prompts"):
        address = f"/api/v1/snapshots/{cut(kind, noor).pk}/file"
        lines = b"".join(client.get(address)).decode().splitlines()
        parquet = b"".join(client.get(f"{address}?file_format=parquet"))

        rows = [json.loads(line) for line in lines]
        table = pq.read_table(io.BytesIO(parquet)).to_pylist()
        assert len(table) == len(rows) > 0
        assert set().union(*rows) <= set(table[0])
        for row, flat in zip(rows, table, strict=True):
            assert flat["prompt"] == row["prompt"]
            assert flat["id"] == row["id"]


def test_a_snapshot_whose_files_are_gone_says_so(
    calling: Caller, noor: User, rosa: Rater, settings: LazySettings, tmp_path: Path
) -> None:
    demonstrate(on_split("train")[0], rosa)
    snapshot, client = cut("demonstrations", noor), calling(noor)
    settings.SNAPSHOTS_DIR = tmp_path

    for part in ("rows", "file"):
        response = client.get(f"/api/v1/snapshots/{snapshot.pk}/{part}")
        assert response.status_code == 409
        assert "not on this machine" in response.json()["detail"]
