"""The pages of golds, review and appeals: content, questions, and a constant number of queries."""

import io
import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from labeling.desk.judgments import submit
from labeling.desk.judgments.checked_answers import DemonstrationAnswer, Recorded
from labeling.models import (
    Adjudication,
    Campaign,
    Gold,
    Guideline,
    Judgment,
    JudgmentReview,
    Pool,
    Rater,
    RaterStanding,
)
from labeling.queue.claiming import claim
from labeling.queue.gold import services as gold_services
from labeling.review import services as review_services
from labeling.review import set_aside
from labeling.review.services import Remark
from tests import html
from tests.cast import NOON, open_comparison_campaign, rater_called
from tests.html import page_of
from tests.labeling.answers import words
from tests.labeling.queue.gold.scene import RIGHT, WRONG, gold_order, rank_by
from tests.tooling.recordings import recorded

SignedIn = Callable[..., Client]


def judged(campaign: Campaign, rater: Rater, order: list[int]) -> Judgment:
    slot = claim.claim(campaign=campaign, rater=rater, now=NOON)
    assert slot is not None
    return rank_by(slot, order, rater=rater)


@pytest.fixture
@recorded
def split(comparison_campaign: Campaign, rosa: Rater, raul: Rater) -> tuple[Judgment, Judgment]:
    """Two raters turned the first item around."""
    return judged(comparison_campaign, rosa, RIGHT), judged(comparison_campaign, raul, WRONG)


def test_the_pages_of_a_campaign_without_a_judgment_say_so(
    comparison_campaign: Campaign,
    demonstration_campaign: Campaign,
    alice: User,
    signed_in: SignedIn,
) -> None:
    client = signed_in(alice)

    assert "Nothing to review" in client.get(f"/campaigns/{comparison_campaign.pk}/review/").text
    assert "Nothing to review" in client.get(f"/campaigns/{demonstration_campaign.pk}/review/").text
    assert (
        "No one has answered a gold item yet"
        in client.get(f"/campaigns/{comparison_campaign.pk}/gold/").text
    )
    assert "No pending appeals" in client.get("/appeals/").text
    assert client.get(f"/campaigns/{demonstration_campaign.pk}/gold/").status_code == 404


def test_a_reviewer_sees_every_answer_without_names_unless_wished(
    split: tuple[Judgment, Judgment],
    comparison_campaign: Campaign,
    alice: User,
    signed_in: SignedIn,
) -> None:
    address = f"/campaigns/{comparison_campaign.pk}/review/{split[0].item_id}/"

    blind, open_ = (signed_in(alice).get(address, query).text for query in ({}, {"names": "shown"}))

    assert "Answer 1" in blind
    assert not html.names(blind, split[0].rater.alias)
    assert 'card-note">a model' not in blind
    assert split[0].rater.alias in open_


def test_a_decision_is_saved_sent_promoted_and_leads_to_the_next_item(
    split: tuple[Judgment, Judgment],
    comparison_campaign: Campaign,
    alice: User,
    rita: Rater,
    signed_in: SignedIn,
) -> None:
    good, bad = split
    waiting = [judged(comparison_campaign, rater, RIGHT) for rater in (good.rater, bad.rater)]
    posted = {
        **{f"rank-{letter}": str(place) for place, letter in enumerate("ABCD", start=1)},
        "reason": "rater_error",
        "note": "By the sums.",
        f"feedback-{bad.pk}": "Look at the sums.",
        "promotes": "on",
        "next": "",
    }

    response = signed_in(alice).post(
        f"/campaigns/{comparison_campaign.pk}/review/{good.item_id}/", posted
    )

    assert response.status_code == 302
    assert response.headers["Location"].startswith(
        f"/campaigns/{comparison_campaign.pk}/review/{waiting[0].item_id}/?"
    )
    assert good.item is not None
    assert dict(Adjudication.objects.get().ranks.values_list("response_id", "rank")) == gold_order(
        good.item
    )
    assert Gold.objects.get().note == "By the sums."
    assert JudgmentReview.objects.get().judgment == bad


def test_an_order_without_a_reason_is_asked_for_one(
    split: tuple[Judgment, Judgment],
    comparison_campaign: Campaign,
    alice: User,
    signed_in: SignedIn,
) -> None:
    response = signed_in(alice).post(
        f"/campaigns/{comparison_campaign.pk}/review/{split[0].item_id}/", {"rank-A": "1"}
    )

    assert response.status_code == 422
    assert "Choose a cause of the disagreement." in response.text
    assert not Adjudication.objects.exists()


def test_a_reviewer_may_start_from_an_answer(
    split: tuple[Judgment, Judgment],
    comparison_campaign: Campaign,
    alice: User,
    signed_in: SignedIn,
) -> None:
    address = f"/campaigns/{comparison_campaign.pk}/review/{split[0].item_id}/"

    page = signed_in(alice).get(address, {"from": split[1].pk}).text

    assert 'id="id_rank-A"' in page
    assert page.count(" selected") == 4


def test_an_experts_answer_is_made_a_gold(
    split: tuple[Judgment, Judgment],
    comparison_campaign: Campaign,
    alice: User,
    signed_in: SignedIn,
) -> None:
    signed_in(alice).post(
        f"/campaigns/{comparison_campaign.pk}/review/{split[0].item_id}/gold/{split[0].pk}"
    )

    assert Gold.objects.get().origin == Gold.Origin.EXPERT
    assert "Expert's answer" in words(
        signed_in(alice).get(f"/campaigns/{comparison_campaign.pk}/gold/")
    )


def test_demonstrations_are_scored_with_the_caveat_beside_what_was_pasted(
    demonstration_campaign: Campaign, rosa: Rater, alice: User, signed_in: SignedIn
) -> None:
    slot = claim.claim(campaign=demonstration_campaign, rater=rosa, now=NOON)
    assert slot is not None
    assert slot.lease is not None
    written = submit.submit(
        lease=slot.lease,
        rater=rosa,
        answer=DemonstrationAnswer(text="Four."),
        recorded=Recorded(presentation={"typing": {"typed": 1, "pasted": 3}}, active_s=9),
        now=NOON,
    )
    address = f"/campaigns/{demonstration_campaign.pk}/review/{written.item_id}/"
    page = signed_in(alice).get(address).text
    assert "75 %" in page
    assert "Pasting proves nothing" in page

    response = signed_in(alice).post(
        address, {f"score-{written.pk}": "6", f"feedback-{written.pk}": "Good.", "stay": ""}
    )

    assert response.status_code == 302
    assert "Score: 6 of 7" in page_of(signed_in(rosa).get("/my-work/"))


def test_a_rater_appeals_and_reads_the_answer(
    split: tuple[Judgment, Judgment], raul: Rater, alice: User, signed_in: SignedIn
) -> None:
    item = split[1].item
    assert item is not None
    remarks = {split[1].pk: Remark(feedback="Turned around.")}
    review_services.adjudicate(
        item=item, ranks=gold_order(item), reason="rater_error", remarks=remarks, by=alice, now=NOON
    )
    review = JudgmentReview.objects.get()

    signed_in(raul).post(
        f"/my-work/reviews/{review.pk}/appeal", {"text": "The scale says otherwise."}
    )
    assert "The scale says otherwise." in page_of(signed_in(alice).get("/appeals/"))
    signed_in(alice).post(f"/appeals/{review.pk}/answer", {"text": "It does, thank you."})

    assert "It does, thank you." in page_of(signed_in(raul).get("/my-work/"))


def test_an_answer_set_aside_says_so_under_my_work_and_is_appealed_against(
    split: tuple[Judgment, Judgment], raul: Rater, alice: User, signed_in: SignedIn
) -> None:
    set_aside.set_aside(judgment=split[1], reason="Failed golds.", by=alice, now=NOON)
    page = page_of(signed_in(raul).get("/my-work/"))
    assert "Set aside by a reviewer. It stays paid" in page
    assert '<a href="#reviews">Set aside</a>' in page
    assert "gold" not in page.lower()

    signed_in(raul).post(
        f"/my-work/reviews/{JudgmentReview.objects.get().pk}/appeal",
        {"text": "By the sums it is right."},
    )

    waiting = page_of(signed_in(alice).get("/appeals/"))
    assert "By the sums it is right." in waiting
    assert "Set aside by Alice" in waiting
    assert "Failed golds." in waiting


def test_an_order_decided_otherwise_says_so_under_my_work(
    split: tuple[Judgment, Judgment], rosa: Rater, raul: Rater, alice: User, signed_in: SignedIn
) -> None:
    item = split[1].item
    assert item is not None
    review_services.adjudicate(
        item=item, ranks=gold_order(item), reason="rater_error", promotes=True, by=alice, now=NOON
    )

    his, hers = (page_of(signed_in(rater).get("/my-work/")) for rater in (raul, rosa))

    assert "A reviewer decided on a different ranking." in his
    assert '<a href="#reviews">Overruled</a>' in his
    assert "gold" not in his.lower()
    assert "decided" not in hers


def test_my_work_costs_the_same_for_one_verdict_as_for_five(
    comparison_campaign: Campaign,
    raul: Rater,
    alice: User,
    signed_in: SignedIn,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    client = signed_in(raul)

    def decide() -> None:
        judgment = judged(comparison_campaign, raul, WRONG)
        assert judgment.item is not None
        review_services.adjudicate(
            item=judgment.item, ranks=gold_order(judgment.item), reason="none", by=alice, now=NOON
        )

    decide()
    before = _n_queries(client, "/my-work/", django_assert_max_num_queries)
    for _more in range(4):
        decide()

    assert _n_queries(client, "/my-work/", django_assert_max_num_queries) == before


def test_nobody_appeals_for_somebody_else(
    split: tuple[Judgment, Judgment], rosa: Rater, alice: User, signed_in: SignedIn
) -> None:
    item = split[1].item
    assert item is not None
    remarks = {split[1].pk: Remark(feedback="Turned around.")}
    review_services.adjudicate(
        item=item, ranks={}, reason="rater_error", remarks=remarks, by=alice, now=NOON
    )

    response = signed_in(rosa).post(
        f"/my-work/reviews/{JudgmentReview.objects.get().pk}/appeal", {"text": "Mine?"}
    )

    assert response.status_code == 404


def test_the_settings_of_golds_are_kept_or_sent_back(
    comparison_campaign: Campaign, alice: User, signed_in: SignedIn
) -> None:
    address = f"/campaigns/{comparison_campaign.pk}/gold/settings"
    good = {
        "gold_share": 10,
        "gold_tolerance": 80,
        "gold_min": 4,
        "gold_warn_below": 70,
        "gold_pause_below": 50,
        "gold_feedback": "on",
        "review_share": 8,
    }

    assert signed_in(alice).post(address, good).status_code == 302
    assert signed_in(alice).post(address, good | {"gold_share": 90}).status_code == 422

    comparison_campaign.refresh_from_db()
    assert (
        comparison_campaign.gold_share,
        comparison_campaign.gold_feedback,
        comparison_campaign.gold_min,
    ) == (10, True, 4)


def test_a_file_of_golds_comes_in_whole_or_says_what_is_wrong(
    comparison_campaign: Campaign, alice: User, signed_in: SignedIn
) -> None:
    address = f"/campaigns/{comparison_campaign.pk}/gold/import"
    good = {"prompt": "What is 2 + 2?", "responses": ["4", "5", "6", "7"], "ranks": [1, 2, 3, 4]}

    def send(*rows: object) -> int:
        file = io.BytesIO(b"\n".join(json.dumps(row).encode() for row in rows))
        file.name = "gold.jsonl"
        return signed_in(alice).post(address, {"file": file}).status_code

    assert send(good, good | {"ranks": [1]}) == 422
    assert not Gold.objects.exists()
    assert send(good) == 302
    assert Gold.objects.count() == 1


def test_a_gold_is_retired_and_brought_back(
    comparison_campaign: Campaign, alice: User, signed_in: SignedIn
) -> None:
    item = comparison_campaign.items.all()[0]
    gold = gold_services.make_gold(
        item=item, ranks=gold_order(item), origin=Gold.Origin.EXPERT, by=None, now=NOON
    )
    client = signed_in(alice)

    client.post(f"/campaigns/{comparison_campaign.pk}/gold/{gold.pk}/retire")
    assert "Retired" in client.get(f"/campaigns/{comparison_campaign.pk}/gold/").text

    client.post(f"/campaigns/{comparison_campaign.pk}/gold/{gold.pk}/bring-back")
    gold.refresh_from_db()
    assert gold.retired_at is None


def test_a_paused_rater_reads_why_and_is_let_back_in(
    comparison_campaign: Campaign, rosa: Rater, alice: User, signed_in: SignedIn
) -> None:
    address = f"/campaigns/{comparison_campaign.pk}/raters/{rosa.pk}"

    signed_in(alice).post(f"{address}/pause")
    assert "You are paused here" in page_of(signed_in(rosa).get("/desk/"))
    signed_in(rosa).post(f"/desk/{comparison_campaign.pk}/next")
    assert not comparison_campaign.slots.filter(rater=rosa).exists()
    assert "Resume" in signed_in(alice).get(f"/campaigns/{comparison_campaign.pk}/gold/").text

    signed_in(alice).post(f"{address}/resume")
    assert RaterStanding.objects.get().paused_at is None


def test_guideline_gaps_stand_on_the_guidelines_page(
    comparison_campaign: Campaign, alice: User, signed_in: SignedIn
) -> None:
    item = comparison_campaign.items.all()[0]
    review_services.adjudicate(
        item=item,
        ranks={},
        reason="guideline_gap",
        note="Says nothing of sums.",
        by=alice,
        now=NOON,
    )

    page = signed_in(alice).get(f"/guidelines/{comparison_campaign.guideline_id}/versions/").text

    assert "Says nothing of sums." in page


def test_nothing_on_the_desk_distinguishes_a_gold_from_another_item(
    day_shift: Pool, guideline: Guideline, rosa: Rater, signed_in: SignedIn
) -> None:
    campaign = open_comparison_campaign(pool=day_shift, guideline=guideline, n_items=6)
    gold_services.set_golds(campaign=campaign, values={"gold_share": 50}, by=None, now=NOON)
    item = campaign.items.all()[0]
    gold_services.make_gold(
        item=item, ranks=gold_order(item), origin=Gold.Origin.EXPERT, by=None, now=NOON
    )
    pages = {}
    for _turn in range(2):
        slot = claim.claim(campaign=campaign, rater=rosa, now=NOON)
        assert slot is not None
        pages[slot.is_gold] = signed_in(rosa).get(f"/desk/item/{slot.lease}/").text
        rank_by(slot, RIGHT, rater=rosa)

    assert set(pages) == {False, True}
    assert "gold" not in pages[True].lower()
    assert len(pages[True].splitlines()) == len(pages[False].splitlines())


def test_the_pages_cost_the_same_for_many_raters_golds_and_items(
    comparison_campaign: Campaign,
    day_shift: Pool,
    alice: User,
    signed_in: SignedIn,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    client = signed_in(alice)
    addresses = [f"/campaigns/{comparison_campaign.pk}/{page}/" for page in ("review", "gold")]
    item = comparison_campaign.items.order_by("position")[0]
    addresses.append(f"/campaigns/{comparison_campaign.pk}/review/{item.pk}/")
    judged(comparison_campaign, rater_called("First", pool=day_shift), RIGHT)
    *others, one = comparison_campaign.items.order_by("-position")[:2]
    gold_services.make_gold(
        item=one, ranks=gold_order(one), origin=Gold.Origin.EXPERT, by=None, now=NOON
    )
    before = [_n_queries(client, address, django_assert_max_num_queries) for address in addresses]

    for name in ("Second", "Third"):
        rater = rater_called(name, pool=day_shift)
        for number in range(3):
            slot = claim.claim(
                campaign=comparison_campaign, rater=rater, now=NOON + timedelta(minutes=number)
            )
            assert slot is not None
            rank_by(slot, RIGHT, rater=rater)
    for other in others:
        gold_services.make_gold(
            item=other, ranks=gold_order(other), origin=Gold.Origin.EXPERT, by=None, now=NOON
        )
    after = [_n_queries(client, address, django_assert_max_num_queries) for address in addresses]

    assert all(later <= earlier + 2 for earlier, later in zip(before, after, strict=True)), (
        before,
        after,
    )


def _n_queries(client: Client, address: str, counted: DjangoAssertNumQueries) -> int:
    with counted(60) as queries:
        assert client.get(address).status_code == 200
    return len(queries)
