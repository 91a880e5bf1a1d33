"""Prints the path of the Chromium for browser tests, and installs one if there is none. With
--webkit, the path of a WebKit window, or nothing where there is none and Debian's packages can't be
installed. Progress goes to stderr.

Preferred is the headless shell: the same engine without windows and tabs, so that opening a page
takes a third of the time.
"""

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

SHELL = "chromium-headless-shell"
NAMES = ("chromium", "chromium-browser", "google-chrome")
# WebKit, Safari's engine, with its WebDriver and a virtual screen to draw into.
WEBKIT = {"Xvfb": "xvfb", "WebKitWebDriver": "webkitgtk-webdriver"}


def find() -> str:
    found = (
        named()
        or on_path(SHELL)
        or from_debian(SHELL)
        or on_path(*NAMES)
        or from_debian("chromium")
        or from_playwright()
    )
    if not found:
        raise SystemExit(
            "Chromium not found. Install it and put it on PATH, or set CHROMIUM=/path/to/it."
        )
    path, how = found
    print(f"browser: {path} ({how})", file=sys.stderr)
    return path


def named() -> tuple[str, str] | None:
    path = os.environ.get("CHROMIUM")
    if path and not os.access(path, os.X_OK):
        raise SystemExit(
            f"CHROMIUM={path} is not an executable file. Unset it to search for Chromium."
        )
    return (path, "$CHROMIUM") if path else None


def on_path(*names: str) -> tuple[str, str] | None:
    return next(((path, "on PATH") for path in map(shutil.which, names) if path), None)


def from_debian(package: str, program: str = "") -> tuple[str, str] | None:
    """Installs the package, whose program has its name unless another is named."""
    if not shutil.which("apt-get") or os.getuid() != 0 or not _debian_lists_are_new():
        return None
    if not _apt_get("install", "-q", "-y", "--no-install-recommends", package):
        return None
    return (path, "Debian's package") if (path := shutil.which(program or package)) else None


@cache
def _debian_lists_are_new() -> bool:
    return _apt_get("update", "-q")


def _apt_get(*arguments: str) -> bool:
    command = ["apt-get", *arguments]
    print(f"browser: {' '.join(command)} …", file=sys.stderr, flush=True)
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    return subprocess.call(command, stdout=sys.stderr, env=environment) == 0


def from_playwright() -> tuple[str, str] | None:
    if (
        subprocess.call(
            [sys.executable, "-m", "playwright", "install", "chromium"], stdout=sys.stderr
        )
        != 0
    ):
        return None
    code = (
        "from playwright.sync_api import sync_playwright as p\nwith p() as b:"
        " print(b.chromium.executable_path)"
    )
    path = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()
    return path, "playwright's own"


def webkit() -> str:
    for program, package in WEBKIT.items():
        if not on_path(program) and not from_debian(package, program):
            return ""
    windows = sorted(Path("/usr/lib").glob("*/webkit2gtk-4.1/MiniBrowser"))
    return str(windows[-1]) if windows else ""


if __name__ == "__main__":
    print(webkit() if "--webkit" in sys.argv else find())
