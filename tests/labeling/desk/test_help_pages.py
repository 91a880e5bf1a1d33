"""The guides that raters read on the site."""

from collections.abc import Callable

import pytest
from django.test import Client

from labeling.models import Rater
from tests.html import page_of

pytestmark = pytest.mark.django_db
SignedIn = Callable[..., Client]


def test_a_rater_reads_how_the_work_goes_and_what_is_recorded(
    rosa: Rater, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)

    guide = page_of(client.get("/help/raters/"))
    recorded = page_of(client.get("/help/recorded/"))

    assert "your active seconds on items that you answered" in guide
    assert '<a href="/help/recorded/">The full list</a>' in guide
    assert "<table>" in recorded
    assert "<br>" not in guide.partition('<div class="prose"')[2].partition("</main>")[0]


@pytest.mark.parametrize("address", ["/my-work/", "/my-pay/"])
def test_a_raters_pages_lead_to_the_guide(address: str, rosa: Rater, signed_in: SignedIn) -> None:
    assert 'href="/help/raters/"' in page_of(signed_in(rosa).get(address))


@pytest.mark.parametrize("name", ["admins", "operators", "nothing"])
def test_no_other_file_is_read(name: str, rosa: Rater, signed_in: SignedIn) -> None:
    assert signed_in(rosa).get(f"/help/{name}/").status_code == 404
