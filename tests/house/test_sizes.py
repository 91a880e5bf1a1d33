"""Files and folders stay small enough to read: a file has at most 500 lines, and a folder at most
15 entries as one sees them. No line of a template has more than 160 characters.
"""

import subprocess
from collections import defaultdict
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parents[2]
ENDINGS = (".py", ".html", ".css", ".js")
MOST_LINES, MOST_ENTRIES, MOST_CHARACTERS = 500, 15, 160
CATALOGUES = {
    "arithmetic": "One subject a folder or file, each with its line in the import contracts.",
    "benchmarks": "One benchmark a file, found by its name; what several use is in fixtures.",
    "benchmarks/results": "The figures of one benchmark a file, found by its name.",
    "docs": "One guide a page, each in the README's list.",
    "docs/images": "One picture a page, each beside the page's text.",
    "labeling": "One feature a room, each with its line in the import contracts.",
    "tests/arithmetic": "The tests of one subject a folder or file, as in arithmetic.",
    "tests/training": "The tests of one room a folder, as in training.",
    "training": "One feature a room, each with its line in the import contracts.",
    "templates/training": "The templates of one room a folder, as in training.",
    "templates/components": 'One component a file, found by its name: {% component "card" %}.',
    "templates/components/icons": 'One icon a file, found by its name: {% icon "guideline" %}.',
}
"""Folder → why it may have any number of entries."""


def tracked() -> list[PurePosixPath]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    return [PurePosixPath(name) for name in listed if name and (ROOT / name).is_file()]


def test_no_file_is_longer_than_five_hundred_lines() -> None:
    """Migrations may be longer: they are generated, and never edited."""
    files = [file for file in tracked() if file.suffix in ENDINGS]

    long = {
        str(file): n_lines
        for file in files
        if "migrations" not in file.parts
        and (n_lines := (ROOT / file).read_text().count("\n")) > MOST_LINES
    }

    assert files
    assert long == {}


def test_no_line_of_a_template_is_longer_than_160_characters() -> None:
    """A tag cannot be wrapped, so these lines may be longer than the 100 of the formatter."""
    templates = [file for file in tracked() if file.suffix == ".html"]

    long = {
        f"{file}:{number}"
        for file in templates
        for number, line in enumerate((ROOT / file).read_text().splitlines(), start=1)
        if len(line) > MOST_CHARACTERS
    }

    assert templates
    assert long == set()


def test_no_folder_holds_more_than_fifteen_entries() -> None:
    """All but `__init__.py` and migrations, which nobody opens a folder for."""
    entries = defaultdict(set)
    for file in tracked():
        if file.name != "__init__.py" and "migrations" not in file.parts:
            for entry in (file, *file.parents[:-2]):
                entries[str(entry.parent)].add(entry.name)

    full = {
        folder for folder, names in entries.items() if folder != "." and len(names) > MOST_ENTRIES
    }

    assert full == CATALOGUES.keys()
