"""Pages rendered in advance: the same HTML, found by every page that shows it, and rendered on
demand if missing.
"""

from collections.abc import Callable
from hashlib import sha256

import pytest
from django.conf import settings
from django.core.cache import cache, caches
from django.test import Client
from django.test.utils import override_settings

from labeling.desk import precompute
from labeling.models import Campaign, Rater, Response, Slot
from labeling.queue.claiming import claim, order
from pages import render, rendered
from tests.cast import NOON

SignedIn = Callable[..., Client]
DEAD = {"default": settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1/0"}}


def text_shown_to(rater: Rater) -> str:
    return order.presented(Slot.objects.get(rater=rater, state=Slot.State.LEASED))[0].text


def test_what_is_made_ahead_is_what_a_page_would_make(comparison_campaign: Campaign) -> None:
    Response.objects.update(text="**Warm** first. `made ahead` $x^2$")

    precompute.precompute_texts(campaigns=[comparison_campaign])

    text = "**Warm** first. `made ahead` $x^2$"
    assert cache.get(
        f"html:{rendered.VERSION}:{sha256(text.encode()).hexdigest()}"
    ) == render.markdown(text)
    assert rendered.markdown([text]) == [render.markdown(text)]


def test_a_second_run_makes_nothing_again(comparison_campaign: Campaign) -> None:
    Response.objects.update(text="A text of this test, so that nobody has made it.")

    assert precompute.precompute_texts(campaigns=[comparison_campaign]) > 0
    assert precompute.precompute_texts(campaigns=[comparison_campaign]) == 0


def test_the_desk_shows_what_was_made_ahead(
    comparison_campaign: Campaign, rosa: Rater, signed_in: SignedIn
) -> None:
    slot = claim.claim(campaign=comparison_campaign, rater=rosa, now=NOON)
    assert slot is not None
    text = text_shown_to(rosa)
    key = f"html:{rendered.VERSION}:{sha256(text.encode()).hexdigest()}"
    kept = cache.get(key)
    cache.set(key, "<p>made ahead</p>", 60)
    try:
        assert (
            "<p>made ahead</p>" in signed_in(rosa).get(f"/desk/item/{slot.lease}/").content.decode()
        )
    finally:
        cache.delete(key) if kept is None else cache.set(key, kept, 60)


def test_without_its_cache_the_desk_makes_its_own(
    comparison_campaign: Campaign, rosa: Rater, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    slot = claim.claim(campaign=comparison_campaign, rater=rosa, now=NOON)
    assert slot is not None
    monkeypatch.setattr(rendered, "_away_until", 0.0)

    with override_settings(CACHES=DEAD):
        page = signed_in(rosa).get(f"/desk/item/{slot.lease}/").content.decode()
        assert rendered._away_until > 0  # it is not asked again for a while

    assert str(render.markdown(text_shown_to(rosa))) in page
    assert caches["default"].get("anything") is None
