r"""LaTeX's own delimiters, \( \) and \[ \], as rules for markdown-it.

mdit_py_plugins.texmath supports them too, but it matches a pattern against the rest of the text at
every opening delimiter: 25,000 openings without a closing one took five seconds.
"""

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline


def bracket_math_plugin(parser: MarkdownIt) -> None:
    """Adds rules that emit `math_inline`, `math_inline_double` and `math_block` tokens, as
    dollarmath does.
    """
    parser.inline.ruler.before("escape", "bracket_math", _inline)
    parser.block.ruler.before(
        "fence", "bracket_math", _block, {"alt": ["paragraph", "reference", "blockquote", "list"]}
    )


def _inline(state: StateInline, silent: bool) -> bool:
    opening = state.src[state.pos : state.pos + 2]
    if opening not in {"\\(", "\\["}:
        return False
    closing = "\\)" if opening == "\\(" else "\\]"
    end = state.src.find(closing, state.pos + 2)
    if end <= state.pos + 2:
        return False
    if not silent:
        token = state.push("math_inline" if opening == "\\(" else "math_inline_double", "math", 0)
        token.content = state.src[state.pos + 2 : end].strip()
    state.pos = end + 2
    return True


def _block(state: StateBlock, first: int, last: int, silent: bool) -> bool:
    r"""A block from a line that starts with \[ to the first line that ends with \]."""
    start = state.bMarks[first] + state.tShift[first]
    if not state.src.startswith("\\[", start):
        return False
    line = first
    while not state.src[start : state.eMarks[line]].rstrip().endswith("\\]"):
        line += 1
        if line >= last or state.isEmpty(line):
            return False
        start = state.bMarks[line] + state.tShift[line]
    if not silent:
        token = state.push("math_block", "math", 0)
        token.block = True
        token.content = (
            state.getLines(first, line + 1, state.blkIndent, False).strip()[2:-2].strip()
        )
        token.map = [first, line + 1]
        state.line = line + 1
    return True
