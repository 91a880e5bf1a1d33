"""Rows as a `datasets.Dataset`: the columns of their class, whatever the rows hold."""

import io
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path

import datasets
import huggingface_hub
import pyarrow.parquet as pq
import pytest
from datasets import Dataset, List, Value
from django.conf import LazySettings

from labeling.models import Campaign, Rater
from preferably_client import Preferably
from tests.api.test_labeling import ranked, written
from tests.training.registry.hub_stub import Hub, hub_stub


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


HUB_UPLOADS = "ignore:Use 'content=<...>' to upload raw bytes:DeprecationWarning"
"""huggingface_hub 1.x uploads files the way that httpx2 warns of."""


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with hub_stub() as found:
        monkeypatch.setattr(datasets.config, "HF_ENDPOINT", found.url)
        monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_DISABLE_XET", True)
        yield found


def pushed(hub: Hub) -> Dataset:
    [name] = [name for name in hub.files if name.endswith(".parquet")]
    return Dataset(pq.read_table(io.BytesIO(hub.files[name])))


@pytest.mark.filterwarnings(HUB_UPLOADS)
def test_judgments_are_pushed_to_a_hub_privately_unless_one_says_otherwise(
    site: Preferably, demonstration_campaign: Campaign, rosa: Rater, hub: Hub
) -> None:
    written(demonstration_campaign, rosa, "It scatters.")

    site.list_judgments().push_to_hub("team/judgments", token="hf_x")

    assert [(one["organization"], one["name"], one["visibility"]) for one in hub.made] == [
        ("team", "judgments", "private")
    ]
    assert hub.tokens == {"Bearer hf_x"}
    (row,) = pushed(hub)
    assert row["id"] == next(site.list_judgments()).id
    assert "It scatters." in str(row)
    assert b"dataset_info" in hub.files["README.md"]
