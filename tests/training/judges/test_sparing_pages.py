"""What pages say of spared pairs: progress, quality, the judge's page; and nothing to raters."""

import re
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from labeling.campaigns import board
from labeling.models import Campaign, QualityReport, Rater, Slot
from labeling.quality import selectors as quality_selectors
from labeling.quality.pages import words as quality_words
from labeling.queue.stuck import stuck
from tests.cast import lease_of, login_of
from tests.training.judges.conftest import NOW
from tests.training.judges.test_pages import words_of
from tests.training.judges.test_sparing import (
    OVERLAP,
    comes_first,
    spared,
    sparing_judge,
    standing_items,
    trusted,
)
from tests.training.judges.test_trust import LATER, a_rule, drawn, judge, many, rosa, vote
from training.judges import sparing, trust
from training.judges.services import UnableToJudge
from training.models import Judge, TrustRule, Verdict

__all__ = ["judge", "many", "rosa", "sparing_judge", "trusted"]
pytestmark = pytest.mark.django_db
SignedIn = Callable[..., Client]


def test_a_campaign_is_done_when_people_have_answered_what_is_theirs(
    sparing_judge: Judge, many: Campaign, rosa: Rater, raul: Rater
) -> None:
    n = len(spared(many))
    for number, rater in enumerate((rosa, raul)):
        Slot.objects.filter(campaign=many, number=number).update(state="submitted", rater=rater)

    found = board.campaign_board(campaign=many, now=LATER)
    assert found.progress.is_done
    assert found.progress.n_left == 0
    assert found.progress.n_slots == OVERLAP * (240 - n)
    assert stuck(campaign=many, now=LATER).n == 0
    counts = {
        status: board.campaign_items(campaign=many, status=status).count()
        for status in ("spared", "untouched", "finished")
    }
    assert counts == {"spared": n, "untouched": 0, "finished": 240 - n}


def test_the_quality_pages_say_which_pairs_the_figures_are_of(
    sparing_judge: Judge, many: Campaign
) -> None:
    n = len(spared(many))
    assert quality_words.spared(many, n) == (
        f"A trusted judge spared raters {n} of 240 pairs. These figures are of the other {240 - n},"
        " so they hold more of the pairs that the judge was unsure of."
    )
    assert quality_selectors.freshness(campaign=many).n_spared == 0  # without a report
    QualityReport.objects.create(campaign=many)
    assert quality_selectors.freshness(campaign=many).n_spared == n
    assert quality_words.spared(many, 0) == ""


def test_a_rater_s_pages_are_the_same_with_and_without(
    trusted: Judge, many: Campaign, rosa: Rater, raul: Rater, alice: User, signed_in: SignedIn
) -> None:
    """The pair that raul holds is escalated: the judge changed its mind about it."""
    one = min(standing_items(trusted))
    Verdict.objects.filter(item=one).update(judgment=None)
    comes_first(one)
    client = signed_in(login_of(raul))
    client.post(reverse("desk_next", args=[many.pk]))
    held = Slot.objects.get(rater=raul, state="leased")
    assert held.item_id == one
    lease = lease_of(held)
    addresses = [
        reverse("desk"),
        reverse("desk_item", args=[lease]),
        reverse("desk_progress", args=[lease]),
        reverse("my_work"),
    ]

    def pages() -> list[str]:
        texts = [client.get(address).content.decode() for address in addresses]
        moving = r'nonce="[^"]*"|\b\w{32,}\b|\d+'  # tokens, and how many pairs are left
        return [re.sub(moving, "", text) for text in texts]

    before = pages()
    sparing.switch(judge=trusted, is_on=True, by=alice, now=LATER)
    sparing.advance(now=LATER)
    assert spared(many)

    assert pages() == before
    assert not re.search(r"spared|judge", " ".join(before), re.IGNORECASE)


def test_an_admin_turns_it_on_once_a_part_is_trusted(
    judge: Judge, many: Campaign, rosa: Rater, alice: User, signed_in: SignedIn
) -> None:
    client = signed_in(alice)
    address = reverse("campaign_judge_sparing", args=[many.pk, judge.pk])
    with pytest.raises(UnableToJudge, match="trusted with nothing"):
        sparing.switch(judge=judge, is_on=True, by=alice, now=LATER)
    a_rule(judge, alice)
    page = client.get(reverse("campaign_judges", args=[many.pk])).content.decode()
    assert re.search(r'disabled\s+aria-describedby="sparing-', page)
    assert "Raters get every pair." in page

    vote(rosa, drawn(judge), agrees=lambda: True)
    trust.advance(now=LATER)
    n = len(standing_items(judge))
    assert f"They could be spared {n} of 240 pairs." in words_of(client, many)
    client.post(address, {"on": "1"})
    assert TrustRule.objects.get().spares_people
    sparing.advance(now=LATER)
    page = words_of(client, many)
    assert f"Raters are spared {n} of 240 pairs now." in page
    assert "Calibration pairs 120" in page
    assert f"Audits {120 - n}" in page
    late = client.post(address, {"on": "1"}, follow=True).content.decode()
    assert "This was changed meanwhile. Reload the page." in late
    client.post(address, {"on": "0"})
    assert not TrustRule.objects.get().spares_people


def test_the_page_says_what_waits_for_a_server_that_is_away(
    judge: Judge, many: Campaign, alice: User, signed_in: SignedIn
) -> None:
    some = many.items.order_by("pk")[:3]
    Verdict.objects.filter(item__in=some).update(state="queued", label="", judgment=None)
    Judge.objects.update(failing_since=NOW, state=Judge.State.RUNNING)

    page = words_of(signed_in(alice), many)

    assert "has not answered as it should since" in page
    assert "3 pairs wait for it; raters get those pairs as before." in page
