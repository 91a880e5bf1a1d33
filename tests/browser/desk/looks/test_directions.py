"""Texts in two directions, code and long formulas at the desk in Chromium."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from labeling.models import Campaign, Prompt, Rater, Response
from tests.browser.desk.hands import OpenPage, begin, focused, press

ARABIC = "الخميرة تأكل السكر وتطلق الغاز."
LONG_FORMULA = "+".join(str(1_000_000_000 + number) for number in range(24))
"""Wider than a window, of few elements: axe looks at each of them."""
MIXED = f"""Yeast gives off gas.

{ARABIC}

- {ARABIC}
- Yeast eats sugar!

```python
gas = sugar * 2
```

{ARABIC} `gas = 2`

$x$ {ARABIC}

| {ARABIC} | 1 |
|---|--:|
| Sugar | 2 |"""


def direction(locator: Locator) -> str:
    return str(locator.evaluate("el => getComputedStyle(el).direction"))


def is_on_the_right(locator: Locator) -> bool:
    """Whether a line of text is nearer to the right edge of its block than to the left one."""
    return bool(
        locator.evaluate("""el => {
          const range = document.createRange();
          range.selectNodeContents(el);
          const [line, block] = [range.getBoundingClientRect(), el.getBoundingClientRect()];
          return block.right - line.right < line.left - block.left;
        }""")
    )


@pytest.mark.parametrize("width", [1440, 390])
def test_each_block_of_a_response_has_its_own_direction(
    width: int,
    open_page: OpenPage,
    rosa: Rater,
    comparing: Campaign,
    screenshot: Callable[..., None],
) -> None:
    Response.objects.update(text=MIXED)
    page = begin(open_page, rosa, width=width)
    text = page.locator("#response-A .prose")
    paragraphs = text.locator("> p")

    assert [direction(paragraphs.nth(n)) for n in range(4)] == ["ltr", "rtl", "rtl", "rtl"]
    assert is_on_the_right(paragraphs.nth(1))
    assert [direction(text.locator(name)) for name in ("ul", "pre", "table")] == [
        "rtl",
        "ltr",
        "rtl",
    ]
    assert direction(text.locator("p > code")) == "ltr"
    assert not is_on_the_right(text.locator("pre"))
    assert is_on_the_right(text.locator("li").nth(1))  # beside its marker
    screenshot(page, f"desk-directions-{width}")


def test_each_line_of_a_plain_text_has_its_own_direction(
    open_page: OpenPage, rosa: Rater, comparing: Campaign
) -> None:
    Response.objects.update(text=f"Yeast gives off gas.\n{ARABIC}")
    Response.objects.filter(number=0).update(text=f"Yeast gives off air.\n{ARABIC}")
    page = begin(open_page, rosa)
    card = page.locator("#response-A")

    card.get_by_role("button", name="diff").click()
    diff = card.locator("[data-shown=diff] .plain")

    expect(diff).to_be_visible()
    assert diff.evaluate("el => getComputedStyle(el).unicodeBidi") == "plaintext"


@pytest.mark.parametrize("width", [1440, 390])
def test_a_long_formula_scrolls_by_itself(
    width: int,
    open_page: OpenPage,
    rosa: Rater,
    comparing: Campaign,
    look_over: Callable[[Page, str], None],
) -> None:
    text = (
        f"Inline ${LONG_FORMULA}$ formula.\n\n$$\n{LONG_FORMULA}\n$$\n\n"
        f"- ${LONG_FORMULA}$\n\n| a | b |\n|---|---|\n| ${LONG_FORMULA}$ | $x$ |"
    )
    Response.objects.update(text=text)
    Prompt.objects.update(messages=[{"role": "user", "content": text}])

    page = begin(open_page, rosa, width=width)

    for response in page.locator(".desk-text:visible").all():
        assert response.evaluate("el => el.scrollWidth <= el.clientWidth")
    look_over(page, f"desk-formulas-{width}")


def test_arrow_keys_scroll_the_formula_that_has_the_focus(
    open_page: OpenPage, rosa: Rater, comparing: Campaign, settled: Callable[[Page], None]
) -> None:
    Response.objects.update(text=f"Inline ${LONG_FORMULA}$ formula.")
    page = begin(open_page, rosa)
    formula = page.locator("#response-A math")

    formula.focus()
    press(page, "ArrowRight", "ArrowRight")

    expect(formula).to_be_focused()
    settled(page)
    assert formula.evaluate("el => el.scrollLeft") > 0
    press(page, "ArrowDown")
    assert focused(page) == "A/scale"
