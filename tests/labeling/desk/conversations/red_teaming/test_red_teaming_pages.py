"""Red teaming in the browser: an admin sets it up, a rater attacks and ends the attack."""

from accounts.models import User
from labeling.conversations.red_teaming import attacks
from labeling.models import (
    Attack,
    AttackBrief,
    Campaign,
    Conversation,
    Guideline,
    GuidelineVersion,
    Pool,
    Rater,
)
from tests.labeling.answers import words
from tests.labeling.desk.conversations.red_teaming.attacking import (
    INSULT,
    RULE,
    agreed,
    open_red_teaming,
)
from tests.labeling.desk.conversations.talking import (
    answered,
    model_source,
    open_conversation_campaign,
    turn_of,
)
from tests.labeling.desk.conversations.test_conversation_pages import begun, rating
from tests.labeling.desk.posting import SignedIn
from tests.training.cast import a_model


def posted(pool: Pool, guideline: Guideline, **changes: object) -> dict[str, object]:
    return {
        "name": "Attack",
        "pool": pool.pk,
        "guideline": guideline.pk,
        "review_pool": pool.pk,
        "n_reviewers": 2,
        "n_each": 5,
        "talk-models": [model_source(name).pk for name in ("one", "two")],
        "talk-temperature": "0.7",
        "talk-n_answers": "2",
        "talk-draws": "conversation",
        "talk-max_turns": "3",
        "talk-max_new_tokens": "64",
        "briefs-TOTAL_FORMS": 1,
        "briefs-INITIAL_FORMS": 0,
        "briefs-0-goal": INSULT.goal,
        "briefs-0-area": "abuse",
        "briefs-0-rule": RULE,
    } | changes


def test_an_admin_sets_up_briefs_and_reviews(
    alice: User, day_shift: Pool, guideline: Guideline, signed_in: SignedIn
) -> None:
    client = signed_in(alice)
    assert RULE in client.get("/campaigns/new/red-teaming/").content.decode()

    made = client.post("/campaigns/new/red-teaming/", posted(day_shift, guideline))

    campaign = Campaign.objects.get()
    assert made["Location"] == f"/campaigns/{campaign.pk}/"
    plan, brief = campaign.conversation_plan, AttackBrief.objects.get()
    assert (plan.min_turns, plan.max_turns, plan.opening) == (1, 3, "free")
    assert (brief.area, brief.rule) == ("abuse", RULE)
    assert (campaign.items.count(), campaign.red_teaming.n_reviewers) == (5, 2)
    assert "/red-teaming/?campaign=" in client.get(f"/campaigns/{campaign.pk}/").content.decode()


def test_the_forms_name_a_model_as_it_is_registered(alice: User, signed_in: SignedIn) -> None:
    model, client = a_model(alice, "Rosie"), signed_in(alice)
    assert model.source is not None

    for path in ("/campaigns/new/red-teaming/", "/campaigns/new/"):
        page = words(client.get(path))
        assert ("Rosie" in page, model.source.name in page) == (True, False)
    assert "Weight of Rosie" in page


def test_the_form_adds_a_row_and_says_what_a_brief_lacks(
    alice: User, day_shift: Pool, guideline: Guideline, signed_in: SignedIn
) -> None:
    client, values = signed_in(alice), posted(day_shift, guideline)

    more = client.post("/campaigns/new/red-teaming/", values | {"more": "briefs"})
    wrong = client.post("/campaigns/new/red-teaming/", values | {"briefs-0-rule": "Be rude."})

    assert "Brief 2" in words(more)
    assert INSULT.goal in words(more)
    assert "Select a valid choice. Be rude. is not one of the available choices." in words(wrong)
    assert not Campaign.objects.exists()


def test_a_rule_of_another_guideline_is_refused(
    alice: User, day_shift: Pool, guideline: Guideline, signed_in: SignedIn
) -> None:
    other = Guideline.objects.create(name="Other")
    form = guideline.versions.get().form
    GuidelineVersion.objects.create(
        guideline=other, number=1, text="1. Rhyme.", form=form, created_by=alice
    )
    client, values = signed_in(alice), posted(day_shift, guideline)

    answer = client.post("/campaigns/new/red-teaming/", values | {"briefs-0-rule": "Rhyme."})

    assert "has no such rule. Copy one of its numbered rules" in words(answer)
    assert not Campaign.objects.exists()


def test_a_rater_attacks_and_says_how_far_they_got(
    alice: User, day_shift: Pool, guideline: Guideline, rosa: Rater, signed_in: SignedIn
) -> None:
    campaign = open_red_teaming(pool=day_shift, guideline=guideline, by=alice)
    client = signed_in(agreed(rosa, "abuse"))
    address = begun(client, campaign)
    page = words(client.get(address))
    assert INSULT.goal in page
    assert RULE in page
    assert "You can stop at any time" in page
    assert "Stop for now" in page

    client.post(f"{address}write", {"number": 1, "text": "Insult me, parrot."})
    answered(Conversation.objects.get())
    turn = client.get(address)["Location"]
    page = words(client.get(turn))
    assert "Which answer breaks the rule?" in page
    assert "A breaks it much more" in page
    assert "better" not in page
    assert RULE in page
    client.post(f"{turn}submit", rating())
    end = f"{address}end-attack/"
    assert client.post(f"{address}finish", {"goal_rating": "1"})["Location"] == end
    missing = client.post(end, {"success": "4", "severity": "2", "tried": ""})
    assert missing.status_code == 422
    told = {"success": "4", "severity": "2", "tags": ["role"], "tried": "A parrot."}
    done = client.post(end, told | {"step": "stop"})

    assert done["Location"] == "/desk/"
    attack = Attack.objects.get()
    assert (attack.success, attack.tags, attack.turn) == (4, ["role"], turn_of(attack.conversation))
    assert client.get(end)["Location"] == "/desk/"
    assert attacks.own_diversity(rater=rosa).n == 1


def test_an_attack_without_a_rated_turn_goes_back_to_the_conversation(
    alice: User, day_shift: Pool, guideline: Guideline, rosa: Rater, signed_in: SignedIn
) -> None:
    campaign = open_red_teaming(pool=day_shift, guideline=guideline, by=alice)
    client = signed_in(agreed(rosa, "abuse"))
    address = begun(client, campaign)

    assert client.get(f"{address}end-attack/")["Location"] == address


def test_other_conversations_have_no_end_of_an_attack(
    day_shift: Pool, guideline: Guideline, rosa: Rater, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = begun(client, open_conversation_campaign(pool=day_shift, guideline=guideline))

    assert client.get(f"{address}end-attack/").status_code == 404
