"""The page of a campaign's AI judges: what they did, what it cost, and nothing for raters."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEvent, User
from arithmetic.figures import THESE_RATERS
from labeling.models import Campaign, Comparison, Guideline, Judgment, Pool, RankedResponse, Rater
from tests.cast import open_comparison_campaign, rater_called
from tests.training.judges.conftest import EURO, NOW, a_judge, a_model, started, work
from tests.training.judges.judge_stub import JudgeStub, completion, data_of, shorter
from training.judges import selectors, services, words
from training.judges.questions import DEFAULT_PROMPT
from training.models import Judge, TrustRule, Verdict

pytestmark = pytest.mark.django_db
SignedIn = Callable[..., Client]


def words_of(client: Client, campaign: Campaign) -> str:
    page = client.get(reverse("campaign_judges", args=[campaign.pk]))
    assert page.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.content.decode()))


def values(**changed: Any) -> dict[str, Any]:
    return {
        "prompt": DEFAULT_PROMPT,
        "output": "label",
        "max_new_tokens": 16,
        "context_tokens": 8192,
        "temperature": 0,
        "price_in": "2.5",
        "price_out": "10",
        "money_limit": "5",
        "currency": "EUR",
        "parallel": 4,
        "answer_within_s": 120,
        **changed,
    }


def test_an_admin_adds_starts_and_stops_a_judge(
    pairs: Campaign, server: JudgeStub, noor: User, alice: User, signed_in: SignedIn
) -> None:
    model, client = a_model(server.url, noor), signed_in(alice)
    new = reverse("campaign_judge_new", args=[pairs.pk])

    sent = client.post(new, values(model=model.pk), follow=True)
    assert sent.redirect_chain
    judge = Judge.objects.get()
    version = judge.versions.get()
    assert (version.price_in, version.price_out) == (2_500_000, 10_000_000)
    assert judge.money_limit == 5 * EURO
    assert not Verdict.objects.exists()
    assert "Still to ask: 4 pairs in 2 orders, about" in words_of(client, pairs)
    page = client.get(reverse("campaign_judges", args=[pairs.pk])).content.decode()
    assert 'value="5"' in page

    start = reverse("campaign_judge_start", args=[pairs.pk, judge.pk])
    client.post(start, {f"judge-{judge.pk}-money_limit": "3.5"})
    judge.refresh_from_db()
    assert (judge.state, judge.money_limit) == (Judge.State.RUNNING, 3_500_000)
    assert Verdict.objects.count() == 8

    client.post(reverse("campaign_judge_stop", args=[pairs.pk, judge.pk]))
    judge.refresh_from_db()
    assert judge.state == Judge.State.STOPPED
    recorded = AuditEvent.objects.filter(target_type="training.judge").values_list("action", "by")
    assert set(recorded) == {("create", alice.pk), ("start", alice.pk), ("stop", alice.pk)}


def test_a_clone_starts_with_the_settings_of_a_judge_and_without_its_trust(
    pairs: Campaign, server: JudgeStub, noor: User, alice: User, signed_in: SignedIn
) -> None:
    changed = {
        "prompt": "Judge as a strict editor.",
        "temperature": 0.5,
        "asks_probabilities": True,
    }
    model, client = a_model(server.url, noor), signed_in(alice)
    new = reverse("campaign_judge_new", args=[pairs.pk])
    client.post(new, values(model=model.pk, **changed))
    judge = Judge.objects.get()

    assert (
        f"{new}?from={judge.pk}"
        in client.get(reverse("campaign_judges", args=[pairs.pk])).content.decode()
    )
    page = client.get(new, {"from": judge.pk})
    assert f"The settings are those of {judge}." in page.content.decode()
    form = page.context["form"]
    client.post(f"{new}?from={judge.pk}", {name: form[name].value() for name in form.fields})
    clone = Judge.objects.exclude(pk=judge.pk).get()
    assert clone.versions.get().sha256 == judge.versions.get().sha256
    assert (clone.money_limit, clone.currency) == (judge.money_limit, judge.currency)
    assert not TrustRule.objects.filter(version__judge=clone).exists()
    assert client.get(new, {"from": clone.pk + 1}).status_code == 404


def test_the_estimate_is_what_all_requests_cost_about(
    pairs: Campaign, server: JudgeStub, noor: User, alice: User
) -> None:
    judge = a_judge(pairs, a_model(server.url, noor), alice)

    before = selectors.estimate(judge=judge)
    started(judge, alice)
    server.decide = lambda body: completion(
        "A", tokens=(64 + sum(len(one["content"].encode()) for one in body["messages"]) // 3, 16)
    )
    work()
    cost, _under_way = services.spent(judge=judge)

    assert before.n_pairs == 4
    assert 0.9 < before.price / cost < 1.1
    assert selectors.estimate(judge=judge).n_pairs == 0


def test_the_page_says_first_what_came_out(
    judge: Judge, pairs: Campaign, server: JudgeStub, alice: User, signed_in: SignedIn
) -> None:
    """One pair flips, one is refused, two are judged."""
    items = list(pairs.items.order_by("position"))
    asked = [item.prompt.messages[0]["content"] for item in items]

    def decide(body: dict[str, Any]) -> Any:
        place = asked.index(data_of(body)["conversation"][0]["content"])
        return {0: completion("A"), 1: completion("CANNOT")}.get(place) or shorter(body)

    server.decide = decide
    work()

    page = words_of(signed_in(alice), pairs)
    assert (
        "It judged 3 of 4 pairs; undecided in 1, where its choice changed with the order;"
        " 1 pair has no answer that can be read; cost" in page
    )
    assert "Refused 2" in page
    assert "too few votes on the same pairs to tell" in page


def test_a_judge_that_has_nothing_left_to_ask_is_up_to_date(
    judge: Judge, pairs: Campaign, server: JudgeStub, alice: User, signed_in: SignedIn
) -> None:
    said, client = "Up to date: no pair waits for it", signed_in(alice)
    held = pairs.items.order_by("position")[3]
    assert said not in words_of(client, pairs)

    work()

    assert said in words_of(client, pairs)
    assert "Looks and audits go on" not in words_of(client, pairs)
    judge.refresh_from_db()
    assert judge.state == Judge.State.RUNNING

    Verdict.objects.filter(item=held).delete()  # as of an item that was on hold when it started
    assert said not in words_of(client, pairs)


def test_agreement_is_with_single_votes_beside_that_of_people(
    server: JudgeStub,
    day_shift: Pool,
    guideline: Guideline,
    noor: User,
    alice: User,
) -> None:
    """Rosa always agrees with the judge, Raul in 3 of 4 items, so both agree in 3 of 4."""
    campaign = open_comparison_campaign(
        pool=day_shift, guideline=guideline, n_items=40, n_responses=2, overlap=2
    )
    judge = started(a_judge(campaign, a_model(server.url, noor), alice), alice)
    work()
    raters = [rater_called(name, pool=day_shift) for name in ("Rosa", "Raul")]
    for place, item in enumerate(campaign.items.order_by("position")):
        best = Judgment.of_everyone.get(item=item, rater=judge.rater).comparison.ranked.get(rank=1)
        for rater, differs in zip(raters, (False, place % 4 == 0), strict=True):
            vote(rater, item, best.response_id, differs=differs)

    found = selectors.agreement(judge=judge)

    assert (found.with_people.value, found.with_people.n) == (70 / 80, 80)
    assert found.with_people.low is not None
    assert found.with_people.about == THESE_RATERS
    assert "for these raters only" in words.agreement(found)
    assert found.among_people.value == pytest.approx(30 / 40)
    Judgment.of_people.filter(rater=raters[1]).update(is_extra=True)
    of_one = selectors.agreement(judge=judge)
    assert (of_one.with_people.value, of_one.with_people.n) == (1.0, 40)
    assert of_one.among_people.value is None


def vote(rater: Rater, item: Any, best: int, *, differs: bool) -> None:
    judgment = Judgment.of_everyone.create(
        kind="comparison",
        rater=rater,
        prompt=item.prompt,
        campaign=item.campaign,
        item=item,
        submitted_at=NOW,
    )
    comparison = Comparison.objects.create(judgment=judgment)
    for position, response in enumerate(item.responses.order_by("pk")):
        rank = 1 if (response.pk == best) is not differs else 2
        RankedResponse.objects.create(
            comparison=comparison, response=response, position=position, rank=rank
        )


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("model", ""),
        ("prompt", ""),
        ("price_in", "-1"),
        ("money_limit", "a lot"),
        ("currency", "€"),
        ("max_new_tokens", "0"),
        ("temperature", "nan"),
    ],
)
def test_a_form_that_is_wrong_keeps_what_was_typed(
    pairs: Campaign,
    server: JudgeStub,
    noor: User,
    alice: User,
    signed_in: SignedIn,
    name: str,
    problem: str,
) -> None:
    model = a_model(server.url, noor)
    sent = values(model=model.pk, prompt="Prefer the kinder answer, please.") | {name: problem}

    page = signed_in(alice).post(reverse("campaign_judge_new", args=[pairs.pk]), sent)

    assert page.status_code == 422
    assert name == "prompt" or "Prefer the kinder answer, please." in page.content.decode()
    assert not Judge.objects.exists()


def test_a_stale_page_starts_nothing_twice_and_keeps_the_limit(
    judge: Judge, pairs: Campaign, alice: User, signed_in: SignedIn
) -> None:
    client = signed_in(alice)
    start = reverse("campaign_judge_start", args=[pairs.pk, judge.pk])

    page = client.post(start, {f"judge-{judge.pk}-money_limit": "77"})

    assert page.status_code == 422
    assert "This judge is running already." in page.content.decode()
    judge.refresh_from_db()
    assert (judge.money_limit, Verdict.objects.count()) == (10 * EURO, 8)
    stop = reverse("campaign_judge_stop", args=[pairs.pk, judge.pk])
    client.post(stop)
    again = client.post(stop, follow=True)
    assert "This judge has stopped already." in again.content.decode()
    wrong = client.post(start, {f"judge-{judge.pk}-money_limit": "much"})
    assert wrong.status_code == 422
    assert 'value="much"' in wrong.content.decode()


def test_a_campaign_of_something_else_says_why_it_has_no_judges(
    comparison_campaign: Campaign,
    demonstration_campaign: Campaign,
    alice: User,
    signed_in: SignedIn,
) -> None:
    client = signed_in(alice)

    why_not = "AI judges compare two responses, and an item of this campaign has 4."
    assert why_not in words_of(client, comparison_campaign)
    other = client.get(reverse("campaign_judges", args=[demonstration_campaign.pk]))
    assert other.status_code == 404


def test_the_form_of_a_judge_says_why_none_can_be_added_and_asks_for_nothing(
    comparison_campaign: Campaign,
    pairs: Campaign,
    server: JudgeStub,
    noor: User,
    alice: User,
    signed_in: SignedIn,
) -> None:
    model, client = a_model(server.url, noor), signed_in(alice)
    new = reverse("campaign_judge_new", args=[comparison_campaign.pk])
    why_not = "AI judges compare two responses, and an item of this campaign has 4."

    for page in (client.get(new), client.post(new, values(model=model.pk))):
        content = page.content.decode()
        assert (why_not in content, 'name="prompt"' in content) == (True, False)
    assert not Judge.objects.exists()

    Campaign.objects.filter(pk=pairs.pk).update(state=Campaign.State.DRAFT)
    draft = client.get(reverse("campaign_judge_new", args=[pairs.pk])).content.decode()
    assert ("Open the campaign first" in draft, 'name="prompt"' in draft) == (True, False)


def test_a_judge_of_another_campaign_is_not_found(
    judge: Judge, comparison_campaign: Campaign, alice: User, signed_in: SignedIn
) -> None:
    address = reverse("campaign_judge_stop", args=[comparison_campaign.pk, judge.pk])

    assert signed_in(alice).post(address).status_code == 404
    judge.refresh_from_db()
    assert judge.state == Judge.State.RUNNING


def test_a_judge_is_withdrawn_like_a_rater(
    judge: Judge, pairs: Campaign, alice: User, signed_in: SignedIn
) -> None:
    work(at_most=2)
    client = signed_in(alice)
    page = client.get(reverse("withdrawal", args=[judge.rater_id]))
    assert page.status_code == 200

    client.post(reverse("rater_withdraw", args=[judge.rater_id]))
    work()

    judge.refresh_from_db()
    assert judge.stop == Judge.Stop.WITHDRAWN
    assert "This judge was withdrawn." in words_of(client, pairs)
    refused = client.post(
        reverse("campaign_judge_start", args=[pairs.pk, judge.pk]),
        {f"judge-{judge.pk}-money_limit": "1"},
    )
    assert refused.status_code == 422


@pytest.mark.parametrize("name", ["campaign_judges", "campaign_judge_new"])
def test_raters_and_researchers_see_nothing_of_judges(
    judge: Judge, pairs: Campaign, rosa: Rater, noor: User, signed_in: SignedIn, name: str
) -> None:
    for person in (rosa, noor):
        assert signed_in(person).get(reverse(name, args=[pairs.pk])).status_code in (403, 404)
