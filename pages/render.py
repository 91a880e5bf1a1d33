"""Markdown, mathematics and code to safe HTML, written by a person, an import or a model."""

import inspect
import re
from collections.abc import Sequence
from functools import lru_cache

import nh3
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from latex2mathml import converter as latex
from latex2mathml import exceptions as latex_exceptions
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from mdit_py_plugins.dollarmath import dollarmath_plugin
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.token import STANDARD_TYPES
from pygments.util import ClassNotFound

from pages.markdown_math import bracket_math_plugin

# Longer texts are shown whole but plain: parsing time grows faster than length.
LIMIT = 50_000
CODE_LIMIT = 10_000
LATEX_LIMIT = 2_000
# The parser drops blocks nested deeper than this, so such a text is shown plain.
DEPTH_LIMIT = 40
# Every open bracket may start a link, and the parser looks for the end of each: thousands take a
# second.
OPEN_BRACKETS_LIMIT = 200
# A formula up to this length fits the narrowest phone; a longer one may have to scroll.
SHORT_LATEX = 24
# A browser needs a second to lay out a table of 10,000 rows, or as many formulas.
TOKENS_LIMIT = 20_000

# Responses appear below the page's own headings, so their first level becomes the page's fourth.
_HEADING_SHIFT = 3
_ALIGNMENTS = {
    "text-align:left": "align-left",
    "text-align:center": "align-center",
    "text-align:right": "align-right",
}

_HTML_TAGS = {
    *(
        "a",
        "blockquote",
        "br",
        "code",
        "del",
        "div",
        "em",
        "h4",
        "h5",
        "h6",
        "hr",
        "li",
        "ol",
        "p",
        "pre",
        "s",
        "span",
    ),
    *("strong", "sub", "sup", "table", "tbody", "td", "th", "thead", "tr", "ul"),
}
# No annotation, mglyph, semantics or style: they switch browsers to another parser.
_MATHML_TAGS = {
    *(
        "math",
        "mfrac",
        "mi",
        "mn",
        "mo",
        "mover",
        "mpadded",
        "mphantom",
        "mroot",
        "mrow",
        "ms",
        "mspace",
        "msqrt",
        "mstyle",
    ),
    *("msub", "msubsup", "msup", "mtable", "mtd", "mtext", "mtr", "munder", "munderover"),
}
_BLOCKS = ("p", "h4", "h5", "h6", "ul", "ol", "blockquote", "table")
_ATTRIBUTES = {
    "a": {"href", "title"},
    **{block: {"dir"} for block in _BLOCKS},
    "ol": {"dir", "start"},
    "span": {"dir"},
    "math": {"display", "tabindex"},
    "mo": {
        "fence",
        "form",
        "largeop",
        "lspace",
        "maxsize",
        "minsize",
        "movablelimits",
        "rspace",
        "separator",
        "stretchy",
        "symmetric",
    },
    "mi": {"mathvariant"},
    "mstyle": {"displaystyle", "scriptlevel"},
    "mspace": {"width", "height", "depth"},
    "mfrac": {"linethickness"},
    "mover": {"accent"},
    "munder": {"accentunder"},
    "mtable": {"columnalign", "rowspacing", "columnspacing"},
    "mtd": {"columnalign"},
}
_CLASSES = {
    "span": {name for name in STANDARD_TYPES.values() if name} | {"image"},
    "code": {"math-source"},
    "div": {"math-block"},
    "th": set(_ALIGNMENTS.values()),
    "td": set(_ALIGNMENTS.values()),
}
# latex2mathml passes the content of text commands through unescaped, and the cleaner would then
# drop it.
_MARKUP_IN_LATEX = re.compile(r"\\(?:text|mbox|hbox|operatorname)[^<&]*[<&]", re.DOTALL)
# latex2mathml has errors of its own, but lets these others through on malformed input.
_LATEX_ERRORS: tuple[type[Exception], ...] = (
    *(
        error
        for _, error in inspect.getmembers(latex_exceptions, inspect.isclass)
        if issubclass(error, Exception)
    ),
    AttributeError,
    IndexError,
    KeyError,
    RecursionError,
    TypeError,
    ValueError,
)


def markdown(text: str) -> SafeString:
    """`text` as HTML. Texts longer than LIMIT or nested too deeply for the parser are shown whole
    but plain.

    Scripts, styles, images and links into this site are dropped; HTML in the text is shown as
    typed.
    """
    return plain(text) if _is_plain(text) else _markdown(text)


def markdown_once(text: str) -> SafeString:
    """Like `markdown`, but uncached: for text that will not be rendered again, such as text still
    being typed.
    """
    return plain(text) if _is_plain(text) else _markdown.__wrapped__(text)


def _is_plain(text: str) -> bool:
    return len(text) > LIMIT or _open_brackets(text) > OPEN_BRACKETS_LIMIT


def plain(text: str) -> SafeString:
    """`text` exactly as written; the class `plain` preserves its white space."""
    name = "plain long" if len(text) > LIMIT else "plain"
    return mark_safe(f'<div class="{name}">{escape(text)}</div>')  # noqa: S308  # escaped here


def _open_brackets(text: str) -> int:
    """The deepest nesting of open brackets; 0 when there are few in total."""
    if text.count("[") <= OPEN_BRACKETS_LIMIT:
        return 0
    depth = deepest = 0
    for bracket in re.findall(r"[\[\]]", text):
        depth = depth + 1 if bracket == "[" else max(0, depth - 1)
        deepest = max(deepest, depth)
    return deepest


@lru_cache(maxsize=512)
def _markdown(text: str) -> SafeString:
    try:
        tokens = _PARSER.parse(text, {})
        n_tokens = sum(1 + len(token.children or ()) for token in tokens)
        if n_tokens > TOKENS_LIMIT or any(token.level >= DEPTH_LIMIT - 2 for token in tokens):
            return plain(text)
        dirty = _PARSER.renderer.render(tokens, _PARSER.options, {})
    except RecursionError:
        return plain(text)
    return mark_safe(_CLEANER.clean(dirty))  # noqa: S308  # cleaned last


# Built once: setting up the allowed tags takes longer than cleaning a text.
_CLEANER = nh3.Cleaner(
    tags=_HTML_TAGS | _MATHML_TAGS,
    attributes=_ATTRIBUTES,
    allowed_classes=_CLASSES,
    set_tag_attribute_values={
        "a": {"target": "_blank"},
        **{tag: {"dir": "ltr"} for tag in ("code", "pre")},
    },
    url_schemes={"http", "https", "mailto"},
    url_relative="deny",
    link_rel="noopener noreferrer nofollow",
)


def _highlighted(code: str, language: str, _attributes: str) -> str:
    if len(code) > CODE_LIMIT:
        return escape(code)
    try:
        lexer = get_lexer_by_name(language)
    except ClassNotFound:
        return escape(code)
    return highlight(code, lexer, HtmlFormatter(nowrap=True))


def _math(source: str, *, display: str) -> str:
    if len(source) > LATEX_LIMIT or _MARKUP_IN_LATEX.search(source):
        return _math_source(source)
    try:
        drawn = latex.convert(source, display=display)
    except _LATEX_ERRORS:
        return _math_source(source)
    # What scrolls must take the focus, so that the keyboard can scroll it.
    return drawn if len(source) <= SHORT_LATEX else drawn.replace(" ", ' tabindex="0" ', 1)


def _math_source(source: str) -> str:
    return f'<code class="math-source">{escape(source)}</code>'


def _inline_math(
    _self: RendererHTML, tokens: Sequence[Token], index: int, _options: OptionsDict, _env: EnvType
) -> str:
    return _left_to_right(_math(tokens[index].content, display="inline"))


def _displayed_math(
    _self: RendererHTML, tokens: Sequence[Token], index: int, _options: OptionsDict, _env: EnvType
) -> str:
    return _left_to_right(_math(tokens[index].content, display="block"))


def _left_to_right(formula: str) -> str:
    """`dir="auto"` on the paragraph skips HTML elements with a direction, but not MathML."""
    return f'<span dir="ltr">{formula}</span>'


def _block_math(
    _self: RendererHTML, tokens: Sequence[Token], index: int, _options: OptionsDict, _env: EnvType
) -> str:
    return f'<div class="math-block">{_math(tokens[index].content, display="block")}</div>\n'


def _image(
    _self: RendererHTML, tokens: Sequence[Token], index: int, _options: OptionsDict, _env: EnvType
) -> str:
    """Replaces an image with its text and address: loading it would tell another site who reads
    what.
    """
    token = tokens[index]
    address = escape(str(token.attrs.get("src", "")))
    return f'<span class="image">[{escape(token.content)}] <a href="{address}">{address}</a></span>'


def _adapt_to_page(state: StateCore) -> None:
    """Gives each outermost block its own direction, shifts headings below the page's own, and sets
    alignment by class, since the page allows no inline style.
    """
    for token in state.tokens:
        if token.level == 0 and token.nesting == 1:
            token.attrs["dir"] = "auto"
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(6, int(token.tag[1]) + _HEADING_SHIFT)}"
        alignment = _ALIGNMENTS.get(str(token.attrs.pop("style", "")))
        if alignment:
            token.attrs["class"] = alignment


def _parser() -> MarkdownIt:
    # `breaks` keeps single line breaks, so addresses, poems and plain lists are shown as written.
    options = {"html": False, "breaks": True, "highlight": _highlighted, "maxNesting": DEPTH_LIMIT}
    parser = MarkdownIt("commonmark", options).enable(["table", "strikethrough"])
    parser.use(
        dollarmath_plugin,
        allow_labels=False,
        allow_space=False,
        allow_digits=False,
        double_inline=True,
    )
    parser.use(bracket_math_plugin)
    parser.add_render_rule("math_inline", _inline_math)
    parser.add_render_rule("math_inline_double", _displayed_math)
    parser.add_render_rule("math_block", _block_math)
    parser.add_render_rule("image", _image)
    parser.core.ruler.push("tame", _adapt_to_page)
    return parser


_PARSER = _parser()
