"""Agreement, bias, consensus and raters of a campaign, its review, and what waits, over HTTP."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import AuditEvent, User
from labeling.models import (
    Adjudication,
    Campaign,
    Case,
    Gold,
    ItemQuestion,
    Judgment,
    JudgmentReview,
    QualityReport,
    Rater,
)
from labeling.quality import services as quality_services
from labeling.review import services as review_services
from labeling.review import set_aside
from labeling.votes import item_consensus
from labeling.votes.item_answers import item_answers
from tests import html
from tests.api.test_steering import post
from tests.cast import NOON, login_of
from tests.labeling.answers import words
from tests.labeling.quality.conftest import crowd, measured  # noqa: F401  # fixtures
from tests.labeling.queue.test_case_pages import skip
from tests.labeling.review.conftest import written  # noqa: F401  # a fixture
from tests.labeling.review.test_gold_and_review_pages import judged, split  # noqa: F401

pytestmark = pytest.mark.django_db
Caller = Callable[..., Client]


def get(client: Client, path: str) -> Any:
    return client.get(f"/api/v1/{path}").json()


# --- quality --------------------------------------------------------------------------------------


def test_agreement_has_the_numbers_of_the_report_with_interval_and_count(
    calling: Caller,
    alice: User,
    measured: Campaign,  # noqa: F811
) -> None:
    stored = QualityReport.objects.get().results["agreement"]

    found = get(calling(alice), f"campaigns/{measured.pk}/agreement")

    assert found["figures"]["alpha_ordinal"] == stored["alpha_ordinal"]
    assert found["figures"]["raw_half"]["n"] == 30
    assert (found["report"]["n_judgments"], found["report"]["n_new"]) == (10, 0)
    assert found["questions"][0]["figures"]["alpha"] == stored["questions"][0]["alpha"]
    assert found["figures"]["self"]["note"] == "Nothing has been rated twice yet."
    assert {"tau", "w", "gold", "adjudicated", "model"} <= found["figures"].keys()


def test_two_raters_are_compared_under_their_pseudonyms(
    calling: Caller,
    alice: User,
    measured: Campaign,  # noqa: F811
    rosa: Rater,
    raul: Rater,
) -> None:
    [pair] = get(calling(alice), f"campaigns/{measured.pk}/rater-pairs")["results"]

    [stored] = QualityReport.objects.get().results["matrix"]["pairs"]
    assert {pair["one"], pair["other"]} == {rosa.alias, raul.alias}
    assert pair["agreement"]["value"] == pytest.approx(stored["score"] / stored["n"])
    assert (pair["agreement"]["n"], pair["kappa"]["n"]) == (30, 30)
    assert pair["kappa"]["value"] == pytest.approx(stored["kappa"])
    path = f"/api/v1/campaigns/{measured.pk}/rater-pairs?question="
    of_question = calling(alice).get(f"{path}overall").json()["results"]
    unknown = calling(alice).get(f"{path}taste")
    assert [(row["agreement"], row["kappa"]["n"]) for row in of_question] == [(None, 20)]
    assert unknown.status_code == 409
    assert "There are: overall." in unknown.json()["detail"]


def test_bias_has_the_pages_figures_and_names_nobody(
    calling: Caller,
    alice: User,
    crowd: tuple[Campaign, Rater],  # noqa: F811
) -> None:
    campaign, habit = crowd
    quality_services.compute_quality(campaign_id=campaign.pk, now=NOON)
    stored = QualityReport.objects.get().results

    answer = calling(alice).get(f"/api/v1/campaigns/{campaign.pk}/bias")

    found = answer.json()
    assert found["figures"]["first"] == stored["habits"]["first"]
    assert found["swaps"]["consistent"]["note"]
    assert found["effects"][0]["odds"]["low"] == stored["habits"]["effects"][0]["odds"]["low"]
    assert "raters" not in found["wording"]
    assert not html.names(answer.content.decode(), habit.alias)


def test_a_rater_is_flagged_with_the_pages_words_and_never_with_a_name(
    calling: Caller,
    alice: User,
    crowd: tuple[Campaign, Rater],  # noqa: F811
    signed_in: Callable[..., Client],
) -> None:
    campaign, habit = crowd
    quality_services.compute_quality(campaign_id=campaign.pk, now=NOON)

    answer = calling(alice).get(f"/api/v1/campaigns/{campaign.pk}/rater-quality?limit=2")

    first, _second = answer.json()["results"]
    page = words(signed_in(alice).get(f"/campaigns/{campaign.pk}/raters/{habit.pk}/"))
    assert (first["alias"], first["rater"]) == (habit.alias, habit.pk)
    assert first["flags"]
    for flag in first["flags"]:
        assert flag["sentence"] in page
        assert flag["false_alarm"] in page
    assert first["caution"].startswith("None of these is a verdict")
    assert first["caution"] in page
    assert login_of(habit).name not in answer.content.decode()
    assert answer.json()["next_cursor"] == 2


def test_the_consensus_of_every_item_is_that_of_its_page(
    calling: Caller,
    alice: User,
    measured: Campaign,  # noqa: F811
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    client = calling(alice)
    client.get(f"/api/v1/campaigns/{measured.pk}/consensus")
    with django_assert_num_queries(12):
        rows = get(client, f"campaigns/{measured.pk}/consensus")["results"]

    for row in rows:
        item = measured.items.get(pk=row["item"])
        one = item_consensus.consensus_of(
            campaign=measured, answers=item_answers(item=item).answers
        )
        assert (row["n_judgments"], row["n_known"]) == (one.n_judgments, one.n_known) == (2, 2)
        assert [place["response"] for place in row["places"]] == [p.response for p in one.places]
        assert [pair["p"] for pair in row["pairs"]] == [pair.p for pair in one.pairs]
    assert len(rows) == 5


def test_campaigns_with_a_report_are_listed(
    calling: Caller,
    alice: User,
    measured: Campaign,  # noqa: F811
) -> None:
    [row] = get(calling(alice), "quality")["results"]

    assert (row["campaign"], row["n_judgments"]) == (measured.pk, 10)
    assert row["agreement"]["n"] == 30


def test_without_a_report_there_are_no_numbers(
    calling: Caller, alice: User, comparison_campaign: Campaign, demonstration_campaign: Campaign
) -> None:
    client = calling(alice)

    answer = client.get(f"/api/v1/campaigns/{comparison_campaign.pk}/agreement")
    other = client.get(f"/api/v1/campaigns/{demonstration_campaign.pk}/agreement")

    assert (answer.status_code, other.status_code) == (409, 404)
    assert answer.json()["detail"].startswith("Nothing computed yet. Quality is computed every")
    asked = post(client, f"campaigns/{comparison_campaign.pk}/quality")
    assert (asked.status_code, asked.json()["computed_at"]) == (202, None)


# --- review ---------------------------------------------------------------------------------------


def test_an_item_is_decided_its_raters_told_and_a_gold_made(
    calling: Caller,
    alice: User,
    split: tuple[Judgment, Judgment],  # noqa: F811
    comparison_campaign: Campaign,
) -> None:
    client, path = calling(alice), f"campaigns/{comparison_campaign.pk}/review"
    one, other = split
    [row] = get(client, path)["results"]

    item = get(client, f"{path}/{row['item']}")
    named = get(client, f"{path}/{row['item']}?names=shown")
    ranks = {entry["response"]: place for place, entry in enumerate(item["responses"], start=1)}
    body = {
        "ranks": ranks,
        "reason": "rater_error",
        "note": "It is short.",
        "feedback": {one.pk: "Well done."},
        "feedback_to_all": "Read twice.",
        "promotes": True,
    }
    decided = post(client, f"{path}/{row['item']}", body)

    assert (row["n_judgments"], row["agreement"]) == (2, 0.0)
    assert [answer["who"] for answer in item["answers"]] == ["1", "2"]
    assert {answer["who"] for answer in named["answers"]} == {one.rater.alias, other.rater.alias}
    assert "source" not in item["responses"][0]
    assert decided.json()["decision"]["ranks"] == {str(pk): rank for pk, rank in ranks.items()}
    assert Gold.objects.get().pk == decided.json()["gold"]
    told = dict(JudgmentReview.objects.values_list("judgment", "feedback"))
    assert told == {one.pk: "Well done.", other.pk: "Read twice."}
    assert AuditEvent.objects.filter(action="adjudicate", by=alice).exists()
    assert get(client, path)["results"] == []


def test_what_does_not_belong_to_an_item_is_refused(
    calling: Caller,
    alice: User,
    split: tuple[Judgment, Judgment],  # noqa: F811
    comparison_campaign: Campaign,
) -> None:
    client = calling(alice)
    path = f"campaigns/{comparison_campaign.pk}/review/{split[0].item_id}"

    foreign = post(client, path, {"reason": "none", "feedback": {"987": "Hm."}})
    worded = post(client, path, {"reason": "none", "ranks": {"A": 1}})
    silent = post(client, path, {"ranks": {}})
    pasted = client.get(f"/api/v1/campaigns/{comparison_campaign.pk}/review?order=pasted")

    assert foreign.json()["errors"] == {
        "feedback": ["The judgment 987 is not an answer to this item."]
    }
    assert worded.json()["errors"] == {"ranks": ["“A” is not an ID. Use whole numbers as keys."]}
    assert (silent.status_code, silent.json()["detail"]) == (
        409,
        "Choose a cause of the disagreement.",
    )
    assert (pasted.status_code, "Use one of: " in pasted.json()["detail"]) == (409, True)
    assert not Adjudication.objects.exists()


def test_demonstrations_are_scored(
    calling: Caller,
    alice: User,
    written: Judgment,  # noqa: F811
) -> None:
    client, path = calling(alice), f"campaigns/{written.campaign_id}/review"
    [row] = get(client, f"{path}?order=pasted")["results"]

    scored = post(client, f"{path}/{row['item']}", {"scores": {written.pk: 6}}).json()
    nothing = post(client, f"{path}/{row['item']}", {})

    assert row["pasted"] == 0.75
    assert scored["answers"][0]["review"]["score"] == 6
    assert nothing.status_code == 409


def test_an_answer_is_set_aside_and_counts_again(
    calling: Caller,
    alice: User,
    split: tuple[Judgment, Judgment],  # noqa: F811
) -> None:
    client, one = calling(alice), split[0]

    aside = post(client, f"judgments/{one.pk}/set-aside", {"reason": "Asleep."}).json()
    again = post(client, f"judgments/{one.pk}/restore").json()
    gold = post(client, f"judgments/{one.pk}/gold")

    assert aside == {"judgment": one.pk, "is_set_aside": True, "is_extra": False}
    assert again["is_set_aside"] is False
    assert gold.json() == {"gold": Gold.objects.get().pk}
    acts = AuditEvent.objects.filter(by=alice).values_list("action", flat=True)
    assert {"set_aside", "take_back"} <= set(acts)
    assert post(client, "judgments/987/restore").status_code == 404


# --- what waits -----------------------------------------------------------------------------------


def test_an_appeal_is_listed_and_answered(
    calling: Caller,
    alice: User,
    split: tuple[Judgment, Judgment],  # noqa: F811
) -> None:
    set_aside.set_aside(judgment=split[0], reason="Asleep.", by=alice, now=NOON)
    review = JudgmentReview.objects.get()
    review_services.appeal(review=review, text="I was awake.", now=NOON + timedelta(hours=1))
    client = calling(alice)

    [found] = get(client, "appeals")["results"]
    answered = post(client, f"appeals/{review.pk}/answer", {"text": "We will look."}).json()

    assert (found["appeal"], found["is_set_aside"]) == ("I was awake.", True)
    assert (found["rater"], found["judgment"]) == (split[0].rater.alias, split[0].pk)
    assert answered["answer"] == "We will look."
    assert get(client, "appeals")["results"] == []
    assert len(get(client, "appeals?is_answered=true")["results"]) == 1


def test_a_question_is_taken_and_answered(
    calling: Caller, alice: User, demonstration_campaign: Campaign, rosa: Rater
) -> None:
    item = demonstration_campaign.items.first()
    assert item is not None
    question = ItemQuestion.objects.create(item=item, rater=rosa, text="Why?", asked_at=NOON)
    client = calling(alice)

    taken = post(client, f"questions/{question.pk}/own").json()
    released = post(client, f"questions/{question.pk}/own", {"is_mine": False}).json()
    answered = post(client, f"questions/{question.pk}/answer", {"text": "Because."}).json()

    assert (taken["owner"], released["owner"]) == (alice.pk, None)
    assert (answered["answer"], answered["rater"]) == ("Because.", rosa.alias)
    assert get(client, "questions")["results"] == []


def test_a_case_is_settled_once(
    calling: Caller, alice: User, demonstration_campaign: Campaign, rosa: Rater
) -> None:
    skip(demonstration_campaign, rosa, "technical", note="No picture.")
    client, case = calling(alice), Case.objects.get()

    [found] = get(client, "cases?queue=technical")["results"]
    waiting = get(client, "cases/waiting")
    settled = post(client, f"cases/{case.pk}/settle", {"outcome": "fixed", "note": "There."})
    again = post(client, f"cases/{case.pk}/settle", {"outcome": "kept"})

    assert found["skips"][0]["note"] == "No picture."
    assert (waiting["technical"], waiting["questions"]) == (1, 0)
    assert (settled.json()["outcome"], settled.json()["note"]) == ("fixed", "There.")
    assert (again.status_code, again.json()["detail"]) == (
        409,
        "Someone else has already resolved this.",
    )


@pytest.mark.parametrize("path", ["quality", "appeals", "questions", "cases", "pay", "responses"])
def test_researchers_see_none_of_it(calling: Caller, noor: User, path: str) -> None:
    assert calling(noor).get(f"/api/v1/{path}").status_code == 403
