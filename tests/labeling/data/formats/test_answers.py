"""Tables of answers by several raters, in every kind of file that can hold them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from accounts.models import User
from labeling.models import Campaign, Import, Judgment
from labeling.quality.services import compute_quality
from tests.cast import NOON
from tests.labeling.answers import words
from tests.labeling.data.formats.containers import CONTAINERS, TABLES

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

DOCS = (Path(__file__).resolve().parents[4] / "docs" / "importing.md").read_text()
Row = dict[str, Any]


@dataclass(frozen=True)
class Table:
    """Rows, and what they become: (rater, ranks or ratings in the order of the responses)."""

    rows: Sequence[Row]
    answers: set[tuple[str, str]]


def rows(names: str, *lines: str) -> list[Row]:
    return [dict(zip(names.split(","), line.split(","), strict=True)) for line in lines]


SAMPLES = {
    "One answer per row": Table(
        rows("item,rater,rating", "1,ann,3", "1,bob,5", "2,ann,1", "2,bob,2"),
        {("ann", "rating 3"), ("bob", "rating 5"), ("ann", "rating 1"), ("bob", "rating 2")},
    ),
    "One column per rater": Table(
        rows("prompt,completion,annotation_1,annotation_2", "Hi,Hey,a,b", "Ho,Oh,b,b"),
        {("1", "annotation a"), ("2", "annotation b"), ("1", "annotation b")},
    ),
    "One answer to one question per row": Table(
        rows(
            "item,rater,dimension,value",
            *("1,ann,fluency,3", "1,ann,coherence,4", "1,bob,fluency,2", "1,bob,coherence,5"),
        ),
        {("ann", "coherence 4 fluency 3"), ("bob", "coherence 5 fluency 2")},
    ),
    "Votes": Table(
        rows("prompt,response_a,response_b,rater,winner", "Hi,x,y,ann,A", "Hi,x,y,bob,tie"),
        {("ann", "rank 1 rank 2"), ("bob", "rank 1 rank 1")},
    ),
    "Votes on models": Table(
        rows(
            "prompt,response_a,response_b,model_a,model_b,rater,winner",
            *("Hi,x,y,m1,m2,ann,m2", "Hi,x,y,m1,m2,bob,tie"),
        ),
        {("ann", "rank 2 rank 1"), ("bob", "rank 1 rank 1")},
    ),
    "Ranks": Table(
        rows(
            "item,rater,model,response,rank",
            *("1,ann,m1,x,2", "1,ann,m2,y,1", "1,bob,m1,x,1", "1,bob,m2,y,2"),
        ),
        {("ann", "rank 2 rank 1"), ("bob", "rank 1 rank 2")},
    ),
    "Annotations inside a row": Table(
        [
            {
                "text": "A text.",
                "annotations": [
                    {"annotator": "ann", "label": "spam"},
                    {"annotator": "bob", "label": "fine"},
                ],
            }
        ],
        {("ann", "label spam"), ("bob", "label fine")},
    ),
}
"""Named as in docs/importing.md."""
NESTED = "Annotations inside a row"

every_table = pytest.mark.parametrize("table", SAMPLES.values(), ids=SAMPLES)


def brought(content: bytes, folder: Path) -> Campaign:
    path = folder / "answers"
    path.write_bytes(content)
    call_command("import_judgments", path, source="sample", licence="CC0-1.0")
    return Campaign.objects.get()


def answers_of(campaign: Campaign) -> set[tuple[str, str]]:
    """(rater, what they said) of every judgment."""
    found = set()
    for judgment in Judgment.of_people.filter(campaign=campaign).select_related("rater"):
        said = [
            f"rank {one.rank}"
            if one.rank
            else " ".join(f"{name} {one.ratings[name]}" for name in sorted(one.ratings))
            for one in judgment.comparison.ranked.order_by("response_id")
        ]
        found.add((judgment.rater.origin.removeprefix("sample: "), " ".join(said)))
    return found


@every_table
@pytest.mark.parametrize("container", (CONTAINERS | TABLES).values(), ids=CONTAINERS | TABLES)
def test_a_table_says_the_same_in_every_kind_of_file(
    container: Callable[[Any], bytes], table: Table, tmp_path: Path
) -> None:
    if table is SAMPLES[NESTED] and container in TABLES.values():
        pytest.skip("a table has no lists in its cells")

    campaign = brought(container(table.rows), tmp_path)

    assert answers_of(campaign) == table.answers


@every_table
def test_the_answers_of_a_table_have_the_pages_of_a_campaign(
    table: Table, tmp_path: Path, alice: User, signed_in: Callable[[User], Client]
) -> None:
    campaign = brought(CONTAINERS["JSON lines"](table.rows), tmp_path)
    compute_quality(campaign_id=campaign.pk, now=NOON)
    client = signed_in(alice)

    pages = [
        words(client.get(f"/campaigns/{campaign.pk}/{page}"))
        for page in ("", "items/", "agreement/", "bias/", "export/")
    ]

    assert "Cohen κ by pair of raters" in pages[2]
    assert f"/campaigns/{campaign.pk}/" in words(
        client.get(f"/prompts/imports/{Import.objects.get().pk}/")
    )


def test_every_table_is_in_the_docs() -> None:
    assert [name for name in SAMPLES if f"| {name} |" not in DOCS] == []
