"""Every form on every page that a person of each role can reach by following links, and what a
stale tab does with it.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urljoin

import form_browser
from django.test import Client
from lxml.html import FormElement, HtmlElement

from accounts.models import User
from labeling.models import Rater
from tests.cast import cookies_of, login_of
from tests.pages.stale.presses import OURS, THEIRS, Button, Press, press, undone, url_name_of
from tests.pages.stale.two_tabs import Fields, as_lists, differences, page_of, stored

MOST = {"run": 3}
"""Pages of one URL that are opened, if not one. Runs have many states."""
DOWNLOADS = {"my_data_file", "run_archive", "model_archive"}
NOT_OURS = ("account_", "mfa_", "set_language")
Values = Mapping[str, Fields]
"""What a person has to choose in a form, by the name of its URL."""


@dataclass(frozen=True)
class Outcome:
    """What the second of two tabs did."""

    button: Button
    is_first_stored: bool
    again: dict[str, list[Any]]
    """rows that the second one, whose page was stale, added or changed, by table"""
    changed: set[str]
    """tables of which it changed rows that were there"""
    is_typed: bool
    """whether the second one sent a text"""
    press: Press
    says: bool
    after: str = ""
    """what happened between, if it was not the same button"""


class Walk:
    """All forms that `person` finds; None is somebody who is not signed in. `sent`: what is sent to
    a path to get its page.
    """

    def __init__(
        self, person: User | Rater | None, first: Sequence[str] = (), sent: Values | None = None
    ) -> None:
        person = login_of(person) if isinstance(person, Rater) else person
        self.cookies = cookies_of(person) if person else SimpleCookie()
        self.sent = sent or {}
        self.waiting = ["/", *first]
        self.pages: dict[str, form_browser.Page] = {}
        self.choosing: dict[Button, bool] = {}
        """whether a button stores something only if choices are made"""

    def browser(self) -> Client:
        client = Client()
        client.cookies = SimpleCookie({name: one.value for name, one in self.cookies.items()})
        return client

    def buttons(self, known: set[tuple[str, str, str]]) -> Iterator[Button]:
        """Without those that are `known` already, to which they are added."""
        n_opened: Counter[str] = Counter()
        while self.waiting:
            path = self.waiting.pop(0)
            name = url_name_of(path)
            if not name or name in DOWNLOADS or n_opened[name] >= MOST.get(name, 1):
                continue
            buttons = self.buttons_on(path)
            n_opened[name] += path in self.pages
            for button in buttons:
                if button.key not in known:
                    known.add(button.key)
                    yield button

    def buttons_on(self, path: str) -> list[Button]:
        if path not in self.pages:
            page = self.opened(path)
            if page is None:
                return []
            self.pages[path] = self.pages[page.address] = page
            links = page.root.xpath("//a[@href]")
            self.waiting += [urljoin(page.address, link.get("href")) for link in links]
        return list(buttons_of(self.pages[path]))

    def opened(self, path: str) -> form_browser.Page | None:
        """None if there is no page."""
        with undone():
            if path in self.sent:
                answer = self.browser().post(path, as_lists(self.sent[path]))
            else:
                answer = self.browser().get(path, follow=True)
            is_page = answer.status_code == 200 and "text/html" in answer.get("Content-Type", "")
            return page_of(answer, path) if is_page else None

    def twice(self, button: Button, values: Values) -> Iterator[Outcome]:
        """What a second tab does with the button: what the first one did and, where fields take a
        text, the same with another one. Choices are made for the person if there are any, unless
        nothing is stored with them. What the second tab stores is compared row by row only if it
        writes.
        """
        for chooses in (True, False):
            ours = self.fields(button, values, OURS, chooses=chooses)
            theirs = self.fields(button, values, THEIRS, chooses=chooses)
            with undone():
                first = press(self.browser(), button, theirs, follows=False)
                if first.tables:
                    self.choosing[button] = chooses
                    yield self._second(button, theirs, is_typed=False)
                    if ours != theirs:
                        yield self._second(button, ours, is_typed=True)
                    return
            if theirs == self.fields(button, values, THEIRS, chooses=False):
                break
        yield Outcome(button, False, {}, set(), False, first, says=False)

    def _second(
        self, button: Button, fields: Fields, *, is_typed: bool, after: str = ""
    ) -> Outcome:
        with undone():
            pressed = press(self.browser(), button, fields)
        again: dict[str, list[Any]] = {}
        changed: set[str] = set()
        if pressed.tables:
            with undone():
                before = stored(pressed.tables)
                pressed = press(self.browser(), button, fields)
                now = stored(pressed.tables)
                again = differences(before, now)
                changed = {
                    table for table in again if any(row not in now[table] for row in before[table])
                }
        says = pressed.says(self.pages[button.page])
        return Outcome(button, True, again, changed, is_typed, pressed, says, after)

    def no_longer_offered(self, path: str, values: Values, stage: "Stage") -> Iterator[Outcome]:
        """What each button of the page does after each other one was pressed, or after something
        that happens meanwhile, if a page that is opened then does not offer it.
        """
        buttons = one_of_each(buttons_of(self.pages[path]))
        acts = [] if stage.is_one_act else list({one.url_name: one for one in buttons}.values())
        events: list[Button | Callable[[], object]] = [*stage.meanwhile, *stage.changes, *acts]
        for happens in events:
            with undone():
                if isinstance(happens, Button):
                    happens_name = happens.url_name
                    chooses = self.choosing.get(happens, False)
                    theirs = self.fields(happens, values, THEIRS, chooses=chooses)
                    if not press(self.browser(), happens, theirs, follows=False).tables:
                        continue
                else:
                    happens_name = happens.__name__
                    happens()
                now = None if happens in stage.changes else self.opened(path)
                offered = {button.sends for button in buttons_of(now)} if now else set()
                for button in buttons:
                    if button.sends not in offered and button != happens:
                        ours = self.fields(button, values, OURS, chooses=True)
                        is_typed = bool(self.texts(button, values))
                        yield self._second(button, ours, is_typed=is_typed, after=happens_name)

    def texts(self, button: Button, values: Values) -> list[str]:
        """The fields of the form that take any text, and those whose value is a sentence."""
        chosen = self._chosen(button, values)
        of_the_form = [
            control.name
            for control in form_of(self.pages[button.page], button).inputs
            if control.name
            and "disabled" not in control.attrib
            and (control.tag == "textarea" or control.get("type") == "text")
        ]
        names = dict.fromkeys([*of_the_form, *chosen])
        return [name for name in names if " " in "".join(map(str, chosen.get(name, " ")[:1]))]

    def _chosen(self, button: Button, values: Values) -> dict[str, list[str]]:
        """The values for this form. They call a row 1, whatever its ID is here."""
        own = {re.sub(r"\d+", "1", name): name for name in self._names(button)}
        chosen = as_lists(values.get(button.url_name, {}))
        return {own.get(name, name): value for name, value in chosen.items()}

    def _names(self, button: Button) -> list[str]:
        inputs = form_of(self.pages[button.page], button).inputs
        return [control.name for control in inputs if control.name]

    def fields(self, button: Button, values: Values, text: str, *, chooses: bool) -> Fields:
        """What the form sends, with `text` after what its fields have."""
        form = form_browser.read_form(form_of(self.pages[button.page], button))
        choices = choices_of(form) if chooses else {}
        fields = form.values | choices | self._chosen(button, values)
        if button.name:
            fields |= {button.name: [button.value]}
        names = self.texts(button, values) if text else []
        return fields | {name: [f"{fields.get(name, [''])[0]} {text}".strip()] for name in names}


def choices_of(form: form_browser.Form) -> dict[str, list[str]]:
    """One of each field that offers some and has none."""
    return {
        name: [next(value for value in options if value)]
        for name, options in form.options.items()
        if any(options) and form.values.get(name, [""]) == [""]
    }


def one_of_each(buttons: Iterable[Button]) -> list[Button]:
    """Without those that differ only in what a number names."""
    return list({button.key: button for button in buttons}.values())


def buttons_of(page: form_browser.Page) -> Iterator[Button]:
    for form in page.root.forms:
        if form.method == "POST":
            yield from buttons_in(form, page.address)


def buttons_in(form: FormElement, address: str) -> Iterator[Button]:
    submits = "[not(@disabled)][not(@type) or @type='submit']"
    pressed: list[HtmlElement] = form.xpath(f".//button[not(@form)]{submits}")
    if form.get("id"):
        pressed += form.getroottree().xpath(f"//button[@form='{form.get('id')}']{submits}")
    for button in pressed or [form]:
        action = button.get("formaction") or form.get("action") or address
        target = urljoin(address, action)
        name, value = button.get("name", "") if button is not form else "", button.get("value")
        url_name = url_name_of(target)
        if not url_name.startswith(NOT_OURS):
            yield Button(url_name, address, target, name, value or "")


def form_of(page: form_browser.Page, button: Button) -> FormElement:
    for form in page.root.forms:
        if any(other == button for other in buttons_in(form, button.page)):
            return form
    raise AssertionError(f"{button.page} no longer has a button {button.key}")


@dataclass(frozen=True)
class Stage:
    """A site on which something has happened."""

    person: User | Rater | None
    paths: list[str]
    """pages that this person opens"""
    meanwhile: Sequence[Callable[[], object]] = ()
    """what may happen while the pages are open"""
    changes: Sequence[Callable[[], object]] = ()
    """the same, after which no button means what its page said, though a page may offer it again"""
    is_one_act: bool = False
    """whether its buttons have nothing to do with each other"""
    sent: Values = field(default_factory=dict)
    """what is sent to a path to get its page, by path; other pages are opened"""
    password: str = ""
    """with which the person has just confirmed who they are, if some button needs that"""


@dataclass(frozen=True)
class Scene:
    name: str
    sets: Callable[[], Stage]

    def outcomes(self, values: Values) -> Iterator[Outcome]:
        with undone():
            stage = self.sets()
            walk = Walk(stage.person, sent=stage.sent)
            if stage.password:
                walk.browser().post("/account/reauthenticate/", {"password": stage.password})
            for path in stage.paths:
                buttons = walk.buttons_on(path)
                assert buttons, f"{self.name}: {path} has no form"
                for button in one_of_each(buttons):
                    yield from walk.twice(button, values)
                yield from walk.no_longer_offered(path, values, stage)


def adds_to(scenes: list[Scene]) -> Callable[[Callable[[], Stage]], None]:
    def add(sets: Callable[[], Stage]) -> None:
        scenes.append(Scene(sets.__name__, sets))

    return add
