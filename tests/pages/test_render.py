"""Untrusted text, made safe to show without losing any of it."""

import html
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pages import render

ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "![x](https://evil.example/pixel.png)",
    "[out](/account/logout/)",
    '<https://evil.example/" onmouseover=alert(1)>',
    r"$\mbox{<script>alert(1)</script>}$",
    r"$\text{</math><img src=x onerror=alert(1)>}$",
    r"$$\href{javascript:alert(1)}{x}$$",
    r"\(\style{position:fixed}{x}\)",
    '```"><script>\nalert(1)\n```',
    "```html\n<script>alert(1)</script>\n```",
    "<svg><script>alert(1)</script></svg>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "| a |\n|:-:|\n| <style>*{display:none}</style> |",
    "<a id=main name=body>clobber</a>",
]


def test_a_text_that_is_still_typed_is_drawn_alike_and_pushes_nothing_out() -> None:
    before = render._markdown.cache_info().currsize

    once = render.markdown_once("**half** a thou")

    assert render._markdown.cache_info().currsize == before
    assert once == render.markdown("**half** a thou")


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_attack_leaves_a_live_element_or_attribute(attack: str) -> None:
    shown = render.markdown(attack)

    assert not re.search(r"<(script|style|img|svg|iframe|form|input|mglyph|annotation)", shown)
    assert not re.search(r"<[^>]*\s(on\w+|style|id|name|src)=", shown)
    assert not re.search(r'href="(?!https?:|mailto:)', shown)


@given(
    st.text(alphabet=st.sampled_from("<>\"'&/\\$[](){}`*_|~!# \nabmtextscript:=-"), max_size=200)
)
def test_no_text_leaves_a_tag_that_is_not_on_the_list(text: str) -> None:
    shown = render.markdown(text)

    allowed = render._HTML_TAGS | render._MATHML_TAGS
    assert set(re.findall(r"<([a-zA-Z][\w-]*)", shown)) <= allowed


def test_a_link_opens_in_a_new_tab_without_a_referrer() -> None:
    shown = render.markdown("[x](https://example.org)")

    assert (
        shown
        == '<p dir="auto"><a href="https://example.org" target="_blank" rel="noopener noreferrer'
        ' nofollow">x</a></p>\n'
    )


def test_what_was_typed_as_html_is_shown_as_typed() -> None:
    assert "&lt;b&gt;bold&lt;/b&gt;" in render.markdown("<b>bold</b>")


def test_a_typed_line_stays_a_line() -> None:
    assert (
        render.markdown("Roses are red\nViolets are blue")
        == '<p dir="auto">Roses are red<br>\nViolets are blue</p>\n'
    )


def test_headings_stay_below_those_of_the_page() -> None:
    shown = render.markdown("# One\n\n###### Six")

    assert shown == '<h4 dir="auto">One</h4>\n<h6 dir="auto">Six</h6>\n'


def test_amounts_of_money_are_no_mathematics() -> None:
    assert "<math" not in render.markdown("It costs $5 and $10.")


@pytest.mark.parametrize(
    "source", ["$a^2$", r"\(a^2\)", "$$a^2$$", r"\[a^2\]", "\\[\na^2\n\\]", "$$\na^2\n$$"]
)
def test_mathematics_in_each_usual_delimiter_becomes_mathml(source: str) -> None:
    assert "<msup><mi>a</mi><mn>2</mn></msup>" in render.markdown(source)


def test_a_formula_that_cannot_be_read_is_shown_as_its_source() -> None:
    assert r"\frac{" in render.markdown(r"$\frac{$")


def test_code_is_coloured_by_class() -> None:
    assert '<span class="k">def</span>' in render.markdown("```python\ndef f(): ...\n```")


def test_code_in_an_unknown_language_is_plain() -> None:
    assert "one &lt;two&gt;" in render.markdown("```nosuch\none <two>\n```")


def test_columns_keep_their_alignment_without_inline_style() -> None:
    assert '<td class="align-right">1</td>' in render.markdown("| a |\n|--:|\n| 1 |")


@pytest.mark.parametrize(
    "text", ["text", "# heading", "- list", "1. list", "> quote", "| table |\n|---|\n| cell |"]
)
def test_each_outermost_block_has_its_own_direction(text: str) -> None:
    shown = render.markdown(f"before\n\n{text}\n\nafter")

    assert shown.count('dir="auto"') == 3


def test_a_block_within_a_block_leaves_the_direction_to_the_outermost_one() -> None:
    # dir="auto" skips descendants that have a direction of their own.
    assert render.markdown("- one\n\n  two\n\n- > three").count('dir="auto"') == 1


@pytest.mark.parametrize("text", ["`code`", "```python\nx = 1\n```", "    code", "$x$"])
def test_code_and_mathematics_run_from_the_left(text: str) -> None:
    assert re.search(r'<(pre|code|span)[^>]* dir="ltr"', render.markdown(text))


def test_only_a_long_formula_takes_the_focus_since_only_it_may_scroll() -> None:
    long = "+".join(f"x_{n}" for n in range(20))

    assert 'tabindex="0"' in render.markdown(f"${long}$")
    assert "tabindex" not in render.markdown("$x_1$")


def test_a_text_above_the_limit_is_shown_whole_and_plain() -> None:
    text = "**x** & y\n" * 6000

    assert html.unescape(render.markdown(text)) == f'<div class="plain long">{text}</div>'


@pytest.mark.parametrize("mark", ["> ", "- ", "1. "])
@pytest.mark.parametrize("depth", [1, 10, 19, 20, 21, 39, 40, 41, 100, 1000])
def test_nothing_is_lost_however_deep_it_is_nested(mark: str, depth: int) -> None:
    assert "bottom" in render.markdown(mark * depth + "bottom")


@pytest.mark.parametrize(
    "text",
    [
        "[" * 50_000,
        "\\(" * 25_000,
        "$a " * 16_000,
        "*a **b " * 7_000,
        "`" * 50_000,
        "[a](" * 12_000,
        "<" * 50_000,
        "$" + "{" * 900,
        "_a" * 25_000,
    ],
    ids=lambda text: text[:6],
)
def test_no_text_up_to_the_limit_holds_a_page_up(text: str) -> None:
    start = time.process_time()

    render.markdown(text)

    assert time.process_time() - start < 4


@pytest.mark.parametrize("text", ["[" * 40_000, "a|b\n-|-\n" + "c|d\n" * 10_000, "$x$ " * 12_000])
def test_what_would_take_a_second_is_shown_whole_and_plain(text: str) -> None:
    assert render.markdown(text) == render.plain(text)


def test_many_brackets_that_are_closed_are_no_reason_to_show_a_text_plain() -> None:
    assert "<strong>" in render.markdown("**rows** " + "[1, 2], " * 1_000)
