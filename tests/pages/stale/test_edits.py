"""A page that was opened before somebody else saved never overwrites what they saved."""

import pytest
from django.test import Client

from tests.pages.stale.edits import EDITS
from tests.pages.stale.two_tabs import Edit, Fixture, Tab, as_lists, differences, stored

OTHERS = "Nothing has been saved: this was changed after you opened the page."


@pytest.fixture
def get(request: pytest.FixtureRequest, db: None) -> Fixture:
    return request.getfixturevalue


@pytest.fixture(params=EDITS)
def url_name(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def scene(url_name: str, get: Fixture) -> Edit:
    return EDITS[url_name](get)


def tab(get: Fixture, scene: Edit, url_name: str) -> Tab:
    client: Client = get("signed_in")(scene.by)
    return Tab.opened(client, scene.page, url_name, scene.has)


def test_what_somebody_else_saved_stays_and_what_was_typed_is_on_the_page(
    get: Fixture, scene: Edit, url_name: str
) -> None:
    stale = tab(get, scene, url_name)
    before = stored()
    tab(get, scene, url_name).send(scene.theirs)
    theirs = stored()
    assert differences(before, theirs), "the other tab saved nothing"

    stale.page = stale.send(scene.mine)

    assert differences(theirs, stored()) == {}
    assert OTHERS in stale.page.text
    shown = stale.form.values
    typed, saved = as_lists(scene.mine), as_lists(scene.theirs)
    assert {name: shown[name] for name in typed} == typed
    untouched = saved.keys() - typed.keys()
    assert {name: shown[name] for name in untouched} == {name: saved[name] for name in untouched}


def test_the_heading_names_what_stands_and_not_what_was_typed(get: Fixture, db: None) -> None:
    page = f"/pools/{get('day_shift').pk}/edit/"
    stale = Tab.opened(get("signed_in")(get("alice")), page, "pool_edit")
    Tab.opened(get("signed_in")(get("alice")), page, "pool_edit").send({"name": "Night shift"})

    answer = stale.send({"name": "Early shift"})

    assert OTHERS in answer.text
    assert "Edit Night shift" in answer.text
    assert "Edit Early shift" not in answer.text


def test_saving_again_keeps_what_the_person_did_not_touch(
    get: Fixture, scene: Edit, url_name: str
) -> None:
    stale = tab(get, scene, url_name)
    tab(get, scene, url_name).send(scene.theirs)
    stale.page = stale.send(scene.mine)

    stale.send({})

    shown = tab(get, scene, url_name).form.values
    expected = as_lists(scene.theirs) | as_lists(scene.mine)
    assert {name: shown[name] for name in expected} == expected


def test_the_same_change_in_two_tabs_is_no_conflict(
    get: Fixture, scene: Edit, url_name: str
) -> None:
    stale = tab(get, scene, url_name)
    tab(get, scene, url_name).send(scene.theirs)

    assert OTHERS not in stale.send(scene.theirs).text


def test_a_page_without_digests_is_taken_as_it_is(get: Fixture, scene: Edit, url_name: str) -> None:
    """One that was opened under the release before."""
    stale = tab(get, scene, url_name)
    digests: dict[str, list[str]] = {
        name: [] for name in stale.form.values if name.startswith("shown-")
    }
    assert digests
    before = stored()

    page = stale.send({**scene.mine, **digests})

    assert OTHERS not in page.text
    assert differences(before, stored())
