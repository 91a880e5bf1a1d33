"""An admin sets up a conversation campaign with the form."""

from django.test import Client

from accounts.models import AuditEvent, User
from labeling.models import Campaign, ConversationPlan, Guideline, Pool
from tests.cast import some_prompts
from tests.labeling.answers import words
from tests.labeling.desk.conversations.talking import model_source, open_conversation_campaign
from tests.labeling.desk.posting import SignedIn


def posted(pool: Pool, guideline: Guideline, **changes: object) -> dict[str, object]:
    return {
        "name": "Talk",
        "kind": "conversation",
        "pool": pool.pk,
        "guideline": guideline.pk,
        "order": "finish_first",
        "lease_minutes": 30,
        "overlap": 1,
        "overlap_rule": "fixed",
        "asks_strength": "true",
        "talk-temperature": "0.7",
        "talk-n_answers": "2",
        "talk-draws": "turn",
        "talk-opening": "prompt",
        "talk-brief": "Plan a trip.",
        "talk-min_turns": "2",
        "talk-max_turns": "5",
        "talk-max_new_tokens": "64",
    } | changes


def create(client: Client, values: dict[str, object]) -> int:
    return int(client.post("/campaigns/new/", values).status_code)


def test_a_conversation_campaign_is_created_with_its_models_and_turns(
    alice: User, day_shift: Pool, guideline: Guideline, signed_in: SignedIn
) -> None:
    some_prompts(2)
    models = [model_source(name).pk for name in ("one", "two")]

    status = create(signed_in(alice), posted(day_shift, guideline, **{"talk-models": models}))

    assert status == 302
    campaign = Campaign.objects.get()
    plan = campaign.conversation_plan
    assert (campaign.kind, campaign.n_responses) == (Campaign.Kind.CONVERSATION, 2)
    assert (plan.min_turns, plan.max_turns, plan.draws) == (2, 5, ConversationPlan.Draw.TURN)
    assert sorted(plan.sources.values_list("source", "temperature")) == [
        (models[0], 0.7),
        (models[1], 0.7),
    ]


def test_each_model_has_a_weight_and_a_temperature_of_its_own(
    alice: User, day_shift: Pool, guideline: Guideline, signed_in: SignedIn
) -> None:
    some_prompts(2)
    one, two = (model_source(name).pk for name in ("one", "two"))
    numbers = {f"talk-weight-{one}": "3", f"talk-temperature-{two}": "0"}

    create(signed_in(alice), posted(day_shift, guideline, **{"talk-models": [one, two]}, **numbers))

    shares = Campaign.objects.get().conversation_plan.sources
    assert list(shares.order_by("source").values_list("source", "weight", "temperature")) == [
        (one, 3.0, 0.7),
        (two, 1.0, 0.0),
    ]


def test_errors_name_the_value(
    alice: User, day_shift: Pool, guideline: Guideline, signed_in: SignedIn
) -> None:
    some_prompts(2)
    one = model_source("one").pk
    wrong = {
        f"talk-weight-{one}": "-1",
        f"talk-temperature-{one}": "3",
        "talk-n_answers": "5",
        "talk-max_turns": "51",
    }

    page = words(
        signed_in(alice).post(
            "/campaigns/new/", posted(day_shift, guideline, **{"talk-models": [one]}, **wrong)
        )
    )

    for sentence in (
        "-1.0 is too low. Enter at least 0.01.",
        "3.0 is too high. Enter at most 2.",
        "5 is too high. Enter at most 4.",
        "51 is too high. Enter at most 50.",
    ):
        assert sentence in page
    assert not Campaign.objects.exists()


def test_more_minimum_than_maximum_turns_are_refused_with_both(
    alice: User, day_shift: Pool, guideline: Guideline, signed_in: SignedIn
) -> None:
    some_prompts(2)
    one = model_source("one").pk
    values = posted(day_shift, guideline, **{"talk-models": [one], "talk-min_turns": "7"})

    page = words(signed_in(alice).post("/campaigns/new/", values))

    assert "Maximum turns (5) must not be lower than minimum turns (7)." in page


def test_brief_and_turns_change_after_opening_and_the_change_is_recorded(
    alice: User, day_shift: Pool, guideline: Guideline, signed_in: SignedIn
) -> None:
    campaign = open_conversation_campaign(pool=day_shift, guideline=guideline)
    client = signed_in(alice)
    address = f"/campaigns/{campaign.pk}/set-up/change/"
    values = {
        "guideline": guideline.pk,
        "overlap": 1,
        "lease_minutes": 30,
        "priority": 0,
        "asks_reason": "on",
        "brief": "Plan a trip.",
        "min_turns": 1,
        "max_turns": 6,
        "rates_end": "on",
    }

    assert "Models, answers per turn and the first message stay" in words(client.get(address))
    assert client.post(address, values | {"max_turns": "0"}).status_code == 422
    assert client.post(address, values).status_code == 302

    plan = ConversationPlan.objects.get()
    assert (plan.brief, plan.min_turns, plan.max_turns) == ("Plan a trip.", 1, 6)
    event = AuditEvent.objects.filter(action="change").latest("pk")
    assert event.after == {
        "brief": "Plan a trip.",
        "min_turns": 1,
        "max_turns": 6,
        "rates_end": True,
    }


def test_the_setup_shows_models_with_weights_and_turns(
    alice: User, day_shift: Pool, guideline: Guideline, signed_in: SignedIn
) -> None:
    campaign = open_conversation_campaign(pool=day_shift, guideline=guideline)

    page = words(signed_in(alice).get(f"/campaigns/{campaign.pk}/set-up/"))

    assert "first: weight 1, temperature 1" in page
    assert "2 to 4" in page


def test_the_form_says_what_a_conversation_lacks(
    alice: User, day_shift: Pool, guideline: Guideline, signed_in: SignedIn
) -> None:
    some_prompts(2)

    answer = signed_in(alice).post("/campaigns/new/", posted(day_shift, guideline))

    assert "Choose at least one model to talk with." in words(answer)
    assert not Campaign.objects.exists()


def test_a_copy_starts_from_the_plan_of_its_original(
    alice: User, day_shift: Pool, guideline: Guideline, signed_in: SignedIn
) -> None:
    campaign = open_conversation_campaign(pool=day_shift, guideline=guideline)
    ConversationPlan.objects.update(brief="Plan a trip.")

    page = words(signed_in(alice).get(f"/campaigns/new/?from={campaign.pk}"))

    assert "Plan a trip." in page


def test_the_pages_of_a_conversation_campaign_open(
    alice: User, day_shift: Pool, guideline: Guideline, signed_in: SignedIn
) -> None:
    campaign = open_conversation_campaign(pool=day_shift, guideline=guideline)
    client = signed_in(alice)

    for page in ("", "items/", "set-up/", "agreement/", "bias/", "review/", "preview/"):
        assert client.get(f"/campaigns/{campaign.pk}/{page}").status_code in (200, 404), page
