"""Rows as a `datasets.Dataset`: the columns of their class, whatever the rows hold."""

from datetime import UTC

from datasets import Dataset, List, Value

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
