"""WebKit, Safari's engine, in front of a real server. The other tests use Chromium.

`make test` installs it and sets $WEBKIT (scripts/browser.py). Without it, these tests are skipped.
"""

import os
import shutil
import subprocess
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.conf import settings
from pytest_django.live_server_helper import LiveServer
from selenium.webdriver import WebKitGTK
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.support.wait import WebDriverWait
from selenium.webdriver.webkitgtk.options import Options
from selenium.webdriver.webkitgtk.service import Service

from accounts.models import User
from labeling.models import Rater
from tests.browser.conftest import let_the_server_finish, session_of
from tests.browser.desk.conftest import comparing, writing  # noqa: F401  # fixtures

MOUNTED = """return document.readyState === "complete"
  && [...document.querySelectorAll("[data-behavior]")].every((el) => "mounted" in el.dataset)"""
# Two busy cores are slow; nothing waits longer than it must.
TIMEOUT_S = 60


class Window:
    """One window of WebKit, with the few acts that the tests need."""

    def __init__(self, driver: WebKitGTK, address: str) -> None:
        self.driver = driver
        self.address = address

    def open(self, path: str) -> None:
        self.driver.get(self.address + path)
        self.wait(lambda: self.driver.execute_script(MOUNTED))

    def log_in(self, person: User | Rater) -> None:
        """Takes the place of whoever was logged in."""
        self.driver.get(f"{self.address}/healthz")  # a cookie needs a page of its site
        self.driver.delete_all_cookies()
        self.driver.add_cookie(
            {
                "name": settings.SESSION_COOKIE_NAME,
                "value": session_of(person),
                "path": "/",
                "sameSite": "Lax",
                "expiry": int(time.time()) + 3600,  # WebKit's driver ignores one without an end
            }
        )

    def press(self, *keys: str) -> None:
        for key in keys:
            ActionChains(self.driver).send_keys(key).perform()

    def press_with(self, modifier: str, key: str) -> None:
        ActionChains(self.driver).key_down(modifier).send_keys(key).key_up(modifier).perform()

    def evaluate(self, expression: str) -> object:
        return self.driver.execute_script(f"return {expression}")

    def wait(self, is_done: Callable[[], object]) -> None:
        WebDriverWait(self.driver, TIMEOUT_S, poll_frequency=0.05).until(lambda _driver: is_done())


@contextmanager
def a_screen() -> Iterator[str]:
    """A virtual one that nothing else draws into. Yields its name for $DISPLAY."""
    reads, writes = os.pipe()
    screen = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writes), "-screen", "0", "1600x1200x24", "-nolisten", "tcp"],
        pass_fds=[writes],
        stderr=subprocess.DEVNULL,
    )
    os.close(writes)
    try:
        with os.fdopen(reads) as pipe:
            yield f":{pipe.readline().strip()}"
    finally:
        screen.terminate()
        screen.wait()


@pytest.fixture(scope="session")
def screen() -> Iterator[str]:
    if "WEBKIT" not in os.environ:
        pytest.skip("$WEBKIT is not set: see scripts/browser.py.")
    with a_screen() as display:
        yield display


@pytest.fixture
def window(screen: str, live_server: LiveServer) -> Iterator[Window]:
    options = Options()
    options.binary_location = os.environ["WEBKIT"]
    options.add_argument("--automation")
    service = Service(shutil.which("WebKitWebDriver"), env=os.environ | {"DISPLAY": screen})
    others = set(threading.enumerate())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Selenium's, of its own class
        driver = WebKitGTK(options=options, service=service)
    try:
        yield Window(driver, live_server.url)
    finally:
        driver.quit()
    let_the_server_finish(live_server, others=others)
