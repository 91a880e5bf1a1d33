"""The page of a line: what raters say of its models, what went in, and what became of each."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from xml.etree import ElementTree

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from labeling.data import intake
from labeling.models import Campaign, Guideline, Item, Pool, Rate, Rater, Slot
from tests.html import page_of
from tests.training.conftest import NOW
from tests.training.schedules.chain_steps import again, link, run_of
from tests.training.schedules.test_gates import goes_on, improved, judge, judge_item
from tests.training.snapshots.test_freezing import on_split
from training.lines import selectors, verdicts
from training.models import Chain, Schedule, TrainedModel
from training.schedules.gate.verdict import Verdict

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def client(noor: User, signed_in: Callable[..., Client]) -> Client:
    return signed_in(noor)


def line_of(chain: Chain) -> selectors.Line:
    return selectors.line(schedule=chain.schedule)


def path_of(chain: Chain) -> str:
    return f"/schedules/{chain.schedule_id}/line/"


def test_without_a_line_the_start_page_leads_to_training_on_a_campaign(client: Client) -> None:
    assert client.get("/").headers["Location"] == "/lines/"

    page = client.get("/lines/").content.decode()

    assert "No line of models yet" in page
    assert 'href="/train/"' in page


def test_a_schedule_that_has_not_run_has_no_line_yet(
    begin: Callable[..., Chain], demonstrated: None, client: Client
) -> None:
    schedule = begin("fine-tune").schedule
    Schedule.objects.get(pk=schedule.pk).firings.all().delete()
    Chain.objects.all().delete()

    page = page_of(client.get(f"/schedules/{schedule.pk}/line/"))

    assert "No chain has run yet, so there is no model to compare." in page
    assert "No line of models yet" in page_of(client.get("/lines/"))


def test_a_chain_without_a_model_is_part_of_the_line(
    begin: Callable[..., Chain], demonstrated: None, client: Client
) -> None:
    chain = begin("fine-tune")
    Chain.objects.filter(pk=chain.pk).update(state="failed", error="The node is gone.")

    page = page_of(client.get("/lines/"))

    assert "No model has been promoted yet." in page
    assert "The node is gone." in page
    assert "no model" in page
    assert f'href="/chains/{chain.pk}/"' in client.get("/lines/").content.decode()


def test_a_schedule_of_reward_models_has_no_line(
    at_gate: Callable[..., Chain], client: Client
) -> None:
    chain = at_gate()
    schedule = chain.schedule
    Schedule.objects.filter(pk=schedule.pk).update(plan=schedule.plan | {"template": "reward"})

    assert "trains no language model" in page_of(client.get(path_of(chain)))
    assert "No line of models yet" in page_of(client.get("/lines/"))
    assert f"{path_of(chain)}" not in client.get(f"/schedules/{schedule.pk}/").content.decode()


def test_a_promoted_model_is_drawn_filled_and_said_to_be_preferred(
    at_gate: Callable[..., Chain], rosa: Rater, client: Client
) -> None:
    chain = at_gate()
    judge(chain, rosa, 18)
    goes_on(chain)

    page = client.get("/lines/").content.decode()

    assert f"“{improved(chain)}” is preferred to the first model in 90 % of 20 votes" in page
    assert "1 of 1" in page
    assert "that a gate decides by" not in page
    assert page.count("data-solid") == 2 * 3  # two sizes: the mark, and two entries of the legend
    assert (
        f'href="{path_of(chain)}"'
        in client.get(f"/schedules/{chain.schedule_id}/").content.decode()
    )


def test_a_refused_model_is_drawn_hollow_with_the_reason(
    at_gate: Callable[..., Chain], rosa: Rater, client: Client
) -> None:
    chain = at_gate()
    judge(chain, rosa, 12)
    goes_on(chain)

    page = client.get("/lines/").content.decode()

    assert "No model has been promoted yet." in page
    assert "0 of 1" in page
    assert "Not promoted: too close to call" in page
    assert page.count("data-solid") == 2  # only the legend's
    assert "Not promoted. Raters preferred it to the current model in 60 %" in page


@pytest.mark.parametrize(
    ("metrics", "reason"),
    [
        ({"kl_after": 31.5}, "Not promoted: KL too high"),
        ({"reward_gain": -0.5, "reward_gain_high": -0.1}, "Not promoted: lower reward"),
    ],
)
def test_the_reason_is_the_bar_that_was_missed(
    at_gate: Callable[..., Chain],
    rosa: Rater,
    client: Client,
    metrics: dict[str, float],
    reason: str,
) -> None:
    chain = at_gate()
    judge(chain, rosa, 20)
    TrainedModel.objects.filter(run=run_of(chain, "ppo")).update(metrics=metrics)
    goes_on(chain)

    assert reason in page_of(client.get("/lines/"))


def test_a_person_who_decides_is_the_reason(
    at_gate: Callable[..., Chain], rosa: Rater, client: Client
) -> None:
    chain = at_gate()
    judge(chain, rosa, 10, n=10)
    goes_on(chain, days=15)
    client.post(f"/chains/{chain.pk}/decide")

    page = page_of(client.get("/lines/"))

    assert "Not promoted: a person decided" in page


def test_while_raters_are_asked_nobody_sees_a_win_rate(
    at_gate: Callable[..., Chain], rosa: Rater, client: Client
) -> None:
    chain = at_gate()
    goes_on(chain)
    judge(chain, rosa, 10, n=10)

    (attempt,) = line_of(chain).attempts

    assert (attempt.fate, attempt.against_first) == (selectors.Fate.ASKED, None)
    page = page_of(client.get("/lines/"))
    assert "Raters are comparing the last chain" in page
    assert "not measured" in page


def test_a_later_model_is_not_said_to_beat_the_first_until_raters_compare_them(
    at_gate: Callable[..., Chain], rosa: Rater, client: Client, base_model: TrainedModel
) -> None:
    first = _promoted(at_gate, rosa)
    second = _promoted(at_gate, rosa)
    held_out = link(second, "held_out").snapshot_id

    newest = line_of(second).attempts[-1]
    page = client.get("/lines/").content.decode()

    assert newest.before == improved(first)
    assert newest.against_before is not None
    assert newest.against_first is None
    assert f"Nobody has compared it with the first, “{base_model}”." in page
    assert f"/runs/new/sample/?base_model={base_model.pk}&amp;snapshot={held_out}" in page


def test_votes_on_both_models_in_another_campaign_are_used_once_they_are_all_there(
    at_gate: Callable[..., Chain],
    rosa: Rater,
    base_model: TrainedModel,
    day_shift: Pool,
    guideline: Guideline,
    alice: User,
) -> None:
    _promoted(at_gate, rosa)
    second = _promoted(at_gate, rosa)
    new = improved(second)
    campaign = _compared(new, base_model, day_shift, guideline, alice)
    items = list(campaign.items.order_by("pk"))
    for item in items[:-1]:
        judge_item(item, rosa, new.source_id, prefers_new=True)

    unfinished = line_of(second).attempts[-1].against_first
    judge_item(items[-1], rosa, new.source_id, prefers_new=False)
    finished = line_of(second).attempts[-1].against_first

    assert unfinished is None
    assert finished is not None
    assert finished.campaign == campaign
    assert finished.figure.value == pytest.approx(1 - 1 / len(items))
    assert finished.figure.low is not None


def test_a_gate_with_another_confidence_is_drawn_with_an_interval_of_95_percent(
    at_gate: Callable[..., Chain], rosa: Rater, client: Client
) -> None:
    chain = at_gate(confidence=90.0)
    judge(chain, rosa, 15)
    goes_on(chain)

    stored = Verdict.from_json(link(chain, "gate").verdict).checks[0]
    rate = line_of(chain).attempts[0].against_first

    assert rate is not None
    assert rate.figure.value == stored.value
    assert (rate.figure.low or 1) < (stored.low or 0)
    assert (rate.figure.high or 0) > (stored.high or 1)
    page = page_of(client.get(path_of(chain)))
    assert "80 % interval" in page, "the gate's own sentence"
    assert "the interval that a gate decides by (80 %); all other intervals" in page


def test_a_gate_with_looks_is_drawn_with_its_own_ends(
    at_gate: Callable[..., Chain], rosa: Rater
) -> None:
    chain = at_gate(n_looks=2)
    for _look in range(2):
        for item in _asked(chain):
            judge_item(item, rosa, run_of(chain, "sample").base_model.source_id, prefers_new=True)
        goes_on(chain)

    rate = line_of(chain).attempts[0].against_first

    assert rate is not None
    assert (rate.figure.low, rate.figure.high) == tuple(
        link(chain, "gate").looks[-1][name] for name in ("low", "high")
    )


def test_the_page_says_what_the_models_learned_from_and_what_people_earned_with_it(
    at_gate: Callable[..., Chain], rosa: Rater, client: Client, day_shift: Pool
) -> None:
    chain = at_gate()
    judge(chain, rosa, 18)
    goes_on(chain)
    snapshot = link(chain, "comparisons").snapshot
    assert snapshot is not None
    unpaid = page_of(client.get("/lines/"))

    Rate.objects.create(
        pool=day_shift,
        kind="comparison",
        basis="item",
        amount=Decimal(150),
        currency="EUR",
        valid_from=NOW - timedelta(days=3000),
    )
    paid = page_of(client.get("/lines/"))

    assert snapshot.memberships.count() == 1
    assert "1 judgment" in unpaid
    assert "pay: no rate set" in unpaid
    # 20 votes at the gate; the judgment that it learned from was in no pool's campaign
    assert "pay: 30.00 EUR" in paid
    assert line_of(chain).n_judgments == 1 + 20


def test_a_judgment_that_two_chains_learned_from_counts_once(
    at_gate: Callable[..., Chain], rosa: Rater
) -> None:
    _promoted(at_gate, rosa)
    second = _promoted(at_gate, rosa)

    line = line_of(second)

    assert [one.learned_from[0].n_judgments for one in line.attempts] == [1, 1]
    assert line.n_judgments == 1 + 2 * 20


def test_a_model_whose_weights_were_deleted_stays_in_the_line(
    at_gate: Callable[..., Chain], rosa: Rater, client: Client
) -> None:
    chain = at_gate()
    judge(chain, rosa, 18)
    goes_on(chain)
    TrainedModel.objects.filter(pk=improved(chain).pk).update(freed_at=NOW)

    page = page_of(client.get("/lines/"))

    assert "weights deleted" in page
    assert "No model has been promoted yet." not in page
    assert "is preferred to the first model in 90 %" in page


def test_earlier_chains_are_left_to_the_schedules_page_but_not_the_current_models(
    at_gate: Callable[..., Chain], rosa: Rater, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selectors, "N_SHOWN", 1)
    first = _promoted(at_gate, rosa)
    for _time in range(2):
        chain = at_gate()
        judge(chain, rosa, 2)
        last = goes_on(chain)

    line = line_of(last)

    assert [one.chain for one in line.attempts] == [first, last]
    assert line.n_earlier == 1
    assert line.promoted is not None
    assert line.promoted.model == improved(first)


def test_the_picture_is_a_file_of_its_own_with_sentence_and_caption(
    at_gate: Callable[..., Chain], rosa: Rater, client: Client
) -> None:
    chain = at_gate()
    judge(chain, rosa, 18)
    goes_on(chain)
    Schedule.objects.update(name="A <b>bold</b> & new line")

    response = client.get(f"/schedules/{chain.schedule_id}/line.svg")
    drawing = ElementTree.fromstring(response.content)  # noqa: S314 - our own
    said = " ".join(
        " ".join("".join(text.itertext()).split()) for text in drawing.iter(f"{SVG}text")
    )

    assert response.headers["Content-Type"] == "image/svg+xml"
    assert "A <b>bold</b> & new line" in said
    assert "is preferred to the first model in 90 % of 20 votes" in said
    assert "raters 1, held-out prompts 20" in said
    assert "href" not in response.content.decode()
    assert "class=" not in said


def test_other_lines_are_a_click_away(
    at_gate: Callable[..., Chain], rosa: Rater, client: Client
) -> None:
    chain = at_gate()
    other = Schedule.objects.create(name="Another", plan=chain.schedule.plan, trigger="hand")
    Chain.objects.create(
        schedule=other,
        number=1,
        plan=chain.plan,
        base_model=chain.base_model,
        started_at=timezone.now() + timedelta(days=1),
    )

    page = client.get("/lines/").content.decode()

    assert "<h1>Another</h1>" in page
    assert f'href="{path_of(chain)}"' in page


def test_only_researchers_see_a_line(
    at_gate: Callable[..., Chain], alice: User, signed_in: Callable[..., Client]
) -> None:
    chain = at_gate()

    for path in ("/lines/", path_of(chain), f"/schedules/{chain.schedule_id}/line.svg"):
        assert signed_in(alice).get(path).status_code in (403, 404)


def test_a_line_costs_as_many_queries_however_many_votes_it_has(
    at_gate: Callable[..., Chain],
    rosa: Rater,
    django_assert_max_num_queries: Callable[..., object],
) -> None:
    chain = at_gate()
    judge(chain, rosa, 18)
    goes_on(chain)

    with django_assert_max_num_queries(25):  # type: ignore[attr-defined]
        verdicts.of_line(line_of(chain))


def _promoted(at_gate: Callable[..., Chain], rosa: Rater) -> Chain:
    chain = at_gate()
    judge(chain, rosa, 20)
    goes_on(chain)
    assert link(chain, "gate").verdict["outcome"] == "passed"
    return again(chain)


def _asked(chain: Chain) -> list[Item]:
    """The items that raters get before the first look."""
    free = Slot.objects.filter(campaign=link(chain, "campaign").campaign, state="free")
    return [slot.item for slot in free.select_related("item").order_by("pk")]


def _compared(
    model: TrainedModel, other: TrainedModel, pool: Pool, guideline: Guideline, by: User
) -> Campaign:
    """A campaign of the admin's own with responses of both to test prompts."""
    prompts = on_split("test", 12)
    for one in (model, other):
        assert one.source is not None
        for prompt in prompts:
            one.source.responses.create(prompt=prompt, text=f"{one} says", number=900)
    return intake.open_comparison_campaign(
        name="By hand",
        pool=pool,
        guideline=guideline,
        prompt_ids=[prompt.pk for prompt in prompts],
        source_ids=[model.source_id or 0, other.source_id or 0],
        n_responses=2,
        overlap=1,
        by=by,
        now=NOW,
    )
