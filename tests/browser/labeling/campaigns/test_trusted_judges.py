"""A trusted AI judge in Chromium: an admin lets it spare raters work by keys alone, and its page,
the campaign's quality and a snapshot with its verdicts fit and are accessible.
"""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from labeling.models import Campaign
from labeling.quality.services import compute_quality
from tests.training.judges.conftest import server
from tests.training.judges.test_learning import run_on
from tests.training.judges.test_sparing import revoke, trusted
from tests.training.judges.test_trust import LATER, judge, many, rosa
from training.judges import sparing
from training.models import Judge, Snapshot, TrustRule
from training.snapshots import services as snapshots_services
from training.snapshots.contents.filters import Filters

__all__ = ["judge", "many", "rosa", "server", "trusted"]
OpenPage = Callable[..., Page]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def snapshot(trusted: Judge, noor: User) -> Snapshot:
    return snapshots_services.create_snapshot(
        kind="comparisons", name="votes", filters=Filters(judges="trusted"), by=noor, now=LATER
    )


def test_an_admin_spares_raters_by_keys_and_the_pages_say_so(
    open_page: OpenPage,
    trusted: Judge,
    many: Campaign,
    alice: User,
    look_over: Callable[..., None],
    look_over_each: Callable[..., None],
) -> None:
    compute_quality(campaign_id=many.pk, now=LATER)
    page = open_page(f"/campaigns/{many.pk}/judges/", alice)
    button = page.get_by_role("button", name="Spare raters what it decides")
    button.focus()
    page.keyboard.press("Enter")

    expect(page.get_by_text("Raters are spared the pairs that")).to_be_visible()
    assert TrustRule.objects.get().spares_people
    sparing.advance(now=LATER)
    pages = {
        "judge-trusted": f"/campaigns/{many.pk}/judges/",
        "quality-spared": f"/campaigns/{many.pk}/agreement/",
        "items-spared": f"/campaigns/{many.pk}/items/?status=spared",
    }
    look_over_each(page, pages, widths=(1440, 390))
    expect(page.get_by_role("cell", name="Spared").first).to_be_visible()


@pytest.mark.parametrize("width", [1440, 390])
def test_a_snapshot_and_its_run_say_what_a_judge_decided(
    open_page: OpenPage,
    snapshot: Snapshot,
    noor: User,
    look_over_each: Callable[..., None],
    width: int,
) -> None:
    run = run_on(noor, snapshot, name="of people and a judge")
    page = open_page("/", noor)
    pages = {
        "snapshot-judged": f"/snapshots/{snapshot.pk}/",
        "snapshot-judged-rows": f"/snapshots/{snapshot.pk}/rows/",
        "snapshot-new-judged": "/snapshots/new/?kind=comparisons",
        "run-judged": f"/runs/{run.pk}/",
    }

    look_over_each(page, pages, widths=[width])

    expect(page.get_by_text("allowed by look").first).to_be_visible()


def test_the_page_lists_what_learned_from_a_look_that_was_taken_back(
    open_page: OpenPage,
    trusted: Judge,
    snapshot: Snapshot,
    alice: User,
    noor: User,
    look_over_each: Callable[..., None],
) -> None:
    run_on(noor, snapshot, name="of people and a judge")
    revoke(trusted)
    page = open_page("/", alice)

    address = f"/campaigns/{trusted.campaign_id}/judges/"
    look_over_each(page, {"judge-revoked": address}, widths=(1440, 390))

    expect(page.get_by_text("These runs learned from verdicts of this look")).to_be_visible()
