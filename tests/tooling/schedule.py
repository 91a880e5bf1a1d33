"""Which tests a process runs one after another: those of a file. What they share, such as a
module's fixtures and the scenes of recordings.py, is then made by one process instead of by each.

Files with slow tests mostly wait for processes that they have started, the others compute. Every
second process begins with the ones and the rest with the others, so that no core has only the one
kind, and half of the processes start browsers and torch's fork servers.
"""

from functools import cache
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadGroupScheduling
from xdist.workermanage import WorkerController

from tests.tooling import selection

LONGEST = (
    "tests/upgrades/",
    "tests/tooling/test_faults.py",
    "tests/labeling/importers/hostile/",
    "tests/pages/stale/test_every_form.py",
    "tests/tooling/wheel/",
    "tests/browser/desk/test_conversation.py",
    "tests/browser/test_forms.py",
    "tests/browser/journeys/",
    "tests/training/runs/",
    "tests/browser/training/",
    "tests/api/test_schema.py",
    "tests/trainer/parallel/",
)
"""What takes half a minute or more. Started last, it would keep one process busy while the others
have nothing left to do.
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A hook of pytest. The order is xdist's with `--no-loadscope-reorder`."""
    items.sort(key=lambda item: place(item.nodeid.split("::")[0]))


@cache
def place(file: str) -> int:
    return next((n for n, name in enumerate(LONGEST) if file.startswith(name)), len(LONGEST))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> "ByFile | None":
    """A hook of xdist. None leaves the decision to xdist."""
    return ByFile(config, log) if config.getoption("dist") == "loadgroup" else None


class ByFile(LoadGroupScheduling):  # type: ignore[misc]  # xdist has no types
    """A unit of work is a file, or a group that tests are marked with."""

    def _split_scope(self, nodeid: str) -> str:
        return str(super()._split_scope(nodeid)).split("::")[0]

    def _assign_work_unit(self, node: WorkerController) -> None:
        begins_with_slow = self.nodes.index(node) % 2 == 0
        root = self.config.rootpath
        wanted = (unit for unit in self.workqueue if is_slow(root / unit) == begins_with_slow)
        self.workqueue.move_to_end(next(wanted, next(iter(self.workqueue))), last=False)
        super()._assign_work_unit(node)


@cache
def is_slow(unit: Path) -> bool:
    is_group = not unit.is_file()
    return is_group or bool(selection.needs(unit)) or "mark.slow" in unit.read_text()
