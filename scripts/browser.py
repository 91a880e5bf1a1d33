"""Prints the path of the Chromium for browser tests, and installs one if there is none. Progress
goes to stderr.
"""

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome")


def find() -> str:
    found = named() or on_path() or from_debian() or from_playwright()
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


def on_path() -> tuple[str, str] | None:
    return next(((path, "on PATH") for path in map(shutil.which, NAMES) if path), None)


def from_debian() -> tuple[str, str] | None:
    if not shutil.which("apt-get") or os.getuid() != 0:
        return None
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    print("browser: apt-get install chromium …", file=sys.stderr, flush=True)
    for command in (
        ["update", "-q"],
        ["install", "-q", "-y", "--no-install-recommends", "chromium"],
    ):
        if subprocess.call(["apt-get", *command], stdout=sys.stderr, env=environment) != 0:
            return None
    return (path, "Debian's package") if (path := shutil.which("chromium")) else None


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


if __name__ == "__main__":
    print(find())
