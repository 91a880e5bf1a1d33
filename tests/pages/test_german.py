"""The site in German: for visitors by their browser's language, for people by their own choice."""

import html
from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import translation

from accounts.models import User
from labeling.models import Campaign, Rater
from tests.training import cast
from training.configs import kinds

SignedIn = Callable[..., Client]


def german(person: User | Rater, signed_in: SignedIn) -> Client:
    client = signed_in(person)
    client.post("/language/", {"language": "de", "next": "/"})
    return client


def test_the_login_page_speaks_german_to_a_browser_that_asks_for_it(
    client: Client, db: None
) -> None:
    page = client.get(
        "/account/login/", headers={"accept-language": "de-DE,de;q=0.9,en;q=0.5"}
    ).text

    assert '<html lang="de"' in page
    assert "Anmelden" in page
    assert "Passwort vergessen?" in page
    assert "Log in" not in page


def test_the_desk_speaks_german_to_a_rater_who_chose_it(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    page = german(rosa, signed_in).get("/desk/").text

    assert "Arbeitsplatz" in page
    assert "Antworten vergleichen" in page
    assert "Beginnen" in page
    assert "compare responses" not in page


def test_an_item_speaks_german(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = german(rosa, signed_in)

    page = client.post(f"/desk/{comparison_campaign.pk}/next", follow=True).text

    assert "Ihre Rangfolge:" in page
    assert "Diese Aufgabe überspringen" in page
    assert "Your ranking" not in page


@pytest.mark.parametrize("kind", ["sft", "reward", "ppo", "sample"])
def test_the_settings_of_a_run_are_named_in_german(
    kind: str, noor: User, signed_in: SignedIn
) -> None:
    cast.a_model(noor)
    cast.a_snapshot(
        noor, kind={"sft": "demonstrations", "reward": "comparisons"}.get(kind, "prompts")
    )

    page = html.unescape(german(noor, signed_in).get(f"/runs/new/{kind}/").text)

    with translation.override("de"):
        words = [translation.gettext(knob.label) for knob in kinds.knobs(kind)]
    assert [word for word in words if word not in page] == []


@pytest.mark.parametrize(("n", "words"), [(1, "1 Rater hinzugefügt."), (2, "2 Rater hinzugefügt.")])
def test_numbers_choose_their_form(n: int, words: str) -> None:
    with translation.override("de"):
        assert (
            translation.ngettext("%(n)d rater added.", "%(n)d raters added.", n) % {"n": n} == words
        )


def test_a_language_that_is_not_there_falls_back_to_english(client: Client, db: None) -> None:
    assert (
        '<html lang="en"' in client.get("/account/login/", headers={"accept-language": "fr"}).text
    )


def test_the_audit_log_says_in_german_what_it_keeps_as_codes(
    alice: User, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    page = german(alice, signed_in).get("/audit/").text

    assert "Status: offen" in page
    assert "Kampagne" in page


def test_the_tabs_of_the_models_are_german_words(noor: User, signed_in: SignedIn) -> None:
    page = german(noor, signed_in).get("/models/?kind=policy").text

    assert "Sprachmodelle" in page
    assert "Reward-Modelle" in page
