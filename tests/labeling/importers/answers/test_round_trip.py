"""What is exported here and imported into an empty site is exported there as it was."""

import io
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from django.core.management import call_command
from django.db import transaction

from labeling.data.exports import files, shapes
from labeling.desk.judgments import submit
from labeling.desk.judgments.checked_answers import ComparisonAnswer, DemonstrationAnswer, Edit
from labeling.models import Campaign, Comparison, Guideline, Import, Judgment, Pool, Prompt, Rater
from labeling.queue.claiming import claim
from tests.cast import (
    NOON,
    lease_of,
    open_comparison_campaign,
    open_demonstration_campaign,
)

pytestmark = pytest.mark.django_db

SOURCE, LICENCE = "elsewhere", "CC0-1.0"
Record = dict[str, Any]


class _SiteIsGone(Exception):
    """Undoes everything that was written on the first site."""


@contextmanager
def site_that_goes() -> Iterator[None]:
    """A first site, of which nothing is left afterwards."""
    try:
        with transaction.atomic():
            yield
            raise _SiteIsGone
    except _SiteIsGone:
        pass


def compare(campaign: Campaign, rater: Rater, edit: Edit | None = None) -> Judgment:
    slot = claim.claim(campaign=campaign, rater=rater, now=NOON)
    answer = ComparisonAnswer(
        ranks={0: 2, 1: 1, 2: 2, 3: 3},
        ratings={place: {"overall": place + 1, "hallucination": place == 3} for place in range(4)},
        edit=edit,
    )
    return submit.submit(lease=lease_of(slot), rater=rater, answer=answer, now=NOON)


def write(campaign: Campaign, rater: Rater, text: str, **more: Any) -> Judgment:
    slot = claim.claim(campaign=campaign, rater=rater, now=NOON)
    return submit.submit(
        lease=lease_of(slot), rater=rater, answer=DemonstrationAnswer(text=text, **more), now=NOON
    )


def record_everything() -> None:
    """Give the judgments all that a judgment can have."""
    for place, judgment in enumerate(Judgment.of_people.order_by("pk")):
        judgment.active_s, judgment.warnings = 12.5 + place, ["faster_than_reading"]
        judgment.submitted_at = NOON + timedelta(minutes=place)
        judgment.save()
    for place, comparison in enumerate(Comparison.objects.order_by("pk")):
        comparison.strength, comparison.reason = 1 + place % 4, "Shorter, and right."
        comparison.save()
    Prompt.objects.update(split="validation", category="open_qa", language="de", licence="MIT")


def lines(rows: list[Record], to: Path) -> Path:
    to.write_bytes(b"".join(files.jsonl(rows)))
    return to


def brought(path: Path) -> None:
    call_command("import_judgments", path, source=SOURCE, licence=LICENCE, campaign="Again")


def differences(before: list[Record], after: list[Record]) -> list[tuple[int, str, Any, Any]]:
    """(number of the row, column, before, after) of whatever is not the same."""
    assert len(after) == len(before)
    return [
        (number, name, row.get(name), other.get(name))
        for number, (row, other) in enumerate(zip(told(before), told(after), strict=True))
        for name in row | other
        if row.get(name) != other.get(name)
    ]


def told(rows: list[Record]) -> list[Record]:
    """Rows without the ids of their site: in their place, which number of its kind each one is.
    What an import names after its source is called what it was, and a text without a licence has
    the import's.
    """
    seen: dict[str, dict[Any, int]] = {}

    def numbered(name: str, value: Any) -> Any:
        ids = seen.setdefault(name, {})
        return None if value is None else ids.setdefault(value, len(ids))

    return [_told(row, numbered) for row in rows]


def _told(row: Record, numbered: Callable[[str, Any], Any]) -> Record:
    ids = ("judgment", "prompt_id", "item", "campaign", "response")
    found = {name: numbered(name, row[name]) if name in ids else row[name] for name in row}
    if "responses" in row:
        found["responses"] = [_told(one, numbered) for one in row["responses"]]
        found["licence"] = ""
    for name, value in found.items():
        if isinstance(value, str) and name in ("rater", "source", "prompt_source"):
            found[name] = re.sub(r"^(import-\d+-)+", "", value).removeprefix(f"{SOURCE} / ")
        if name in ("licence", "response_licence") and value in ("", LICENCE):
            found[name] = ""
    if "responses" not in row and "judgment" in row:
        found["licence"] = ""
    return found


def test_rankings_come_back_with_all_that_raters_gave(
    day_shift: Pool, guideline: Guideline, rosa: Rater, raul: Rater, tmp_path: Path
) -> None:
    with site_that_goes():
        campaign = open_comparison_campaign(pool=day_shift, guideline=guideline)
        compare(campaign, rosa)
        compare(campaign, raul)
        compare(campaign, rosa, Edit(1, "A better text."))
        record_everything()
        Comparison.objects.filter(pk=Judgment.of_people.earliest("pk").pk).update(is_all_bad=True)
        before = list(shapes.records("rankings"))

    brought(lines(before, tmp_path / "rankings.jsonl"))

    assert len(before) == 4
    assert [row["is_edit"] for row in before] == [False, False, False, True]
    assert differences(before, list(shapes.records("rankings"))) == []
    assert Import.objects.get().problems == []


def test_rankings_come_back_from_parquet_too(
    day_shift: Pool, guideline: Guideline, rosa: Rater, tmp_path: Path
) -> None:
    file = tmp_path / "rankings.parquet"
    with site_that_goes():
        compare(open_comparison_campaign(pool=day_shift, guideline=guideline), rosa)
        record_everything()
        before = list(shapes.records("rankings"))
        with file.open("wb") as stream:
            files.parquet(before, schema=shapes.schema("rankings"), to=stream)

    brought(file)

    assert differences(before, list(shapes.records("rankings"))) == []


def test_demonstrations_and_whole_dialogues_come_back(
    day_shift: Pool, guideline: Guideline, rosa: Rater, raul: Rater, tmp_path: Path
) -> None:
    with site_that_goes():
        campaign = open_demonstration_campaign(
            pool=day_shift, guideline=guideline, asks_dialogue=True
        )
        more = [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "So."}]
        write(campaign, rosa, "Four.", further=more)
        write(campaign, raul, "Five, I think.")
        record_everything()
        before = list(shapes.records("demonstrations"))

    brought(lines(before, tmp_path / "demonstrations.jsonl"))

    assert [row["turn"] for row in before] == [0, 1, 0]
    assert differences(before, list(shapes.records("demonstrations"))) == []


def test_imported_ratings_of_single_responses_come_back(tmp_path: Path) -> None:
    table = tmp_path / "ratings.csv"
    table.write_text(
        "text,rater,score,topic,toxic,at\n"
        "One text.,ann,0.25,news,yes,2024-05-01T10:00:00Z\n"
        "One text.,bob,0.5,prose,no,2024-05-01T11:00:00Z\n"
        "Another text.,ann,1,prose,no,2024-05-01T12:00:00Z\n"
        "Another text.,bob,1,news,yes,2024-05-01T13:00:00Z\n"
    )
    with site_that_goes():
        brought(table)
        before = list(shapes.records("rankings"))

    brought(lines(before, tmp_path / "rankings.jsonl"))

    assert before[0]["responses"][0]["ratings"] == {
        "score": 0.25,
        "topic": "news",
        "toxic": True,
    }
    assert differences(before, list(shapes.records("rankings"))) == []


def test_an_exported_file_says_the_same_as_json_and_as_parquet(
    comparison_campaign: Campaign, rosa: Rater
) -> None:
    compare(comparison_campaign, rosa)
    rows = list(shapes.records("rankings"))
    file = io.BytesIO()

    files.parquet(rows, schema=shapes.schema("rankings"), to=file)

    [row] = pq.read_table(io.BytesIO(file.getvalue())).to_pylist()
    assert [json.loads(one["ratings"]) for one in row["responses"]] == [
        one["ratings"] for one in rows[0]["responses"]
    ]
