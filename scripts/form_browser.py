"""A browser without JavaScript: it keeps cookies, reads a page's forms, submits them and follows
redirects.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urljoin

import httpx2
from lxml.html import FormElement, HtmlElement, InputElement, SelectElement, TextareaElement
from lxml.html import document_fromstring as parsed

Answer = str | list[str] | None
SEEN = ".//text()[not(ancestor::script or ancestor::style or ancestor::template)]"


class UnexpectedPage(Exception):
    """The site returned something unexpected; the text says what."""


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

    @cached_property
    def root(self) -> HtmlElement:
        return parsed(self.html)

    @property
    def text(self) -> str:
        """Its messages and its own content, without the menus around them."""
        shown = self.root.xpath("//*[@id='toasts']") + self.root.xpath("//main")
        return " ".join(text_of(part) for part in shown or [self.root])

    @property
    def forms(self) -> list[Form]:
        return [read_form(form) for form in self.root.forms]

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
        return Page(str(response.url), response.status_code, response.text)


def text_of(element: HtmlElement) -> str:
    """What a reader sees of it, with single spaces."""
    return " ".join("".join(element.xpath(SEEN)).split())


def read_form(element: FormElement) -> Form:
    form = Form(element.get("action") or "", element.method == "POST")
    for control in element.inputs:
        if not control.name or "disabled" in control.attrib:
            continue
        if isinstance(control, SelectElement):
            form.options.setdefault(control.name, {}).update(
                {option.get("value") or "": text_of(option) for option in control.iter("option")}
            )
        elif isinstance(control, InputElement) and control.checkable:
            label_for = f"//label[@for='{control.get('id')}']"
            labels = control.xpath(f"ancestor::label | {label_for}")
            words = text_of(labels[0]) if labels else ""
            form.options.setdefault(control.name, {})[control.get("value", "on")] = words
        elif isinstance(control, TextareaElement):
            # The first line break after the tag is not part of the text.
            control.value = control.value.removeprefix("\n")
        elif control.value is None:
            control.value = ""  # browsers send it
        for value in _sent_by(control):
            form.values.setdefault(control.name, []).append(value)
    return form


def _sent_by(control: HtmlElement) -> list[str]:
    """What a browser sends of it while nobody touches it."""
    if isinstance(control, SelectElement):
        value = control.value
        return list(value) if control.multiple else [] if value is None else [value]
    if isinstance(control, InputElement) and control.checkable:
        return [control.get("value", "on")] if control.checked else []
    is_button = control.get("type") in ("submit", "image", "reset", "file", "button")
    return [] if is_button else [control.value]


# --- a form that several scripts fill in ----------------------------------------------------------


def open_campaign(
    admin: FormBrowser,
    *,
    name: str,
    pool: str = "Simulated raters",
    guideline: str = "Comparing responses",
    options: Mapping[str, Sequence[str]],
    **answers: Any,
) -> str:
    """`options`: what is chosen in further fields, by its words. Returns the campaign's id."""
    page = admin.open("/campaigns/new/")
    form = page.form(has="response_sources")
    options = {"pool": [pool], "guideline": [guideline], **options}
    chosen: dict[str, Any] = {
        field: [form.option(field, one) for one in words] for field, words in options.items()
    }
    return opened(admin, admin.send(page, form, name=name, **chosen, **answers))


def opened(admin: FormBrowser, page: Page) -> str:
    """Opens the draft on its page. Returns its id."""
    if not re.search(r"/campaigns/\d+/$", page.address):
        raise SystemExit(f"The campaign could not be created: {page.text[:1000]}")
    admin.send(page, page.form("/open"))
    return page.address.rstrip("/").rpartition("/")[2]
