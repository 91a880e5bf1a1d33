"""Each button of each form on each page that people of each role reach, and of the scenes, pressed
in a tab whose page is stale: another tab has pressed the same, or something else that ended it.
"""

import ast
import inspect
from collections.abc import Iterator

import pytest
from django.conf import LazySettings
from django.urls import get_resolver

from config.roles import Role
from tests.house.test_audited import node_of
from tests.house.test_permissions import every_url
from tests.labeling.people.prolific.conftest import prolific
from tests.labeling.people.prolific.prolific_stub import Prolific
from tests.pages.stale import presses
from tests.pages.stale.edits import EDITS
from tests.pages.stale.explained import (
    ADDS,
    ANYWAY,
    ASKS_AGAIN,
    BESIDE,
    HERE,
    SHOWS_AGAIN,
    STORES_NOTHING,
)
from tests.pages.stale.requests import REQUESTS
from tests.pages.stale.scenes import data, desk, new, people, sites, training
from tests.pages.stale.scenes import prolific as prolific_scenes
from tests.pages.stale.values import VALUES
from tests.pages.stale.walk import Outcome, Walk
from tests.upgrades import pages, populate

__all__ = ["prolific"]
pytestmark = [pytest.mark.slow, pytest.mark.django_db]
NOT_OURS = ("allauth.", "django.")
API = "api_"
"""Before the names of calls for programs, which have no forms."""
SCENES = [
    *sites.SCENES,
    *desk.SCENES,
    *prolific_scenes.SCENES,
    *people.SCENES,
    *data.SCENES,
    *training.SCENES,
    *new.SCENES,
]


@pytest.fixture
def account(prolific: Prolific, settings: LazySettings) -> Iterator[None]:
    """On Prolific, and a host that may serve models."""
    settings.ENDPOINT_HOSTS = ["llm.example.org"]
    presses.OUTSIDE.append(prolific)
    yield
    presses.OUTSIDE.clear()


def posted_to() -> set[str]:
    """The names of the URLs whose views take a POST."""
    return {
        name
        for name, pattern in every_url(get_resolver().url_patterns)
        if not name.startswith(API) and takes_posts(inspect.unwrap(pattern.callback))
    }


def takes_posts(view: object) -> bool:
    if not inspect.isfunction(view) or view.__module__.startswith(NOT_OURS):
        return False  # of one's own password and second factor
    node = node_of(view)
    assert node is not None
    doors = ast.unparse(ast.List(elts=node.decorator_list))
    return "require_POST" in doors or "'POST'" in doors


def outcomes() -> Iterator[Outcome]:
    populate.populate()
    known: set[tuple[str, str, str]] = set()
    for role in (Role.RATER, Role.ADMIN, Role.RESEARCHER):
        names = [name for name in pages.names(role) if not name.startswith(API)]
        first = [path for name in names for path in pages.addresses(name)]
        walk = Walk(pages.person_of(role), first)
        for button in list(walk.buttons(known)):
            yield from walk.twice(button, VALUES)
    for scene in SCENES:
        yield from scene.outcomes(VALUES)


def problems(outcome: Outcome) -> Iterator[str]:
    name = outcome.button.url_name
    again = outcome.again.keys() - {"accounts_auditevent", presses.DRAFTS}
    is_allowed = name in ADDS.keys() | ASKS_AGAIN.keys() or (name, outcome.after) in ANYWAY
    if name in STORES_NOTHING and outcome.is_first_stored:
        yield "stores something"
    if again and not is_allowed:
        yield f"stores {outcome.again} again"
    if name in ADDS and outcome.changed - {presses.DRAFTS}:
        yield f"changes {outcome.changed}"
    is_lost = outcome.is_typed and not again and not outcome.press.is_kept
    if is_lost and name not in BESIDE:
        yield "loses what was typed"
    is_silent = outcome.after and not again and not outcome.says
    if is_silent and (name, outcome.button.name) not in SHOWS_AGAIN:
        yield "says nothing"


def test_a_stale_tab_stores_nothing_that_nobody_saw_and_loses_nothing_typed(
    account: None,
) -> None:
    stored, pressed, wrong = set(), set(), []
    for outcome in outcomes():
        button = outcome.button
        pressed.add(button.url_name)
        if outcome.is_first_stored:
            stored.add(button.url_name)
            wrong += [
                f"{button.key} on {button.page}, after {outcome.after or 'the same'}: {problem}"
                for problem in problems(outcome)
            ]

    assert not wrong, "\n".join(wrong)
    asked = posted_to() - REQUESTS.keys()
    unseen = sorted(asked - stored - EDITS.keys() - HERE.keys() - STORES_NOTHING)
    assert unseen == [], f"no page shows these forms, or nothing is stored: {unseen}"
    assert asked & STORES_NOTHING <= pressed
    assert ADDS.keys() | ASKS_AGAIN.keys() | HERE.keys() | STORES_NOTHING <= posted_to(), (
        "no such form any more"
    )
