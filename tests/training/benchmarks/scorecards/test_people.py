"""Answers of benchmark runs before raters: the campaign, their score, and what they say of the
refusal classifier. And scoring again.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from labeling.data import intake
from labeling.guidelines import rating_form
from labeling.guidelines import services as guidelines_services
from labeling.models import (
    Campaign,
    Comparison,
    Guideline,
    Judgment,
    Pool,
    Prompt,
    RankedResponse,
    Rater,
    Response,
    Slot,
)
from tests.cast import NOON
from tests.training import cast
from tests.training.benchmarks.scorecards import rows
from tests.training.benchmarks.scorecards.rows import NOW
from training.benchmarks.scorecards import rescoring, services, tasks
from training.benchmarks.scorecards.people import rater_campaigns, scores
from training.models import AnswerScore, BenchmarkAnswer, RatedSuite, Run, Suite, SuiteScore

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
REFUSAL = "I'm sorry, but I cannot help with that request."
ANSWER = "Sure! Take the tram to the harbour, then walk for two minutes along the quay."
TOPICS = (
    *("bread", "bees", "trams", "clouds", "chess"),
    *("tulips", "radios", "maps", "bridges", "kites"),
)


@pytest.fixture
def suite(db: None) -> Suite:
    suite = rows.a_suite(
        "requests", n=10, kind="generate", scorer="refusal", content={"wants": "complies"}
    )
    for item in suite.items.all():
        ask = f"Tell me about {TOPICS[item.position]} and why {TOPICS[-item.position]} matter."
        suite.items.filter(pk=item.pk).update(prompt=[{"role": "user", "content": ask}])
    return suite


def answered(suite: Suite, texts: list[str], *, by: User, name: str) -> Run:
    """A finished run of a model of this name, with these answers."""
    model = cast.a_model(by, name)
    run = rows.a_benchmark(model, [suite], by=by)
    pks = suite.items.order_by("position").values_list("pk", flat=True)
    answers = [
        {"item": pk, "text": text, "sampling": {"temperature": 0}, "is_ended": True}
        for pk, text in zip(pks, texts, strict=True)
    ]
    services.store_answers(run_id=run.pk, attempt=1, rows=answers, now=NOW)
    rows.ended(run)
    return Run.objects.select_related("base_model__source").get(pk=run.pk)


@pytest.fixture
def run(suite: Suite, noor: User) -> Run:
    return answered(suite, [REFUSAL] * 4 + [ANSWER] * 6, by=noor, name="tuned")


@pytest.fixture
def other(suite: Suite, noor: User) -> Run:
    return answered(suite, [f"{ANSWER} Bring a coat."] * 10, by=noor, name="base")


@pytest.fixture
def refusals(db: None) -> Guideline:
    """Asks how each answer refuses."""
    scale = rating_form.Scale(
        name="refusal", label="Refusal", low=1, high=3, low_label="complies", high_label="refuses"
    )
    return guidelines_services.create_guideline(
        name="Refusals",
        text="Say which is better.",
        form=rating_form.RatingForm((scale,)),
        by=None,
        now=NOON,
    )


@pytest.fixture
def terms(day_shift: Pool, refusals: Guideline) -> Callable[..., rater_campaigns.Terms]:
    def make(**fields: Any) -> rater_campaigns.Terms:
        known: dict[str, Any] = {
            "name": "Requests",
            "pool": day_shift,
            "guideline": refusals,
            "overlap": 1,
        }
        return rater_campaigns.Terms(**known | fields)

    return make


@pytest.fixture
def sent(
    run: Run, other: Run, suite: Suite, terms: Callable[..., rater_campaigns.Terms], noor: User
) -> RatedSuite:
    found = rater_campaigns.send_to_raters(
        run=run, suite=suite, against=other, terms=terms(), by=noor, now=NOW
    )
    return found.rated


def judge(campaign: Campaign, rater: Rater, won_by: int, label: Callable[[Response], int]) -> None:
    """The rater prefers the responses of source `won_by`, and rates each response by `label`."""
    for item in campaign.items.order_by("pk"):
        judgment = Judgment.of_people.create(
            kind="comparison",
            rater=rater,
            prompt=item.prompt,
            campaign=campaign,
            item=item,
            submitted_at=NOW,
        )
        comparison = Comparison.objects.create(judgment=judgment)
        for position, response in enumerate(item.responses.order_by("pk")):
            RankedResponse.objects.create(
                comparison=comparison,
                response=response,
                position=position,
                rank=1 if response.source_id == won_by else 2,
                ratings={"refusal": label(response)},
            )
        Slot.objects.filter(item=item).update(state="submitted", rater=rater)


def test_one_act_opens_a_campaign_over_both_models_answers(sent: RatedSuite, run: Run) -> None:
    campaign = sent.campaign
    items = list(campaign.items.all())

    assert (campaign.state, campaign.n_responses, len(items)) == ("open", 2, 10)
    for item in items:
        assert item.prompt.split == Prompt.Split.TEST
        assert item.responses.count() == 2
    shown = Response.objects.filter(item_responses__item__campaign=campaign)
    linked = BenchmarkAnswer.objects.filter(response__in=shown)
    assert set(linked.values_list("run", flat=True)) == {run.pk, sent.against_id}
    assert all(answer.text == answer.response.text for answer in linked if answer.response)


def test_a_run_of_the_same_model_later_is_compared_by_its_own_answers(
    sent: RatedSuite,
    suite: Suite,
    run: Run,
    terms: Callable[..., rater_campaigns.Terms],
    noor: User,
) -> None:
    again = rows.a_benchmark(run.base_model, [suite], by=noor)
    pks = suite.items.order_by("position").values_list("pk", flat=True)
    services.store_answers(
        run_id=again.pk, attempt=1, rows=[{"item": pk, "text": "Newer."} for pk in pks], now=NOW
    )
    rows.ended(again, hours=1)

    found = rater_campaigns.send_to_raters(
        run=Run.objects.get(pk=again.pk),
        suite=suite,
        against=sent.against,
        terms=terms(name="Newer"),
        by=noor,
        now=NOW,
    )

    texts = Response.objects.filter(
        item_responses__item__campaign=found.rated.campaign, source=run.base_model.source
    )
    assert set(texts.values_list("text", flat=True)) == {"Newer."}


def test_a_prompt_that_models_train_on_stays_out(
    run: Run, other: Run, suite: Suite, terms: Callable[..., rater_campaigns.Terms], noor: User
) -> None:
    first = suite.items.get(position=0)
    intake.save_prompt(
        messages=first.prompt,
        category="other",
        language="en",
        split=Prompt.Split.TRAIN,
        licence="",
        by=noor,
        now=NOW,
    )

    found = rater_campaigns.send_to_raters(
        run=run, suite=suite, against=other, terms=terms(), by=noor, now=NOW
    )

    assert (found.n, found.n_left_out) == (9, 1)


def test_only_the_unsure_are_sent_the_least_sure_first(
    run: Run, other: Run, suite: Suite, terms: Callable[..., rater_campaigns.Terms], noor: User
) -> None:
    AnswerScore.objects.filter(answer__run=run, scorer="refusal 2").update(certainty=0.99)
    unsure = BenchmarkAnswer.objects.filter(run=run).order_by("item__position")[2:5]
    for certainty, answer in zip([0.6, 0.4, 0.5], unsure, strict=True):
        AnswerScore.objects.filter(answer=answer, scorer="refusal 2").update(certainty=certainty)

    found = rater_campaigns.send_to_raters(
        run=run,
        suite=suite,
        against=other,
        terms=terms(only_unsure=True, n=2),
        by=noor,
        now=NOW,
    )

    linked = BenchmarkAnswer.objects.filter(run=run, response__isnull=False)
    assert found.n == 2
    assert set(linked.values_list("item__position", flat=True)) == {3, 4}


def test_upsetting_prompts_reach_only_raters_who_agreed(
    run: Run, other: Run, suite: Suite, terms: Callable[..., rater_campaigns.Terms], noor: User
) -> None:
    found = rater_campaigns.send_to_raters(
        run=run,
        suite=suite,
        against=other,
        terms=terms(sensitive=["violence"]),
        by=noor,
        now=NOW,
    )

    prompts = Prompt.objects.filter(items__campaign=found.rated.campaign)
    assert all(prompt.sensitive == ["violence"] for prompt in prompts)


@pytest.mark.parametrize("reason", ["same model", "kind", "taken name", "nothing unsure"])
def test_what_raters_cannot_judge_is_refused_and_nothing_stored(
    run: Run,
    other: Run,
    suite: Suite,
    terms: Callable[..., rater_campaigns.Terms],
    noor: User,
    comparison_campaign: Campaign,
    reason: str,
) -> None:
    before = Prompt.objects.count()
    against, chosen = other, terms()
    if reason == "same model":
        against = run
    elif reason == "kind":
        Suite.objects.filter(pk=suite.pk).update(kind="choice")
        suite.refresh_from_db()
    elif reason == "taken name":
        chosen = terms(name=comparison_campaign.name)
    else:
        AnswerScore.objects.filter(answer__run=run, scorer="refusal 2").update(certainty=1.0)
        chosen = terms(only_unsure=True)

    with pytest.raises(rater_campaigns.UnableToSend):
        rater_campaigns.send_to_raters(
            run=run, suite=suite, against=against, terms=chosen, by=noor, now=NOW
        )

    assert Prompt.objects.count() == before
    assert not RatedSuite.objects.exists()


def test_what_raters_say_stands_on_the_scorecard(
    sent: RatedSuite, run: Run, rosa: Rater, signed_in: Callable[[User], Client], noor: User
) -> None:
    judge(sent.campaign, rosa, run.base_model.source_id or 0, lambda _response: 1)

    tasks.store_people_scores.run()
    tasks.store_people_scores.run()

    stored = SuiteScore.objects.get(run=run, scorer=f"people {sent.pk}")
    assert (stored.score, stored.n, stored.is_main, stored.is_current) == (1.0, 10, False, True)
    assert stored.low is not None
    assert stored.details["labels"] == {"complies": 10, "refuses": 0, "partly": 0}
    assert stored.details["about"] == "these_raters"
    card = signed_in(noor).get(f"/models/{run.base_model_id}/scorecard/").text
    assert "Raters, compared with base" in card
    assert "for these raters only" in card
    page = signed_in(noor).get(f"/runs/{run.pk}/suites/{sent.suite_id}/").text
    assert "Preferred to base" in page
    assert "complies 10" in page
    assert "for these raters only" in page


def test_a_closed_campaign_is_not_counted_again(sent: RatedSuite) -> None:
    assert scores.store(now=NOW) == 1

    Campaign.objects.filter(pk=sent.campaign_id).update(closed_at=NOW - timedelta(hours=1))

    assert scores.store(now=NOW) == 0


def test_raters_measure_the_refusal_classifier(
    sent: RatedSuite, run: Run, rosa: Rater, signed_in: Callable[[User], Client], noor: User
) -> None:
    """They call two of four refusals partial, and one of six answers a refusal."""
    mine = BenchmarkAnswer.objects.filter(run=run).order_by("item__position")
    said = dict(
        zip(mine.values_list("response", flat=True), [3, 3, 2, 2, 3] + [1] * 5, strict=True)
    )

    assert scores.agreement().n == 0
    judge(sent.campaign, rosa, 0, lambda response: said.get(response.pk, 1))

    found = scores.agreement()
    assert found.n == 20
    assert found.binary.value == pytest.approx(19 / 20)
    assert found.three_way.value == pytest.approx(17 / 20)
    assert found.three_way.low is not None
    page = signed_in(noor).get("/models/scorecards/refusals/").text
    assert "On 20 answers" in page
    assert "PyRIT, harder set" in page


def test_the_form_sends_and_says_what_was_sent(
    run: Run,
    other: Run,
    suite: Suite,
    day_shift: Pool,
    refusals: Guideline,
    signed_in: Callable[[User], Client],
    noor: User,
) -> None:
    browser, url = signed_in(noor), f"/runs/{run.pk}/suites/{suite.pk}/raters/"

    assert "base · Benchmark of base" in browser.get(url).text
    empty = browser.post(url, {"name": "x" * 121})
    page = browser.post(
        url,
        {
            "name": "Requests",
            "against": other.pk,
            "pool": day_shift.pk,
            "guideline": refusals.pk,
            "n": 5,
            "overlap": 2,
        },
        follow=True,
    )

    assert empty.status_code == 422
    assert "name" in empty.context["form"].errors
    assert "5 answers sent to raters." in page.text
    assert RatedSuite.objects.get().campaign.overlap == 2


def test_the_runs_page_leads_to_its_answers(
    run: Run, suite: Suite, signed_in: Callable[[User], Client], noor: User
) -> None:
    page = signed_in(noor).get(f"/runs/{run.pk}/").text

    assert f"/runs/{run.pk}/suites/{suite.pk}/" in page
    assert "60.0 %" in page


def test_stored_answers_are_scored_again_without_the_model(
    run: Run, suite: Suite, signed_in: Callable[[User], Client], noor: User
) -> None:
    n_answers = BenchmarkAnswer.objects.count()
    names = {one.name for one in rescoring.offered(run=run)}

    tasks.rescore.run(run_id=run.pk, scorer="rule")
    SuiteScore.objects.filter(run=run, scorer="refusal_strings 2").delete()
    tasks.rescore.run(run_id=run.pk, scorer="refusal_strings")
    tasks.rescore.run(run_id=run.pk, scorer="refusal_strings")

    assert names == {"rule", "refusal", "refusal_strings"}
    strings = SuiteScore.objects.get(run=run, scorer="refusal_strings 2")
    assert strings.score == pytest.approx(0.6)
    assert not strings.is_main
    assert BenchmarkAnswer.objects.count() == n_answers
    posted = signed_in(noor).post(
        f"/runs/{run.pk}/score/", {"scorer": "refusal", "suite": suite.pk}, follow=True
    )
    assert posted.status_code == 200
    with pytest.raises(rescoring.UnableToScore):
        rescoring.rescore(run=run, scorer="likelihood", now=NOW)
