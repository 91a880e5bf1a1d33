"""Every exported text keeps its own licence and origin, and files can be limited to licences."""

import io
import json
from collections.abc import Callable

import pyarrow.parquet as pq
import pytest
from django.test import Client

from accounts.models import User
from labeling.data.exports import files, shapes
from labeling.models import Campaign, Export, Rater, Response
from labeling.quality import campaign_figures
from tests.cast import NOON
from tests.html import page_of
from tests.labeling.data.exports.exporting import exported_rows
from tests.labeling.data.exports.test_exports import ranked

SignedIn = Callable[[User], Client]

pytestmark = pytest.mark.django_db
NC = "CC-BY-NC-4.0"


@pytest.fixture
def mixed(comparison_campaign: Campaign, rosa: Rater) -> Campaign:
    """A campaign with one ranking, whose best response may not be used commercially."""
    ranked(comparison_campaign, rosa, {0: 1, 1: 2, 2: 3, 3: 4})
    (row,) = shapes.records("rankings")
    best = next(response for response in row["responses"] if response["rank"] == 1)
    Response.objects.filter(pk=best["response"]).update(licence=NC)
    return comparison_campaign


def test_a_ranking_names_the_licence_and_source_of_every_text(mixed: Campaign) -> None:
    (row,) = shapes.records("rankings")

    by_rank = {response["rank"]: response for response in row["responses"]}
    assert by_rank[1]["licence"] == NC
    assert all(by_rank[rank]["licence"] != NC for rank in (2, 3, 4))
    assert NC in row["licence"]
    assert row["prompt_licence"] != NC
    assert row["prompt_source"]


def test_a_pair_is_under_the_licences_of_its_two_texts_only(mixed: Campaign) -> None:
    pairs = list(shapes.records("preferences"))

    with_best = [pair for pair in pairs if pair["chosen_licence"] == NC]
    assert len(with_best) == 3
    assert all(NC in pair["licence"] for pair in with_best)
    assert not any(NC in pair["licence"] for pair in pairs if pair not in with_best)


def test_only_rows_with_all_their_texts_under_a_chosen_licence_leave(mixed: Campaign) -> None:
    pairs = list(shapes.records("preferences"))
    allowed = set().union(*map(shapes.licences_in, pairs)) - {NC}

    kept = list(shapes.records("preferences", licences=allowed))

    assert len(kept) == len(pairs) - 3
    assert list(shapes.records("rankings", licences=allowed)) == []


@pytest.mark.parametrize("shape", ["rankings", "preferences"])
def test_parquet_has_the_licences_too(mixed: Campaign, shape: str) -> None:
    file = io.BytesIO()

    files.parquet(shapes.records(shape), schema=shapes.schema(shape), to=file)

    assert NC in json.dumps(pq.read_table(file).to_pylist(), default=str)


def test_the_page_offers_the_licences_and_its_exports_keep_to_them(
    mixed: Campaign, alice: User, signed_in: SignedIn
) -> None:
    client = signed_in(alice)
    others = sorted(set(campaign_figures.licences(campaign=mixed, now=NOON)) - {NC})

    page = page_of(client.get(f"/campaigns/{mixed.pk}/export/"))
    everything = exported_rows(client, mixed, shape="preferences")
    without = exported_rows(
        client, mixed, shape="preferences", licence=[name or "none" for name in others]
    )

    assert f'value="{NC}"' in page
    assert (len(everything), len(without)) == (6, 3)
    assert all(NC not in row["licence"] for row in without)
    assert Export.objects.latest("pk").left_out[shapes.OTHER_LICENCE] == 3
