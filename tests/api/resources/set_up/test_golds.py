"""Gold items by API: from an expert's ranking, from rows, used elsewhere, retired."""

from typing import Any

from accounts.models import AuditEvent
from labeling.desk.judgments import submit
from labeling.desk.judgments.checked_answers import ComparisonAnswer
from labeling.models import Campaign, Gold, Guideline, Judgment, Pool, Rater
from labeling.queue.claiming import claim
from tests.api.resources.set_up.conftest import Api
from tests.cast import NOON, lease_of, open_comparison_campaign


def ranked(campaign: Campaign, rater: Rater) -> Judgment:
    slot = claim.claim(campaign=campaign, rater=rater, now=NOON)
    ratings = {position: {"overall": position + 1} for position in range(4)}
    answer = ComparisonAnswer(ranks={0: 2, 1: 1, 2: 3, 3: None}, ratings=ratings)
    return submit.submit(lease=lease_of(slot), rater=rater, answer=answer, now=NOON)


def gold_row(**fields: object) -> dict[str, Any]:
    row = {"prompt": "1 + 1?", "responses": ["2", "3", "4", "5"], "ranks": [1, 2, 2, None]}
    return row | fields


def test_an_experts_ranking_becomes_a_gold_item(
    api: Api, comparison_campaign: Campaign, rosa: Rater
) -> None:
    judgment = ranked(comparison_campaign, rosa)

    made = api.post("golds", {"judgment": judgment.pk, "note": "B is right."})

    row = made.json()
    assert made.status_code == 201
    assert (row["origin"], row["note"], row["campaigns"]) == (
        "expert",
        "B is right.",
        [comparison_campaign.pk],
    )
    assert sorted(str(rank["rank"]) for rank in row["ranks"]) == ["1", "2", "3", "None"]
    assert (row["made_from"], row["n_answers"], row["is_suspect"]) == (judgment.item_id, 0, False)
    assert api.get(f"golds/{row['id']}").json() == row


def test_rows_are_imported_whole_and_listed_by_campaign(
    api: Api, comparison_campaign: Campaign
) -> None:
    body = {"campaign": comparison_campaign.pk, "golds": [gold_row(note="Sums"), gold_row()]}

    made = api.post("golds/import", body)

    assert (made.status_code, made.json()) == (201, {"n": 2})
    rows = api.rows(f"golds?campaign={comparison_campaign.pk}")
    assert [row["note"] for row in rows] == ["", "Sums"]
    assert {row["origin"] for row in rows} == {"import"}
    assert AuditEvent.objects.filter(action="import_golds").count() == 1


def test_rows_with_a_mistake_are_named_and_nothing_is_stored(
    api: Api, comparison_campaign: Campaign
) -> None:
    rows = [gold_row(), gold_row(ranks=[1, 1, 1, 1]), gold_row(responses=["2"])]

    refused = api.post("golds/import", {"campaign": comparison_campaign.pk, "golds": rows})

    assert refused.status_code == 400
    assert refused.json()["errors"] == {
        "golds.1": [
            "`ranks` does not prefer any response to another, so it can't be used to score raters."
        ],
        "golds.2": ["`responses` must be a list of 4 texts, the number this campaign compares."],
    }
    assert not Gold.objects.exists()


def test_golds_of_another_campaign_are_used_and_retired_everywhere(
    api: Api, comparison_campaign: Campaign, day_shift: Pool, guideline: Guideline
) -> None:
    other = open_comparison_campaign(pool=day_shift, guideline=guideline, name="Other")
    api.post("golds/import", {"campaign": comparison_campaign.pk, "golds": [gold_row()]})

    used = api.post("golds/use", {"campaign": other.pk}).json()
    (row,) = api.rows(f"golds?campaign={other.pk}")
    retired = api.post(f"golds/{row['id']}/retire").json()
    back = api.post(f"golds/{row['id']}/bring-back").json()

    assert used == {"n": 1}
    assert row["campaigns"] == sorted([comparison_campaign.pk, other.pk])
    assert retired["retired_at"] is not None
    assert back["retired_at"] is None


def test_a_ranking_that_prefers_nothing_is_refused_in_the_services_words(
    api: Api, comparison_campaign: Campaign, rosa: Rater
) -> None:
    judgment = ranked(comparison_campaign, rosa)
    judgment.comparison.ranked.update(rank=1)

    refused = api.post("golds", {"judgment": judgment.pk})

    assert refused.status_code == 409
    assert refused.json()["detail"].startswith("A gold item needs two responses")
