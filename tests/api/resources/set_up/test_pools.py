"""Pools by API: settings, members, pauses and rates."""

from accounts.models import AuditEvent
from labeling.models import Pool, Rater
from tests.api.resources.set_up.conftest import Api


def test_a_pools_settings_are_changed_and_the_others_stay(api: Api, day_shift: Pool) -> None:
    made = api.patch(
        f"pools/{day_shift.pk}",
        {
            "languages": ["en", "de"],
            "expertise": ["Summarization", "chess"],
            "routes_by_language": True,
            "max_per_day": 40,
        },
    )

    row = made.json()
    assert made.status_code == 200
    assert (row["name"], row["shown_items"], row["max_at_once"]) == ("Day shift", 20, None)
    assert (row["languages"], row["routes_by_language"]) == (["en", "de"], True)
    assert (row["expertise"], row["max_per_day"]) == (["summarization", "chess"], 40)
    assert AuditEvent.objects.filter(action="change", target_type="labeling.pool").count() == 1
    assert api.patch(f"pools/{day_shift.pk}", {"max_per_day": None}).json()["max_per_day"] is None


def test_a_pool_is_created_with_all_its_settings(api: Api) -> None:
    made = api.post("pools", {"name": "Nights", "max_at_once": 2, "shown_items": None}).json()

    assert (made["max_at_once"], made["shown_items"], made["shown_percent"]) == (2, None, 75)


def test_what_the_page_would_refuse_is_refused_in_its_words(api: Api, day_shift: Pool) -> None:
    api.post("pools", {"name": "Nights"})

    refused = api.patch(f"pools/{day_shift.pk}", {"languages": ["german"], "name": "Nights"})

    assert refused.status_code == 400
    assert refused.json()["errors"] == {
        "name": ["Another pool already has this name."],
        "languages": ["“german” is not a language code. Use a code such as en, de or pt-BR."],
    }
    assert Pool.objects.get(pk=day_shift.pk).name == "Day shift"


def test_raters_are_added_paused_resumed_and_removed(
    api: Api, day_shift: Pool, rosa: Rater, raul: Rater
) -> None:
    nights = api.post("pools", {"name": "Nights"}).json()["id"]
    path = f"pools/{nights}"

    added = api.post(f"{path}/add", {"raters": [rosa.pk, raul.pk]})
    api.post(f"{path}/pause", {"raters": [rosa.pk]})
    paused = {row["alias"]: row["paused_at"] is not None for row in api.rows(f"{path}/members")}
    api.post(f"{path}/resume", {"raters": [rosa.pk]})
    left = api.post(f"{path}/remove", {"raters": [raul.pk]})

    assert added.json()["n_raters"] == 2
    assert paused == {rosa.alias: True, raul.alias: False}
    assert left.json()["n_raters"] == 1
    assert [row["rater"] for row in api.rows(f"{path}/members")] == [rosa.pk]
    assert [row["paused_at"] for row in api.rows(f"{path}/members")] == [None]
    actions = AuditEvent.objects.filter(target_type="labeling.pool", target_id=nights)
    assert set(actions.values_list("action", flat=True)) == {
        "create",
        "add_raters",
        "pause_raters",
        "resume_raters",
        "remove_raters",
    }


def test_a_rater_that_is_nobody_is_named_and_nobody_is_added(
    api: Api, day_shift: Pool, rosa: Rater
) -> None:
    nights = api.post("pools", {"name": "Nights"}).json()["id"]

    refused = api.post(f"pools/{nights}/add", {"raters": [rosa.pk, 98765]})

    assert refused.json()["errors"] == {
        "raters": ["No object has the ID 98765. Remove it and send the rest."]
    }
    assert api.rows(f"pools/{nights}/members") == []


def test_a_whole_pool_is_paused_and_resumed(api: Api, day_shift: Pool) -> None:
    paused = api.post(f"pools/{day_shift.pk}/pause").json()
    resumed = api.post(f"pools/{day_shift.pk}/resume").json()

    assert paused["paused_at"] is not None
    assert resumed["paused_at"] is None


def test_members_appear_without_names_or_addresses(api: Api, day_shift: Pool, rosa: Rater) -> None:
    text = api.get(f"pools/{day_shift.pk}/members").content.decode()

    assert rosa.alias in text
    assert "Rosa" not in text
    assert "@" not in text


def test_a_rate_is_set_in_whole_units_and_listed(api: Api, day_shift: Pool) -> None:
    path = f"pools/{day_shift.pk}/rates"

    made = api.post(path, {"kind": "comparison", "amount": "12.50", "currency": "eur", "floor": 9})
    odd = api.post(path, {"kind": "comparison", "amount": 1, "currency": "€"})

    (row,) = api.rows(path)
    assert made.status_code == 201
    assert made.json() == row
    assert (row["amount"], row["floor"], row["currency"], row["basis"]) == (
        "12.5",
        "9",
        "EUR",
        "hour",
    )
    assert day_shift.rates.get().amount == 1250
    assert odd.json()["errors"] == {
        "currency": ["“€” is not a currency code. Use a code such as EUR, USD or PHP."]
    }
