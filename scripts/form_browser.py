"""A browser without JavaScript: it keeps cookies, reads a page's forms, submits them and follows
redirects.
"""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

import httpx2

Attributes = dict[str, str | None]
Answer = str | list[str] | None
VOID = {
    "area",
    "base",
    "br",
    "col",
    "embed",
    "hr",
    "img",
    "input",
    "link",
    "meta",
    "source",
    "track",
    "wbr",
}
UNSEEN = {"script", "style", "template"}
CHOSEN_BY_CLICK = {"checkbox", "radio"}
BUTTONS = {"submit", "button", "reset", "image"}


class UnexpectedPage(Exception):
    """The site returned something unexpected; the text says what."""


@dataclass
class Node:
    """An element, or the text between elements (`tag` is then empty)."""

    tag: str
    attributes: Attributes = field(default_factory=dict)
    children: list["Node"] = field(default_factory=list)
    data: str = ""

    def all(self, tag: str, **wanted: str) -> "list[Node]":
        """Descendants of this element, in page order."""
        found = []
        for child in self.children:
            if child.tag == tag and all(
                child.attributes.get(name.replace("_", "-")) == value
                for name, value in wanted.items()
            ):
                found.append(child)
            found += child.all(tag, **wanted)
        return found

    @property
    def raw_text(self) -> str:
        return self.data + "".join(
            child.raw_text for child in self.children if child.tag not in UNSEEN
        )

    @property
    def text(self) -> str:
        return " ".join(self.raw_text.split())


@dataclass
class Form:
    """A form as the page shows it. `options` has the choices of each checkbox, radio button and
    select: labels by value.
    """

    action: str
    is_post: bool
    values: dict[str, list[str]] = field(default_factory=dict)
    options: dict[str, dict[str, str]] = field(default_factory=dict)

    def option(self, name: str, words: str) -> str:
        """The value of the option of `name` whose label contains `words`."""
        for value, shown in self.options.get(name, {}).items():
            if words in shown:
                return value
        raise UnexpectedPage(
            f"“{name}” offers {list(self.options.get(name, {}).values())}, and not “{words}”."
        )


@dataclass
class Page:
    address: str
    status: int
    html: str
    root: Node

    @property
    def text(self) -> str:
        return self.root.text

    @property
    def forms(self) -> list[Form]:
        return [read_form(node) for node in self.root.all("form")]

    def form(self, ending: str = "", *, has: str = "") -> Form:
        """The form whose URL ends with `ending`, or that has the field `has`."""
        for form in self.forms:
            if (ending and form.action.endswith(ending)) or (
                has and (has in form.values or has in form.options)
            ):
                return form
        raise UnexpectedPage(f"{self.address} has no form {ending or has}: “{self.text[:300]}”")


class FormBrowser:
    """One person at a browser. Use it in one thread only."""

    def __init__(self, address: str, name: str) -> None:
        self.name = name
        self.client = httpx2.Client(base_url=address, follow_redirects=True, timeout=120)

    def open(self, address: str) -> Page:
        return self._page(self.client.get(address))

    def send(
        self, page: Page, form: Form, files: dict[str, Any] | None = None, **answers: Answer
    ) -> Page:
        """Submits the form with `answers` changed: a text, several texts, or None to leave the
        field out.
        """
        values = form.values | {
            name: [answer] if isinstance(answer, str) else answer or []
            for name, answer in answers.items()
        }
        fields = {name: list(given) for name, given in values.items() if given}
        target = urljoin(page.address, form.action or page.address)
        if not form.is_post:
            return self._page(self.client.get(target, params=fields))
        # Browsers send the form's origin, and Django checks it.
        headers = {"Referer": page.address, "Origin": str(self.client.base_url).rstrip("/")}
        return self._page(self.client.post(target, data=fields, files=files, headers=headers))

    def sign_in(self, email: str, password: str) -> Page:
        page = self.open("/account/login/")
        page = self.send(page, page.form(has="password"), login=email, password=password)
        if "/login" in page.address:
            raise UnexpectedPage(f"{email} could not sign in: “{page.text[:300]}”")
        return page

    def _page(self, response: httpx2.Response) -> Page:
        if response.status_code >= 500 or response.status_code in (403, 404):
            raise UnexpectedPage(
                f"{self.name}: {response.request.method} {response.url} gave"
                f" {response.status_code}."
            )
        return Page(str(response.url), response.status_code, response.text, parse(response.text))


class _Tree(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Node("")
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, dict(attrs))
        self.open[-1].children.append(node)
        if tag not in VOID:
            self.open.append(node)

    def handle_endtag(self, tag: str) -> None:
        for depth in range(len(self.open) - 1, 0, -1):
            if self.open[depth].tag == tag:
                del self.open[depth:]
                return

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(Node("", data=data))


def parse(html: str) -> Node:
    tree = _Tree()
    tree.feed(html)
    tree.close()
    return tree.root


def read_form(node: Node) -> Form:
    method = (node.attributes.get("method") or "get").lower()
    form = Form(node.attributes.get("action") or "", method == "post")
    words_of = {
        control.attributes.get("id") or id(control): label.text
        for label in node.all("label")
        for control in label.all("input") or [Node("", {"id": label.attributes.get("for")})]
    }
    for control in node.all("input"):
        _read_input(form, control, words_of.get(control.attributes.get("id") or id(control), ""))
    for control in node.all("textarea"):
        if name := control.attributes.get("name"):
            # The first line break after the tag is not part of the text.
            form.values.setdefault(name, []).append(control.raw_text.removeprefix("\n"))
    for control in node.all("select"):
        _read_select(form, control)
    return form


def _read_input(form: Form, control: Node, words: str) -> None:
    name, kind = control.attributes.get("name"), (control.attributes.get("type") or "text").lower()
    if not name or kind in BUTTONS or kind == "file" or "disabled" in control.attributes:
        return
    value = control.attributes.get("value")
    if kind not in CHOSEN_BY_CLICK:
        form.values.setdefault(name, []).append(value or "")
        return
    form.options.setdefault(name, {})["on" if value is None else value] = words
    if "checked" in control.attributes:
        form.values.setdefault(name, []).append("on" if value is None else value)


def _read_select(form: Form, control: Node) -> None:
    name = control.attributes.get("name")
    if not name:
        return
    options = control.all("option")
    offered = {option.attributes.get("value") or "": option.text for option in options}
    form.options.setdefault(name, {}).update(offered)
    chosen = [
        option.attributes.get("value") or ""
        for option in options
        if "selected" in option.attributes
    ]
    form.values[name] = chosen or list(offered)[:1]
