"""Forms of objects that are gone since their page was opened."""

import inspect
import re
from collections.abc import Callable

from django.test import Client
from django.urls import resolve

from accounts import access as accounts_access
from accounts.models import User
from labeling.models import Campaign, Rater
from tests.cast import login_of
from tests.house.test_permissions import URLS, path_of
from tests.html import Answer, page_of
from tests.pages.stale.test_every_form import takes_posts

SignedIn = Callable[..., Client]
TYPED = "Half a thought."
ANSWER_WITHOUT_THE_OBJECT = {
    "session_end": "it has ended, which is what was wanted",
    "token_revoke": "it is revoked, which is what was wanted",
}
"""Why these answer something else than 404."""


def forms_of_objects() -> list[str]:
    """The names of the URLs that name an object and take a form."""
    return [
        name
        for name, pattern in URLS.items()
        if not name.startswith("api_")
        and takes_posts(inspect.unwrap(pattern.callback))
        and path_of(name) != path_of(name).replace("987654321", "").replace("0007", "")
    ]


def test_every_form_of_an_object_that_is_gone_says_so_and_gives_back_what_was_typed(
    alice: User, noor: User, rosa: Rater, signed_in: SignedIn
) -> None:
    people = [(person, signed_in(person)) for person in (alice, noor, login_of(rosa))]
    others, wrong = {}, []
    for name in forms_of_objects():
        client = next(
            client
            for person, client in people
            if accounts_access.may_open(name, accounts_access.roles_of(person))
        )
        answer = client.post(path_of(name), {"text": TYPED})
        if answer.status_code != 404:
            others[name] = answer.status_code
        elif not {"<h1>Nothing was saved</h1>", f">{TYPED}</pre>"} <= shown(answer):
            wrong.append(name)

    assert wrong == []
    assert others.keys() == ANSWER_WITHOUT_THE_OBJECT.keys(), others


def shown(answer: Answer) -> set[str]:
    page = page_of(answer)
    return {part for part in ("<h1>Nothing was saved</h1>", f">{TYPED}</pre>") if part in page}


def test_a_form_of_something_deleted_leads_on_to_its_list(
    comparison_campaign: Campaign, alice: User, signed_in: SignedIn
) -> None:
    pk = comparison_campaign.pk

    gone = signed_in(alice).post(f"/campaigns/{pk}/review/987654321/", {"note": "Why it is right"})

    assert gone.status_code == 404
    assert '<a href="/campaigns/">Go on from the list</a>' in page_of(gone)
    assert "Why it is right" in gone.text


def test_nobody_is_led_on_to_a_page_that_is_closed_to_them(
    alice: User, noor: User, rosa: Rater, signed_in: SignedIn
) -> None:
    closed = []
    for person in (alice, noor, login_of(rosa)):
        client, roles = signed_in(person), accounts_access.roles_of(person)
        for name in forms_of_objects():
            if accounts_access.may_open(name, roles):
                gone = client.post(path_of(name), {"text": TYPED})
                for path in re.findall(r'<a href="([^"]+)">Go on from the list', gone.text):
                    if not accounts_access.may_open(resolve(path).view_name, roles):
                        closed.append((name, path))

    assert closed == []


def test_secrets_are_not_shown_back(alice: User, signed_in: SignedIn) -> None:
    gone = signed_in(alice).post("/people/987654321/", {"password": "seven green kettles"})

    assert gone.status_code == 404
    assert "kettles" not in gone.text
