"""The messages of each release: every Celery task with the names of its arguments.
`make release-data RELEASE=…` records them.

During an upgrade, a worker of this code takes messages that processes of the last release have
sent, and a node of the last release takes messages of this code.
"""

import inspect
import json
from pathlib import Path

from config.celery import ROOMS, app

FOLDER = Path(__file__).parent

Messages = dict[str, list[str]]
"""A task's name → its arguments."""


def now() -> Messages:
    """Those of this code."""
    app.loader.import_default_modules()
    rooms = tuple(f"{room}." for room in ROOMS)
    return {
        name: list(inspect.signature(task.run).parameters)
        for name, task in sorted(app.tasks.items())
        if name.startswith(rooms)
    }


def of(release: str) -> Messages:
    return dict(json.loads((FOLDER / f"{release}.json").read_text()))


def as_json(messages: Messages) -> str:
    lines = (f"  {json.dumps(name)}: {json.dumps(names)}" for name, names in messages.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"
