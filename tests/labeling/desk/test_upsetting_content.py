"""Upsetting content: opt-in, blur, exposure."""

from django.conf import LazySettings
from django.utils import timezone

from labeling.models import Campaign, Pool, Prompt, Rater
from labeling.people.content_settings import services as content_settings_services
from tests.html import page_of
from tests.labeling.desk.posting import SignedIn, comparison, start


def test_upsetting_content_stands_behind_a_word_of_what_it_is(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    Prompt.objects.update(sensitive=["violence"])
    content_settings_services.accept_upsetting(rater=rosa, kinds=["violence"], now=timezone.now())
    client = signed_in(rosa)

    page = page_of(client.get(start(client, comparison_campaign)))

    assert "This item may be upsetting: violence." in page
    assert "desk-pause" not in page


def test_the_desk_says_how_much_waits_behind_an_agreement_that_was_not_given(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    Prompt.objects.update(sensitive=["violence", "hate"])
    content_settings_services.accept_upsetting(rater=rosa, kinds=["hate"], now=timezone.now())

    page = page_of(client.get("/desk/"))

    assert "5 items may have upsetting content that you have not agreed to see: violence." in page
    assert 'href="/my-care/"' in page
    content_settings_services.accept_upsetting(
        rater=rosa, kinds=["hate", "violence"], now=timezone.now()
    )
    assert "may have upsetting content" not in page_of(client.get("/desk/"))


def test_the_desk_says_how_much_waits_for_who_knows_another_language(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    Prompt.objects.update(language="fr")
    Pool.objects.update(routes_by_language=True)

    page = page_of(signed_in(rosa).get("/desk/"))

    assert "5 items need someone who knows other languages or topics." in page
    assert 'href="/my-skills/"' in page


def test_a_pause_is_suggested_after_as_many_upsetting_items_as_the_site_says(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn, settings: LazySettings
) -> None:
    settings.UPSETTING_BEFORE_PAUSE = 2
    Prompt.objects.update(sensitive=["violence"])
    content_settings_services.accept_upsetting(rater=rosa, kinds=["violence"], now=timezone.now())
    client = signed_in(rosa)
    pages = []

    for _turn in range(3):
        address = start(client, comparison_campaign)
        pages.append(page_of(client.get(address)))
        client.post(address + "skip", {"reason": "technical"})

    assert ["desk-pause" in page for page in pages] == [False, False, True]
    assert "You have seen 2 upsetting items today." in pages[2]


def test_raters_choose_what_they_agree_to_see_and_read_how_much_they_met(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    Prompt.objects.update(sensitive=["hate"])
    client = signed_in(rosa)

    client.post("/my-care/", {"kinds": ["hate", "abuse"]})
    rosa.refresh_from_db()
    address = start(client, comparison_campaign)
    client.post(address + "submit", comparison())

    assert rosa.accepts == ["hate", "abuse"]
    assert "1 item<" in page_of(client.get("/my-care/"))


def test_nothing_ticked_takes_every_agreement_back(rosa: Rater, signed_in: SignedIn) -> None:
    content_settings_services.accept_upsetting(rater=rosa, kinds=["hate"], now=timezone.now())

    signed_in(rosa).post("/my-care/", {})

    rosa.refresh_from_db()
    assert rosa.accepts == []
