"""What a test needs, read from its imports, and `--quick`, which leaves out what takes long.

A file that imports torch or a browser costs seconds before its first test, so `--quick` does not
even open it.
"""

import gc
import re
from functools import cache
from pathlib import Path

import pytest
from django.conf import settings

from config.apps import PYTHONS_PACE

ROOT = Path(__file__).resolve().parents[1]
IMPORTS = {
    "browser": r"playwright|axe_playwright_python",
    "slow": r"schemathesis",
    "torch": r"gguf|safetensors|tests\.trainer|torch|training\.trainer|transformers",
}
"""Marker → the modules whose import gives it to a file, or to all files beside a conftest.py."""
LEFT_OUT = sorted(IMPORTS)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--quick", action="store_true", help=f"leave out tests marked {', '.join(LEFT_OUT)}"
    )
    parser.addoption(
        "--pictures",
        action="store_true",
        help="write pictures of the pages that tests look at to build/screenshots/",
    )


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """None leaves the decision to pytest."""
    return (config.getoption("--quick") and bool(needs(collection_path))) or None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        for marker in needs(item.path):
            item.add_marker(marker)
    if config.getoption("--quick"):
        config.hook.pytest_deselected(items=[item for item in items if _is_slow(item)])
        items[:] = [item for item in items if not _is_slow(item)]


def _is_slow(item: pytest.Item) -> bool:
    return item.get_closest_marker("slow") is not None


@cache
def needs(path: Path) -> frozenset[str]:
    """The markers of a test file or a folder."""
    file = path / "conftest.py" if path.is_dir() else path
    text = file.read_text() if file.suffix == ".py" and file.exists() else ""
    found = {
        marker
        for marker, modules in IMPORTS.items()
        if re.search(rf"^(?:from|import) (?:{modules})\b", text, re.MULTILINE)
    }
    above = needs(path.parent) if ROOT in path.parent.parents else frozenset()
    return above.union(found)


def pytest_collection_finish(session: pytest.Session) -> None:
    """What collecting has made stays for the whole run: the garbage collector need not walk over
    it again and again. It was off until now (scripts/worker_services.py).

    It took a seventh of the time of quick tests, most of it to find nothing in what templates and
    URLs have loaded.
    """
    gc.freeze()
    gc.enable()


def pytest_runtest_protocol(item: pytest.Item) -> None:
    """Tests with torch have Python's own pace, not the site's: their garbage is large."""
    is_large = item.get_closest_marker("torch") is not None
    gc.set_threshold(*(PYTHONS_PACE if is_large else settings.GARBAGE_PACE))
