"""Actions of a rater at the desk."""

from collections.abc import Callable
from typing import Any

from django.utils import timezone
from playwright.sync_api import Page, expect

from labeling.models import Campaign, Prompt, Rater, Response
from labeling.queue.claiming import claim

OpenPage = Callable[..., Page]
QUESTION = (
    "Why does bread dough rise, and what goes wrong when it stays in a warm kitchen for too long? "
    "I would like to understand it, not only get a recipe."
)
ANSWERS = [
    (
        "Yeast eats sugar and gives off **carbon dioxide**. Gluten is stretchy enough to hold the"
        " gas, so the dough swells.\n\nHow fast depends on the warmth:\n\n| kitchen | doubled after"
        " |\n|---|---|\n| 18 °C | 3 h |\n| 24 °C | 90 min |\n| 30 °C | 50 min |\n\nLeft too long,"
        " acids weaken the gluten, bubbles merge and burst, and the loaf falls in the oven."
    ),
    (
        "The gas in the dough follows the *ideal gas law*: more of it, at the same pressure, needs"
        " more room.\n\n```python\nvolume = amount * 8.314 * kelvin / pressure\n```\n\nOverproofed"
        " dough has used up its sugar. The crust stays pale because little is left to brown, and"
        " $V$ shrinks again."
    ),
    (
        "When you mix flour and water, two proteins link into gluten. Yeast fills that net with"
        " gas.\n\n- It needs warmth, water and time.\n- Salt slows it down.\n- Too long, and the"
        " net tears."
    ),
    (
        "Bread rises because the oven is hot and hot things get bigger. "
        "You can leave the dough as long as you want, it only gets better."
    ),
]

WRITTEN = "Yeast gives off gas and gluten holds it. " * 4


def telling_texts(campaign: Campaign) -> None:
    """Realistic texts instead of the cast's short ones."""
    Prompt.objects.update(messages=[{"role": "user", "content": QUESTION}])
    for number, text in enumerate(ANSWERS):
        Response.objects.filter(number=number).update(text=text)


def begin(open_page: OpenPage, rater: Rater, **options: Any) -> Page:
    """The first item of the only campaign, already claimed."""
    slot = claim.claim(campaign=Campaign.objects.get(), rater=rater, now=timezone.now())
    assert slot is not None
    return open_page(f"/desk/item/{slot.lease}/", rater, **options)


def skip_pause(page: Page) -> None:
    """The two seconds until a draft is saved, or a request is repeated. Needs page.clock.install(),
    before what they are counted from.
    """
    page.clock.fast_forward(2_000)


def focused(page: Page) -> str:
    """Where the focus is: A/text, A/scale, …"""
    return str(
        page.evaluate("""() => {
              const el = document.activeElement, card = el.closest("[data-letter]");
              const name = el.matches("[data-text]") ? "text" : el.id || el.tagName;
              const control = el.closest("[data-control]")?.dataset.control ?? name;
              return `${card?.dataset.letter ?? ""}/${control}`;
            }""")
    )


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def rate_all(page: Page, *scores: int) -> None:
    """By keys, from the text of A: down to the scale, a digit, and on to the next response's
    scale.
    """
    press(page, "ArrowDown") if focused(page).endswith("text") else None
    for score in scores:
        press(page, str(score), "ArrowRight")


def rank_all(page: Page, *ranks: int) -> None:
    page.locator("[data-text]").first.focus()
    press(page, *(str(rank) for rank in ranks))


def line(page: Page) -> str:
    return page.locator("[data-line]").inner_text()


SILENT = (
    "() => { window.real = window.fetch; window.fetch = async () => { throw new TypeError('no"
    " answer'); }; }"
)


def write_and_submit(page: Page) -> str:
    """The address of the item after the one that is answered here."""
    first = page.url
    page.keyboard.insert_text(WRITTEN)
    press(page, "Control+Enter")
    expect(page.locator("[data-review]")).to_be_visible()
    press(page, "Control+Enter")
    page.wait_for_url(lambda url: url != first)
    page.wait_for_selector(".desk[data-mounted]")
    return page.url
