"""Each button of each form on each page that people of each role reach, pressed in a tab after
another tab has pressed the same.
"""

import ast
import inspect
from collections.abc import Iterator

import pytest
from django.urls import get_resolver

from config.roles import Role
from tests.house.test_audited import node_of
from tests.house.test_permissions import every_url
from tests.pages.stale.edits import EDITS
from tests.pages.stale.explained import ADDS, AGAIN_IS_HARMLESS, BESIDE, ELSEWHERE, STORES_NOTHING
from tests.pages.stale.scenes import SCENES, VALUES
from tests.pages.stale.walk import Button, Outcome, Walk
from tests.upgrades import pages, populate

pytestmark = [pytest.mark.slow, pytest.mark.django_db]
NOT_OURS = ("allauth.", "django.")


def posted_to() -> set[str]:
    """The names of the URLs whose views take a POST."""
    return {
        name
        for name, pattern in every_url(get_resolver().url_patterns)
        if not name.startswith("api_") and takes_posts(inspect.unwrap(pattern.callback))
    }


def takes_posts(view: object) -> bool:
    if not inspect.isfunction(view) or view.__module__.startswith(NOT_OURS):
        return False  # of one's own password and second factor
    node = node_of(view)
    assert node is not None
    doors = ast.unparse(ast.List(elts=node.decorator_list))
    return "require_POST" in doors or "'POST'" in doors


def pressed() -> Iterator[tuple[Button, Outcome]]:
    """With what the page shows and, where fields take a text, also with one in each."""
    populate.populate()
    walks = []
    for role in (Role.RATER, Role.ADMIN, Role.RESEARCHER):
        first = [path for name in pages.names(role) for path in pages.addresses(name)]
        walks.append(Walk(pages.person_of(role), first))
    for walk in walks:
        for button in list(walk.buttons()):
            yield from walk.outcomes(button, VALUES.get(button.url_name, {}))
    for scene in SCENES:
        yield from scene.outcomes(VALUES)


def test_a_stale_tab_stores_nothing_that_nobody_saw_and_loses_nothing_typed() -> None:
    judged, wrong = set(), []
    for button, outcome in pressed():
        name = button.url_name
        if name.startswith(("account_", "mfa_")) or not outcome.is_first_stored:
            continue
        judged.add(name)
        again = outcome.again.keys() - {"accounts_auditevent"}
        if again and name not in ADDS | AGAIN_IS_HARMLESS:
            wrong.append(f"{button.key} on {button.page} stores {outcome.again} again")
        is_lost = outcome.is_typed and not outcome.is_kept and outcome.status != 404
        if not again and is_lost and name not in BESIDE:
            wrong.append(f"{button.key} on {button.page} loses what was typed")

    assert wrong == []
    explained = ADDS | AGAIN_IS_HARMLESS | STORES_NOTHING | ELSEWHERE
    unseen = posted_to() - judged - EDITS.keys() - explained.keys()
    assert unseen == set(), "no page shows these forms: add a scene, or say why they are harmless"
    assert explained.keys() <= posted_to(), "no such form any more"
    assert not judged & ELSEWHERE.keys() | judged & STORES_NOTHING.keys()
