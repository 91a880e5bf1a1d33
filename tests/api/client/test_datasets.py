"""Rows as a `datasets.Dataset`: the columns of their class, whatever the rows hold."""

from datetime import UTC
from pathlib import Path

from datasets import Dataset, List, Value
from django.conf import LazySettings

from labeling.models import Campaign, Rater
from preferably_client import Preferably
from tests.api.test_labeling import ranked, written


def test_the_judgments_of_a_campaign_become_a_dataset(
    site: Preferably, comparison_campaign: Campaign, rosa: Rater
) -> None:
    ranked(comparison_campaign, rosa)

    found = site.campaigns.get(comparison_campaign.pk).judgments().to_dataset()

    assert isinstance(found, Dataset)
    (row,) = found
    (judgment,) = site.list_judgments()
    assert (row["id"], row["rater"], row["demonstration"]) == (judgment.id, judgment.rater, None)
    assert [one["rank"] for one in row["comparison"]["responses"]] == [2, 1, 2, None]
    assert row["submitted_at"].replace(tzinfo=UTC) == judgment.submitted_at
    assert found.features["warnings"] == List(Value("string"))


def test_an_empty_list_has_the_columns_of_a_full_one(
    site: Preferably, demonstration_campaign: Campaign, rosa: Rater
) -> None:
    before = site.list_judgments().to_dataset()
    written(demonstration_campaign, rosa)
    after = site.list_judgments().to_dataset()

    assert (len(before), len(after)) == (0, 1)
    assert before.features == after.features


def test_the_rows_of_a_snapshot_become_a_dataset(
    site: Preferably,
    demonstration_campaign: Campaign,
    rosa: Rater,
    settings: LazySettings,
    tmp_path: Path,
) -> None:
    settings.SNAPSHOTS_DIR = tmp_path
    written(demonstration_campaign, rosa, "It scatters.")
    made = site.cut_snapshot(kind="demonstrations", name="This week's")

    (row,) = site.snapshots.get(made.id).rows().to_dataset()

    assert "It scatters." in str(row)
