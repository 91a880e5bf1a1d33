"""A child that starts warm: forked from a process that has imported what a run needs and done
nothing else. A fresh interpreter imports for four seconds before its first step.

For tests of what a run does. How the real command starts is tested in test_main.py.
"""

import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

IMPORTED = "tests.trainer.warm_imports"
_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload([IMPORTED])


def as_child(folder: Path) -> subprocess.CompletedProcess[str]:
    """As runs.as_child. `stderr` has what the child has written to stdout, too."""
    log = folder.with_name(f"{folder.name}.log")
    child = _forks.Process(target=_carry_out, args=(folder, log))
    child.start()
    child.join()
    assert child.exitcode is not None
    return subprocess.CompletedProcess([str(folder)], child.exitcode, stderr=log.read_text())


def _carry_out(folder: Path, log: Path) -> None:
    assert IMPORTED in sys.modules, "The fork server could not import what a run needs."
    written = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(written, sys.stdout.fileno())
    os.dup2(written, sys.stderr.fileno())
    main = sys.modules["training.trainer.__main__"].main
    sys.exit(main([str(folder)]))
