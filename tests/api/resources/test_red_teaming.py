"""Red teaming in the REST API: set up, read, and put to use."""

from accounts.models import User
from labeling.models import Campaign, Guideline, Pool, Rater
from tests.api.conftest import Caller
from tests.labeling.desk.conversations.red_teaming.attacking import (
    INSULT,
    RULE,
    agreed,
    attacked,
    open_red_teaming,
)
from tests.labeling.desk.conversations.talking import model_source


def body(pool: Pool, guideline: Guideline, **changes: object) -> dict[str, object]:
    return {
        "name": "Attack",
        "pool": pool.pk,
        "guideline": guideline.pk,
        "briefs": [{"goal": INSULT.goal, "area": "abuse", "rule": RULE}],
        "n_each": 4,
        "models": [{"source": model_source(name).pk} for name in ("one", "two")],
        "max_turns": 5,
        "review_pool": pool.pk,
    } | changes


def test_a_red_teaming_campaign_is_created_and_listed(
    alice: User, day_shift: Pool, guideline: Guideline, calling: Caller
) -> None:
    api, values = calling(alice), body(day_shift, guideline)

    made = api.post("/api/v1/red-teaming", values, "application/json")
    wrong = api.post(
        "/api/v1/red-teaming",
        values | {"name": "B", "briefs": [{"goal": INSULT.goal, "area": "abuse", "rule": "Be"}]},
        "application/json",
    )

    assert made.status_code == 201, made.content
    assert made.json()["campaign"] == Campaign.objects.get().pk
    assert [brief["rule"] for brief in made.json()["briefs"]] == [RULE]
    assert wrong.status_code == 409
    assert "has no such rule" in wrong.json()["detail"]
    (listed,) = api.get("/api/v1/red-teaming").json()["results"]
    assert listed == made.json()


def test_attacks_and_their_success_are_read(
    alice: User, day_shift: Pool, guideline: Guideline, rosa: Rater, calling: Caller
) -> None:
    campaign = open_red_teaming(pool=day_shift, guideline=guideline, by=alice)
    attack = attacked(campaign, agreed(rosa, "abuse"))
    api = calling(alice)

    (read,) = api.get(f"/api/v1/attacks?campaign={campaign.pk}").json()["results"]
    success = api.get(f"/api/v1/red-teaming/success?campaign={campaign.pk}").json()

    assert read == api.get(f"/api/v1/attacks/{attack.pk}").json()
    assert (read["success"], read["tags"], read["tried"]) == (4, ["role"], "A parrot.")
    assert read["prompt"] == attack.turn.prompt_id
    area, goal = success["lines"]
    assert (area["brief"], goal["goal"]) == (None, INSULT.goal)
    assert success["all_attacks"]["by_attackers"]["value"] == 1
    assert success["all_attacks"]["by_attackers"]["low"] is None


def test_attacks_are_put_to_use_once(
    alice: User, noor: User, day_shift: Pool, guideline: Guideline, rosa: Rater, calling: Caller
) -> None:
    campaign = open_red_teaming(pool=day_shift, guideline=guideline, by=alice)
    attack = attacked(campaign, agreed(rosa, "abuse"))
    api, values = calling(noor), {"attacks": [attack.pk]}

    made = api.post("/api/v1/suites/found-attacks", values, "application/json")
    again = api.post("/api/v1/suites/found-attacks", values, "application/json")

    assert made.status_code == 200, made.content
    assert (made.json()["slug"], made.json()["n_items"]) == ("attacks-by-people", 1)
    assert again.status_code == 409
    assert api.get("/api/v1/attacks?is_used=false").json()["results"] == []
