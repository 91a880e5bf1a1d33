"""A real Chromium in front of a real server: pages of named people, the accessibility check,
screenshots.
"""

import asyncio
import os
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Collection, Iterable, Iterator
from mimetypes import guess_type
from pathlib import Path
from typing import Any, Literal
from weakref import WeakKeyDictionary

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.http import Http404, HttpRequest, HttpResponse
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from labeling.models import Rater

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

import services  # noqa: E402  # scripts/ is no package

SCREENSHOTS = ROOT / "build" / "screenshots"
REFUSED = (
    "Failed to load resource: the server responded with a status of 422 (Unprocessable Entity)"
)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    # Another page of the same window starts no other process, and compiles no script again.
    "--renderer-process-limit=1",
]
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
COLOR_RULES = ["color-contrast", "link-in-text-block"]
NO_COLORS = {rule: {"enabled": False} for rule in COLOR_RULES}
IS_DARK = "matchMedia('(prefers-color-scheme: dark)').matches"
ONE_OF_EACH_LOOK = """() => {
  const ids = new Map(), looks = new Map(), counts = new Map(), chosen = [];
  for (const el of document.querySelectorAll("body, body *")) {
    const is = getComputedStyle(el);
    const look = [
      ids.get(el.parentElement), is.color, is.backgroundColor, is.backgroundImage, is.opacity,
      is.fontSize, is.fontWeight, is.textDecorationLine,
    ].join();
    if (!looks.has(look)) looks.set(look, looks.size);
    const id = looks.get(look), n = counts.get(id) ?? 0;
    ids.set(el, id);
    const hasText = el.matches("input, select, textarea")
      || [...el.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (n < 3 && hasText && el.checkVisibility()) {
      counts.set(id, n + 1);
      chosen.push(el);
    }
  }
  return chosen;
}"""
"""Elements with text, three for each combination of colours of an element and all it lies in."""
MOUNTED = """() => [...document.querySelectorAll("[data-behavior]")].every(
  (el) => "mounted" in el.dataset)"""
DRAWN = """async (frames) => {
  await document.fonts.ready;
  for (let n = 0; n < frames; n++) await new Promise(requestAnimationFrame);
}"""
UNDER_WAY: WeakKeyDictionary[BrowserContext, set[Request]] = WeakKeyDictionary()
"""Requests without an answer yet."""
# Playwright's synchronous interface runs an event loop in this thread, which Django would take for
# asynchronous code.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
_run = asyncio.run


def _run_beside_a_browser(*arguments: Any, **options: Any) -> Any:
    """`asyncio.run` refuses to work while that loop runs, in later tests without a browser too."""
    loop = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    try:
        return _run(*arguments, **options)
    finally:
        asyncio._set_running_loop(loop)


asyncio.run = _run_beside_a_browser


# A page answers in milliseconds; two cores that also train models may take seconds.
expect.set_options(timeout=30_000)


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    return {"executable_path": services.chromium(), "args": FLAGS}


@pytest.fixture(autouse=True, scope="session")
def _static_files_are_served_from_memory() -> Iterator[None]:
    """And kept by each window, as in production. Django's own handler searches the folder of every
    app for each of the twenty files of a page, and lets the browser ask again for every page.
    """
    found = {"axe.js": AXE_SCRIPT.encode()}

    def serve(self: StaticFilesHandler, request: HttpRequest) -> HttpResponse:
        name = self.file_path(request.path)
        if name not in found:
            path = finders.find(name)
            if path is None:
                raise Http404
            found[name] = Path(path).read_bytes()
        headers = {"Cache-Control": "public, max-age=31536000, immutable"}
        return HttpResponse(found[name], content_type=guess_type(name)[0], headers=headers)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StaticFilesHandler, "serve", serve)
        yield


@pytest.fixture
def open_page(browser: Browser, live_server: LiveServer) -> Iterator[Callable[..., Page]]:
    """open_page("/desk/", rosa, theme="dark", width=390, height=844): a new window, signed in as
    that person or as nobody, with every script mounted. At the end of the test, every such page
    must have run without an error and without violating the content policy.

    Without JavaScript a refused form (422) is a full page, and the browser logs that: `refusals` is
    the expected number. It also logs requests without a response: `may_be_away` says that the
    server is killed under this page.
    """
    contexts, complaints, meant = [], [], []
    is_over = threading.Event()

    def open_(
        path: str,
        person: User | Rater | None = None,
        *,
        theme: Any = "light",
        width: int = 1440,
        height: int = 900,
        refusals: int = 0,
        may_be_away: bool = False,
        **options: Any,
    ) -> Page:

        def is_complaint(message: ConsoleMessage) -> bool:
            if is_over.is_set() and message.text.startswith("htmx:"):
                return False  # closing the page has cut this request off
            if message.text.startswith(("htmx:sendAbort", "htmx:afterRequest")):
                return False  # so has going to another; failed requests have errors of their own
            return message.type == "error" and not (may_be_away and "net::ERR_" in message.text)

        context = browser.new_context(
            base_url=live_server.url,
            color_scheme=theme,
            viewport={"width": width, "height": height},
            reduced_motion="reduce",
            **options,
        )
        contexts.append(context)
        _watch(context)
        if person is not None:
            context.add_cookies(
                [
                    {
                        "name": settings.SESSION_COOKIE_NAME,
                        "value": session_of(person),
                        "url": live_server.url,
                    }
                ]
            )
        page = context.new_page()
        page.set_default_timeout(
            30_000
        )  # two busy cores are slow; nothing waits longer than it must
        page.on(
            "console",
            lambda message: complaints.append(message.text) if is_complaint(message) else None,
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(path)
        if options.get("java_script_enabled", True):
            page.wait_for_function(MOUNTED)
        meant.extend([REFUSED] * refusals)
        return page

    others = set(threading.enumerate())
    yield open_
    is_over.set()
    for context in contexts:
        context.close()
    let_the_server_finish(live_server, others=others)
    assert complaints == meant


@pytest.fixture
def settled() -> Callable[[Page], None]:
    """settled(page) returns when no request is in progress and everything is drawn. Playwright's
    "networkidle" waits half a second more, every time.
    """

    def wait(page: Page) -> None:
        deadline, n_quiet = time.monotonic() + 30, 0
        while n_quiet < 2:
            page.evaluate(DRAWN, 1)
            n_quiet = 0 if UNDER_WAY.get(page.context) else n_quiet + 1
            assert time.monotonic() < deadline, UNDER_WAY[page.context]

    return wait


@pytest.fixture
def axe_clean(settled: Callable[[Page], None]) -> Callable[[Page], None]:
    """axe_clean(page) fails with axe's findings on the current page: WCAG 2.2 A and AA. Only
    colours differ between light and dark, so only they are checked in both; of a thousand cells
    with the same colours, a few show what all would.
    """

    def check(page: Page) -> None:
        settled(page)
        themes: list[Literal["light", "dark"]] = ["light", "dark"]
        theme, other = reversed(themes) if page.evaluate(IS_DARK) else themes
        found = _violations(page, theme, {"runOnly": AXE_TAGS, "rules": NO_COLORS})
        found += _color_violations(page, theme)
        page.emulate_media(color_scheme=other)
        page.evaluate(DRAWN, 2)  # a script may follow the theme
        found += _color_violations(page, other)
        page.emulate_media(color_scheme=theme)
        assert not found, "\n".join(found)

    return check


@pytest.fixture
def screenshot(pytestconfig: pytest.Config) -> Callable[..., None]:
    """screenshot(page, "desk-dark") writes build/screenshots/desk-dark.png, with `--pictures`."""

    def take(page: Page, name: str, *, full_page: bool = False) -> None:
        if pytestconfig.getoption("pictures"):
            SCREENSHOTS.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=full_page)

    return take


@pytest.fixture
def look_over(
    screenshot: Callable[..., None], axe_clean: Callable[[Page], None]
) -> Callable[..., None]:
    """look_over(page, "run-dark"): axe finds nothing on the current page, in both themes, and it
    fits its window. With `--pictures` it takes a screenshot of the whole page.
    """

    def check(page: Page, name: str) -> None:
        axe_clean(page)
        screenshot(page, name, full_page=True)
        assert page.viewport_size is not None
        assert (
            page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
        ), f"{name} is too wide."

    return check


@pytest.fixture
def look_over_each(look_over: Callable[..., None]) -> Callable[..., None]:
    """look_over_each(page, {"runs": "/runs/"}, widths=(1440, 390)) opens each address at each width
    and looks it over, as "runs-1440" and so on.
    """

    def check(page: Page, addresses: dict[str, str], *, widths: Iterable[int]) -> None:
        for width in widths:
            page.set_viewport_size({"width": width, "height": 900})
            for name, address in addresses.items():
                page.goto(address)
                look_over(page, f"{name}-{width}")

    return check


def _watch(context: BrowserContext) -> None:
    """Keeps UNDER_WAY."""
    under_way = UNDER_WAY.setdefault(context, set())

    def begin(request: Request) -> None:
        if request.resource_type != "eventsource":  # which is meant to stay open
            under_way.add(request)

    def end(request: Request) -> None:
        under_way.discard(request)

    context.on("request", begin)
    context.on("requestfinished", end)
    context.on("requestfailed", end)


def _color_violations(page: Page, theme: str) -> list[str]:
    where = f"{{include: ({ONE_OF_EACH_LOOK})()}}"
    return _violations(page, theme, {"runOnly": COLOR_RULES}, where=where)


def _violations(
    page: Page, theme: str, options: dict[str, Any], *, where: str = "document"
) -> list[str]:
    """`where` is JavaScript for what axe looks at."""
    if not page.evaluate("'axe' in window"):
        page.add_script_tag(url="/static/axe.js")
    options |= {"resultTypes": ["violations"]}  # no lists of what passes
    found = page.evaluate(f"async options => (await axe.run({where}, options)).violations", options)
    return [
        f"{rule['id']} in {theme}: {node['target']} {node['failureSummary']}"
        for rule in found
        for node in rule["nodes"]
    ]


def let_the_server_finish(server: LiveServer, *, others: Collection[threading.Thread]) -> None:
    """A closed page may still have requests running; none may use the database while it is emptied
    for the next test. The server accepts connections in order: once it has answered one more, each
    earlier one has its thread. `others` are threads of earlier tests, such as of a stub's server.
    """
    urllib.request.urlopen(f"{server.url}/healthz", timeout=60).close()  # noqa: S310  # our own
    deadline = time.monotonic() + 60
    while any(_is_answering(thread) for thread in set(threading.enumerate()) - set(others)):
        assert time.monotonic() < deadline, "The server is still answering a page that is closed."
        time.sleep(0.005)


def _is_answering(thread: threading.Thread) -> bool:
    """A thread that is about to start is enumerated, too; `join` refuses it."""
    return "process_request_thread" in thread.name


def session_of(person: User | Rater) -> str:
    user = person.user if isinstance(person, Rater) else person
    assert user is not None
    client = Client()
    client.force_login(user, backend="accounts.login.sessions.Backend")
    return client.cookies[settings.SESSION_COOKIE_NAME].value
