"""The tour of each role: every stop is a page of that role with its subject on it, and nobody who
has ended a tour is offered it again.
"""

from collections.abc import Callable, Iterator

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from lxml.html import HtmlElement, document_fromstring
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from accounts.people import services as people_services
from accounts.shell.tours import TOURS, Stop
from labeling.models import Campaign, Rater
from labeling.people.accounts import services as accounts_services
from tests.cast import NOON
from tests.upgrades import populate

SignedIn = Callable[..., Client]
OFFER = "Take a tour: 5 stops, about two minutes"


def newcomer(*roles: str) -> User:
    return accounts_services.create_person(
        email="nora@example.org", name="Nora", roles=roles, by=None, now=NOON
    )


def card_on(client: Client, path: str) -> str:
    """The words of the tour's card on a page; "" without one."""
    response = client.get(path)
    assert response.status_code == 200, path
    cards = document_fromstring(response.text).xpath('//main/section[contains(@class, "tour")]')
    return " ".join(" ".join(card.text_content().split()) for card in cards)


def subjects(main: HtmlElement, stop: Stop) -> Iterator[HtmlElement]:
    for selector in stop.outlined.split(", "):
        name = selector[1:]
        is_meant = {
            ".": f'contains(concat(" ", normalize-space(@class), " "), " {name} ")',
            "#": f'@id="{name}"',
        }[selector[0]]
        yield from main.xpath(f".//*[{is_meant}]")


def lost_stops(role: str, client: Client) -> list[str]:
    """The stops of which something is missing."""
    lost = []
    for number, stop in enumerate(TOURS[role].stops, start=1):
        response = client.get(TOURS[role].url(number))
        if response.status_code != 200:
            lost.append(f"{stop.url_name} answers {response.status_code}")
            continue
        main = document_fromstring(response.text).get_element_by_id("main")
        if (
            f"{number} of 5" not in main.text_content()
            or str(stop.title) not in main.text_content()
        ):
            lost.append(f"{stop.url_name} has no card")
        if not any(True for _ in subjects(main, stop)):
            lost.append(f"{stop.url_name} has no {stop.outlined}")
    return lost


@pytest.mark.parametrize("role", TOURS)
def test_a_tour_has_five_stops_and_each_has_its_subject_on_an_empty_site(
    role: str, db: None, signed_in: SignedIn
) -> None:
    client = signed_in(newcomer(role))

    assert len(TOURS[role].stops) == 5
    assert lost_stops(role, client) == []


@pytest.mark.slow
def test_each_stop_has_its_subject_on_a_site_in_use(db: None, signed_in: SignedIn) -> None:
    populate.populate()

    lost = {
        role: lost_stops(role, signed_in(User.objects.get(email=f"{role}@demo.example")))
        for role in TOURS
    }

    assert lost == {"rater": [], "admin": [], "researcher": []}


@pytest.mark.parametrize("role", TOURS)
def test_a_new_person_is_offered_the_tour_on_the_page_they_start_on(
    role: str, db: None, signed_in: SignedIn
) -> None:
    client = signed_in(newcomer(role))
    start = reverse(TOURS[role].stops[0].url_name)

    assert client.get("/").headers["Location"] == start
    assert card_on(client, start) == f"{OFFER} Start tour Not now"
    assert [card_on(client, path) for path in ("/profile/", "/notices/")] == ["", ""]


def test_a_refused_tour_is_not_offered_after_the_next_log_in(db: None, signed_in: SignedIn) -> None:
    person = newcomer("admin")
    client = signed_in(person)

    answer = client.post(reverse("tour_end", args=["admin"]), {"stop": "0"})

    assert answer.headers["Location"] == "/campaigns/"
    assert card_on(client, "/campaigns/") == ""
    client.logout()
    assert card_on(signed_in(person), "/campaigns/") == ""


def test_a_tour_that_is_ended_halfway_stays_on_its_page(db: None, signed_in: SignedIn) -> None:
    client = signed_in(newcomer("rater"))

    answer = client.post(reverse("tour_end", args=["rater"]), {"stop": "3"}, follow=True)

    assert answer.redirect_chain == [("/my-work/", 302)]
    assert "The menu under your initials opens the tour again." in answer.text


@pytest.mark.parametrize("stop", ["", "-1", "6", "x", "99999999999999999999"])
def test_ending_at_no_stop_leads_to_the_first(stop: str, db: None, signed_in: SignedIn) -> None:
    client = signed_in(newcomer("researcher"))

    answer = client.post(reverse("tour_end", args=["researcher"]), {"stop": stop})

    assert answer.headers["Location"] == "/lines/"


def test_the_menu_opens_a_tour_that_was_ended(alice: User, signed_in: SignedIn) -> None:
    client = signed_in(alice)
    page = document_fromstring(client.get("/profile/").text)

    (link,) = page.xpath('//a[@class="menu-item"][starts-with(normalize-space(), "Tour")]')

    assert "Campaigns 1 of 5" in card_on(client, link.get("href"))


def test_each_of_several_roles_has_its_own_tour(db: None, signed_in: SignedIn) -> None:
    person = newcomer("rater", "admin", "researcher")
    people_services.end_tour(user=person, role="admin")
    client = signed_in(person)

    offered = [bool(card_on(client, path)) for path in ("/desk/", "/campaigns/", "/lines/")]

    assert offered == [True, False, True]


def test_nobody_sees_or_ends_the_tour_of_a_role_they_lack(rosa: Rater, signed_in: SignedIn) -> None:
    client = signed_in(rosa)

    assert card_on(client, "/desk/?tour=admin-1") == ""
    assert client.post(reverse("tour_end", args=["admin"])).status_code == 404


@pytest.mark.parametrize("asked", ["rater-2", "rater-0", "rater-6", "rater", "-1", "\u0663"])
def test_a_stop_is_only_shown_on_its_own_page(asked: str, rosa: Rater, signed_in: SignedIn) -> None:
    assert card_on(signed_in(rosa), f"/desk/?tour={asked}") == ""


def test_an_item_at_the_desk_has_no_card(
    comparison_campaign: Campaign, rosa: Rater, signed_in: SignedIn
) -> None:
    assert rosa.user is not None
    User.objects.filter(pk=rosa.user.pk).update(ended_rater_tour=False)
    client = signed_in(rosa)

    item = client.post(f"/desk/{comparison_campaign.pk}/next").headers["Location"]

    assert card_on(client, "/desk/")
    assert [card_on(client, item + asked) for asked in ("", "?tour=rater-1")] == ["", ""]


def test_the_offer_asks_the_database_nothing(
    rosa: Rater, signed_in: SignedIn, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    assert rosa.user is not None
    client = signed_in(rosa)
    with CaptureQueriesContext(connection) as without:
        assert card_on(client, "/desk/") == ""
    User.objects.filter(pk=rosa.user.pk).update(ended_rater_tour=False)

    with django_assert_num_queries(len(without)):
        assert card_on(client, "/desk/")


def test_who_was_here_before_there_were_tours_is_offered_none(alice: User) -> None:
    """The previous version writes no such column while it still runs."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO accounts_user (email, name, password, is_superuser, is_rater, is_admin,"
            " is_researcher, is_active, is_staff, time_zone, language, mailed_notices, created_at)"
            " SELECT 'old@example.org', 'Old', password, is_superuser, is_rater, is_admin,"
            " is_researcher, is_active, is_staff, time_zone, language, mailed_notices, created_at"
            " FROM accounts_user"
        )

    old = User.objects.get(email="old@example.org")

    assert all(old.has_ended_tour(role) for role in TOURS)
