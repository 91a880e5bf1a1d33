"""Files and folders stay small enough to read: a file has at most 500 lines, and a folder of the
product at most 15 entries.
"""

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
APPS = ("accounts", "labeling", "training")
ENDINGS = (".py", ".html", ".css", ".js")
MOST_LINES, MOST_ENTRIES = 500, 15


def test_no_file_is_longer_than_five_hundred_lines() -> None:
    """Migrations may be longer: they are generated, and never edited."""
    tracked = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    files = [Path(name) for name in tracked if name.endswith(ENDINGS) and (ROOT / name).is_file()]

    long = {
        str(file): n_lines
        for file in files
        if "migrations" not in file.parts
        and (n_lines := (ROOT / file).read_text().count("\n")) > MOST_LINES
    }

    assert files
    assert long == {}


def test_no_folder_holds_more_than_fifteen_entries() -> None:
    folders = [
        path.parent
        for app in APPS
        for path in (ROOT / app).rglob("*.py")
        if "migrations" not in path.parts
    ]

    full = {
        str(folder.relative_to(ROOT)): len(entries)
        for folder in set(folders)
        if len(
            entries := {each.stem for each in folder.iterdir()}
            - {"__init__", "__pycache__", "migrations", "management", "py"}
        )
        > MOST_ENTRIES
    }

    assert full == {}
