"""The documentation is correct: links work, commands exist, and nothing in the repository names one
machine.
"""

import re
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
CLASS_PATH = re.compile(r"\b((?:[a-z_]+\.)+)([A-Z]\w+)\b")
CLASS = re.compile(r"^class (\w+)", re.MULTILINE)
COMMENT = re.compile(r"\{#.*?#\}|\{% comment %\}.*?\{% endcomment %\}", re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
# Home and work folders of the author of a line. /path/to/… and /var, /usr, /tmp in examples are
# everybody's.
MACHINE_PATH = re.compile(r"(?<![\w.~])/(?:home|Users|work|root|mnt|opt|workspace)/[\w.-]+")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_file_leads_to_one(page: Path) -> None:
    targets = [target.partition("#")[0] for target in LINK.findall(page.read_text())]
    files = [target for target in targets if target and not re.match(r"[a-z]+:", target)]

    assert [target for target in files if not (page.parent / target).exists()] == []


def test_every_class_named_in_a_templates_header_exists() -> None:
    named = {
        (template.relative_to(ROOT).as_posix(), *path)
        for template in (ROOT / "templates").rglob("*.html")
        for comment in COMMENT.findall(template.read_text())
        for path in CLASS_PATH.findall(comment)
    }

    defined = _classes()

    assert named
    assert [
        (template, module, name)
        for template, module, name in named
        if not any(path.endswith(f".{module}") for path in defined[name])
    ] == []


def _classes() -> dict[str, set[str]]:
    """Name of a class → the modules that define one, as ".labeling.models.queue."."""
    modules: dict[str, set[str]] = defaultdict(set)
    for app in ("accounts", "arithmetic", "jobs", "labeling", "pages", "training"):
        for source in (ROOT / app).rglob("*.py"):
            path = source.relative_to(ROOT).with_suffix("").as_posix()
            for name in CLASS.findall(source.read_text()):
                modules[name].add(f".{path.removesuffix('/__init__').replace('/', '.')}.")
    return modules


def test_every_make_target_named_in_the_documentation_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {
        target for page in PAGES for target in re.findall(r"`make ([a-z-]+)", page.read_text())
    }

    assert named - targets == set()


def test_make_help_lists_what_the_readme_promises() -> None:
    listed = subprocess.run(
        ["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout

    for target in [
        "demo",
        "demo-reset",
        "test",
        "lint",
        "fix",
        "types",
        "bench",
        "docs-check",
        "loop",
    ]:
        assert f"make {target} " in listed


def test_no_committed_file_names_a_path_of_one_machine() -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    texts = {name: text for name in tracked if name and (text := text_of(ROOT / name)) is not None}

    assert {
        name: found.group() for name, text in texts.items() if (found := MACHINE_PATH.search(text))
    } == {}


def text_of(path: Path) -> str | None:
    try:
        return path.read_text()
    except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):  # a link to a folder
        return None
