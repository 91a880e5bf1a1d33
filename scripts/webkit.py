"""Prints the path of a WebKit window that a test can drive, and installs one if there is none.
Prints nothing where that is not possible: its tests are skipped then.

WebKit is Safari's engine. Debian has it with a WebDriver; it draws into a virtual screen.
"""

import shutil
from pathlib import Path

import browser

PACKAGES = {"Xvfb": "xvfb", "WebKitWebDriver": "webkitgtk-webdriver"}


def find() -> str:
    for program, package in PACKAGES.items():
        if not shutil.which(program) and not browser.from_debian(package, program):
            return ""
    windows = sorted(Path("/usr/lib").glob("*/webkit2gtk-4.1/MiniBrowser"))
    return str(windows[-1]) if windows else ""


if __name__ == "__main__":
    print(find())
