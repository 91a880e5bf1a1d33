"""The search in the top bar, through HTTP: who finds what, in which order, how many results, and
with how many queries.
"""

import re
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from labeling.models import Campaign, Pool, Prompt, Rater
from labeling.people.pools import services as pools_services
from labeling.people.withdrawals import withdrawal
from tests.cast import NOON, login_of, some_prompts
from tests.html import page_of
from tests.training import cast
from training.models import Node, Run, TrainedModel

pytestmark = pytest.mark.django_db
SignedIn = Callable[..., Client]
HTMX = {"HX-Request": "true"}


def hits(client: Client, query: str) -> list[tuple[str, str]]:
    """(address, title) of all that is found, in order."""
    response = client.get("/search/", {"q": query}, headers=HTMX)
    assert response.status_code == 200
    return re.findall(
        r'<a class="search-hit" href="([^"]+)"><span class="search-title" dir="auto">([^<]*)<',
        page_of(response),
    )


def titles(client: Client, query: str) -> list[str]:
    return [title for _address, title in hits(client, query)]


def a_run(name: str) -> Run:
    return cast.a_run(User.objects.earliest("pk"), name=name)


@pytest.fixture
def pools(db: None) -> list[Pool]:
    names = ["Night shift", "The night", "Night", "Midnight owls", "night-time"]
    return [pools_services.create_pool(name=name, by=None, now=NOON) for name in names]


def test_who_only_rates_has_no_search(rosa: Rater, signed_in: SignedIn) -> None:
    client = signed_in(rosa)

    pages = [
        re.sub(r'"js/search/[^"]+": "[^"]+"', "", page_of(client.get(path)))
        for path in ("/profile/", "/desk/")
    ]

    assert client.get("/search/", {"q": "a"}).status_code == 403
    assert not [page for page in pages if "search" in page.lower().replace('role="search"', "")]


def test_the_top_line_leads_admins_and_researchers_to_it(
    alice: User, noor: User, signed_in: SignedIn
) -> None:
    for person in (alice, noor):
        page = page_of(signed_in(person).get("/profile/"))

        assert '<a class="search-link" href="/search/"' in page
        assert '<dt>Search</dt><dd><kbd class="kbd">/</kbd>' in page
        assert {"js/search/open_search", "js/search/results"} <= set(
            re.findall(r'"(js/[^"]+)":', page)
        )


def test_each_role_finds_only_what_opens_to_it(
    alice: User, noor: User, demonstration_campaign: Campaign, signed_in: SignedIn
) -> None:
    run = a_run("Write it down")

    assert hits(signed_in(alice), "write") == [
        (f"/campaigns/{demonstration_campaign.pk}/", "Write")
    ]
    assert hits(signed_in(noor), "write") == [(f"/runs/{run.pk}/", "Write it down")]


def test_who_has_both_roles_finds_both(
    alice: User, demonstration_campaign: Campaign, signed_in: SignedIn
) -> None:
    a_run("Write it down")
    User.objects.filter(pk=alice.pk).update(is_researcher=True)

    assert titles(signed_in(alice), "write") == ["Write", "Write it down"]


def test_the_same_name_comes_first_then_what_begins_so_then_the_newest(
    alice: User, pools: list[Pool], signed_in: SignedIn
) -> None:
    assert titles(signed_in(alice), "night") == [
        "Night",
        "night-time",
        "Night shift",
        "Midnight owls",
        "The night",
    ]


def test_all_words_have_to_be_there_in_any_order(
    alice: User, pools: list[Pool], signed_in: SignedIn
) -> None:
    assert titles(signed_in(alice), "owls mid") == ["Midnight owls"]


@pytest.mark.parametrize("pattern", ["{}", "#{}", "pool {}", "Pool #{}"])
def test_a_number_finds_the_thing_that_has_it(
    pattern: str, alice: User, pools: list[Pool], signed_in: SignedIn
) -> None:
    found = hits(signed_in(alice), pattern.format(pools[2].pk))

    assert (f"/pools/{pools[2].pk}/", "Night") in found


def test_the_word_before_a_number_says_of_which_kind(noor: User, signed_in: SignedIn) -> None:
    run = a_run("Plain")
    TrainedModel.objects.create(
        pk=run.pk + 1000, name="Of that number", kind="policy", location="there"
    )
    Run.objects.filter(pk=run.pk).update(id=run.pk + 1000)
    client = signed_in(noor)

    assert titles(client, str(run.pk + 1000)) == ["Plain", "Of that number"]
    assert titles(client, f"run {run.pk + 1000}") == ["Plain"]
    assert titles(client, f"model {run.pk + 1000}") == ["Of that number"]


def test_the_word_before_a_number_is_the_readers_own(noor: User, signed_in: SignedIn) -> None:
    User.objects.filter(pk=noor.pk).update(language="de")
    run = a_run("Plain")

    assert titles(signed_in(noor), f"run {run.pk}") == ["Plain"]


def test_five_of_a_kind_are_shown_and_the_list_has_the_rest(
    noor: User, signed_in: SignedIn
) -> None:
    for number in range(6):
        a_run(f"Tidy & {number}")
    client = signed_in(noor)

    page = page_of(client.get("/search/", {"q": "Tidy &"}, headers=HTMX))

    assert titles(client, "Tidy &") == [f"Tidy &amp; {number}" for number in (5, 4, 3, 2, 1)]
    assert (
        '<a class="search-hit" data-more href="/runs/?words=Tidy+%26">See all in Runs</a>' in page
    )
    assert "Tidy &amp; 0" in page_of(client.get("/runs/?words=Tidy+%26"))


def test_as_many_as_are_shown_are_all(noor: User, signed_in: SignedIn) -> None:
    for number in range(5):
        a_run(f"Tidy {number}")

    assert "data-more" not in page_of(signed_in(noor).get("/search/", {"q": "Tidy"}, headers=HTMX))


def test_where_no_list_has_the_rest_it_asks_for_more_of_the_name(
    alice: User, pools: list[Pool], signed_in: SignedIn
) -> None:
    pools_services.create_pool(name="Nights", by=None, now=NOON)

    assert "There are more results. Type more of the name." in page_of(
        signed_in(alice).get("/search/?q=night", headers=HTMX)
    )


def test_places_of_the_rail_are_found_in_the_readers_language(
    alice: User, noor: User, signed_in: SignedIn
) -> None:
    User.objects.filter(pk=alice.pk).update(language="de")

    assert ("/campaigns/", "Kampagnen") in hits(signed_in(alice), "kampa")
    assert hits(signed_in(noor), "sched") == [("/schedules/", "Schedules")]
    assert hits(signed_in(noor), "campaigns") == []


def test_people_are_found_by_name_and_mail_and_raters_by_alias(
    alice: User, rosa: Rater, signed_in: SignedIn
) -> None:
    client = signed_in(alice)
    person = f"/people/{rosa.user_id}/"

    assert (person, "Rosa") in hits(client, "rosa")
    assert (person, "Rosa") in hits(client, "rosa@example")
    assert (f"/raters/{rosa.pk}/", rosa.alias) in hits(client, rosa.alias)


def test_who_has_withdrawn_is_not_found(alice: User, rosa: Rater, signed_in: SignedIn) -> None:
    withdrawal.withdraw_rater(rater=rosa, by=alice, now=NOON)
    client = signed_in(alice)

    assert [hits(client, query) for query in ("rosa", rosa.alias, login_of(rosa).email)] == [
        [],
        [],
        [],
    ]


def test_a_prompt_is_found_by_its_number_and_its_words_on_its_own_page(
    alice: User, signed_in: SignedIn
) -> None:
    [prompt] = some_prompts(1)
    client = signed_in(alice)

    assert (f"/prompts/{prompt.pk}/", f"Prompt {prompt.pk}") in hits(client, str(prompt.pk))
    page = page_of(client.get("/search/", {"q": "question plus"}, headers=HTMX))
    assert f"/prompts/{prompt.pk}/" not in page
    assert 'href="/prompts/?q=question+plus">Search prompt texts for “question plus”' in page


def test_a_prompt_that_may_upset_shows_why_and_not_its_words(
    alice: User, signed_in: SignedIn
) -> None:
    [prompt] = some_prompts(1)
    client = signed_in(alice)
    assert "Question 0" in page_of(
        client.get("/search/", {"q": f"prompt {prompt.pk}"}, headers=HTMX)
    )
    Prompt.objects.filter(pk=prompt.pk).update(sensitive=["violence"])

    page = page_of(client.get("/search/", {"q": f"prompt {prompt.pk}"}, headers=HTMX))

    assert "violence" in page
    assert "Question 0" not in page


def test_nodes_are_found_by_name_and_stand_on_one_page(noor: User, signed_in: SignedIn) -> None:
    Node.objects.create(name="rack-7", seen_at=NOON)

    assert hits(signed_in(noor), "rack") == [("/nodes/", "rack-7")]


def test_before_anything_is_typed_it_says_what_can_be_found(
    alice: User, signed_in: SignedIn
) -> None:
    for query in ("", "   ", "\0"):
        assert "Searches pages and everything with a name or number" in page_of(
            signed_in(alice).get("/search/", {"q": query})
        )


def test_nothing_found_says_so_and_escapes_what_was_typed(alice: User, signed_in: SignedIn) -> None:
    page = page_of(signed_in(alice).get("/search/", {"q": "<b>nobody</b> %_\\"}))

    assert "contains “&lt;b&gt;nobody&lt;/b&gt; %_\\”" in page
    assert "<b>nobody" not in page


def test_without_scripts_it_is_a_page_with_a_form(
    alice: User, pools: list[Pool], signed_in: SignedIn
) -> None:
    page = page_of(signed_in(alice).get("/search/", {"q": "owls"}))
    main = page.partition("<main")[2]

    assert '<form class="search" action="/search/" method="get"' in main
    assert 'value="owls"' in main
    assert "Midnight owls" in main


@pytest.mark.parametrize(
    "query", ["999999999999999999999", "9" * 18, "x" * 5000, "#", "run", "½ ٣"]
)
def test_whatever_is_typed_gets_an_answer(
    query: str, alice: User, noor: User, signed_in: SignedIn
) -> None:
    User.objects.filter(pk=alice.pk).update(is_researcher=True)

    assert signed_in(alice).get("/search/", {"q": query}).status_code == 200


def test_it_costs_the_same_however_much_there_is(
    alice: User, day_shift: Pool, guideline: object, pools: list[Pool], signed_in: SignedIn
) -> None:
    User.objects.filter(pk=alice.pk).update(is_researcher=True)
    client = signed_in(alice)
    with CaptureQueriesContext(connection) as few:
        client.get("/search/", {"q": "5"}, headers=HTMX)
    for number in range(5, 25):
        pools_services.create_pool(name=f"Pool 5{number}", by=None, now=NOON)
        a_run(f"Run 5{number}")

    with CaptureQueriesContext(connection) as many:
        client.get("/search/", {"q": "5"}, headers=HTMX)

    # Who is there and their notices, who has withdrawn, and one for each kind.
    assert len(many) == len(few) == 3 + 1 + 11
    asked = [query["sql"] for query in many.captured_queries if "UPPER" in str(query["sql"])]
    assert len(asked) == 10  # all but the prompts, of which a number finds one
    assert all("LIMIT 6" in sql for sql in asked)
