"""Best of n by raters: the snapshot of what they prefer, and the chain that learns from it."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.test import Client

from accounts.models import User
from labeling.models import (
    Campaign,
    Comparison,
    Guideline,
    Judgment,
    Pool,
    Prompt,
    RankedResponse,
    Rater,
    Slot,
)
from tests.cast import open_comparison_campaign
from tests.training.conftest import NOW
from tests.training.schedules.chain_steps import again, link, run_ends, run_of
from tests.training.schedules.test_chain_plans import answer
from tests.training.snapshots.test_freezing import on_split, rows
from training.models import Chain, Snapshot, TrainedModel
from training.registry import selectors as registry_selectors
from training.registry.archive import cards
from training.schedules import chains as schedules_chains
from training.snapshots import services as snapshots_services
from training.snapshots.services import Filters, UnableToCreate

pytestmark = pytest.mark.django_db

N_CANDIDATES = 3


def rank(campaign: Campaign | None, rater: Rater, ranks: str) -> None:
    """The rater gives the responses of every item these ranks, by their numbers."""
    assert campaign is not None
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
        for response, rank in zip(item.responses.order_by("number", "pk"), ranks, strict=True):
            RankedResponse.objects.create(
                comparison=comparison,
                response=response,
                position=int(rank),
                rank=int(rank),
            )
        free = Slot.objects.filter(item=item).exclude(state="submitted").order_by("pk")[:1]
        Slot.objects.filter(pk__in=free).update(state="submitted", rater=rater)


@pytest.fixture
def cut(noor: User) -> Callable[..., Snapshot]:
    def make(campaign: Campaign) -> Snapshot:
        return snapshots_services.create_snapshot(
            kind="demonstrations",
            name="preferred",
            filters=Filters(best_voted_in=(campaign.pk,)),
            by=noor,
            now=NOW,
        )

    return make


@pytest.fixture
def compared(day_shift: Pool, guideline: Guideline) -> Campaign:
    campaign = open_comparison_campaign(pool=day_shift, guideline=guideline, n_items=2)
    for item in campaign.items.select_related("prompt"):
        item.prompt.split = "train"
        item.prompt.save()
    return campaign


def ranked_chain(begin: Callable[..., Chain], pool: Pool, guideline: Guideline) -> Chain:
    """Up to the campaign in which raters rank what the model wrote to two prompts."""
    prompts = on_split("train", 2)
    chain = begin(
        "best-of-n",
        pool=pool.pk,
        guideline=guideline.pk,
        n_candidates=N_CANDIDATES,
        n_responses=2,
        overlap=2,
    )
    answer(chain, "candidates", [prompt.pk for prompt in prompts], n=N_CANDIDATES)
    run_ends(chain, "candidates", responses=N_CANDIDATES)
    return again(chain)


def texts(snapshot: Snapshot | None, settings: LazySettings) -> list[str]:
    assert snapshot is not None
    return [row["completion"][0]["content"] for row in rows(snapshot, settings)]


# --- the snapshot ---------------------------------------------------------------------------------


def test_of_each_item_the_response_that_raters_prefer_is_a_row_that_remembers_their_votes(
    cut: Callable[..., Snapshot],
    compared: Campaign,
    rosa: Rater,
    raul: Rater,
    settings: LazySettings,
) -> None:
    rank(compared, rosa, "3214")
    rank(compared, raul, "4213")

    snapshot = cut(compared)

    wanted = [
        item.responses.order_by("number", "pk")[2].pk for item in compared.items.order_by("pk")
    ]
    assert [row["response"] for row in rows(snapshot, settings)] == wanted
    voted = set(snapshot.memberships.values_list("judgment", flat=True))
    assert voted == set(Judgment.of_people.filter(campaign=compared).values_list("pk", flat=True))


def test_items_whose_raters_contradict_each_other_are_left_out_and_counted(
    cut: Callable[..., Snapshot], compared: Campaign, rosa: Rater, raul: Rater
) -> None:
    rank(compared, rosa, "1234")
    rank(compared, raul, "4321")
    Judgment.of_people.filter(rater=raul, item=compared.items.order_by("pk").first()).delete()

    snapshot = cut(compared)

    assert (snapshot.n_rows, snapshot.card["left_out"]) == (1, {"no response clearly preferred": 1})


@pytest.mark.parametrize("split", ["train", "validation"])
def test_votes_of_raters_who_only_evaluate_choose_nothing_to_train_on(
    cut: Callable[..., Snapshot], compared: Campaign, rosa: Rater, split: str
) -> None:
    Prompt.objects.filter(items__campaign=compared).update(split=split)
    Pool.objects.filter(pk=compared.pool_id).update(is_held_out=True)
    rank(compared, rosa, "1234")

    with pytest.raises(UnableToCreate, match="held-out raters on a prompt that trains"):
        cut(compared)


def test_a_prompt_that_was_retired_teaches_nothing(
    cut: Callable[..., Snapshot], compared: Campaign, rosa: Rater, settings: LazySettings
) -> None:
    rank(compared, rosa, "1234")
    retired, kept = compared.items.order_by("pk")
    Prompt.objects.filter(pk=retired.prompt_id).update(retired_at=NOW)

    found = rows(cut(compared), settings)

    assert [row["prompt"] for row in found] == [kept.prompt.messages]


def test_a_researcher_makes_it_by_hand_from_a_campaign(
    signed_in: Callable[..., Client], noor: User, compared: Campaign, rosa: Rater
) -> None:
    rank(compared, rosa, "2134")
    client = signed_in(noor)
    address = f"/snapshots/new/?kind=demonstrations&best_voted_in={compared.pk}"

    form = client.get(address).context["form"]
    client.post(address, {"name": "Preferred", "best_voted_in": [compared.pk]})

    snapshot = Snapshot.objects.get(name="Preferred")
    page = client.get(f"/snapshots/{snapshot.pk}/").content.decode()
    assert form["best_voted_in"].value() == [str(compared.pk)]
    assert ("Responses preferred in" in page, compared.name in page) == (True, True)
    assert "Imported answers" not in page


# --- the chain ------------------------------------------------------------------------------------


def test_the_model_learns_from_what_raters_prefer_and_is_compared_with_the_old_one(
    begin: Callable[..., Chain],
    rosa: Rater,
    raul: Rater,
    day_shift: Pool,
    guideline: Guideline,
    base_model: TrainedModel,
    settings: LazySettings,
) -> None:
    chain = ranked_chain(begin, day_shift, guideline)
    campaign, candidates = link(chain, "ranking").campaign, run_of(chain, "candidates")
    assert campaign is not None
    assert (candidates.reward_model, candidates.config["n_responses"]) == (None, N_CANDIDATES)
    shown = [item.responses.count() for item in campaign.items.all()]
    assert (shown, campaign.overlap) == ([N_CANDIDATES] * 2, 2)

    rank(campaign, rosa, "213")
    rank(campaign, raul, "312")
    schedules_chains.advance_chain(chain_id=chain.pk, now=NOW)

    tuned = run_of(chain, "sft_best")
    preferred = link(chain, "best").snapshot
    prompts = [item.prompt_id for item in campaign.items.order_by("pk")]
    assert texts(preferred, settings) == [f"candidates 1 to {pk}" for pk in prompts]
    assert (tuned.snapshot, tuned.base_model) == (preferred, base_model)
    run_ends(chain, "sft_best")
    new = TrainedModel.objects.get(run=tuned)
    assert run_of(chain, "sample").base_model == new
    assert registry_selectors.start_of_line(model=new) == base_model
    assert "the responses that raters preferred" in cards.generated_card(model=new)


def test_the_chain_waits_for_its_raters_until_their_days_are_over(
    begin: Callable[..., Chain], rosa: Rater, day_shift: Pool, guideline: Guideline
) -> None:
    chain = ranked_chain(begin, day_shift, guideline)
    rank(link(chain, "ranking").campaign, rosa, "123")

    schedules_chains.advance_chain(chain_id=chain.pk, now=NOW + timedelta(days=13))
    waiting = link(chain, "best").snapshot
    schedules_chains.advance_chain(chain_id=chain.pk, now=NOW + timedelta(days=14))

    assert waiting is None
    assert link(chain, "best").snapshot is not None


def test_a_closed_campaign_is_not_waited_for(
    begin: Callable[..., Chain], rosa: Rater, day_shift: Pool, guideline: Guideline
) -> None:
    chain = ranked_chain(begin, day_shift, guideline)
    campaign = link(chain, "ranking").campaign
    rank(campaign, rosa, "123")
    Campaign.objects.filter(pk=campaign.pk if campaign else 0).update(state="closed")

    schedules_chains.advance_chain(chain_id=chain.pk, now=NOW)

    assert link(chain, "best").snapshot is not None


# --- the form -------------------------------------------------------------------------------------


def test_the_form_asks_for_no_reward_model_and_for_no_more_than_a_page_shows(
    signed_in: Callable[..., Client], noor: User, base_model: TrainedModel
) -> None:
    form = signed_in(noor).get("/schedules/new/best-of-n/").context["form"]

    candidates = form.fields["n_candidates"]
    assert not {"reward_model", "reward_base", "trains_watchdog"} & set(form.fields)
    assert (candidates.initial, candidates.max_value) == (6, 9)


def test_a_schedule_that_shows_more_responses_than_the_model_writes_is_refused_only_at_its_gate(
    signed_in: Callable[..., Client],
    noor: User,
    base_model: TrainedModel,
    day_shift: Pool,
    guideline: Guideline,
) -> None:
    """Raters rank six candidates although the settings for sampling say four."""
    client = signed_in(noor)
    fields = client.get("/schedules/new/best-of-n/").context["form"]
    data = {bound.name: bound.value() for bound in fields if bound.value() not in (None, "")}
    data |= {"name": "Best", "base_model": base_model.pk, "trigger": "hand"}

    response = client.post(
        "/schedules/new/best-of-n/", data | {"pool": day_shift.pk, "guideline": guideline.pk}
    )

    assert response.status_code == 302, response.context["form"].errors
