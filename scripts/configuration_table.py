"""Prints the table of docs/configuration.md from config.env.KNOBS; --write updates the page."""

import argparse
import json
import secrets
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "configuration.md"
BEGIN, END = "<!-- knobs: begin -->\n", "<!-- knobs: end -->\n"
# A separate process, so that this shell's variables and a test's mode do not change the
# defaults.
ASK = """
import dataclasses, json
from config import env, settings
print(json.dumps([dataclasses.asdict(knob) for knob in env.KNOBS.values()]))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--write", action="store_true", help="put the table into docs/configuration.md"
    )
    if not parser.parse_args().write:
        print(table(), end="")
        return
    before, rest = PAGE.read_text().split(BEGIN)
    PAGE.write_text(before + BEGIN + table() + END + rest.split(END)[1])


def table() -> str:
    rows = [
        f"| `{knob['name']}` | {shown(knob['default'])} | {knob['help']} |\n"
        for knob in sorted(knobs(), key=by_name)
    ]
    return "".join(["| variable | default | what it does |\n|---|---|---|\n", *rows])


def knobs() -> list[dict[str, str | None]]:
    environment = {
        "PREFERABLY_MODE": "production",
        "PREFERABLY_SECRET_KEY": secrets.token_urlsafe(50),
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(
        [sys.executable, "-c", ASK],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    found: list[dict[str, str | None]] = json.loads(done.stdout)
    return found


def by_name(knob: dict[str, str | None]) -> str:
    return str(knob["name"])


def shown(default: str | None) -> str:
    if default is None:
        return "**required**"
    return f"`{default.replace(f'{ROOT}/', '')}`" if default else "empty"


if __name__ == "__main__":
    main()
