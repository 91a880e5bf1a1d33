"""The guides that raters read on the site."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client

from accounts.models import User
from labeling.desk.forms import answer_fields
from labeling.models import Rater
from tests.html import page_of, text_of

pytestmark = pytest.mark.django_db
SignedIn = Callable[..., Client]
DOCS = Path(__file__).resolve().parents[3] / "docs"


def test_a_rater_reads_how_the_work_goes_and_what_is_recorded(
    rosa: Rater, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)

    guide = page_of(client.get("/help/raters/"))
    recorded = page_of(client.get("/help/recorded/"))

    assert "your active seconds on items that you answered" in guide
    assert '<a href="/help/recorded/">The full list</a>' in guide
    assert "everything we store with your answers" in recorded.lower()
    assert len(re.findall(r"<h2\b", guide)) == len(re.findall("</h2>", guide)) > 5
    assert not re.search(r"<h[456]\b", guide)
    assert "<br>" not in guide.partition('<div class="prose"')[2].partition("</main>")[0]


def test_a_rater_reads_the_guide_in_their_language(rosa: Rater, signed_in: SignedIn) -> None:
    english = page_of(signed_in(rosa).get("/help/raters/"))
    User.objects.update(language="de")

    german = page_of(signed_in(rosa).get("/help/raters/"))

    assert '<div class="prose" lang="en">' in english
    assert '<div class="prose" lang="de">' in german
    assert "Nichts geht verloren" in german
    assert '<a href="/help/recorded/">Die ganze Liste</a>' in german


def test_the_translated_guide_has_as_many_sections_as_the_other() -> None:
    """It may be ahead of the English one, but not behind."""
    patterns = (r"^##+ ", r"^- \*\*")
    english, german = ((DOCS / name).read_text() for name in ("raters.md", "raters.de.md"))

    for pattern in patterns:
        n = len(re.findall(pattern, english, re.MULTILINE))
        assert n > 5
        assert len(re.findall(pattern, german, re.MULTILINE)) >= n, pattern


SAID = {
    "views": "text, raw or diff",
    "seconds": "How these seconds were divided",
    "opened": "Whether you opened the guideline",
    "viewport": "size of your window",
    "typing": "How many characters you typed",
    "theme": "light or dark theme",
    "face": "reading font",
}


def test_what_is_recorded_is_said_in_words_for_people(rosa: Rater, signed_in: SignedIn) -> None:
    page = text_of(signed_in(rosa), "/help/recorded/")

    assert SAID.keys() == answer_fields.RECORDED.keys()
    assert [words for words in SAID.values() if words not in page] == []
    assert "<table" not in page
    assert "<code" not in page


def test_what_is_recorded_is_not_marked_as_english(rosa: Rater, signed_in: SignedIn) -> None:
    main = page_of(signed_in(rosa).get("/help/recorded/")).partition("<main")[2]

    assert 'lang="en"' not in main.partition("</main>")[0]


@pytest.mark.parametrize("address", ["/my-work/", "/my-pay/"])
def test_a_raters_pages_lead_to_the_guide(address: str, rosa: Rater, signed_in: SignedIn) -> None:
    assert 'href="/help/raters/"' in page_of(signed_in(rosa).get(address))


@pytest.mark.parametrize("name", ["admins", "operators", "nothing"])
def test_no_other_file_is_read(name: str, rosa: Rater, signed_in: SignedIn) -> None:
    assert signed_in(rosa).get(f"/help/{name}/").status_code == 404
