"""Pages as a browser shows them, so that tests don't depend on a template's layout."""

import re
from html.parser import HTMLParser
from typing import Protocol

from django.test import Client

# White space next to any other tag shows as a blank.
BLOCKS = (
    "address|article|aside|blockquote|body|br|caption|circle|col|colgroup|datalist|dd|details"
    "|dialog|div|dl|dt|fieldset|figcaption|figure|footer|form|g|h[1-6]|head|header|hr|html|legend"
    "|li|line|link|main|meta|nav|ol|optgroup|option|p|path|polyline|rect|script|section|style"
    "|summary|table|tbody|td|tfoot|th|thead|title|tr|ul"
)
# Their own outside is text, their inside is not.
BOXES = "button|meter|progress|select|svg"

_REST = r"""(?:[^<>"']|"[^"]*"|'[^']*')*>"""
_TAG = re.compile(rf"<[/!]?[a-zA-Z]{_REST}")
_AS_WRITTEN = re.compile(r"(<(pre|script|style|textarea)\b.*?</\2\s*>)", re.DOTALL)
_AROUND = re.compile(rf"\s*(</?(?:{BLOCKS})(?=[\s/>]){_REST})\s*")
_INSIDE = re.compile(rf"(<(?:{BOXES})(?=[\s/>]){_REST})\s+|\s+(?=</(?:{BOXES})>)")


UNREAD = {"code", "pre", "script", "style", "template", "textarea"}
READ_ALOUD = {"aria-label", "title", "placeholder", "data-label", "alt"}


class Answer(Protocol):
    @property
    def content(self) -> bytes: ...


def page_of(answer: Answer) -> str:
    """The squeezed source of a page."""
    return squeezed(answer.content.decode())


def text_of(client: Client, path: str) -> str:
    """The squeezed source of the page at `path`, which must answer 200."""
    response = client.get(path)
    assert response.status_code == 200, path
    return page_of(response)


def squeezed(html: str) -> str:
    """The page without invisible white space: none next to a block or before the end of a tag, one
    blank elsewhere. The contents of <pre>, <textarea> and scripts do not change.
    """
    parts = _AS_WRITTEN.split(html)
    # Each protected element comes with the name of its tag, from the inner group.
    return "".join(
        _without_blanks(text) + kept
        for text, kept in zip(parts[::3], [*parts[1::3], ""], strict=True)
    )


def _without_blanks(text: str) -> str:
    text = _TAG.sub(lambda tag: re.sub(r"\s+(?=/?>$)", "", tag[0]), re.sub(r"\s+", " ", text))
    return _INSIDE.sub(r"\1", _AROUND.sub(r"\1", text))


class Words(HTMLParser):
    """Collects the texts for words_of."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.n_unread = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.n_unread += tag in UNREAD
        self.found += [value or "" for name, value in attrs if name in READ_ALOUD]

    def handle_endtag(self, tag: str) -> None:
        self.n_unread -= tag in UNREAD

    def handle_data(self, data: str) -> None:
        if not self.n_unread:
            self.found.append(data)


def words_of(page: str) -> list[str]:
    """The texts of a page that somebody sees or hears."""
    parser = Words()
    parser.feed(page.partition("<body")[2])
    return parser.found


def names(text: str, alias: str) -> bool:
    """Whether a text names the rater. “Rater 62” does not name “Rater 6”."""
    return re.search(rf"{re.escape(alias)}(?![0-9])", text) is not None
